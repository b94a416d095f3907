"""Where each hyperparameter sits in theta, the vector that fits search, and the posterior density of theta.

Notation: theta = (log l (d), log v, log w (d), log noise, c), where each of v, w, noise and c is there only
if the priors leave it free. A kernel other than the squared exponential has its own hyperparameters (k) in
the place of log l.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from fechner.strategies.models.fitting.priors import LogNormal, Priors
from fechner.strategies.models.kernels.categories import Counts, categorical
from fechner.strategies.models.kernels.combined_kernels import alike
from fechner.strategies.models.kernels.covariance import Covariance
from fechner.strategies.models.kernels.kernel_covariance import KernelCovariance
from fechner.strategies.numerics.arrays import Array

# (value, gradient by log l, by log v, by log w, by log noise, by c) of the log evidence
Evidence = Callable[[Covariance, float, float], tuple[float, Array, float, Array, float, float]]

LOG_LENGTHSCALE_RANGE = (float(np.log(0.01)), float(np.log(100.0)))
LOG_VARIANCE_RANGE = (float(np.log(1e-3)), float(np.log(1e4)))
LOG_NOISE_RANGE = (float(np.log(1e-6)), float(np.log(10.0)))
KERNEL_RANGES = {
    "lengthscale": LOG_LENGTHSCALE_RANGE,
    "width": (float(np.log(1e-2)), float(np.log(1e3))),
    "period": (float(np.log(0.05)), float(np.log(20.0))),
    "alpha": (float(np.log(0.05)), float(np.log(1e3))),
    "variance": LOG_VARIANCE_RANGE,
    "offset": LOG_VARIANCE_RANGE,
}
PERIODS = (0.1, 0.15, 0.2, 0.25, 0.3, 0.4, 0.7, 1.0, 1.5, 2.0)  # of the box; fits look at these too
MEAN_RANGE = (-10.0, 10.0)
OF_CATEGORIES = LogNormal(float(np.log(0.85)), 0.6)  # length scales: correlations of .5, .0006 to .94
SCALE = 0.3  # of a first step, in units of the gradient


@dataclass(frozen=True)
class Layout:
    """Where each hyperparameter sits in theta."""

    priors: Priors
    d: int
    categories: Counts = field(default=(), kw_only=True)

    @property
    def width(self) -> int:
        """How many the covariance's shape has: d, or k."""
        kernel = self.priors.kernel
        return self.d if kernel is None else len(kernel.theta)

    @property
    def size(self) -> int:
        p = self.priors
        return (
            self.width
            + (p.variance is not None)
            + (self.d if p.slope is not None else 0)
            + (p.noise is not None)
            + p.free_mean
        )

    def typical(self) -> Array:
        """Where a cold fit begins."""
        p = self.priors
        kernel = p.kernel
        lengthscales = np.full(self.d, p.lengthscale.typical)
        lengthscales[categorical(self.categories)] = OF_CATEGORIES.typical
        parts = [lengthscales]
        if kernel is not None:
            parts = [np.array([p.of_kind(kind).typical for kind in kernel.kinds])]
        if p.variance is not None:
            parts.append(np.array([p.variance.typical]))
        if p.slope is not None:
            parts.append(np.full(self.d, p.slope.typical))
        if p.noise is not None:
            parts.append(np.array([p.noise.typical]))
        if p.free_mean:
            parts.append(np.zeros(1))
        return self.inside(np.concatenate(parts))

    def cold(self) -> list[Array]:
        """Where fits without an earlier one begin: little noise and much of it often are two maxima."""
        begins = [self.typical()]
        if self.noise_place is not None:
            noisy = begins[0].copy()
            noisy[self.noise_place] += 3.0
            begins.append(self.inside(noisy))
        return begins

    def waves(self) -> list[Array]:
        """Of a kernel with periods, typical values but for these: the evidence has a maximum at many."""
        kernel = self.priors.kernel
        places = [i for i, kind in enumerate(kernel.kinds) if kind == "period"] if kernel is not None else []
        begins = []
        for period in PERIODS if places else ():
            begins.append(self.typical())
            begins[-1][places] = np.log(period)
        return begins

    @property
    def noise_place(self) -> int | None:
        """Where log noise sits, or None."""
        if self.priors.noise is None:
            return None
        return self.size - 1 - self.priors.free_mean

    def scales(self) -> Array:
        """The inverse Hessian (p, p) that a cold fit begins with: data tell more than a vague prior."""
        return SCALE**2 * np.eye(self.size)

    def bounds(self) -> list[tuple[float, float]]:
        p = self.priors
        out = [LOG_LENGTHSCALE_RANGE] * self.d
        if p.kernel is not None:
            out = [KERNEL_RANGES[kind] for kind in p.kernel.kinds]
        if p.variance is not None:
            out.append(LOG_VARIANCE_RANGE)
        if p.slope is not None:
            out += [LOG_VARIANCE_RANGE] * self.d
        if p.noise is not None:
            out.append(LOG_NOISE_RANGE)
        if p.free_mean:
            out.append(MEAN_RANGE)
        return out

    def inside(self, theta: Array) -> Array:
        """theta moved inside the bounds."""
        lower, upper = np.array(self.bounds()).T
        out: Array = np.clip(theta, lower, upper)
        return out

    def unpack(self, theta: Array) -> tuple[Covariance, float, float]:
        """The covariance function, the prior mean and the noise variance."""
        p, i = self.priors, self.width
        variance, slopes, noise, mean = 1.0, None, 0.0, 0.0
        if p.variance is not None:
            variance = float(np.exp(theta[i]))
            i += 1
        if p.slope is not None:
            slopes = np.exp(theta[i : i + self.d])
            i += self.d
        if p.noise is not None:
            noise = float(np.exp(theta[i]))
            i += 1
        if p.free_mean:
            mean = float(theta[i])
        shape = theta[: self.width]
        if p.kernel is not None:
            kernel = p.kernel.at(shape)
            return KernelCovariance.of(kernel, self.d, variance, p.constant, slopes), mean, noise
        out = Covariance(variance, np.exp(shape), p.constant, slopes, categories=self.categories)
        return out, mean, noise

    def pack(self, covariance: Covariance, mean: float, noise: float) -> Array:
        """The inverse of `unpack`, inside the bounds."""
        p = self.priors
        parts = [np.log(covariance.lengthscales)]
        if isinstance(covariance, KernelCovariance):
            parts = [covariance.kernel.theta]
        if p.variance is not None:
            parts.append(np.array([np.log(covariance.variance)]))
        if p.slope is not None:
            slopes = covariance.slopes
            parts.append(np.full(self.d, p.slope.typical) if slopes is None else np.log(slopes))
        if p.noise is not None:
            parts.append(np.array([np.log(max(noise, 1e-12))]))
        if p.free_mean:
            parts.append(np.array([mean]))
        return self.inside(np.concatenate(parts))

    def recalls(self, left: Mapping[str, Any]) -> bool:
        """Whether the hyperparameters of an earlier fit have this layout's covariance function."""
        kernel, earlier = self.priors.kernel, left.get("kernel")
        if len(left["lengthscales"]) != self.d or (kernel is None) != (earlier is None):
            return False
        return kernel is None or earlier is None or alike(kernel.plain(), earlier)

    def log_prior(self, theta: Array) -> float:
        """The log prior density of theta, up to a constant."""
        nothing = (0.0, np.zeros(self.width), 0.0, np.zeros(self.d), 0.0, 0.0)
        return -self.objective(theta, lambda *_: nothing)[0]

    def _of_lengthscales(self, theta: Array) -> tuple[float, Array]:
        """The log prior density of the logarithms (d,) of the length scales, and its gradient."""
        places = categorical(self.categories)
        if not places:
            return self.priors.lengthscale.log_density(theta)
        others = [place for place in range(self.d) if place not in places]
        slope = np.zeros(self.d)
        value, slope[others] = self.priors.lengthscale.log_density(theta[others])
        more, slope[places] = OF_CATEGORIES.log_density(theta[places])
        return value + more, slope

    def objective(self, theta: Array, evidence: Evidence) -> tuple[float, Array]:
        """Minus the log posterior density of theta, and its gradient."""
        p, d = self.priors, self.d
        value, by_lengthscale, by_variance, by_slope, by_noise, by_mean = evidence(*self.unpack(theta))
        gradient = np.zeros(self.size)
        i = self.width
        if p.kernel is None:
            log_prior, slope = self._of_lengthscales(theta[:i])
        else:
            log_prior, slope = p.of_kernel(theta[:i])
        gradient[:i] = by_lengthscale + slope
        value += log_prior
        if p.variance is not None:
            log_prior, slope = p.variance.log_density(theta[i : i + 1])
            gradient[i] = by_variance + slope[0]
            value += log_prior
            i += 1
        if p.slope is not None:
            log_prior, slope = p.slope.log_density(theta[i : i + d])
            gradient[i : i + d] = by_slope + slope
            value += log_prior
            i += d
        if p.noise is not None:
            log_prior, slope = p.noise.log_density(theta[i : i + 1])
            gradient[i] = by_noise + slope[0]
            value += log_prior
            i += 1
        if p.free_mean:
            gradient[i] = by_mean
        return -value, -gradient
