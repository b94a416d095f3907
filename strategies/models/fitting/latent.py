"""The prior of a latent function as blocks of theta: its covariance function, its mean, and outcomes' noise.

Notation: l (d,) length scales, or the k hyperparameters of a kernel other than the squared exponential; v, w
(d,) as in covariance.py; c the mean. Blocks hold log l, log v, log w, log noise and c; each of the last four
is there only if the priors leave it free.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fechner.strategies.models.fitting.plain import Hyperparameters
from fechner.strategies.models.fitting.priors import LogNormal, OfPlaces, Prior, Priors
from fechner.strategies.models.fitting.theta import Block, Parts, weigh_nothing, weighed_by
from fechner.strategies.models.kernels.categories import Counts, categorical
from fechner.strategies.models.kernels.combined_kernels import alike
from fechner.strategies.models.kernels.covariance import Covariance
from fechner.strategies.models.kernels.kernel_covariance import KernelCovariance
from fechner.strategies.models.kernels.kernels import Kernel
from fechner.strategies.numerics.arrays import Array

#: The blocks' names.
SHAPE, VARIANCE, SLOPES, NOISE, MEAN = "shape", "variance", "slopes", "noise", "mean"

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
PERIODS = (0.1, 0.15, 0.2, 0.25, 0.3, 0.4, 0.7, 1.0, 1.5, 2.0)  # of the box; the evidence peaks at many
MEAN_RANGE = (-10.0, 10.0)
OF_CATEGORIES = LogNormal(float(np.log(0.85)), 0.6)  # length scales: correlations of .5, .0006 to .94
NOISIER = 3.0  # of log noise: little noise and much of it often are two maxima


@dataclass(frozen=True)
class LatentPrior:
    """The prior of f over d dimensions.

    Attributes:
        priors: of its hyperparameters.
        d: number of dimensions.
        categories: of the categorical ones among these (categories.py).
    """

    priors: Priors
    d: int
    categories: Counts = ()

    def blocks(self) -> tuple[Block, ...]:
        """Those that there are, in their order in theta."""
        p, out = self.priors, [self._shape()]
        for name, prior, size, ends, aside in (
            (VARIANCE, p.variance, 1, LOG_VARIANCE_RANGE, None),
            (SLOPES, p.slope, self.d, LOG_VARIANCE_RANGE, None),
            (NOISE, p.noise, 1, LOG_NOISE_RANGE, NOISIER),
        ):
            if prior is not None:
                typical = np.full(size, prior.typical)
                out.append(Block(name, typical, (ends,) * size, weighed_by(prior.log_density), aside))
        if p.free_mean:
            out.append(Block(MEAN, np.zeros(1), (MEAN_RANGE,), weigh_nothing))
        return tuple(out)

    def _shape(self) -> Block:
        p, d = self.priors, self.d
        if p.kernel is not None:
            return _kernel_block(p, p.kernel)
        places = categorical(self.categories)
        typical = np.full(d, p.lengthscale.typical)
        typical[places] = OF_CATEGORIES.typical
        prior: Prior = p.lengthscale
        if places:
            prior = OfPlaces(p.lengthscale, OF_CATEGORIES, tuple(places))
        return Block(SHAPE, typical, (LOG_LENGTHSCALE_RANGE,) * d, weighed_by(prior.log_density))

    def read(self, parts: Parts) -> tuple[Covariance, float, float]:
        """The covariance function, the prior mean and the noise variance."""
        variance = float(np.exp(parts[VARIANCE][0])) if VARIANCE in parts else 1.0
        slopes = np.exp(parts[SLOPES]) if SLOPES in parts else None
        noise = float(np.exp(parts[NOISE][0])) if NOISE in parts else 0.0
        mean = float(parts[MEAN][0]) if MEAN in parts else 0.0
        constant, kernel = self.priors.constant, self.priors.kernel
        if kernel is None:
            lengthscales = np.exp(parts[SHAPE])
            plain = Covariance(variance, lengthscales, constant, slopes, categories=self.categories)
            return plain, mean, noise
        return KernelCovariance.of(kernel.at(parts[SHAPE]), self.d, variance, constant, slopes), mean, noise

    def write(self, covariance: Covariance, mean: float = 0.0, noise: float = 0.0) -> dict[str, Array]:
        """The inverse of `read`; slopes that the covariance function lacks are typical ones."""
        kernel = covariance.kernel if isinstance(covariance, KernelCovariance) else None
        out = {
            SHAPE: np.log(covariance.lengthscales) if kernel is None else kernel.theta,
            VARIANCE: np.array([np.log(covariance.variance)]),
            NOISE: np.array([np.log(max(noise, 1e-12))]),
            MEAN: np.array([mean]),
        }
        if covariance.slopes is not None:
            out[SLOPES] = np.log(covariance.slopes)
        elif self.priors.slope is not None:
            out[SLOPES] = np.full(self.d, self.priors.slope.typical)
        return out

    def recalls(self, left: Hyperparameters) -> bool:
        """Whether the hyperparameters of an earlier fit have such a covariance function."""
        kernel, earlier = self.priors.kernel, left.get("kernel")
        if len(left["lengthscales"]) != self.d or (kernel is None) != (earlier is None):
            return False
        return kernel is None or earlier is None or alike(kernel.plain(), earlier)


def _kernel_block(priors: Priors, kernel: Kernel) -> Block:
    """The hyperparameters of another kernel than the squared exponential; of periods many are tried."""
    typical = np.array([priors.of_kind(kind).typical for kind in kernel.kinds])
    ranges = tuple(KERNEL_RANGES[kind] for kind in kernel.kinds)
    places = [place for place, kind in enumerate(kernel.kinds) if kind == "period"]
    others = []
    for period in PERIODS if places else ():
        others.append(np.clip(typical, *np.array(ranges).T))
        others[-1][places] = np.log(period)
    return Block(SHAPE, typical, ranges, weighed_by(priors.of_kernel), None, tuple(others))


def gradients(
    by_covariance: tuple[Array, float, Array], mean: float = 0.0, noise: float = 0.0
) -> dict[str, Array | float]:
    """Derivatives of a log evidence by every block.

    Args:
        by_covariance: of sum(curvature * K) by log l, log v and log w, twice those of the log evidence.
        mean, noise: by c and by log noise.
    """
    by_shape, by_variance, by_slopes = by_covariance
    return {
        SHAPE: 0.5 * by_shape,
        VARIANCE: 0.5 * by_variance,
        SLOPES: 0.5 * by_slopes,
        NOISE: noise,
        MEAN: mean,
    }
