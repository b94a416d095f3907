"""What an outcome would tell about the model's hyperparameters (qBayesianActiveLearningByDisagreement).

N. Houlsby, F. Huszar, Z. Ghahramani & M. Lengyel (2011), Bayesian active learning for classification and
preference learning, arXiv 1112.5745, eq. 2, about hyperparameters theta as in BoTorch: H(y) - E_theta[H(y |
theta)], in nats. BoTorch draws theta by Markov chains; here the k members of the ensemble around the fitted
ones stand for their posterior (models/uncertainty.py), each with its weight. Beyond 400 trials the ensemble
is the fitted model alone, and there is nothing to learn.

Notation: mu, s2 (k, m) the members' means and variances of f at m points; w (k,) their weights; for
continuous outcomes y | theta ~ N(mu, s2 + noise), and the mixture's entropy is taken on each member's
Gauss-Hermite nodes.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy.special import entr, logsumexp

from fechner.strategies.acquisition.acquisition import OF_ENTROPIES, Acquisition
from fechner.strategies.acquisition.slopes import Values
from fechner.strategies.models.posteriors.posterior import Posterior
from fechner.strategies.models.uncertainty import Ensemble
from fechner.strategies.numerics.arrays import Array
from fechner.strategies.specification import Component

_HERMITE, _WEIGHTS = np.polynomial.hermite_e.hermegauss(16)
_WEIGHTS = _WEIGHTS / _WEIGHTS.sum()


def build(
    component: Component,
    posterior: Posterior,
    *,
    seed: int,
    pending: Array,
    around: Callable[[], Ensemble] | None,
) -> Acquisition:
    """qBayesianActiveLearningByDisagreement; differences are cheap."""
    assert around is not None
    return Acquisition(disagreement(around(), pending), *OF_ENTROPIES)


def disagreement(around: Ensemble, pending: Array) -> Values:
    """Values of (m, d) points; outcomes at the rows of `pending` (p, d) are expected."""
    found = [member for member in around.members if isinstance(member, Posterior)]
    members = [member.expecting(pending) if len(pending) else member for member in found]
    weights = around.weights

    def values(x: Array) -> Array:
        moments = [member.latent(x) for member in members]
        shares = [one.outcome_probabilities(*at) for one, at in zip(members, moments, strict=True)]
        if shares[0] is not None:
            each = np.array(shares)
            mixed = np.einsum("k,kmo->mo", weights, each)
            known = np.einsum("k,kmo->m", weights, entr(each))
            return np.asarray(entr(mixed).sum(axis=1) - known)
        mean = np.array([at[0] for at in moments])
        noise = np.array([[one.noise] for one in members])
        sd = np.sqrt(np.array([at[1] for at in moments]) + noise)
        return _of_mixture(weights, mean, sd)

    return values


def _of_mixture(weights: Array, mean: Array, sd: Array) -> Array:
    """The mixture's entropy less its members' mean entropy, (m,), for normal members (k, m)."""
    out = np.zeros(mean.shape[1])
    log_weights = np.log(np.maximum(weights, 1e-300))[:, None, None]
    for weight, one, scale in zip(weights, mean, sd, strict=True):
        y = one[:, None] + scale[:, None] * _HERMITE  # (m, nodes)
        away = (y - mean[:, :, None]) / sd[:, :, None]
        logs = logsumexp(log_weights - 0.5 * away * away - np.log(sd)[:, :, None], axis=0)
        own = -0.5 * np.square(_HERMITE) - np.log(scale)[:, None]
        out += weight * ((own - logs) @ _WEIGHTS)
    return out
