"""Acquisition functions of pairs: closed forms against sampling, gradients, symmetry, optima."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from botorch.acquisition.logei import qLogNoisyExpectedImprovement
from botorch.acquisition.preference import AnalyticExpectedUtilityOfBestOption
from botorch.sampling.normal import SobolQMCNormalSampler
from scipy.integrate import quad

from fechner.strategies.acquisition import preference_improvement
from fechner.strategies.acquisition.preference import PairFunction, expected_entropy
from fechner.strategies.acquisition.preference_improvement import (
    contenders,
    log_expected_improvement,
    log_improvement,
)
from fechner.strategies.models import condition
from fechner.strategies.models.families.pairwise import posterior
from fechner.strategies.models.posteriors.pairwise import PairwisePosterior
from fechner.strategies.numerics.normal import density, ndtr
from fechner.strategies.plugins.resolve import function
from fechner.strategies.specification import Component

NAMES = (
    "AnalyticExpectedUtilityOfBestOption",
    "PairwiseMCPosteriorVariance",
    "BernoulliMCMutualInformation",
)
EUBO, VARIANCE, INFORMATION = NAMES


def pair_function(name: str, found: PairwisePosterior) -> PairFunction:
    out: PairFunction = function(Component(name), "pairs")(found)
    return out


MODEL = Component("PairwiseProbitModel")
HYPERPARAMETERS = {
    "model": "PairwiseProbitModel", "lengthscales": [0.4, 0.7], "variance": 3.0, "constant": 0.0, "mean": 0.0,
}  # fmt: skip


def data(n: int = 30) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(0)
    x = random.uniform(size=(n, 2, 2))
    utility = 4.0 * np.exp(-3.0 * np.linalg.norm(x - np.array([0.6, 0.3]), axis=-1))
    w = (utility[:, 1] - utility[:, 0]) / np.sqrt(2.0)
    return x, (random.uniform(size=n) < ndtr(w)).astype(float)


def core(**more: object) -> PairwisePosterior:
    return posterior(MODEL, *data(), HYPERPARAMETERS | more)


PAIRS = np.random.default_rng(3).uniform(size=(8, 2, 2))


def samples(found: PairwisePosterior, stimuli: np.ndarray, count: int) -> np.ndarray:
    """Joint posterior samples (count, m) of f at stimuli (m, 2)."""
    mean, covariance = found.joint(stimuli)
    return np.random.default_rng(4).multivariate_normal(mean, covariance, count)


def entropy_of(p: np.ndarray) -> np.ndarray:
    p = np.clip(p, 1e-300, 1.0)
    return -p * np.log2(p)


def test_sampling_agrees() -> None:
    """EUBO, variance and information are what 400,000 posterior samples give (EUBO up to a constant)."""
    found = core()
    values = {name: pair_function(name, found).values(PAIRS) for name in NAMES}
    raw = np.empty(len(PAIRS))
    for row, pair in enumerate(PAIRS):
        drawn = samples(found, pair, 400_000)
        p = ndtr((drawn[:, 1] - drawn[:, 0]) / np.sqrt(2.0))
        raw[row] = drawn.max(axis=1).mean()
        assert values[VARIANCE][row] == pytest.approx(p.var(), abs=1e-3)
        marginal = entropy_of(p.mean()) + entropy_of(1 - p.mean())
        conditional = (entropy_of(p) + entropy_of(1 - p)).mean()
        assert values[INFORMATION][row] == pytest.approx(marginal - conditional, abs=3e-3)
    assert np.ptp(values[EUBO] - raw) < 0.02


def test_botorch_agrees() -> None:
    """EUBO equals botorch's on the same posterior, up to a constant; other functions accept the model."""
    x, y = data()
    model = condition(MODEL, x, y, HYPERPARAMETERS)
    sampler = SobolQMCNormalSampler(torch.Size([32]), seed=1)
    improvement = qLogNoisyExpectedImprovement(model, torch.tensor(x[:, 0]), sampler=sampler)
    with torch.no_grad():
        theirs = AnalyticExpectedUtilityOfBestOption(pref_model=model)(torch.tensor(PAIRS)).numpy()
        assert improvement(torch.tensor(PAIRS)).shape == (8,)
    ours = pair_function(EUBO, core()).values(PAIRS)
    assert np.ptp(ours - theirs) < 1e-5


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("more", [{}, {"slopes": [0.4, 1.2], "constant": 1.0}], ids=["plain", "trends"])
def test_gradients(name: str, more: dict[str, object]) -> None:
    """Gradients by the pairs' coordinates agree with differences."""
    function = pair_function(name, core(**more))
    value, slope = function.gradients(PAIRS)
    assert np.allclose(value, function.values(PAIRS))
    for stimulus in range(2):
        for dimension in range(2):
            step = np.zeros((1, 2, 2))
            step[0, stimulus, dimension] = 1e-5
            change = function.values(PAIRS + step) - function.values(PAIRS - step)
            assert np.allclose(change / 2e-5, slope[:, stimulus, dimension], atol=1e-6)


