"""Noisy expected improvement for finding the best point (botorch's qLogNoisyExpectedImprovement).

S. Ament et al. (2023), Unexpected improvements to expected improvement for Bayesian optimization, NeurIPS.
The baseline
are the training inputs that may be the best one: those that win at least one of 1,024 joint posterior
    samples.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from fechner.strategies.models.covariance import Covariance
from fechner.strategies.models.normal import Array
from fechner.strategies.models.posterior import Posterior
from fechner.strategies.random import rng

SAMPLES = 128


def standardised(posterior: Posterior) -> Posterior:
    """The same posterior for outcomes centred at c and divided by the prior sd, the scale botorch expects."""
    old = posterior.covariance
    scale = float(np.sqrt(old.variance))
    slopes = None if old.slopes is None else old.slopes / scale**2
    return replace(
        posterior,
        covariance=Covariance(1.0, old.lengthscales, old.constant / scale**2, slopes),
        mean=0.0,
        root=posterior.root * scale,
        weights=posterior.weights * scale,
        noise=posterior.noise / scale**2,
    )


def contenders(posterior: Posterior, seed: int) -> Array:
    """The training inputs (k, d) that win at least one of 1,024 joint samples of f."""
    x = np.unique(posterior.x, axis=0)
    mean, covariance = posterior.joint(x)
    values, vectors = np.linalg.eigh(covariance)
    normal = rng(seed, "baseline").standard_normal((1024, len(x)))
    samples = mean + (normal * np.sqrt(np.maximum(values, 0.0))) @ vectors.T
    out: Array = x[np.unique(samples.argmax(axis=1))]
    return out


def log_noisy_expected_improvement(
    posterior: Posterior, pending: Array, seed: int
) -> tuple[Callable[[Array], Array], Callable[[Array], tuple[Array, Array]]]:
    """Values of (m, d) points, and their values with gradients, as functions."""
    import torch
    from botorch.acquisition.logei import qLogNoisyExpectedImprovement
    from botorch.sampling.normal import SobolQMCNormalSampler
    from fechner.strategies.models.botorch_model import GaussianModel

    scaled = standardised(posterior)
    baseline = contenders(scaled, seed) if len(scaled.x) else np.full((1, scaled.x.shape[1]), 0.5)
    function = qLogNoisyExpectedImprovement(
        model=GaussianModel(scaled, np.zeros(len(scaled.x))),
        X_baseline=torch.tensor(baseline, dtype=torch.float64),
        sampler=SobolQMCNormalSampler(torch.Size([SAMPLES]), seed=seed % 2**31),
        prune_baseline=False,
        cache_root=False,
        X_pending=torch.tensor(pending, dtype=torch.float64) if len(pending) else None,
    )

    def values(x: Array) -> Array:
        with torch.no_grad():
            out: Array = function(torch.tensor(x, dtype=torch.float64).unsqueeze(-2)).numpy()
        return out

    def gradients(x: Array) -> tuple[Array, Array]:
        points = torch.tensor(x, dtype=torch.float64).unsqueeze(-2).requires_grad_(True)
        found = function(points)
        (slopes,) = torch.autograd.grad(found.sum(), points)
        return found.detach().numpy(), slopes.squeeze(-2).numpy()

    return values, gradients
