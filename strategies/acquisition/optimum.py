"""Acquisition functions for a highest (or lowest) f, of its mean and variance at a point alone.

UpperConfidenceBound (N. Srinivas, A. Krause, S. Kakade & M. Seeger 2010, Gaussian process optimization in the
bandit setting, ICML): mu + sqrt(beta) sd; ExpectedImprovement (D. R. Jones, M. Schonlau & W. J. Welch 1998,
Efficient global optimization of expensive black-box functions, J. Global Optimization 13:455-492, eq. 15) and
its logarithm (Ament et al. 2023, improvement.py); ProbabilityOfImprovement. BoTorch's functions with a q
before them are expectations over samples of q points; here points come one after the other, q = 1, where
these expectations have the closed forms of the others. BoTorch smooths the step of
qProbabilityOfImprovement by a sigmoid of temperature `tau`, which is left away.

Notation: mu, s2 (m,) mean and variance of f at m points, their signs turned where the lowest f is sought;
sd = sqrt(s2); `best_f` the f to be improved upon, the highest posterior mean at a trial so far if not given;
u = (mu - best_f) / sd.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from fechner.strategies.acquisition.improvement import log_h
from fechner.strategies.acquisition.level_set import OfMoments
from fechner.strategies.models.posteriors.posterior import Posterior
from fechner.strategies.numerics.arrays import Array
from fechner.strategies.numerics.normal import ndtr


def optimum(name: str, posterior: Posterior, keys: Mapping[str, Any]) -> OfMoments:
    """The function that `name` and its `keys` (beta, best_f, maximize) say."""
    sign = -1.0 if keys.get("maximize") is False else 1.0
    function = FUNCTIONS[name]
    beta = float(keys.get("beta") or 0.0)
    best = keys.get("best_f")
    best = best_of(posterior, sign) if best is None and name in IMPROVING else sign * float(best or 0.0)

    def values(mean: Array, variance: Array) -> Array:
        return function(sign * mean, np.sqrt(variance), beta, best)

    return values


def best_of(posterior: Posterior, sign: float) -> float:
    """The highest mean of f, or of -f, at a trial; the prior mean without any."""
    places = posterior.places
    if not len(places):
        return sign * posterior.mean
    return float((sign * posterior.latent(places)[0]).max())


def _bound(mean: Array, sd: Array, beta: float, _best: float) -> Array:
    out: Array = mean + np.sqrt(beta) * sd
    return out


def _lower_bound(mean: Array, sd: Array, beta: float, _best: float) -> Array:
    out: Array = mean - np.sqrt(beta) * sd
    return out


def _mean(mean: Array, sd: Array, _beta: float, _best: float) -> Array:
    return mean


def _sd(mean: Array, sd: Array, _beta: float, _best: float) -> Array:
    return sd


def _log_improvement(mean: Array, sd: Array, _beta: float, best: float) -> Array:
    out: Array = np.log(sd) + log_h((mean - best) / sd)
    return out


def _improvement(mean: Array, sd: Array, beta: float, best: float) -> Array:
    out: Array = np.exp(_log_improvement(mean, sd, beta, best))
    return out


def _probability(mean: Array, sd: Array, _beta: float, best: float) -> Array:
    return ndtr((mean - best) / sd)


FUNCTIONS: dict[str, Callable[[Array, Array, float, float], Array]] = {
    "UpperConfidenceBound": _bound,
    "qUpperConfidenceBound": _bound,
    "qLowerConfidenceBound": _lower_bound,
    "PosteriorMean": _mean,
    "qSimpleRegret": _mean,
    "PosteriorStandardDeviation": _sd,
    "qPosteriorStandardDeviation": _sd,
    "ExpectedImprovement": _improvement,
    "qExpectedImprovement": _improvement,
    "LogExpectedImprovement": _log_improvement,
    "qLogExpectedImprovement": _log_improvement,
    "ProbabilityOfImprovement": _probability,
    "qProbabilityOfImprovement": _probability,
    "qAnalyticProbabilityOfImprovement": _probability,
}
IMPROVING = frozenset(name for name in FUNCTIONS if "Improvement" in name)