@pytest.mark.parametrize("name", NAMES)
def test_swapping_the_stimuli_changes_nothing(name: str) -> None:
    """A pair is worth the same either way round."""
    function = pair_function(name, core())
    assert np.allclose(function.values(PAIRS), function.values(PAIRS[:, ::-1]))


@pytest.mark.parametrize("name", NAMES)
def test_equal_stimuli(name: str) -> None:
    """A pair of one stimulus has finite values and slopes, and no variance nor information."""
    same = np.repeat(PAIRS[:, :1], 2, axis=1)
    value, slope = pair_function(name, core()).gradients(same)
    assert np.all(np.isfinite(value))
    assert np.all(np.isfinite(slope))
    if name != EUBO:
        assert np.allclose(value, 0.0, atol=1e-6)


def test_expected_entropy_is_exact() -> None:
    """Over narrow and wide distributions it agrees with quadrature to 1e-9, slopes with differences."""
    u = np.array([0.0, 0.3, -1.2, 2.5, 5.0])
    for sd in (0.02, 0.4, 0.69, 0.71, 1.5, 6.0):
        value, by_mean, by_variance = expected_entropy(u, np.full(5, sd**2))
        for mean, got in zip(u, value, strict=True):
            places = [mean + sd * k for k in (-6, -2, 0, 2, 6)]

            def integrand(w: float, mean: float = mean, sd: float = sd) -> float:
                p = ndtr(np.array([w, -w]))
                return float(entropy_of(p).sum() * density(np.array((w - mean) / sd)) / sd)

            exact = quad(integrand, mean - 9 * sd, mean + 9 * sd, points=places, epsabs=1e-12, limit=400)[0]
            assert got == pytest.approx(exact, abs=1e-9)
        step = 1e-5
        change = (
            expected_entropy(u + step, np.full(5, sd**2))[0]
            - expected_entropy(u - step, np.full(5, sd**2))[0]
        )
        assert np.allclose(change / (2 * step), by_mean, atol=1e-6)
        step = 1e-5 * sd**2
        ends = [expected_entropy(u, np.full(5, sd**2 + sign * step))[0] for sign in (1, -1)]
        assert np.allclose((ends[0] - ends[1]) / (2 * step), by_variance, atol=1e-5)


def test_log_improvement_far_below_zero() -> None:
    """It is accurate from -1e6 to 10, and smooth where its forms meet."""
    import mpmath

    for r in (-1e6, -1e3, -100.1, -99.9, -30.0, -5.0, -1.01, -0.99, 0.0, 3.0, 10.0):
        with mpmath.workdps(60):
            exact = mpmath.log(mpmath.npdf(r) + r * mpmath.ncdf(r))
        assert log_improvement(np.array([r]))[0] == pytest.approx(float(exact), rel=1e-8)


def test_noisy_improvement_against_sampling(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is the improvement on the best of the baseline that samples give; slopes agree with differences."""
    monkeypatch.setattr(preference_improvement, "SAMPLES", 65_536)
    found = core()
    x = np.array([[0.6, 0.35], [0.5, 0.2], [0.75, 0.4]])
    baseline = contenders(found, np.zeros((0, 2)), 1)
    assert 1 < len(baseline) <= 12
    values, gradients = log_expected_improvement(found, baseline, 2)
    for one, got in zip(x, np.exp(values(x)), strict=True):
        drawn = samples(found, np.vstack([baseline, one]), 400_000)
        exact = np.maximum(drawn[:, -1] - drawn[:, :-1].max(axis=1), 0.0).mean()
        assert got == pytest.approx(exact, rel=0.05)
    value, slope = gradients(x)
    assert np.allclose(value, values(x))
    for dimension in range(2):
        step = np.eye(2)[dimension] * 1e-5
        assert np.allclose((values(x + step) - values(x - step)) / 2e-5, slope[:, dimension], rtol=1e-4)


def test_contenders_without_data() -> None:
    """Before any trial the middle of the box is the baseline."""
    empty = posterior(MODEL, np.zeros((0, 2, 2)), np.zeros(0), HYPERPARAMETERS)
    assert contenders(empty, np.zeros((0, 2)), 1).tolist() == [[0.5, 0.5]]
    assert contenders(empty, np.array([[0.1, 0.2]]), 1).tolist() == [[0.1, 0.2]]
