"""Averages of the covariance function's squared exponential part over the unit box, in closed form.

Notation as in covariance.py; r(x) = int k(x, u) du and q = int r over the box.
"""

from __future__ import annotations

import numpy as np

from fechner.strategies.models.kernels.categories import categorical
from fechner.strategies.models.kernels.covariance import Covariance
from fechner.strategies.numerics.arrays import Array
from fechner.strategies.numerics.normal import ndtr


def box_average(covariance: Covariance, x: Array) -> Array:
    """r (m,) at the rows of x (m, d), of the squared exponential part; the linear part has none."""
    scales = covariance.lengthscales
    shares = scales * (ndtr((1.0 - x) / scales) - ndtr(-x / scales))
    places = categorical(covariance.categories)
    shares[:, places] = among(covariance)[places]
    numbers = x.shape[1] - len(places)
    out: Array = covariance.variance * np.sqrt(2.0 * np.pi) ** numbers * np.prod(shares, axis=1)
    return out


def box_variance(covariance: Covariance) -> float:
    """q of the squared exponential part: v prod_j 2 int_0^1 (1 - t) exp(-t^2 / (2 l_j^2)) dt."""
    scales = covariance.lengthscales
    along = scales * np.sqrt(2.0 * np.pi) * (ndtr(1.0 / scales) - 0.5)
    along += np.square(scales) * np.expm1(-0.5 / np.square(scales))
    places = categorical(covariance.categories)
    along[places] = 0.5 * among(covariance)[places]
    return float(covariance.variance * np.prod(2.0 * along))


def among(covariance: Covariance) -> Array:
    """The average correlation (d,) of a category with all of its parameter, itself included."""
    counts = np.array(covariance.categories or np.ones(len(covariance.lengthscales)), dtype=float)
    alike = np.exp(-0.5 / np.square(covariance.lengthscales))
    out: Array = (1.0 + (counts - 1.0) * alike) / np.maximum(counts, 1.0)
    return out
