"""What an acquisition function is to the optimiser, and the registry of those that this version has."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from fechner.strategies.acquisition import disagreement, hypervolume, max_value, thresholds
from fechner.strategies.acquisition.improvement import log_noisy_expected_improvement
from fechner.strategies.acquisition.level_set import (
    Gradients,
    OfMoments,
    Values,
    climbing,
    information,
    posterior_variance,
    straddle,
)
from fechner.strategies.acquisition.look_ahead import (
    Score,
    ScoreSlopes,
    approximate_sur,
    local,
    looking_ahead,
    reduction,
    volume_change,
)
from fechner.strategies.acquisition.objectives import Objective, objective_of
from fechner.strategies.acquisition.one_outcome import integrated_variance, knowledge_gradient
from fechner.strategies.acquisition.optimum import FUNCTIONS, optimum
from fechner.strategies.config.judging.semi_parametric import OF_THRESHOLDS
from fechner.strategies.errors import FechnerError
from fechner.strategies.models.posteriors.posterior import Posterior
from fechner.strategies.models.posteriors.semi_parametric import OfIntensity
from fechner.strategies.models.posteriors.weighted import WeightedPosterior
from fechner.strategies.models.uncertainty import Ensemble
from fechner.strategies.numerics.arrays import Array, Poll
from fechner.strategies.numerics.randomness import key
from fechner.strategies.plugins.resolve import function
from fechner.strategies.specification import Component


@dataclass(frozen=True)
class Parts:
    """What values are made of, for those who compute them in another way.

    Attributes:
        posterior: the one that the values follow from.
        name: of the acquisition function.
        target: of the level set.
        of_moments: the function of mean and variance at a point, or None for one that looks ahead.
        count, seed: reference points of one that looks ahead, of a scrambled Sobol sequence.
    """

    posterior: Posterior
    name: str
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
    if component.name in hypervolume.FUNCTIONS:
        assert isinstance(posterior, WeightedPosterior)
        functions = hypervolume.of_several(component.name, posterior, component.keys, seed, waiting)
        return _acquisition(functions, BY_TORCH)
    if component.name == disagreement.NAME:
        assert around is not None
        return Acquisition(disagreement.disagreement(around(), waiting), *OF_ENTROPIES)
    built = _build(component, posterior, seed, waiting)
    if isinstance(posterior, WeightedPosterior):  # of which neither slopes nor the GPU's scan know
        return replace(built, gradients=None, parts=None)
    if isinstance(posterior.covariance, OfIntensity) or posterior.covariance.categories:
        return replace(built, parts=None)  # nor do they of these covariances
    return built


def _build(component: Component, posterior: Posterior, seed: int, waiting: Array) -> Acquisition:
    """The acquisition function of one latent function."""
    if component.plugin:
        return _plugged(component, posterior, seed, waiting)
    keys: dict[str, Any] = dict(component.keys)
    name = component.name
    if name in NOISY:
        return _acquisition(log_noisy_expected_improvement(posterior, waiting, key(seed, "samples")), SAMPLED)
    core = posterior.expecting(waiting) if len(waiting) else posterior
    target = keys.get("target")
    target = 0.75 if target is None else float(target)
    objective = objective_of(keys.get("objective"), core)
    if keys.get("objective") is not None and keys["objective"].name == OF_THRESHOLDS:
        return _acquisition(thresholds.variance(core, thresholds.target_of(keys["objective"])), AT_A_POINT)
    if name == "MCLevelSetEstimation":
        beta = keys.get("beta")
        on_probability = keys.get("objective") is not None
        values = straddle(core, target, 3.84 if beta is None else float(beta), on_probability, objective)
        return _acquisition(climbing(core, values), AT_A_POINT, Parts(core, name, target, values))
    if name in POINTWISE:
        values = POINTWISE[name](core, target, objective)
        if keys.get("lookahead_type") == "posterior":  # the device knows level sets alone
            kind = "entropy" if name == "LocalMI" else "misclassified"
            return _acquisition(climbing(core, local(core, target, kind, "posterior")), AT_A_POINT)
        return _acquisition(climbing(core, values), AT_A_POINT, Parts(core, name, target, values))
    if name in FUNCTIONS:
        return _acquisition(climbing(core, optimum(name, core, keys)), AT_A_POINT)
    if name in max_value.NAMES:
        return _acquisition(climbing(core, max_value.max_value(name, core, keys, seed)), OF_ENTROPIES)
    if name == "qNegIntegratedPosteriorVariance":
        count = int(keys.get("mc_points") or 512)
        functions = integrated_variance(core, count, key(seed, "mc points"))
        return _acquisition(functions, over_the_box(count))
    if name == "qKnowledgeGradient":
        count, fantasies = int(keys.get("candidate_set") or 512), int(keys.get("num_fantasies") or 64)
        functions = knowledge_gradient(core, count, fantasies, key(seed, "candidates"))
        return _acquisition(functions, over_the_box(count * max(1, fantasies // 8)))
    count, keyed = int(keys.get("query_set_size") or 256), key(seed, "query set")
    parts = Parts(core, name, target, count=count, seed=keyed)
    if name == "ApproxGlobalSUR":
        return _acquisition(approximate_sur(core, target, count, keyed), over_the_box(count), parts)
    at = str(keys.get("lookahead_type") or ("posterior" if name in OF_OUTCOMES else "levelset"))
    if name in OF_OUTCOMES:
        scores = reduction(OF_OUTCOMES[name], float(keys.get("k") or 20.0))
        return _acquisition(looking_ahead(core, target, count, keyed, scores, at), over_the_box(count))
    if name in LOOKING_AHEAD and at == "posterior":
        scores = LOOKING_AHEAD[name]()
        return _acquisition(looking_ahead(core, target, count, keyed, scores, at), over_the_box(count))
    if name in LOOKING_AHEAD:
        functions = looking_ahead(core, target, count, keyed, LOOKING_AHEAD[name]())
        return _acquisition(functions, over_the_box(count), parts)
    raise ValueError(f"{name} is no acquisition function of this version")


def _plugged(component: Component, posterior: Posterior, seed: int, waiting: Array) -> Acquisition:
    """The acquisition function of a plug-in."""
    core = posterior.expecting(waiting) if len(waiting) else posterior
    built = function(component, "build")(component, core, seed=key(seed, "plug-in"))
    if not isinstance(built, Acquisition):
        detail = f"the acquisition function {component.name} built a {type(built).__name__}, no Acquisition"
        raise FechnerError("bad_config", detail, hint="mend the plug-in")
    return built


def of_moments(posterior: Posterior, function: OfMoments) -> Acquisition:
    """An acquisition function that depends on mean and variance of f at a point alone, for plug-ins.

    Args:
        posterior: of the model given the data.
        function: of mean and variance (m,) to values (m,); its slopes are found by differences.
    """
    return _acquisition(climbing(posterior, function), AT_A_POINT)


#: Points in a chunk, and what a point is taken to cost in seconds.
AT_A_POINT, SAMPLED = (256, 1e-5), (64, 5e-5)
OF_ENTROPIES, BY_TORCH = (32, 1e-4), (8, 1e-3)


def over_the_box(count: int) -> tuple[int, float]:
    """The same of a function that looks at `count` reference points; 256 are usual."""
    times = max(count / 256, 1.0)
    return max(int(64 / times), 8), 1e-4 * times


POINTWISE: dict[str, Callable[[Posterior, float, Objective | None], OfMoments]] = {
    "MCPosteriorVariance": lambda core, _, objective: posterior_variance(core, objective),
    "BernoulliMCMutualInformation": lambda core, _, objective: information(core, objective),
    "LocalMI": lambda core, target, _: local(core, target, "entropy"),
    "LocalSUR": lambda core, target, _: local(core, target, "misclassified"),
}
#: Functions of outcomes to come, and the uncertainty that they reduce.
OF_OUTCOMES = {"MOCU": "misclassified", "SMOCU": "soft", "BEMPS": "brier"}
NOISY = (
    "qLogNoisyExpectedImprovement",
    "qNoisyExpectedImprovement",
    "LogNoisyExpectedImprovement",
    "NoisyExpectedImprovement",
)
LOOKING_AHEAD: dict[str, Callable[[], tuple[Score, ScoreSlopes]]] = {
    "EAVC": volume_change,
    "GlobalMI": lambda: reduction("entropy"),
    "GlobalSUR": lambda: reduction("misclassified"),
}


def _acquisition(
    functions: tuple[Values, Gradients], cost: tuple[int, float], parts: Parts | None = None
) -> Acquisition:
    """Values and gradients with what they cost and are made of."""
    return Acquisition(functions[0], *cost, functions[1], parts)
