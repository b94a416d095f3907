"""Priors of the hyperparameters, as functions of their logarithms.

Ours (no factory named) have a constant and slopes integrated out (docs/explanation/methods.md, Models); the
peer's (its DefaultMeanCovarFactory named) are those of Hvarfner, Hellsten & Nardi (2024), Vanilla Bayesian
optimization performs great in high dimensions, ICML, eq. 6.

Notation: t = log theta of a positive hyperparameter theta.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Protocol

import numpy as np

from fechner.strategies.models.kernels.kernels import Kernel
from fechner.strategies.models.kernels.named_kernels import kernel_of
from fechner.strategies.numerics.arrays import Array
from fechner.strategies.specification import Component


class Prior(Protocol):
    """A prior of a positive hyperparameter."""

    @property
    def typical(self) -> float:
        """The logarithm of a typical value, where fits begin."""

    def log_density(self, t: Array) -> tuple[float, Array]:
        """Sum of log densities at t (k,), up to a constant, and its gradient (k,)."""


@dataclass(frozen=True)
class LogNormal:
    """log theta ~ N(location, scale^2). With `of_value` the density is by theta, whose mode lies lower."""

    location: float
    scale: float
    of_value: bool = False

    @property
    def typical(self) -> float:
        return self.location - (self.scale**2 if self.of_value else 0.0)

    def log_density(self, t: Array) -> tuple[float, Array]:
        away = (t - self.location) / self.scale
        shift = 1.0 if self.of_value else 0.0
        return float(-0.5 * away @ away - shift * t.sum()), -away / self.scale - shift


@dataclass(frozen=True)
class Gamma:
    """theta ~ Gamma(shape, rate), density by theta."""

    shape: float
    rate: float

    @property
    def typical(self) -> float:
        return float(np.log(self.shape / self.rate))

    def log_density(self, t: Array) -> tuple[float, Array]:
        value = np.exp(t)
        return float(np.sum((self.shape - 1) * t - self.rate * value)), (self.shape - 1) - self.rate * value


@dataclass(frozen=True)
class InverseGamma:
    """1 / theta ~ Gamma(shape, rate), density by theta."""

    shape: float
    rate: float

    @property
    def typical(self) -> float:
        return float(np.log(self.rate / (self.shape + 1)))

    def log_density(self, t: Array) -> tuple[float, Array]:
        inverse = np.exp(-t)
        return float(np.sum(-(self.shape + 1) * t - self.rate * inverse)), -(
            self.shape + 1
        ) + self.rate * inverse


@dataclass(frozen=True)
class Box:
    """theta in [low, high], flat inside, a Gaussian fall of sd .01 of the width outside."""

    low: float
    high: float

    @property
    def typical(self) -> float:
        return float(np.log(0.5 * (self.low + self.high)))

    def log_density(self, t: Array) -> tuple[float, Array]:
        value = np.exp(t)
        outside = (value - np.clip(value, self.low, self.high)) / (0.01 * (self.high - self.low))
        return float(-0.5 * outside @ outside), -outside * value / (0.01 * (self.high - self.low))


@dataclass(frozen=True)
class Normal:
    """t ~ N(location, scale^2), each with a location of its own, (k,)."""

    location: Array
    scale: float

    def log_density(self, t: Array) -> tuple[float, Array]:
        away = (t - self.location) / self.scale
        return float(-0.5 * away @ away), -away / self.scale


@dataclass(frozen=True)
class OfPlaces:
    """One prior of the hyperparameters at some `places` among k, and another of all others."""

    others: Prior
    there: Prior
    places: tuple[int, ...]

    @property
    def typical(self) -> float:
        return self.others.typical

    def log_density(self, t: Array) -> tuple[float, Array]:
        places = list(self.places)
        others = [place for place in range(len(t)) if place not in self.places]
        slope = np.zeros(len(t))
        value, slope[others] = self.others.log_density(t[others])
        more, slope[places] = self.there.log_density(t[places])
        return value + more, slope


@dataclass(frozen=True)
class Priors:
    """The priors of one model.

    Attributes:
        lengthscale: of each length scale.
        variance: of the output scale; None keeps it at 1.
        slope: of each slope variance; None means no slopes.
        noise: of the noise variance (regression only).
        constant: variance of the integrated constant.
        free_mean: whether the prior mean is fitted (flat prior) instead.
        kernel: another covariance function than the squared exponential (kernels.py), at any
            hyperparameters, or None; `lengthscale` is then the prior of those that it has.
    """

    lengthscale: Prior
    variance: Prior | None = None
    slope: Prior | None = None
    noise: Prior | None = None
    constant: float = 0.0
    free_mean: bool = False
    kernel: Kernel | None = None

    def of_kind(self, kind: str) -> Prior:
        """The prior of one kind of a kernel's hyperparameters."""
        return self.lengthscale if kind == "lengthscale" else OF_KINDS[kind]

    def of_kernel(self, theta: Array) -> tuple[float, Array]:
        """Sum of log densities of a kernel's theta (k,), up to a constant, and its gradient (k,)."""
        assert self.kernel is not None
        value, slopes = 0.0, np.zeros(len(theta))
        for place, kind in enumerate(self.kernel.kinds):
            log_density, slope = self.of_kind(kind).log_density(theta[place : place + 1])
            value, slopes[place] = value + log_density, slope[0]
        return value, slopes


