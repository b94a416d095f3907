"""The models: hyperparameters are plain data, a posterior is a pure function of data and hyperparameters.

`fit` gives hyperparameters, `posterior` the numpy posterior that asks and queries compute with, and
`condition` the same posterior as a botorch model (torch is imported by that call only).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from fechner.strategies.models.families.registry import family_of
from fechner.strategies.models.fitting.plain import Hyperparameters
from fechner.strategies.models.posteriors.posterior import Posterior
from fechner.strategies.numerics.arrays import Array, Poll
from fechner.strategies.specification import Component

if TYPE_CHECKING:
    from fechner.strategies.models.torch.botorch_model import GaussianModel
    from fechner.strategies.models.torch.pairwise_botorch import PairwiseGaussianModel

__all__ = ["Posterior", "condition", "fit", "posterior"]


def _arrays(x: Array, y: Array) -> tuple[Array, Array]:
    """x as (n, d), or (n, 2, d) for pairs, and y as (n,), float64; several outcomes' rows one by one."""
    x = np.asarray(x, dtype=float)
    if x.ndim == 3 and x.shape[1] == 1:
        x = x[:, 0, :]
    return np.ascontiguousarray(x), np.asarray(y, dtype=float).reshape(-1)


def fit(
    component: Component,
    x: Array,
    y: Array,
    start: Hyperparameters | None = None,
    *,
    poll: Poll | None = None,
) -> dict[str, Any]:
    """Fit the hyperparameters of a model.

    Args:
        component: the model and its keys.
        x: (n, 1, d) or (n, d) inputs, or (n, 2, d) pairs, in unit space; n may be 0.
        y: (n,) outcomes: 0 or 1 for binary models, whole numbers from 0 for ordinal ones, any number for
            continuous ones; (n, m) for a model of m outcomes.
        start: hyperparameters of an earlier fit to begin from.
        poll: called at least once an evaluation; may raise to cancel.

    Returns:
        JSON-able hyperparameters with all that `posterior` needs; ``"warnings"`` lists what went wrong, if
        anything.
    """
    x, y = _arrays(x, y)
    return family_of(component).fit(component, x, y, start, poll=poll)


def posterior(
    component: Component,
    x: Array,
    y: Array,
    hyperparameters: Hyperparameters,
    *,
    poll: Poll | None = None,
) -> Posterior:
    """The posterior for x as in `fit`, y (n,) and hyperparameters; same arguments, same bits."""
    x, y = _arrays(x, y)
    out: Posterior = family_of(component).posterior(component, x, y, hyperparameters, poll=poll)
    return out


def condition(
    component: Component, x: Array, y: Array, hyperparameters: Hyperparameters
) -> GaussianModel | PairwiseGaussianModel | Any:
    """The posterior as a `botorch.models.model.Model`; arguments as for `posterior`."""
    return family_of(component).condition(component, *_arrays(x, y), hyperparameters)


def __getattr__(name: str) -> Any:
    """A family's module, as plug-ins build on them: `from fechner.strategies.models import gp_regression`."""
    from importlib import import_module
    from importlib.util import find_spec

    home = f"{__name__}.families.{name}"
    if name.startswith("_") or find_spec(home) is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return import_module(home)
