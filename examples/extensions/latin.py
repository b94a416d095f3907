"""Plug-ins as an extension: a generator, an acquisition function, a model (docs/how-to/write-a-plug-in.md).

    fechner serve --allow-extensions examples/extensions

and in the configuration `extensions = [latin.py]`. What computes is imported inside the functions, so that
checking a configuration stays quick.
"""

from __future__ import annotations

from typing import Any

from fechner.strategies import plugins


def hypercube(component: Any, request: Any) -> Any:
    """Latin hypercubes of `rows` points: each row of each axis has one (McKay, Beckman & Conover 1979)."""
    import numpy as np

    from fechner.strategies.random import rng

    rows, columns = component.keys["rows"], request.stimuli * request.space.d
    points = []
    for place in range(request.first, request.first + request.n):
        cube, row = divmod(place, rows)
        random = rng(request.seed, "cube", cube)
        order = np.array([random.permutation(rows) for _ in range(columns)])
        inside = random.uniform(size=(columns, rows))
        points.append((order[:, row] + inside[:, row]) / rows)
    return np.reshape(points, (request.n, request.stimuli, request.space.d))


def upper_end(component: Any, posterior: Any, *, seed: int) -> Any:
    """The upper end of an interval of `sds` standard deviations of f."""
    import numpy as np

    from fechner.strategies.acquisition import of_moments

    sds = component.keys["sds"]
    return of_moments(posterior, lambda mean, variance: mean + sds * np.sqrt(variance))


def fit(component: Any, x: Any, y: Any, start: Any = None, *, poll: Any = None) -> dict[str, Any]:
    """A smooth function whose length scale is given: mean and variance are those of the outcomes."""
    scale = float(y.std()) if len(y) > 1 else 1.0
    return {
        "mean": float(y.mean()) if len(y) else 0.0,
        "variance": max(scale, 1e-6) ** 2,
        "noise": (component.keys["noise"] * max(scale, 1e-6)) ** 2,
    }


def posterior(component: Any, x: Any, y: Any, hyperparameters: Any, *, poll: Any = None) -> Any:
    """Exact regression, as Fechner's own model does it."""
    import numpy as np

    from fechner.strategies.models import gp_regression

    if poll is not None:
        poll()
    return gp_regression.posterior(
        component,
        x,
        y,
        {
            **hyperparameters,
            "constant": 0.0,
            "slopes": None,
            "lengthscales": np.full(x.shape[1], component.keys["lengthscale"]).tolist(),
        },
    )


PLUGINS = [
    plugins.generator(
        "LatinHypercubeGenerator",
        generate=hypercube,
        keys={"rows": plugins.whole(8, low=1, high=10_000)},
        about="points fill Latin hypercubes, one after another",
    ),
    plugins.acquisition(
        "UpperEnd",
        build=upper_end,
        keys={"sds": plugins.number(2.0, low=0.0)},
        about="where f may be highest",
    ),
    plugins.model(
        "FixedScaleGP",
        fit=fit,
        posterior=posterior,
        keys={"lengthscale": plugins.number(0.2, above=0.0), "noise": plugins.number(0.3, above=0.0)},
        outcome="continuous",
        about="a smooth function with a length scale that is given",
    ),
]
