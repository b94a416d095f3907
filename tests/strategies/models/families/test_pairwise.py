"""Comparisons of two stimuli: the posterior against quadrature and sampling, gradients, invariances."""

from __future__ import annotations

import numpy as np
import pytest

from fechner.strategies.models import fit
from fechner.strategies.models.families.pairwise import Comparisons, posterior, problem
from fechner.strategies.models.kernels.averages import box_average, box_variance
from fechner.strategies.models.kernels.covariance import Covariance
from fechner.strategies.models.posteriors.pairwise import PairwisePosterior
from fechner.strategies.models.uncertainty import ensemble
from fechner.strategies.numerics.normal import log_ndtr, ndtr
from fechner.strategies.specification import Component

MODEL = Component("PairwiseProbitModel")
FACTORY = Component(
    "PairwiseMeanCovarFactory", {"fixed_kernel_amplitude": False, "lengthscale_prior": "gamma"}
)
NAMED = Component("PairwiseProbitModel", {"mean_covar_factory": FACTORY})
FIXED = {"lengthscales": [0.4, 0.7], "variance": 3.0, "constant": 0.0, "mean": 0.0}
HYPERPARAMETERS = FIXED | {"model": "PairwiseProbitModel"}


def data(n: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Pairs (n, 2, 2) and outcomes of somebody who likes (.6, .3)."""
    random = np.random.default_rng(seed)
    x = random.uniform(size=(n, 2, 2))
    utility = 4.0 * np.exp(-3.0 * np.linalg.norm(x - np.array([0.6, 0.3]), axis=-1))
    w = (utility[:, 1] - utility[:, 0]) / np.sqrt(2.0)
    return x, (random.uniform(size=n) < ndtr(w)).astype(float)


def core(n: int = 30, hyperparameters: dict[str, object] | None = None) -> PairwisePosterior:
    return posterior(MODEL, *data(n), hyperparameters or HYPERPARAMETERS)


def prior(hyperparameters: dict[str, object]) -> PairwisePosterior:
    return posterior(MODEL, np.zeros((0, 2, 2)), np.zeros(0), hyperparameters)


def test_two_comparisons_against_quadrature() -> None:
    """Mean and variance of the utility after two comparisons are the exact ones, by a grid over both."""
    x = np.array([[[0.1, 0.2], [0.5, 0.4]], [[0.9, 0.3], [0.2, 0.9]]])
    y = np.array([1.0, 0.0])
    places = np.array([[0.5, 0.4], [0.9, 0.9], [0.0, 0.1]])
    got_mean, got_variance = posterior(MODEL, x, y, HYPERPARAMETERS).latent(places)
    _, joint = prior(HYPERPARAMETERS).joint(np.concatenate([x[:, 0], x[:, 1], places]))
    to_w = np.array([[-1, 0, 1, 0], [0, -1, 0, 1]]) / np.sqrt(2.0)
    of_w, with_w = to_w @ joint[:4, :4] @ to_w.T, to_w @ joint[:4, 4:]
    line = np.linspace(-9.0, 9.0, 721)
    grid = np.array(np.meshgrid(line, line)).reshape(2, -1)
    log_weight = -0.5 * np.einsum("ij,ij->j", grid, np.linalg.solve(of_w, grid))
    log_weight += log_ndtr(grid[0]) + log_ndtr(-grid[1])
    weight = np.exp(log_weight - log_weight.max())
    weight /= weight.sum()
    gain = np.linalg.solve(of_w, with_w)
    conditional = gain.T @ grid
    mean = conditional @ weight
    spread = np.square(conditional - mean[:, None]) @ weight
    variance = np.diag(joint)[4:] - np.einsum("ij,ij->j", with_w, gain) + spread
    assert np.allclose(got_mean, mean, atol=0.01)
    assert np.allclose(got_variance, variance, atol=0.01)


def test_twelve_comparisons_against_sampling() -> None:
    """Means and sds of twelve comparisons agree with elliptical slice sampling (Murray et al. 2010)."""
    x, y = data(12, 3)
    found = posterior(MODEL, x, y, HYPERPARAMETERS)
    matrix, _ = Comparisons.of(x, False).matrices(Covariance(3.0, np.array([0.4, 0.7])))
    root = np.linalg.cholesky(matrix + 1e-8 * np.eye(12))
    random, sign = np.random.default_rng(1), 2 * y - 1
    w, kept = np.zeros(12), []
    for step in range(40_000):
        other, angle = root @ random.standard_normal(12), random.uniform(0, 2 * np.pi)
        level = log_ndtr(sign * w).sum() + np.log(random.uniform())
        low, high = angle - 2 * np.pi, angle
        while True:
            new = np.cos(angle) * w + np.sin(angle) * other
            if log_ndtr(sign * new).sum() > level:
                break
            low, high = (angle, high) if angle < 0 else (low, angle)
            angle = random.uniform(low, high)
        w = new
        if step >= 1000:
            kept.append(w)
    samples = np.array(kept)
    mean, variance = found.preference(x)
    assert np.allclose(mean, samples.mean(axis=0), atol=0.05)
    assert np.allclose(np.sqrt(variance), samples.std(axis=0), atol=0.05)


@pytest.mark.parametrize(("component", "size"), [(MODEL, 5), (NAMED, 3)], ids=["ours", "factory"])
def test_gradient_of_the_evidence(component: Component, size: int) -> None:
    """The gradient by the hyperparameters' logarithms agrees with differences."""
    task, evidence, theta = problem(component, *data(40), HYPERPARAMETERS)
    layout = task.layout
    assert layout.size == size
    for point in (theta, theta - 0.3):
        gradient = layout.objective(point, evidence)[1]
        steps = 1e-3 * np.eye(layout.size)
        values = [[layout.objective(point + sign * step, evidence)[0] for sign in (1, -1)] for step in steps]
        assert np.allclose(gradient, [(up - down) / 2e-3 for up, down in values], atol=2e-3)


def test_linear_trends() -> None:
    """With slopes K is still the covariance of w, and its gradient agrees with differences."""
    x, _ = data(5)
    covariance = Covariance(2.0, np.array([0.3, 0.5]), 1.5, np.array([0.7, 1.3]))
    comparisons = Comparisons.of(x, True)
    whole, parts = comparisons.matrices(covariance)
    stimuli = np.concatenate([x[:, 0], x[:, 1]])
    change = np.hstack([-np.eye(5), np.eye(5)]) / np.sqrt(2.0)
    assert np.allclose(whole, change @ covariance(stimuli, stimuli) @ change.T)
    weights = np.random.default_rng(0).normal(size=(5, 5))
    weights = weights + weights.T
    by_l, by_v, by_w = comparisons.gradient(covariance, parts, weights)

    def total(scales: np.ndarray, v: float, w: np.ndarray) -> float:
        return float(np.sum(weights * comparisons.matrices(Covariance(v, scales, 1.5, w))[0]))

    def difference(up: float, down: float) -> float:
        return (up - down) / 2e-5

    given = covariance.lengthscales, covariance.variance, covariance.slopes
    assert covariance.slopes is not None
    for place in range(2):
        factor = np.exp(1e-5 * np.eye(2)[place])
        for found, which in ((by_l, 0), (by_w, 2)):
            ends = []
            for change_by in (factor, 1 / factor):
                moved = list(given)
                moved[which] = given[which] * change_by
                ends.append(total(*moved))
            assert difference(*ends) == pytest.approx(found[place], rel=1e-6)
    ends = [total(given[0], 2.0 * np.exp(sign * 1e-5), given[2]) for sign in (1, -1)]
    assert difference(*ends) == pytest.approx(by_v, rel=1e-6)


def test_swapping_the_stimuli_and_the_outcome_changes_nothing() -> None:
    """P(b preferred to a) = 1 - P(a preferred to b), and data told the other way round teach the same."""
    x, y = data(30)
    one = posterior(MODEL, x, y, HYPERPARAMETERS)
    other = posterior(MODEL, x[:, ::-1], 1 - y, HYPERPARAMETERS)
    pairs = np.random.default_rng(5).uniform(size=(20, 2, 2))
    mean, sd = one.preferred(pairs)
    swapped, swapped_sd = one.preferred(pairs[:, ::-1])
    assert np.allclose(mean, 1 - swapped)
    assert np.allclose(sd, swapped_sd)
    assert np.allclose(mean, other.preferred(pairs)[0], atol=1e-4)
    assert np.allclose(one.latent(pairs[:, 0])[0], other.latent(pairs[:, 0])[0], atol=1e-4)


def test_the_variance_of_the_probability_is_one() -> None:
    """It equals the variance over posterior samples, and lies in [0, 1/4]."""
    found = core()
    pairs = np.random.default_rng(6).uniform(size=(6, 2, 2))
    mean, sd = found.preferred(pairs)
    random = np.random.default_rng(7)
    for pair, one, spread in zip(pairs, mean, sd, strict=True):
        centre, covariance = found.joint(pair)
        samples = random.multivariate_normal(centre, covariance, 200_000)
        p = ndtr((samples[:, 1] - samples[:, 0]) / np.sqrt(2.0))
        assert one == pytest.approx(p.mean(), abs=3e-3)
        assert spread == pytest.approx(p.std(), abs=3e-3)
    assert np.all(np.square(sd) <= 0.25)


def test_utilities_are_less_their_average() -> None:
    """Over the box the utility's mean is zero, and so is its variance along a constant."""
    line = (np.arange(60) + 0.5) / 60
    box = np.array(np.meshgrid(line, line)).reshape(2, -1).T
    covariance = Covariance(2.0, np.array([0.3, 0.8]))
    assert np.allclose(box_average(covariance, box[:5]), covariance(box[:5], box).mean(axis=1), rtol=1e-3)
    assert box_variance(covariance) == pytest.approx(box_average(covariance, box).mean(), rel=1e-3)
    found = core()
    assert found.latent(box)[0].mean() == pytest.approx(0.0, abs=1e-3)
    mean, joint = found.joint(box[::7])
    assert np.allclose(mean, found.latent(box[::7])[0])
    assert np.allclose(np.diag(joint), found.latent(box[::7])[1])
    assert np.linalg.eigvalsh(joint)[0] > -1e-8


def test_a_constant_of_the_covariance_changes_nothing() -> None:
    """Utilities, preferences and evidence are the same with any variance of the constant."""
    one, other = core(), core(hyperparameters=HYPERPARAMETERS | {"constant": 5.0})
    pairs = data(5, 9)[0]
    assert np.allclose(one.latent(pairs[:, 0]), other.latent(pairs[:, 0]), atol=1e-5)
    assert np.allclose(one.preferred(pairs), other.preferred(pairs), atol=1e-5)
    assert one.log_evidence == pytest.approx(other.log_evidence, abs=1e-6)


@pytest.mark.parametrize("trends", [False, True])
def test_slopes_of_the_moments(trends: bool) -> None:
    """Derivatives of means, variances and covariances by the pairs' coordinates agree with differences."""
    more = {"slopes": [0.5, 1.5], "constant": 1.0} if trends else {}
    found = core(hyperparameters=HYPERPARAMETERS | more)
    pairs = np.random.default_rng(2).uniform(size=(7, 2, 2))
    moments, slopes = found.pair_slopes(pairs)
    plain = found.pair_moments(pairs)
    assert np.allclose(moments.mean, plain.mean)
    assert np.allclose(moments.covariance, plain.covariance)
    for stimulus in range(2):
        for dimension in range(2):
            step = np.zeros((1, 2, 2))
            step[0, stimulus, dimension] = 1e-5
            up, down = found.pair_moments(pairs + step), found.pair_moments(pairs - step)
            place = np.s_[:, stimulus, dimension]
            assert np.allclose((up.mean - down.mean)[:, stimulus] / 2e-5, slopes.mean[place], atol=1e-6)
            change = (up.variance - down.variance)[:, stimulus] / 2e-5
            assert np.allclose(change, slopes.variance[place], atol=1e-6)
            change = (up.covariance - down.covariance) / 2e-5
            assert np.allclose(change, slopes.covariance[place], atol=1e-6)


def test_expecting_is_conditioning() -> None:
    """Pairs without outcomes reduce the variance as a Gaussian observation of w would, and leave the mean."""
    found, pairs = core(), np.random.default_rng(4).uniform(size=(2, 2, 2))
    places = np.random.default_rng(5).uniform(size=(6, 2))
    expected = found.expecting(pairs)
    assert np.allclose(expected.latent(places)[0], found.latent(places)[0])
    assert np.all(expected.latent(places)[1] < found.latent(places)[1])
    everything = np.concatenate([places, pairs.reshape(-1, 2)])
    _, joint = found.joint(everything)
    contrasts = np.zeros((2, len(everything)))
    contrasts[0, 6:8] = contrasts[1, 8:10] = np.array([-1.0, 1.0]) / np.sqrt(2.0)
    for row, tau in zip(contrasts, expected.tau[-2:], strict=True):
        gain = joint @ row
        joint = joint - np.outer(gain, gain) / (1 / tau + row @ gain)
    assert np.allclose(expected.joint(everything)[1], joint, atol=1e-8)


def test_equal_stimuli_teach_nothing() -> None:
    """A comparison of a stimulus with itself leaves everything as it was."""
    x, y = data(10)
    same = np.repeat(x[:1, :1], 2, axis=1)
    places = data(5, 8)[0][:, 0]
    one = posterior(MODEL, x, y, HYPERPARAMETERS)
    other = posterior(MODEL, np.concatenate([x, same, same]), np.append(y, [1.0, 0.0]), HYPERPARAMETERS)
    assert np.allclose(one.latent(places), other.latent(places), atol=1e-4)


def test_the_ensemble_holds_pairs() -> None:
    """Intervals of the ensemble are wider than those of the fitted hyperparameters alone."""
    x, y = data(25)
    hyperparameters = fit(MODEL, x, y)
    found = ensemble(MODEL, x, y, hyperparameters)
    assert len(found.members) > 4
    places = data(8, 3)[0][:, 0]
    _, _, lower, upper = found.predict(places, "latent", 0.95)
    _, _, low, high = found.centre.predict(places, "latent", 0.95)
    assert np.mean(upper - lower) > np.mean(high - low)


def test_without_data_the_prior_answers() -> None:
    """Before any outcome preferences are even, and fits give the priors' typical values."""
    x, y = np.zeros((0, 2, 2)), np.zeros(0)
    found = posterior(MODEL, x, y, fit(MODEL, x, y))
    assert np.allclose(found.preferred(data(4)[0])[0], 0.5)
    assert np.allclose(found.latent(data(4)[0][:, 0])[0], 0.0)


def test_fits_repeat_and_go_on() -> None:
    """The same data give the same bits; a fit that goes on from an earlier one ends at the same maximum."""
    x, y = data(60)
    first = fit(MODEL, x, y)
    assert fit(MODEL, x, y) == first
    again = fit(MODEL, x, y, fit(MODEL, x[:-1], y[:-1]))
    assert again["log_posterior"] == pytest.approx(first["log_posterior"], abs=0.02)
