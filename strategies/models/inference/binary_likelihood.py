"""The probit of binary outcomes with a guess and a lapse rate: P(y = 1 | f) = g + (1 - g - e) Phi(f).

C. E. Rasmussen & C. K. I. Williams (2006), Gaussian Processes for Machine Learning, eq. 3.58 (of g = e = 0).

Notation: n outcomes y (n,) in {0, 1}; f ~ N(mean, variance) elementwise; g the guess rate (`floor`), e the
lapse rate; Z the probability of an outcome.
"""

from __future__ import annotations

import numpy as np

from fechner.strategies.numerics.arrays import Array
from fechner.strategies.numerics.normal import density, log_ndtr, ndtr


def tilted(mean: Array, variance: Array, y: Array, floor: float, lapse: float) -> tuple[Array, Array, Array]:
    """log Z, its first derivative by the mean and minus its second, for f ~ N(mean, variance), each (n,).

    Z = integral of P(y | f) N(f | mean, variance) (R&W eq. 3.58, with guess and lapse rate).
    """
    sign = 2.0 * y - 1.0
    scale = np.sqrt(1.0 + variance)
    z = sign * mean / scale
    rest = 1.0 - floor - lapse
    if floor == 0.0 and lapse == 0.0:
        log_z = log_ndtr(z)
        ratio = np.exp(-0.5 * z * z - 0.5 * np.log(2 * np.pi) - log_z)
    else:
        base = np.where(y > 0.5, floor, lapse)
        total = base + rest * ndtr(z)
        # far in the tail of a likelihood without base rate the logarithm form is the accurate one
        log_z = np.where(base > 0, np.log(np.maximum(total, 1e-300)), np.log(rest) + log_ndtr(z))
        ratio = rest * np.exp(-0.5 * z * z - 0.5 * np.log(2 * np.pi) - log_z)
    first = sign * ratio / scale
    return log_z, first, (ratio * ratio + z * ratio) / (scale * scale)


def expected_information(mean: Array, variance: Array, floor: float, lapse: float) -> Array:
    """The expected precision tau that an outcome at f ~ N(mean, variance) brings, before it is seen, (m,).

    The expectation of minus the second derivative of log Z over both outcomes is Z'^2 (1/Z_1 + 1/Z_0).
    """
    scale = np.sqrt(1.0 + variance)
    z = mean / scale
    rest = 1.0 - floor - lapse
    yes = np.maximum(floor + rest * ndtr(z), 1e-300)
    no = np.maximum(lapse + rest * ndtr(-z), 1e-300)
    slope = rest * density(z) / scale
    beta = slope * slope * (1.0 / yes + 1.0 / no)
    out: Array = beta / np.maximum(1.0 - beta * variance, 1e-6)
    return out
