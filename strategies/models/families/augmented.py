"""Binary outcomes with more than trials to go by: pseudo-observations beside them, or an unknown lapse rate.

The model of gp_classification.py, with further sites in the same expectation propagation:

- a *sign*: the derivative of f by a coordinate at a place is positive, P = Phi(f_j / `SOFTNESS`) (Riihimaki &
  Vehtari 2010, Gaussian processes with monotonicity information, AISTATS, eqs. 5 and 7);
- a *floor* of f: f at a place lies above a number, P = Phi((f - number) / `SOFTNESS`);
- a *value*: f at a place is known with Gaussian noise;

and a lapse rate e that maximises its posterior together with the hyperparameters (augmented_models.py). At
settled sites the derivative of the evidence by e is that of the sum of log Z at the cavities.

Notation as in gp_classification.py and functionals.py: n trials and k pseudo-observations, N = n + k rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from fechner.strategies.models.inference.binary_likelihood import tilted
from fechner.strategies.models.inference.expectation_propagation import Likelihood
from fechner.strategies.models.kernels.covariance import Covariance
from fechner.strategies.models.kernels.functionals import Functionals
from fechner.strategies.models.posteriors.posterior import Posterior
from fechner.strategies.numerics.arrays import Array
from fechner.strategies.numerics.normal import ndtr, ndtri

SOFTNESS = 0.1  # of a sign or a floor, in units of f (over the whole range of the coordinate)
REACH = 1e-3  # of the curve's range: nearer to its ends no constraint point asks f to be


@dataclass(frozen=True)
class PseudoObservations:
    """What is known beside the trials.

    Attributes:
        rows: (k, d + 1) rows (functionals.py).
        means: (k,) what f is at a value, or the number that f lies above; 0 for signs.
        variances: (k,) of the noise of a value; 0 for signs and floors.
    """

    rows: Array
    means: Array
    variances: Array

    @property
    def values(self) -> np.ndarray[Any, np.dtype[np.bool_]]:
        """(k,) which are values."""
        out: np.ndarray[Any, np.dtype[np.bool_]] = self.variances > 0
        return out

    def joined(self, other: PseudoObservations) -> PseudoObservations:
        """These and the others."""
        return PseudoObservations(
            np.vstack([self.rows, other.rows]),
            np.concatenate([self.means, other.means]),
            np.concatenate([self.variances, other.variances]),
        )

    @classmethod
    def none(cls, d: int) -> PseudoObservations:
        """Nothing beside the trials, in d dimensions."""
        return cls(np.zeros((0, d + 1)), np.zeros(0), np.zeros(0))


def likelihood(y: Array, floor: float, lapse: float, pseudo: PseudoObservations) -> Likelihood:
    """The sites' likelihood: n outcomes, then k pseudo-observations."""
    n, values = len(y), pseudo.values

    def of(mean: Array, variance: Array) -> tuple[Array, Array, Array]:
        trials = tilted(mean[:n], variance[:n], y, floor, lapse)
        if not len(values):
            return trials
        away, wide = mean[n:], variance[n:]
        ones = np.ones(len(values))
        # rows of signs are over SOFTNESS already
        scale = np.where(pseudo.rows[:, -1] > 0, 1.0, SOFTNESS)
        log_z, first, second = tilted((away - pseudo.means) / scale, wide / np.square(scale), ones, 0.0, 0.0)
        first, second = first / scale, second / np.square(scale)
        total = wide + pseudo.variances
        short = pseudo.means - away
        found = (
            np.where(values, -0.5 * (np.square(short) / total + np.log(2 * np.pi * total)), log_z),
            np.where(values, short / total, first),
            np.where(values, 1.0 / total, second),
        )
        joined = [np.concatenate(pair) for pair in zip(trials, found, strict=True)]
        return joined[0], joined[1], joined[2]

    return of


def by_lapse(y: Array, floor: float, lapse: float, cavity: tuple[Array, Array]) -> float:
    """The derivative of the sum of log Z of n outcomes by the lapse rate."""
    n = len(y)
    mean, variance = cavity[0][:n], cavity[1][:n]
    yes = ndtr(mean / np.sqrt(1.0 + variance))
    z = floor + (1.0 - floor - lapse) * yes
    return float(np.sum(np.where(y > 0.5, -yes / np.maximum(z, 1e-300), yes / np.maximum(1.0 - z, 1e-300))))


def rows_of(x: Array, pseudo: PseudoObservations) -> Array:
    """The rows (N, d + 1) of trials at x (n, d) and of pseudo-observations."""
    return np.vstack([np.hstack([x, np.zeros((len(x), 1))]), pseudo.rows])


def rowwise(covariance: Covariance) -> Functionals:
    """A covariance function of places as one of rows."""
    return Functionals(
        covariance.variance,
        covariance.lengthscales,
        covariance.constant,
        covariance.slopes,
        SOFTNESS,
        categories=covariance.categories,
    )


def prior_means(mean: float, rows: Array) -> Array:
    """The prior mean of what each row means: c for values, 0 for derivatives."""
    out: Array = np.where(rows[:, -1] == 0, mean, 0.0)
    return out


@dataclass(frozen=True)
class RowPosterior(Posterior):
    """A posterior whose `x` are rows (N, d + 1); points that it is asked about are places (m, d)."""

    @property
    def places(self) -> Array:
        """The places (n, d) at which f itself is seen."""
        return np.ascontiguousarray(self.x[self.x[:, -1] == 0, :-1])

    def expecting(self, x: Array) -> Posterior:
        places = np.asarray(x, dtype=float).reshape(-1, len(self.covariance.lengthscales))
        return super().expecting(np.hstack([places, np.zeros((len(places), 1))]))


def constraints(
    points: Sequence[tuple[Sequence[float], float, float]], floor: float, lapse: float
) -> PseudoObservations:
    """Values of f at constraint points: unit coordinates (d,), a probability, and the variance of its f.

    Probabilities that the curve can't reach count as if it nearly did, within `REACH` of its range.
    """
    shares = np.array([(value - floor) / (1.0 - floor - lapse) for _, value, _ in points])
    means = ndtri(np.clip(shares, REACH, 1.0 - REACH))
    rows = np.array([[*place, 0.0] for place, _, _ in points])
    return PseudoObservations(rows, means, np.array([float(variance) for _, _, variance in points]))
