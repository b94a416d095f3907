"""What every model must do."""

from __future__ import annotations

from typing import Any

import numpy as np

from fechner.strategies.models import fit, posterior
from fechner.strategies.numerics.arrays import Array
from fechner.strategies.numerics.sobol import sobol
from fechner.strategies.plugins.declare import Plugin
from fechner.strategies.plugins.resolve import resolve
from fechner.strategies.specification import Component
from fechner.strategies.testing._common import (
    as_component,
    data,
    polls,
    require,
    round_trip,
    untouched,
)

ASKED = 16


def check_model(
    model: Plugin | Component, *, outcome: str = "", stimuli: int = 1, d: int = 2, n: int = 24, seed: int = 1
) -> None:
    """Fit and posterior are deterministic, plain, finite, of the right shapes, and can be cancelled.

    Args:
        model: a plug-in, or a component with keys of its own.
        outcome: the type of the outcomes to fit; of several outcomes, spaces between. Each of the
            plug-in's if not given.
        stimuli: 2 for a model of pairs.
        d: number of parameters.
        n: trials.
        seed: of the trials.

    Raises:
        NonconformingError: it doesn't; the text says what.
    """
    component = as_component(model)
    if outcome or not component.plugin:
        _check(component, tuple((outcome or "binary").split()), stimuli, d, n, seed)
        return
    for kind in (resolve(component).outcome or "binary continuous ordinal").split():
        _check(component, (kind,), stimuli, d, n, seed)


def _check(component: Component, outcomes: tuple[str, ...], stimuli: int, d: int, n: int, seed: int) -> None:
    name = component.name
    x, told = data(outcomes, n, stimuli, d, seed)
    y = told if len(outcomes) > 1 else told[:, 0]
    with untouched(name, x, y):
        fitted = fit(component, x, y)
    with untouched(name, x, y):
        plain = round_trip(fitted, name, "what fit gives")
        require(plain.get("model") == name, name, "its hyperparameters don't name it under 'model'")
        require(fit(component, x, y) == fitted, name, "fit gives something else the second time")
        warm = fit(component, x, y, plain)
        require(fit(component, x, y, plain) == warm, name, "a fit from earlier ones is not repeatable")
        core = posterior(component, x, y, fitted)
    asked = sobol(seed + 1, d, 0, ASKED)
    with untouched(name, x, y, asked):
        found = _moments(name, core, asked)
        again = _moments(name, posterior(component, x, y, plain), asked)
    require(
        all(np.array_equal(a, b) for a, b in zip(found, again, strict=True)),
        name,
        "its posterior is another one after the hyperparameters went through JSON and back",
    )
    empty = posterior(component, x[:0], y[:0], fit(component, x[:0], y[:0]))
    _moments(name, empty, asked)
    polls(name, lambda poll: fit(component, x, y, poll=poll), required=not component.plugin)
    polls(name, lambda poll: posterior(component, x, y, fitted, poll=poll), required=False)


def _moments(name: str, core: Any, asked: Array) -> list[Array]:
    """What a posterior says about points (m, d), looked at."""
    m = len(asked)
    mean, variance = core.latent(asked)
    shapes = np.shape(mean) == np.shape(variance) == (m,)
    require(shapes, name, f"latent gives {np.shape(mean)} and {np.shape(variance)} for {m} points")
    require(bool(np.all(np.isfinite(mean)) and np.all(np.isfinite(variance))), name, "latent is not finite")
    require(bool(np.all(variance > 0)), name, "a variance is not positive")
    middle, covariance = core.joint(asked)

    def same(a: Array, b: Array) -> bool:
        return np.allclose(a, b, rtol=1e-6, atol=1e-6 * float(variance.max()))

    require(same(middle, mean), name, "the means of joint and latent differ")
    require(same(np.diag(covariance), variance), name, "the variances of joint and latent differ")
    require(same(covariance, covariance.T), name, "the joint covariance is not symmetric")
    least = float(np.linalg.eigvalsh((covariance + covariance.T) / 2).min())
    require(least > -1e-6 * float(variance.max()), name, "the joint covariance is not positive semi-definite")
    first, _ = core.latent(asked[:1])
    require(same(first, mean[:1]), name, "a point's mean depends on the points beside it")
    out = [mean, variance]
    for space in ("latent", "probability"):
        value, sd = core.moments(asked, space)
        finite = bool(np.all(np.isfinite(value)) and np.all(sd >= 0))
        require(finite, name, f"moments in {space} are not finite")
        out += [value, sd]
    if getattr(core, "binary", False):
        require(bool(np.all((value >= 0) & (value <= 1))), name, "a probability lies outside 0 to 1")
    return out
