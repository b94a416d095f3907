"""What every acquisition function of one stimulus must do."""

from __future__ import annotations

import numpy as np

from fechner.strategies.acquisition import build
from fechner.strategies.models import fit, posterior
from fechner.strategies.numerics.arrays import Array
from fechner.strategies.numerics.sobol import sobol
from fechner.strategies.plugins.declare import Plugin
from fechner.strategies.plugins.resolve import resolve
from fechner.strategies.specification import Component
from fechner.strategies.testing._common import (
    LEVELS,
    NonconformingError,
    as_component,
    data,
    require,
    untouched,
)

MODELS = {
    "binary": Component("GPClassificationModel", {"floor": 0.0, "lapse": 0.0}),
    "continuous": Component("GPRegressionModel"),
    "ordinal": Component("OrdinalGPModel", {"n_levels": LEVELS}),
}
STEP = 1e-5
POINTS = 12


def check_acquisition(
    acquisition: Plugin | Component,
    *,
    outcome: str = "",
    model: Component | None = None,
    d: int = 2,
    n: int = 24,
    seed: int = 1,
) -> None:
    """Values are deterministic, finite and a function of the point alone; gradients equal differences.

    Args:
        acquisition: a plug-in, or a component with keys of its own.
        outcome: the outcome type; each of the plug-in's if not given.
        model: whose posterior it is given; ours for the outcome type if none.
        d: number of parameters.
        n: trials.
        seed: of the trials.

    Raises:
        NonconformingError: they aren't; the text says what.
    """
    component = as_component(acquisition)
    every = resolve(component).outcome or "binary continuous ordinal" if component.plugin else "binary"
    for kind in (outcome or every).split():
        _check(component, model or MODELS[kind], kind, d, n, seed)


def _check(component: Component, model: Component, outcome: str, d: int, n: int, seed: int) -> None:
    name = component.name
    x, told = data((outcome,), n, 1, d, seed)
    y = told[:, 0]
    core = posterior(model, x, y, fit(model, x, y))
    asked = 0.05 + 0.9 * sobol(seed + 1, d, 0, POINTS)
    for pending in (None, np.full((1, d), 0.5)):
        with untouched(name, asked):
            function = build(component, core, seed=seed, pending=pending)
            require(function.chunk >= 1, name, "a chunk has at least one point")
            values = function.values(asked)
            again = build(component, core, seed=seed, pending=pending).values(asked)
        require(np.shape(values) == (POINTS,), name, f"{np.shape(values)} values for {POINTS} points")
        require(bool(np.all(np.isfinite(values))), name, "a value is not finite")
        require(np.array_equal(values, again), name, "built again with the same seed it gives other values")
        size = float(np.abs(values).max()) + 1e-12
        alone = np.concatenate([function.values(asked[i : i + 1]) for i in range(POINTS)])
        require(
            np.allclose(values, alone, rtol=1e-6, atol=1e-7 * size),
            name,
            "a point's value depends on the points beside it",
        )
        if function.gradients is not None:
            _slopes(name, *function.gradients(asked), values, _differences(function.values, asked))


def _slopes(name: str, values: Array, slopes: Array, alone: Array, wanted: Array) -> None:
    """Gradients (m, d) beside values and differences of these."""
    size = float(np.abs(alone).max()) + 1e-12
    require(np.shape(slopes) == np.shape(wanted), name, f"gradients have the shape {np.shape(slopes)}")
    require(
        np.allclose(values, alone, rtol=1e-5, atol=1e-6 * size),
        name,
        "gradients come with other values than values does",
    )
    steep = float(np.abs(wanted).max()) + 1e-12
    away = np.abs(slopes - wanted).max(axis=1)
    # where a function has a kink, a difference across it says nothing: all but one point must agree
    if np.sort(away)[-2] > 2e-3 * steep + 1e-6 * size:
        raise NonconformingError(f"{name}: gradients differ from differences by {np.sort(away)[-2]:.3g}")


def _differences(values: object, x: Array) -> Array:
    out = np.empty_like(x)
    for j in range(x.shape[1]):
        shift = STEP * np.eye(x.shape[1])[j]
        out[:, j] = (values(x + shift) - values(x - shift)) / (2 * STEP)  # type: ignore[operator]
    return out
