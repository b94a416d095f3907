"""Look-ahead for Bernoulli level sets, in closed form.

B. Letham, P. Guan, C. Tymms, E. Bakshy, M. Shvartsman (2022), Look-ahead acquisition functions for Bernoulli
level set estimation, AISTATS (arXiv 2203.09751): proposition 1 (the look-ahead level set posterior as a
bivariate normal probability) and section 4 (GlobalMI, GlobalSUR, EAVC, LocalMI, LocalSUR). ApproxGlobalSUR:
X. Lyu, M. Binois & M. Ludkovski (2021), Evaluating Gaussian process metamodels and sequential designs for
noisy level set estimation, Statistics and Computing 31:43 (gradient-free SUR with the mean held and the
look-ahead variance approximated by the information that an outcome brings in expectation).

Notation: q reference points (k, d), x candidates (m, d); gamma the latent target; pi = P(f(q) <= gamma) now
and pi_y after outcome y at x; b = (gamma - mu_q) / sigma_q; h = mu_x / s with s = sqrt(1 + sigma_x^2); then
P(f(q) <= gamma, Phi-noise says 1 at x) = Phi_2(b, h; rho) with rho = -cov(q, x) / (sigma_q s). With guess
rate g and lapse rate e both the joint and the marginal are g Phi(b) + (1 - g - e)(...), so with the excess E
= Phi_2(b, h; rho) - Phi(b) Phi(h) and u = 1 - g - e, P_1 = P(y = 1) = g + u Phi(h) = 1 - P_0: pi_1 = pi + u
E / P_1, pi_0 = pi - u E / P_0. EAVC(x) = sum_y P_y |mean_q (pi_y - pi)| = 2 u |mean_q E|; with U the binary
entropy (MI) or min(p, 1 - p) (SUR) the others are mean_q [U(pi) - P_1 U(pi_1) - P_0 U(pi_0)], the local ones
with q = x alone.

With `lookahead_type = posterior` what is looked ahead at is no level set but the outcome at q: pi = P(z = 1
at q) = g + u Phi(b), now with b = mu_q / s_q and rho = cov(q, x) / (s_q s), and both outcomes are 1 with
probability pi P_1 + u^2 E, so that pi_1 = pi + u^2 E / P_1, pi_0 = pi - u^2 E / P_0. Its own are MOCU (G.
Zhao, E. Dougherty, B.-J. Yoon, F. Alexander & X. Qian 2021, Uncertainty-aware active learning for optimal
Bayesian classifier, ICLR) with U = min(p, 1 - p), SMOCU (the same authors 2021, Bayesian active learning by
soft mean objective cost of uncertainty, AISTATS) with the soft minimum U = 1 - log(exp(k p) + exp(k (1 -
p))) / k, and BEMPS (W. Tan, L. Du & W. Buntine 2021, Diversity enhanced active learning with strictly proper
scoring rules, NeurIPS; their CoreMSE) with the Brier score, U = 2 p (1 - p).
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy.special import entr

from fechner.strategies.acquisition.slopes import Climbing, Gradients, OfMoments, Values
from fechner.strategies.models.inference.binary_likelihood import expected_information
from fechner.strategies.models.posteriors.posterior import Posterior
from fechner.strategies.numerics.arrays import Array
from fechner.strategies.numerics.normal import (
    bivariate_excess,
    bivariate_excess_slopes,
    density,
    excess_table,
    ndtr,
)
from fechner.strategies.numerics.sobol import sobol

#: E (m, k), P_1 (m, 1), u and pi (k,) to values (m,).
Score = Callable[[Array, Array, float, Array], Array]
#: The same to derivatives by E, (m, k), and by P_1, (m,).
ScoreSlopes = Callable[[Array, Array, float, Array], tuple[Array, Array]]

LIMIT = 40.0  # of b: farther in standard deviations nothing changes
LEAST = 1e-9  # what decides between points that promise nothing else
NEAR_ONE = 1.0 - 1e-9


def uncertainty_of(kind: str, k: float = 20.0) -> tuple[Callable[[Array], Array], Callable[[Array], Array]]:
    """U and its derivative: ``"entropy"`` in nats, ``"misclassified"``, ``"soft"`` or ``"brier"``."""
    if kind == "soft":

        def soft(p: Array) -> Array:
            out: Array = 1.0 - np.logaddexp(k * p, k * (1.0 - p)) / k
            return out

        return soft, lambda p: -np.tanh(k * (p - 0.5))
    if kind == "brier":
        return lambda p: 2.0 * p * (1.0 - p), lambda p: 2.0 - 4.0 * p
    if kind == "entropy":

        def entropy(p: Array) -> Array:
            out: Array = entr(p) + entr(1.0 - p)
            return out

        def slope(p: Array) -> Array:
            inside = np.clip(p, 1e-300, NEAR_ONE)
            return np.log1p(-inside) - np.log(inside)

        return entropy, slope
    return lambda p: np.minimum(p, 1.0 - p), lambda p: np.where(p < 0.5, 1.0, -1.0)


def reduction(kind: str, k: float = 20.0) -> tuple[Score, ScoreSlopes]:
    """mean_q [U(pi) - P_1 U(pi_1) - P_0 U(pi_0)] and its derivatives."""
    uncertainty, slope = uncertainty_of(kind, k)

    def after(excess: Array, yes: Array, share: float, pi: Array) -> tuple[Array, Array]:
        change = share * excess
        return np.clip(pi + change / yes, 0.0, 1.0), np.clip(pi - change / (1.0 - yes), 0.0, 1.0)

    def score(excess: Array, yes: Array, share: float, pi: Array) -> Array:
        pi_1, pi_0 = after(excess, yes, share, pi)
        now = float(uncertainty(pi).mean())
        out: Array = now - (yes * uncertainty(pi_1) + (1.0 - yes) * uncertainty(pi_0)).mean(axis=1)
        return out

    def slopes(excess: Array, yes: Array, share: float, pi: Array) -> tuple[Array, Array]:
        pi_1, pi_0 = after(excess, yes, share, pi)
        slope_1, slope_0 = slope(pi_1), slope(pi_0)
        change = share * excess
        by_yes = (uncertainty(pi_0) + slope_0 * change / (1.0 - yes)) - (
            uncertainty(pi_1) - slope_1 * change / yes
        )
        return share * (slope_0 - slope_1) / excess.shape[1], by_yes.mean(axis=1)

    return score, slopes


def volume_change() -> tuple[Score, ScoreSlopes]:
    """EAVC, 2 u |mean_q E|, and its derivatives."""

    def score(excess: Array, yes: Array, share: float, pi: Array) -> Array:
        return 2.0 * share * np.abs(excess.mean(axis=1))

    def slopes(excess: Array, yes: Array, share: float, pi: Array) -> tuple[Array, Array]:
        sign = np.sign(excess.mean(axis=1))[:, None]
        by_excess = np.broadcast_to(2.0 * share * sign / excess.shape[1], excess.shape)
        return by_excess, np.zeros(len(excess))

    return score, slopes


def looking_ahead(
    posterior: Posterior,
    target: float,
    count: int,
    seed: int,
    scores: tuple[Score, ScoreSlopes],
    at: str = "levelset",
) -> tuple[Values, Gradients]:
    """A global look-ahead function of (m, d) points, and the same with gradients.

    Args:
        posterior: of binary outcomes.
        target: of the set P(y = 1) <= target.
        count: number of reference points k, of a scrambled Sobol sequence.
        seed: of that sequence.
        scores: what is averaged over them.
        at: what is looked ahead at, ``"levelset"`` or ``"posterior"`` (the outcomes).
    """
    score, score_slopes = scores
    reference = sobol(seed, len(posterior.covariance.lengthscales), 0, count)
    mean_q, variance_q, half_q = posterior.reduced(reference)
    share = 1.0 - posterior.floor - posterior.lapse
    if at == "posterior":
        sd_q = np.sqrt(1.0 + variance_q)
        b = np.clip(mean_q / sd_q, -LIMIT, LIMIT)
        pi, sign, gain = posterior.floor + share * ndtr(b), 1.0, share * share
    else:
        sd_q = np.sqrt(variance_q)
        b = np.clip((posterior.latent_of(target) - mean_q) / sd_q, -LIMIT, LIMIT)
        pi, sign, gain = ndtr(b), -1.0, share
    prepared: list[Climbing] = []

    def values(x: Array) -> Array:
        mean, variance, half = posterior.reduced(x)
        noisy_sd = np.sqrt(1.0 + variance)[:, None]
        covariance = posterior.covariance(x, reference) - half.T @ half_q
        rho = np.clip(sign * covariance / (noisy_sd * sd_q), -1.0, 1.0)
        h = mean[:, None] / noisy_sd
        return score(excess_table(b, h, rho), yes_probability(posterior, h), gain, pi)

    def gradients(x: Array) -> tuple[Array, Array]:
        if not prepared:
            prepared.append(Climbing(posterior, reference))
        at = prepared[0].moments(x)
        covariance, pulled = prepared[0].covariance(at)
        noisy_sd = np.sqrt(1.0 + at.variance)[:, None]
        rho = np.clip(sign * covariance / (noisy_sd * sd_q), -NEAR_ONE, NEAR_ONE)
        h = at.mean[:, None] / noisy_sd
        excess, yes = excess_table(b, h, rho), yes_probability(posterior, h)
        by_excess, by_yes = score_slopes(excess, yes, gain, pi)
        excess_by_h, excess_by_rho = bivariate_excess_slopes(b, h, rho)
        by_rho = by_excess * excess_by_rho
        by_h = np.einsum("ij,ij->i", by_excess, excess_by_h) + by_yes * share * density(h[:, 0])
        squared = 1.0 + at.variance
        by_variance = -0.5 * (np.einsum("ij,ij->i", by_rho, rho) + by_h * h[:, 0]) / squared
        slopes = at.pulled(by_h / noisy_sd[:, 0], by_variance) + pulled(sign * by_rho / (noisy_sd * sd_q))
        return score(excess, yes, gain, pi), slopes

    return values, gradients


def local(posterior: Posterior, target: float, kind: str, at: str = "levelset") -> OfMoments:
    """LocalMI (``"entropy"``) or LocalSUR (``"misclassified"``): the point is its own reference point."""
    gamma = posterior.latent_of(target)
    share = 1.0 - posterior.floor - posterior.lapse
    score, _ = reduction(kind)

    def values(mean: Array, variance: Array) -> Array:
        sd, noisy_sd = np.sqrt(variance), np.sqrt(1.0 + variance)
        h = mean / noisy_sd
        if at == "posterior":
            excess = bivariate_excess(h, h, variance / (1.0 + variance))
            pi, gain = posterior.floor + share * ndtr(h), share * share
        else:
            b = np.clip((gamma - mean) / sd, -LIMIT, LIMIT)
            excess = bivariate_excess(b, h, -sd / noisy_sd)
            pi, gain = ndtr(b), share
        yes = yes_probability(posterior, h[:, None])
        uncertainty, _ = uncertainty_of(kind)
        # one reference point for each candidate, so its own pi too
        shifted = score(excess[:, None], yes, gain, pi[:, None])
        # one outcome may nowhere change a decision: then where f is known least
        least = LEAST * variance / (1.0 + variance)
        return shifted - uncertainty(pi).mean() + uncertainty(pi) + least

    return values


def approximate_sur(posterior: Posterior, target: float, count: int, seed: int) -> tuple[Values, Gradients]:
    """ApproxGlobalSUR: mean_q [Phi(-|b|) - Phi(-|b'|)], b' with the variance of q that an outcome at x
    leaves.

    sigma'^2 = sigma_q^2 - cov(q, x)^2 / (sigma_x^2 + 1 / tau), tau the precision that the outcome brings in
    expectation; the mean is held.
    """
    reference = sobol(seed, len(posterior.covariance.lengthscales), 0, count)
    mean_q, variance_q, half_q = posterior.reduced(reference)
    gap = np.minimum(np.abs(posterior.latent_of(target) - mean_q), LIMIT * np.sqrt(variance_q))
    now = float(ndtr(-gap / np.sqrt(variance_q)).mean())
    prepared: list[Climbing] = []

    def noise(mean: Array, variance: Array) -> Array:
        return outcome_noise(posterior, mean, variance)

    def left(covariance: Array, total: Array) -> Array:
        out: Array = np.maximum(variance_q - np.square(covariance) / total[:, None], 1e-9 * variance_q)
        return out

    def values(x: Array) -> Array:
        mean, variance, half = posterior.reduced(x)
        covariance = posterior.covariance(x, reference) - half.T @ half_q
        remaining = left(covariance, variance + noise(mean, variance))
        out: Array = now - ndtr(-gap / np.sqrt(remaining)).mean(axis=1)
        return out

    def gradients(x: Array) -> tuple[Array, Array]:
        if not prepared:
            prepared.append(Climbing(posterior, reference))
        at = prepared[0].moments(x)
        covariance, pulled = prepared[0].covariance(at)
        mean, variance = at.mean, at.variance
        total = variance + noise(mean, variance)
        remaining = left(covariance, total)
        ratio = gap / np.sqrt(remaining)
        by_remaining = -density(ratio) * ratio / (2.0 * remaining) / len(reference)
        by_covariance = -2.0 * by_remaining * covariance / total[:, None]
        by_total = np.einsum("ij,ij->i", by_remaining, np.square(covariance)) / np.square(total)
        step = 1e-5 * np.sqrt(variance)
        total_by_mean = (noise(mean + step, variance) - noise(mean - step, variance)) / (2.0 * step)
        more, less = variance * (1 + 1e-5), variance * (1 - 1e-5)
        total_by_variance = 1.0 + (noise(mean, more) - noise(mean, less)) / (more - less)
        slopes = at.pulled(by_total * total_by_mean, by_total * total_by_variance) + pulled(by_covariance)
        return now - ndtr(-ratio).mean(axis=1), slopes

    return values, gradients


def outcome_noise(posterior: Posterior, mean: Array, variance: Array) -> Array:
    """1 / tau (m,), the variance of the noise with which an outcome tells f ~ N(mean, variance)."""
    tau = expected_information(mean, variance, posterior.floor, posterior.lapse)
    out: Array = 1.0 / np.maximum(tau, 1e-12)
    return out


def yes_probability(posterior: Posterior, h: Array) -> Array:
    """P_1, away from 0 and 1 by more than rounding."""
    share = 1.0 - posterior.floor - posterior.lapse
    return np.clip(posterior.floor + share * ndtr(h), 1e-12, 1.0 - 1e-12)
