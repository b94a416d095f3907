"""Hyperparameters as plain data: what goes on record, and is read from it, of every model."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from fechner.strategies.models.kernels.combined_kernels import from_plain as from_plain_kernel
from fechner.strategies.models.kernels.covariance import Covariance
from fechner.strategies.models.kernels.kernel_covariance import KernelCovariance

#: JSON-able values by name, ``"model"`` among them: what a fit gives and a posterior takes.
Hyperparameters = Mapping[str, Any]

FIT_LIMIT = 600  # beyond it hyperparameters are fitted to some of the trials; the posterior sees all


def to_plain(covariance: Covariance, mean: float) -> dict[str, Any]:
    """The covariance function and the prior mean as JSON-able values."""
    out: dict[str, Any] = {
        "lengthscales": [float(v) for v in covariance.lengthscales],
        "variance": float(covariance.variance),
        "constant": float(covariance.constant),
        "mean": float(mean),
    }
    if covariance.slopes is not None:
        out["slopes"] = [float(v) for v in covariance.slopes]
    if isinstance(covariance, KernelCovariance):
        out["kernel"] = covariance.kernel.plain()
    if covariance.categories:
        out["categories"] = list(covariance.categories)
    return out


def from_plain(hyperparameters: Hyperparameters) -> tuple[Covariance, float]:
    """The inverse of `to_plain`."""
    given = hyperparameters.get("slopes")
    variance, constant = float(hyperparameters["variance"]), float(hyperparameters.get("constant") or 0.0)
    lengthscales = np.array(hyperparameters["lengthscales"], dtype=float)
    slopes = None if given is None else np.array(given, dtype=float)
    categories = tuple(int(count) for count in hyperparameters.get("categories") or ())
    covariance = Covariance(variance, lengthscales, constant, slopes, categories=categories)
    if "kernel" in hyperparameters:
        kernel = from_plain_kernel(hyperparameters["kernel"])
        covariance = KernelCovariance.of(kernel, len(lengthscales), variance, constant, slopes)
    return covariance, float(hyperparameters["mean"])


def rates_of(values: Hyperparameters) -> tuple[float, float]:
    """Guess and lapse rate, of hyperparameters or of a model's keys; 0 where there is none."""
    return float(values.get("floor") or 0.0), float(values.get("lapse") or 0.0)
