"""Long Markov chains, to which approximations are compared."""

from collections.abc import Callable

import numpy as np


def elliptical_slices(
    mean: np.ndarray,
    covariance: np.ndarray,
    log_likelihood: Callable[[np.ndarray], float],
    count: int,
    seed: int,
) -> np.ndarray:
    """`count` states (count, n) of f ~ N(mean, covariance) given a likelihood, after a tenth for nothing.

    Murray, Adams & MacKay (2010), Elliptical slice sampling, AISTATS.
    """
    random = np.random.default_rng(seed)
    root = np.linalg.cholesky(covariance + 1e-9 * np.diag(np.diag(covariance)))
    here = root @ random.standard_normal(len(mean)) * 0.0
    now = log_likelihood(mean + here)
    kept = []
    for step in range(count + count // 10):
        ellipse = root @ random.standard_normal(len(mean))
        level = now + np.log(random.uniform())
        angle = random.uniform(0, 2 * np.pi)
        low, high = angle - 2 * np.pi, angle
        while True:
            there = here * np.cos(angle) + ellipse * np.sin(angle)
            found = log_likelihood(mean + there)
            if found > level:
                break
            low, high = (angle, high) if angle < 0 else (low, angle)
            angle = random.uniform(low, high)
        here, now = there, found
        if step >= count // 10:
            kept.append(mean + here)
    return np.array(kept)
