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

from collections.abc import Callable

import numpy as np

from fechner.strategies.acquisition.acquisition import Acquisition, of_moments
from fechner.strategies.acquisition.improvement import log_h
from fechner.strategies.models.posteriors.posterior import Posterior
from fechner.strategies.numerics.arrays import Array
from fechner.strategies.numerics.normal import ndtr
from fechner.strategies.specification import Component

#: Of mean and sd (m,), sqrt(beta)'s beta and best_f, to values (m,).
Function = Callable[[Array, Array, float, float], Array]


def build_bound(component: Component, posterior: Posterior, *, seed: int) -> Acquisition:
    """(q)UpperConfidenceBound."""
    return _built(component, posterior, _bound)


def build_lower_bound(component: Component, posterior: Posterior, *, seed: int) -> Acquisition:
    """qLowerConfidenceBound."""
    return _built(component, posterior, _lower_bound)


def build_mean(component: Component, posterior: Posterior, *, seed: int) -> Acquisition:
    """PosteriorMean, qSimpleRegret."""
    return _built(component, posterior, _mean)


def build_sd(component: Component, posterior: Posterior, *, seed: int) -> Acquisition:
    """(q)PosteriorStandardDeviation."""
    return _built(component, posterior, _sd)


def build_improvement(component: Component, posterior: Posterior, *, seed: int) -> Acquisition:
    """(q)ExpectedImprovement."""
    return _built(component, posterior, _improvement)


def build_log_improvement(component: Component, posterior: Posterior, *, seed: int) -> Acquisition:
    """(q)LogExpectedImprovement."""
    return _built(component, posterior, _log_improvement)


def build_probability(component: Component, posterior: Posterior, *, seed: int) -> Acquisition:
    """(q)ProbabilityOfImprovement, qAnalyticProbabilityOfImprovement."""
    return _built(component, posterior, _probability)


def _built(component: Component, posterior: Posterior, function: Function) -> Acquisition:
    """The acquisition function of a function and the keys beta, best_f and maximize."""
    keys = component.keys
    sign = -1.0 if keys.get("maximize") is False else 1.0
    beta, best = float(keys.get("beta") or 0.0), keys.get("best_f")
    improving = function in (_improvement, _log_improvement, _probability)
    best = best_of(posterior, sign) if best is None and improving else sign * float(best or 0.0)

    def values(mean: Array, variance: Array) -> Array:
        return function(sign * mean, np.sqrt(variance), beta, best)

    return of_moments(posterior, values)


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
