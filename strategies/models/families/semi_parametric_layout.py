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

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from fechner.strategies.config.judging.semi_parametric import MODELS
from fechner.strategies.models.fitting.priors import LogNormal, Priors
from fechner.strategies.models.fitting.theta import Layout
from fechner.strategies.models.kernels.categories import Counts, counts_of, without
from fechner.strategies.models.kernels.covariance import Covariance, Differences
from fechner.strategies.numerics.arrays import Array
from fechner.strategies.specification import Component

NAMES = LAPLACE, PRODUCT = MODELS
SLOPE_MEAN = 2.0
LOG_SLOPE_SD = 1.25
LOG_SLOPE_RANGE = (-5.0, 7.0)
STEEPER = 2.0  # of log m, where a second search begins
STIMULUS_SCALE = 0.2  # what the search for a maximum takes for the length scale of the intensity

#: The value, derivatives by log l, log v, log w of the offset's and of the slope's covariance, and by log m.
Derivatives = tuple[float, tuple[Array, float, Array], tuple[Array, float, Array], float]


@dataclass(frozen=True)
class Pair:
    """Covariance functions of the offset and of the slope's deviations, over the context, and log m."""

    offset: Covariance
    slope: Covariance
    log_slope: float


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
class PairLayout(Layout):
    """theta = (log l (d - 1), log v, log w (d - 1) of the offset; log l (d - 1), log v of the slope; log m).

    Attributes:
        of_slope: the slope's priors; `priors` are the offset's, and `d` is the number of all parameters.
        log_slope_mean: the prior mean of log m.
        categories: of the context (categories.py).
    """

    of_slope: Priors
    log_slope_mean: float

    @property
    def parts(self) -> tuple[Layout, Layout]:
        """The layouts of either covariance function."""
        d, categories = self.d - 1, self.categories
        return Layout(self.priors, d, categories=categories), Layout(self.of_slope, d, categories=categories)

    @property
    def _sizes(self) -> tuple[int, int]:
        offset, slope = self.parts
        return (offset.size, slope.size) if self.d > 1 else (0, 0)

    @property
    def size(self) -> int:
        return sum(self._sizes) + 1

    @property
    def noise_place(self) -> int | None:
        return None

    def typical(self) -> Array:
        parts = [part.typical() for part in self.parts] if self.d > 1 else []
        return self.inside(np.concatenate([*parts, [self.log_slope_mean]]))

    def cold(self) -> list[Array]:
        """Few trials leave steep curves and shallow ones as two maxima."""
        steep = self.typical()
        steep[-1] += STEEPER
        return [self.typical(), self.inside(steep)]

    def bounds(self) -> list[tuple[float, float]]:
        parts = [bound for part in self.parts for bound in part.bounds()] if self.d > 1 else []
        return [*parts, LOG_SLOPE_RANGE]

    def pair(self, theta: Array) -> Pair:
        """What theta stands for."""
        centre, (of_offset, of_slope) = float(theta[-1]), self._sizes
        if not of_offset:
            none = np.zeros(0)
            return Pair(Covariance(0.0, none, self.priors.constant), Covariance(0.0, none), centre)
        offset, slope = self.parts
        return Pair(
            offset.unpack(theta[:of_offset])[0],
            slope.unpack(theta[of_offset : of_offset + of_slope])[0],
            centre,
        )

    def pack_pair(self, pair: Pair) -> Array:
        """The inverse of `pair`, inside the bounds."""
        parts = []
        if self.d > 1:
            offset, slope = self.parts
            parts = [offset.pack(pair.offset, 0.0, 0.0), slope.pack(pair.slope, 0.0, 0.0)]
        return self.inside(np.concatenate([*parts, [pair.log_slope]]))

    def log_prior(self, theta: Array) -> float:
        zeros = np.zeros(max(self.d - 1, 0))
        nothing = (zeros, 0.0, zeros)
        return -self.objective(theta, lambda _: (0.0, nothing, nothing, 0.0))[0]

    def objective(self, theta: Array, evidence: Any) -> tuple[float, Array]:
        """As of any layout; `evidence` is a function of a `Pair` that gives `Derivatives`."""
        value, by_offset, by_slope, by_centre = evidence(self.pair(theta))
        away = (theta[-1] - self.log_slope_mean) / LOG_SLOPE_SD
        value = 0.5 * float(away * away) - value
        gradients = [np.array([away / LOG_SLOPE_SD - by_centre])]
        if self.d > 1:
            (offset, slope), (size, _) = self.parts, self._sizes
            one, first = offset.objective(theta[:size], lambda *_: (0.0, *by_offset, 0.0, 0.0))
            other, second = slope.objective(theta[size:-1], lambda *_: (0.0, *by_slope, 0.0, 0.0))
            value, gradients = value + one + other, [first, second, *gradients]
        return value, np.concatenate(gradients)


def layout_of(said: Mapping[str, Any], d: int) -> PairLayout:
    """The layout of theta over d parameters; `said` has slope_mean."""
    lengthscale = LogNormal(float(np.log(0.4) + np.log(max(d - 1, 1)) / 4), 0.4)
    offset = Priors(
        lengthscale=lengthscale,
        variance=LogNormal(float(np.log(0.04)), 1.0),
        slope=LogNormal(float(np.log(0.06)), 1.5),
        constant=0.09,
    )
    slope = Priors(lengthscale, LogNormal(float(np.log(0.1)), 1.0))
    mean, categories = float(np.log(said["slope_mean"])), context_categories(said)
    return PairLayout(offset, d, slope, mean, categories=categories)


def context_categories(said: Mapping[str, Any]) -> Counts:
    """The counts of categories (d - 1,) of the context; empty if there are none."""
    return without(tuple(said["categories"]), int(said["stim_dim"]))


def stimulus(component: Component, d: int) -> int:
    """The place of the intensity among the d parameters."""
    return int((component.keys.get("stim_dim") or (0,))[0]) % d


def split(x: Array, place: int) -> tuple[Array, Array]:
    """Intensity (n,) less one half and context (n, d - 1) of x (n, d)."""
    return x[:, place] - 0.5, np.delete(x, place, axis=1)


def to_plain(component_name: str, pair: Pair, kept: Mapping[str, Any]) -> dict[str, Any]:
    """Hyperparameters as JSON-able values; `kept` are those that are not fitted."""
    return {
        "model": component_name,
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


def from_plain(hyperparameters: Mapping[str, Any]) -> Pair:
    """The covariance functions of hyperparameters."""
    offset, slope = _covariance(hyperparameters["offset"]), _covariance(hyperparameters["slope"])
    return Pair(offset, slope, float(hyperparameters["log_slope"]))


def packed(name: str, layout: PairLayout, start: Mapping[str, Any] | None) -> Array | None:
    """theta of an earlier fit of the same model and dimension, else None."""
    if start is None or start.get("model") != name or len(start["offset"]["lengthscales"]) != layout.d - 1:
        return None
    return layout.pack_pair(from_plain(start))


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


def _covariance(plain: Mapping[str, Any]) -> Covariance:
    slopes = plain.get("slopes")
    return Covariance(
        float(plain["variance"]),
        np.array(plain["lengthscales"], dtype=float),
        float(plain["constant"]),
        None if slopes is None else np.array(slopes, dtype=float),
        categories=tuple(int(count) for count in plain.get("categories") or ()),
    )