#: Of a kernel's other hyperparameters, in units of the box and of the outcome's (or the latent) scale.
OF_KINDS: dict[str, Prior] = {
    "width": LogNormal(0.0, 1.0),
    "period": LogNormal(float(np.log(0.5)), 0.7),
    "alpha": LogNormal(0.0, 1.0),
    "variance": LogNormal(0.0, 1.5),
    "offset": LogNormal(0.0, 1.0),
}


def classification_priors(component: Component, d: int) -> Priors:
    """The priors of a GPClassificationModel over d dimensions."""
    factory = component.keys.get("mean_covar_factory")
    if factory is not None and factory.name == "SongMeanCovarFactory":
        return _additive_priors(factory.keys, d)
    own = Priors(
        lengthscale=LogNormal(float(np.log(0.4) + np.log(d) / 4), 0.4),
        variance=LogNormal(float(np.log(4.0)), 1.0),
        slope=LogNormal(0.0, 1.5),
        constant=1.0,
    )
    return _with_modules(component, own if factory is None else _factory_priors(factory.keys, d), own, d)


def _additive_priors(keys: Mapping[str, Any], d: int) -> Priors:
    """Of the linear-additive kernel (additive.py): f crosses many of its units along the intensity."""
    named = _factory_priors({**keys, "fixed_kernel_amplitude": True}, d)
    return Priors(
        lengthscale=named.lengthscale,
        variance=LogNormal(float(np.log(16.0)), 1.5),
        slope=LogNormal(float(np.log(100.0)), 2.0),
        constant=16.0,
        free_mean=named.free_mean,
    )


def regression_priors(component: Component, d: int) -> Priors:
    """The priors of a GPRegressionModel over d dimensions, for outcomes scaled to unit variance."""
    likelihood = component.keys.get("likelihood")
    known = likelihood is not None and likelihood.name == "FixedNoiseGaussianLikelihood"
    noise = None if known else LogNormal(-4.0, 1.5)
    own = Priors(
        lengthscale=LogNormal(float(np.log(0.4) + np.log(d) / 4), 0.6),
        variance=LogNormal(0.0, 1.0),
        noise=noise,
        constant=1.0,
    )
    factory = component.keys.get("mean_covar_factory")
    if factory is not None:
        return _with_modules(component, replace(_factory_priors(factory.keys, d), noise=noise), own, d)
    return _with_modules(component, own, own, d)


def _with_modules(component: Component, named: Priors, own: Priors, d: int) -> Priors:
    """The priors with the model's covar_module and mean_module in place of their covariance and mean.

    As in GPyTorch, a kernel has unit amplitude but for a ScaleKernel around it, and the mean is a fitted
    constant where none is named. A LinearMean's coefficients are integrated out under a normal prior.
    """
    kernel, mean = component.keys.get("covar_module"), component.keys.get("mean_module")
    if kernel is not None:
        scaled = kernel.name == "ScaleKernel"
        inner = kernel.keys["base_kernel"] if scaled else kernel
        variance = own.variance if scaled else None
        named = Priors(own.lengthscale, variance, None, named.noise, 0.0, True, kernel_of(inner, d))
    if mean is not None:
        linear = mean.name == "LinearMean"
        named = replace(
            named,
            slope=LogNormal(0.0, 1.5) if linear else None,
            constant=1.0 if linear else 0.0,
            free_mean=mean.name == "ConstantMean",
        )
    return named


def pairwise_priors(component: Component, d: int) -> Priors:
    """The priors of a PairwiseProbitModel over d dimensions: a constant of the utility is not identified."""
    factory = component.keys.get("mean_covar_factory")
    if factory is not None:
        named = _factory_priors(factory.keys, d)
        return Priors(named.lengthscale, named.variance)
    return Priors(
        lengthscale=LogNormal(float(np.log(0.4) + np.log(d) / 4), 0.6),
        variance=LogNormal(float(np.log(4.0)), 1.0),
        slope=LogNormal(0.0, 1.5),  # without trends the best corner of a monotone utility is found late
    )


def _factory_priors(keys: Mapping[str, Any], d: int) -> Priors:
    """What a named DefaultMeanCovarFactory asks for (docs/reference/config.md, Classes)."""
    location = keys.get("ls_loc")
    scale = keys.get("ls_scale")
    kind = str(keys.get("lengthscale_prior") or "lognormal").lower()
    lengthscale: Prior
    if kind == "gamma":
        lengthscale = Gamma(3.0, 6.0)
    elif kind == "invgamma":
        lengthscale = InverseGamma(4.6, 1.0)
    else:
        base = float(np.sqrt(2.0)) if location is None else float(location)
        lengthscale = LogNormal(
            base + float(np.log(d)) / 2, float(np.sqrt(3.0)) if scale is None else float(scale), of_value=True
        )
    variance: Prior | None = None
    if keys.get("fixed_kernel_amplitude") is False:
        box = str(keys.get("outputscale_prior") or "box").lower() == "box"
        variance = Box(1.0, 4.0) if box else Gamma(1.5, 1.0)
    kernel = None
    if keys.get("cov_kernel") is not None or keys.get("active_dims"):
        kernel = kernel_of(keys.get("cov_kernel") or Component("RBFKernel"), d, keys.get("active_dims"))
    return Priors(lengthscale, variance, free_mean=not keys.get("zero_mean"), kernel=kernel)
