"""What the two semi-parametric models share: the form of f, its two functions of the context, their priors.

S. Keeley, B. Letham, C. Sanders, C. Tymms & M. Shvartsman (2023), A semi-parametric model for decision making
in high-dimensional sensory discrimination tasks, AAAI: f(x, c) = s(c) (x + o(c)), a psychometric function of
the intensity x whose slope s and offset o are Gaussian processes of the context c, all other parameters.

Here x is the intensity's place in its range in unit space, less one half (that of a log-scaled one goes by
its logarithm): it runs from -1/2 to 1/2 whatever the units are. So s is how far f rises over the whole
range, and f = 0 where x = -o(c): an offset of 0 puts the threshold in the middle of the range.

The slope is m exp(g(c)) in SemiParametricGPModel and m (1 + r(c)) in HadamardSemiPModel, with Gaussian
processes g and r about 0 that say how slopes differ between contexts. How steep they are altogether, m, is a
hyperparameter: log m ~ N(log `slope_mean`, 1.25^2). It isn't left to g, since with few trials a steep curve
through offsets that fit each of them is the most probable point, though next to no probability lies about it.

Notation: n trials; d parameters, of which d - 1 are the context; x (n,) as above, c (n, d - 1). Without any
context (d = 1) slope and offset are two numbers.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from fechner.strategies.config.judging.semi_parametric import MODELS
from fechner.strategies.models.fitting.latent import LatentPrior
from fechner.strategies.models.fitting.plain import Hyperparameters
from fechner.strategies.models.fitting.priors import LogNormal, Normal, Priors
from fechner.strategies.models.fitting.theta import Block, Layout, Parts, joined, weighed_by
from fechner.strategies.models.kernels.categories import Counts, counts_of, without
from fechner.strategies.models.kernels.covariance import Covariance, Differences
from fechner.strategies.models.kernels.of_intensity import Pair
from fechner.strategies.numerics.arrays import Array
from fechner.strategies.specification import Component

NAMES = LAPLACE, PRODUCT = MODELS
SLOPE_MEAN = 2.0
LOG_SLOPE_SD = 1.25
LOG_SLOPE_RANGE = (-5.0, 7.0)
STEEPER = 2.0  # of log m, where a second search begins
#: The blocks' names.
OFFSET, SLOPE, LOG_SLOPE = "offset", "slope", "log slope"
STIMULUS_SCALE = 0.2  # what the search for a maximum takes for the length scale of the intensity


@dataclass(frozen=True)
class PairDifferences:
    """What the evidence needs of the contexts, computed once a fit."""

    offset: Differences
    slope: Differences

    @classmethod
    def of(cls, c: Array, categories: Counts) -> PairDifferences:
        """For contexts c (n, d - 1)."""
        return cls(Differences.of(c, True, categories), Differences.of(c, False, categories))


@dataclass(frozen=True)
class PairPrior:
    """The prior of a `Pair` over d parameters.

    Attributes:
        offset, slope: of the two functions of the context.
        log_slope_mean: the prior mean of log m.
    """

    offset: LatentPrior
    slope: LatentPrior
    log_slope_mean: float

    @property
    def d(self) -> int:
        """The number of parameters, the intensity among them."""
        return self.offset.d + 1

    def layout(self) -> Layout:
        """log l (d - 1), log v, log w (d - 1) of the offset; log l (d - 1), log v of the slope; log m."""
        typical = np.array([self.log_slope_mean])
        weigh = weighed_by(Normal(typical, LOG_SLOPE_SD).log_density)
        # few trials leave steep curves and shallow ones as two maxima
        centre = Block(LOG_SLOPE, typical, (LOG_SLOPE_RANGE,), weigh, STEEPER)
        if self.d == 1:
            return Layout((centre,))
        offset, slope = joined(OFFSET, self.offset.blocks()), joined(SLOPE, self.slope.blocks())
        return Layout((offset, slope, centre), (LOG_SLOPE, OFFSET, SLOPE))

    def read(self, parts: Parts) -> Pair:
        """What theta's blocks stand for."""
        centre = float(parts[LOG_SLOPE][0])
        if self.d == 1:
            none = np.zeros(0)
            return Pair(Covariance(0.0, none, self.offset.priors.constant), Covariance(0.0, none), centre)
        (offset, _, _), (slope, _, _) = (
            latent.read(Layout(latent.blocks()).split(parts[name]))
            for name, latent in ((OFFSET, self.offset), (SLOPE, self.slope))
        )
        return Pair(offset, slope, centre)

    def write(self, pair: Pair) -> dict[str, Array]:
        """The inverse of `read`."""
        out = {LOG_SLOPE: np.array([pair.log_slope])}
        if self.d > 1:
            out[OFFSET] = Layout(self.offset.blocks()).join(self.offset.write(pair.offset))
            out[SLOPE] = Layout(self.slope.blocks()).join(self.slope.write(pair.slope))
        return out


