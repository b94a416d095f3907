"""What an acquisition function is to the optimiser, and how one is built: ours and plug-ins alike."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from fechner.strategies.acquisition.slopes import Gradients, OfMoments, Values, climbing
from fechner.strategies.errors import FechnerError
from fechner.strategies.models.posteriors.posterior import Posterior
from fechner.strategies.models.uncertainty import Ensemble
from fechner.strategies.numerics.arrays import Array, Poll
from fechner.strategies.numerics.randomness import key
from fechner.strategies.plugins import resolve
from fechner.strategies.specification import Component

#: Points in a chunk, and what a point is taken to cost in seconds.
AT_A_POINT, SAMPLED = (256, 1e-5), (64, 5e-5)
OF_ENTROPIES, BY_TORCH = (32, 1e-4), (8, 1e-3)
TARGET = 0.75


def over_the_box(count: int) -> tuple[int, float]:
    """The same of a function that looks at `count` reference points; 256 are usual."""
    times = max(count / 256, 1.0)
    return max(int(64 / times), 8), 1e-4 * times


@dataclass(frozen=True)
class Parts:
    """What values are made of, for those who compute them in another way.

    Attributes:
        component: the acquisition function and its keys.
        posterior: the one that the values follow from.
        target: of the level set.
        of_moments: the function of mean and variance at a point, or None for one that looks ahead.
        count, seed: reference points of one that looks ahead, of a scrambled Sobol sequence.
    """

    component: Component
    posterior: Posterior
    target: float
    of_moments: OfMoments | None = None
    count: int = 0
    seed: int = 0


@dataclass(frozen=True)
class Acquisition:
    """An acquisition function over the unit box.

    Attributes:
        values: (m, d) points to (m,) values; the larger the better.
        chunk: points that one call evaluates within about 5 ms at n = 200.
        nominal_seconds: what one point is taken to cost where a time limit becomes a budget.
        gradients: (m, d) points to (m,) values and (m, d) gradients, or None where differences are cheap.
        parts: what the values are made of, where another way to compute them is known.
        scan: another way to compute the values of all points of a scan at once.
    """

    values: Callable[[Array], Array]
    chunk: int
    nominal_seconds: float
    gradients: Callable[[Array], tuple[Array, Array]] | None = None
    parts: Parts | None = None
    scan: Callable[[Array, Poll | None], Array] | None = None


def build(
    component: Component,
    posterior: Posterior,
    *,
    seed: int,
    pending: Array | None = None,
    around: Callable[[], Ensemble] | None = None,
) -> Acquisition:
    """The acquisition function that `component` names.

    Args:
        component: the acquisition function and its keys.
        posterior: of the model given the data.
        seed: of its Sobol points and samples.
        pending: (k, d) points handed out whose outcomes are not known; they reduce the variance.
        around: gives posteriors at other hyperparameters, for functions of what is not known about these.
    """
    waiting = np.zeros((0, len(posterior.covariance.lengthscales))) if pending is None else pending
    entry = resolve.entry(component)
    if "build_with_pending" in entry.functions:
        function = resolve.function(component, "build_with_pending")
        built = function(component, posterior, seed=seed, pending=waiting, around=around)
    else:
        core = posterior.expecting(waiting) if len(waiting) else posterior
        named = component.keys.get("objective")
        by = named if named is not None and "build" in resolve.entry(named).functions else component
        keyed = key(seed, "plug-in") if component.plugin else seed
        built = resolve.function(by, "build")(by, core, seed=keyed)
    if not isinstance(built, Acquisition):
        detail = f"the acquisition function {component.name} built a {type(built).__name__}, no Acquisition"
        raise FechnerError("bad_config", detail, hint="mend the plug-in")
    if entry.several:
        return built
    if not posterior.sloped:
        built = replace(built, gradients=None)
    return built if posterior.covariance.plain else replace(built, parts=None)


def of_moments(posterior: Posterior, function: OfMoments) -> Acquisition:
    """An acquisition function that depends on mean and variance of f at a point alone, for plug-ins.

    Args:
        posterior: of the model given the data.
        function: of mean and variance (m,) to values (m,); its slopes are found by differences.
    """
    return made(climbing(posterior, function), AT_A_POINT)


def at_a_point(component: Component, posterior: Posterior, values: OfMoments) -> Acquisition:
    """The same of ours, with what a GPU would need for its scan."""
    parts = Parts(component, posterior, target_of(component), values)
    return made(climbing(posterior, values), AT_A_POINT, parts)


def made(
    functions: tuple[Values, Gradients], cost: tuple[int, float], parts: Parts | None = None
) -> Acquisition:
    """Values and gradients with what they cost and are made of."""
    return Acquisition(functions[0], *cost, functions[1], parts)


def target_of(component: Component) -> float:
    """The level that is sought: a probability, or an f."""
    given = component.keys.get("target")
    return TARGET if given is None else float(given)
