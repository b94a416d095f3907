"""Look-ahead for Bernoulli level sets, in closed form.

B. Letham, P. Guan, C. Tymms, E. Bakshy, M. Shvartsman (2022), Look-ahead acquisition functions for Bernoulli
level set estimation, AISTATS (arXiv 2203.09751): proposition 1 (the look-ahead level set posterior as a
bivariate normal probability) and section 4.2 (expected absolute volume change, EAVC).

Notation: q reference points (k, d), x candidates (m, d); gamma the latent target; pi_q = P(f(q) <= gamma) now
    and
pi_q|y after outcome y at x; b_q = (gamma - mu_q) / sigma_q; h_x = mu_x / sqrt(1 + sigma_x^2); then
P(f(q) <= gamma, Phi-noise says 1 at x) = Phi_2(b_q, h_x; rho) with rho = -cov(q, x) / (sigma_q sqrt(1 +
sigma_x^2)). With guess rate g and lapse rate e both the joint and the marginal are g Phi(b_q) + (1 - g -
e)(...), so that P(y = 1)(pi_q|1 - pi_q) = (1 - g - e) (Phi_2(b_q, h_x; rho) - Phi(b_q) Phi(h_x)) = -P(y =
0)(pi_q|0 - pi_q), and EAVC(x) = sum_y P(y) |mean_q (pi_q|y - pi_q)| = 2 (1 - g - e) |mean_q (Phi_2 - Phi
Phi)|.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from fechner.strategies.generators.sobol import sobol
from fechner.strategies.models.normal import Array, bivariate_excess
from fechner.strategies.models.posterior import Posterior


def expected_absolute_volume_change(
    posterior: Posterior, target: float, count: int, seed: int
) -> Callable[[Array], Array]:
    """EAVC of (m, d) points as a function, for the set P(y = 1) <= target over `count` reference points."""
    gamma = posterior.latent_of(target)
    reference = sobol(seed, posterior.x.shape[1], 0, count)
    mean_q, variance_q, half_q = posterior.reduced(reference)
    sd_q = np.sqrt(variance_q)
    b = np.clip((gamma - mean_q) / sd_q, -40.0, 40.0)
    factor = 2.0 * (1.0 - posterior.floor - posterior.lapse)

    def values(x: Array) -> Array:
        mean, variance, half = posterior.reduced(x)
        noisy_sd = np.sqrt(1.0 + variance)
        covariance = posterior.covariance(x, reference) - half.T @ half_q
        rho = -covariance / (noisy_sd[:, None] * sd_q[None, :])
        excess = bivariate_excess(b[None, :], (mean / noisy_sd)[:, None], rho)
        out: Array = factor * np.abs(excess.mean(axis=1))
        return out

    return values