def prior_of(said: Hyperparameters, d: int) -> PairPrior:
    """The prior over d parameters; `said` has slope_mean."""
    lengthscale = LogNormal(float(np.log(0.4) + np.log(max(d - 1, 1)) / 4), 0.4)
    offset = Priors(
        lengthscale=lengthscale,
        variance=LogNormal(float(np.log(0.04)), 1.0),
        slope=LogNormal(float(np.log(0.06)), 1.5),
        constant=0.09,
    )
    slope = Priors(lengthscale, LogNormal(float(np.log(0.1)), 1.0))
    mean, categories = float(np.log(said["slope_mean"])), context_categories(said)
    return PairPrior(LatentPrior(offset, d - 1, categories), LatentPrior(slope, d - 1, categories), mean)


def gradients(
    by_offset: tuple[Array, float, Array], by_slope: tuple[Array, float, Array], by_centre: float
) -> dict[str, Array | float]:
    """Derivatives of a log evidence by every block, from those by log l, log v, log w of both functions."""
    offset, slope = (np.concatenate([by_l, [by_v], by_w]) for by_l, by_v, by_w in (by_offset, by_slope))
    return {OFFSET: offset, SLOPE: slope, LOG_SLOPE: by_centre}


def context_categories(said: Hyperparameters) -> Counts:
    """The counts of categories (d - 1,) of the context; empty if there are none."""
    return without(tuple(said["categories"]), int(said["stim_dim"]))


def stimulus(component: Component, d: int) -> int:
    """The place of the intensity among the d parameters."""
    return int((component.keys.get("stim_dim") or (0,))[0]) % d


def to_plain(pair: Pair, kept: Hyperparameters) -> dict[str, Any]:
    """Hyperparameters as JSON-able values; `kept` are those that are not fitted."""
    return {
        "offset": _plain(pair.offset),
        "slope": _plain(pair.slope),
        "log_slope": float(pair.log_slope),
        **{name: kept[name] for name in ("stim_dim", "slope_mean", "floor", "lapse", "categories")},
    }


def given(component: Component, d: int) -> dict[str, Any]:
    """What of the hyperparameters is said by the configuration."""
    keys = component.keys
    return {
        "stim_dim": stimulus(component, d),
        "slope_mean": float(keys.get("slope_mean") or SLOPE_MEAN),
        "floor": float(keys.get("floor") or 0.0),
        "lapse": float(keys.get("lapse") or 0.0),
        "categories": list(counts_of(component)),
    }


def from_plain(hyperparameters: Hyperparameters) -> Pair:
    """The covariance functions of hyperparameters."""
    offset, slope = _covariance(hyperparameters["offset"]), _covariance(hyperparameters["slope"])
    return Pair(offset, slope, float(hyperparameters["log_slope"]))


def _plain(covariance: Covariance) -> dict[str, Any]:
    out: dict[str, Any] = {
        "lengthscales": [float(v) for v in covariance.lengthscales],
        "variance": float(covariance.variance),
        "constant": float(covariance.constant),
    }
    if covariance.slopes is not None:
        out["slopes"] = [float(v) for v in covariance.slopes]
    if covariance.categories:
        out["categories"] = list(covariance.categories)
    return out


def _covariance(plain: Hyperparameters) -> Covariance:
    slopes = plain.get("slopes")
    return Covariance(
        float(plain["variance"]),
        np.array(plain["lengthscales"], dtype=float),
        float(plain["constant"]),
        None if slopes is None else np.array(slopes, dtype=float),
        categories=tuple(int(count) for count in plain.get("categories") or ()),
    )
