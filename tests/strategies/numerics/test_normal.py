"""Normal probabilities against high-precision references."""

import mpmath
import numpy as np
import pytest

from fechner.strategies.numerics.normal import (
    bivariate,
    bivariate_excess,
    bivariate_excess_slopes,
    excess_table,
    ndtr,
    owens_t,
    probability_moments,
)


def reference(h: float, k: float, rho: float) -> float:
    """Phi_2(h, k; rho) by quadrature in 30 digits."""
    with mpmath.workdps(30):
        h_, k_, r = mpmath.mpf(h), mpmath.mpf(k), mpmath.mpf(rho)
        width = mpmath.sqrt(1 - r**2)
        places = {mpmath.mpf(-12), h_}
        if r != 0:
            places |= {k_ / r + shift * width for shift in (-8, 0, 8)}
        limits = sorted(place for place in places if -12 <= place <= h_)
        if len(limits) < 2:
            return 0.0
        return float(mpmath.quad(lambda x: mpmath.npdf(x) * mpmath.ncdf((k_ - r * x) / width), limits))


@pytest.mark.parametrize(
    "rho",
    [0.0, 0.1, -0.29, 0.31, -0.6, 0.74, 0.76, -0.9, 0.924, 0.926, -0.95, 0.99, -0.999, 0.999999, -0.9999999],
)
def test_bivariate_is_accurate_for_every_correlation(rho: float) -> None:
    """The bivariate normal agrees with quadrature to 1e-14."""
    random = np.random.default_rng(1)
    h = np.concatenate([random.normal(size=6) * 2, [1.0, -0.5]])
    k = np.concatenate([random.normal(size=6) * 2, [1.0, 0.5]])
    wanted = [reference(float(a), float(b), rho) for a, b in zip(h, k, strict=True)]
    np.testing.assert_allclose(bivariate(h, k, np.full(len(h), rho)), wanted, atol=1e-14)


@pytest.mark.parametrize("rho", [1.0, -1.0])
def test_bivariate_knows_perfect_correlations(rho: float) -> None:
    """Correlations of one give the limits min and max(0, sum - 1)."""
    h, k = np.array([0.3, -0.2, 1.0]), np.array([0.1, 0.9, -1.5])
    if rho > 0:
        wanted = ndtr(np.minimum(h, k))
    else:
        wanted = np.maximum(ndtr(h) + ndtr(k) - 1, 0)
    np.testing.assert_allclose(bivariate(h, k, np.full(3, rho)), wanted, atol=1e-15)


def test_small_dependences_do_not_drown() -> None:
    """The excess over independence is accurate relatively: its first order is rho phi(h) phi(k)."""
    excess = bivariate_excess(np.array([0.4]), np.array([-0.8]), np.array([1e-12]))
    wanted = 1e-12 * np.exp(-0.5 * (0.4**2 + 0.8**2)) / (2 * np.pi)
    np.testing.assert_allclose(excess, wanted, rtol=1e-9)


def test_moments_of_a_probability() -> None:
    """Mean and variance of Phi(f) agree with Gauss-Hermite quadrature, also in the tails."""
    nodes, weights = np.polynomial.hermite_e.hermegauss(200)
    weights = weights / weights.sum()
    for mean, variance in [(0.0, 1.0), (1.5, 0.3), (-3.0, 0.5), (0.2, 9.0)]:
        p = ndtr(mean + np.sqrt(variance) * nodes)
        first = weights @ p
        got = probability_moments(np.array([mean]), np.array([variance]))
        np.testing.assert_allclose(got[0], first, rtol=1e-6)
        np.testing.assert_allclose(got[1], weights @ (p - first) ** 2, rtol=1e-4)


@pytest.mark.parametrize("variance", [1e-8, 1e-3, 0.1, 1.0, 10.0, 1e4])
@pytest.mark.parametrize("mean", [-6.0, -1.3, 0.0, 0.4, 3.0])
def test_owens_t_in_the_variance_of_a_probability(mean: float, variance: float) -> None:
    """Owen's T agrees with its integral to 1e-12, and so does the variance, which never is negative."""
    with mpmath.workdps(40):
        h = mpmath.mpf(mean) / mpmath.sqrt(1 + mpmath.mpf(variance))
        a = 1 / mpmath.sqrt(1 + 2 * mpmath.mpf(variance))
        wanted = mpmath.quad(lambda t: mpmath.exp(-(h**2) * (1 + t**2) / 2) / (1 + t**2), [0, a]) / (
            2 * mpmath.pi
        )
        spread = mpmath.ncdf(h) * mpmath.ncdf(-h) - 2 * wanted
    assert owens_t(float(h), float(a)) == pytest.approx(float(wanted), abs=1e-12)
    _, got = probability_moments(np.array([mean]), np.array([variance]))
    assert got[0] == pytest.approx(float(spread), abs=1e-12)
    assert 0 <= got[0] <= 0.25


@pytest.mark.parametrize("largest", [0.1, 0.3, 0.5, 0.7, 0.8, 0.925, 0.95, 1.0])
def test_tables_of_the_excess_are_accurate_to_1e_8(largest: float) -> None:
    """A whole table at once agrees with the accurate one, whatever its largest correlation."""
    random = np.random.default_rng(2)
    h, k = 2 * random.normal(size=(40, 1)), 2 * random.normal(size=60)
    rho = largest * random.uniform(-1, 1, size=(40, 60))
    rho[0, 0] = largest
    np.testing.assert_allclose(excess_table(h, k, rho), bivariate_excess(h, k, rho), atol=1e-8)


def test_slopes_of_the_excess() -> None:
    """Derivatives by the second limit and by the correlation agree with differences."""
    random = np.random.default_rng(3)
    h, k = random.normal(size=50), random.normal(size=50)
    rho, step = random.uniform(-0.9, 0.9, size=50), 1e-5
    by_k, by_rho = bivariate_excess_slopes(h, k, rho)
    wanted = (bivariate_excess(h, k + step, rho) - bivariate_excess(h, k - step, rho)) / (2 * step)
    np.testing.assert_allclose(by_k, wanted, atol=1e-8)
    wanted = (bivariate_excess(h, k, rho + step) - bivariate_excess(h, k, rho - step)) / (2 * step)
    np.testing.assert_allclose(by_rho, wanted, atol=1e-8)
