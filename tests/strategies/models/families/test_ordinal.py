"""The ordinal model: likelihood, evidence and gradients, posteriors, predictions."""

import json

import numpy as np
import pytest

from fechner.strategies.models import condition, fit, posterior
from fechner.strategies.models.families.ordinal import FAMILY, mixing
from fechner.strategies.models.inference import ordinal_likelihood
from fechner.strategies.models.inference.expectation_propagation import propagate
from fechner.strategies.models.posteriors.ordinal import OrdinalPosterior
from fechner.strategies.models.uncertainty import ensemble
from fechner.strategies.numerics.normal import ndtr
from fechner.strategies.specification import Component

CUTS = np.array([-1.5, -0.2, 0.4, 1.3])
MODEL = Component("OrdinalGPModel", {"n_levels": 5})


def data(n: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Ratings that grow along the first parameter; f = 5 (x_1 - 1/2)."""
    random = np.random.default_rng(seed)
    x = random.uniform(size=(n, 2))
    f = 5.0 * (x[:, 0] - 0.5)
    return x, (f[:, None] + random.standard_normal((n, 1)) > CUTS).sum(axis=1).astype(float)


def likelihood(f: np.ndarray, y: np.ndarray) -> np.ndarray:
    """P(y | f) from its definition, f broadcast against y."""
    ends = np.concatenate([[-np.inf], CUTS, [np.inf]])
    level = y.astype(int)
    return ndtr(ends[level + 1] - f) - ndtr(ends[level] - f)


@pytest.mark.parametrize("level", range(5))
@pytest.mark.parametrize(("mean", "variance"), [(0.3, 0.5), (-2.0, 3.0), (4.0, 0.1)])
def test_moments_of_the_tilted_distribution(level: int, mean: float, variance: float) -> None:
    """log Z and, through its derivatives, the tilted mean and variance agree with quadrature."""
    nodes, weights = np.polynomial.hermite_e.hermegauss(120)
    f, y = mean + np.sqrt(variance) * nodes, np.array([float(level)])
    mass = weights * likelihood(f, y) / np.sqrt(2 * np.pi)
    log_z, first, second = (
        v[0] for v in ordinal_likelihood.tilted(np.array([mean]), np.array([variance]), y, CUTS)
    )
    tilted_mean = mass @ f / mass.sum()
    assert log_z == pytest.approx(np.log(mass.sum()), rel=1e-9)
    assert mean + variance * first == pytest.approx(tilted_mean, rel=1e-8)
    assert variance - variance**2 * second == pytest.approx(
        mass @ np.square(f - tilted_mean) / mass.sum(), rel=1e-7
    )


def test_far_tails_stay_accurate() -> None:
    """A level sixty standard deviations away has a finite logarithm and the right slope."""
    mean, variance = np.array([-60.0, 60.0]), np.array([1e-9, 1e-9])
    log_z, first, second = ordinal_likelihood.tilted(mean, variance, np.array([2.0, 2.0]), CUTS)
    assert np.all(np.isfinite(log_z))
    np.testing.assert_allclose(first, [60.0 + CUTS[1], -(60.0 - CUTS[2])], rtol=1e-2)
    assert np.all((second > 0) & (second < 1.1))


def test_derivatives_by_the_cut_points() -> None:
    """They agree with differences, for outcomes of every level."""
    random = np.random.default_rng(2)
    mean, variance, y = random.standard_normal(20), random.uniform(0.1, 2, 20), np.arange(20.0) % 5
    exact = ordinal_likelihood.by_cuts(mean, variance, y, CUTS)
    for place in range(4):
        shift = 1e-6 * np.eye(4)[place]
        ends = [ordinal_likelihood.tilted(mean, variance, y, CUTS + s)[0].sum() for s in (shift, -shift)]
        assert exact[place] == pytest.approx((ends[0] - ends[1]) / 2e-6, rel=1e-6)


def test_evidence_and_mean_are_nearly_exact() -> None:
    """Two trials: evidence within 1 % and means within .02 of quadrature over both latent values."""
    covariance, y = np.array([[3.0, 1.8], [1.8, 2.0]]), np.array([3.0, 1.0])
    grid = np.linspace(-12, 12, 801)
    points = np.stack(np.meshgrid(grid, grid, indexing="ij"), axis=-1).reshape(-1, 2)
    prior = np.einsum("ij,jk,ik->i", points, np.linalg.inv(covariance), points)
    mass = np.exp(-0.5 * prior - 0.5 * np.linalg.slogdet(2 * np.pi * covariance)[1])
    mass = mass * likelihood(points, y).prod(axis=1) * (grid[1] - grid[0]) ** 2
    sites = propagate(covariance, 0.0, y, likelihood=lambda m, v: ordinal_likelihood.tilted(m, v, y, CUTS))
    assert sites.converged
    assert sites.log_evidence == pytest.approx(np.log(mass.sum()), abs=0.01)
    np.testing.assert_allclose(covariance @ sites.weights, mass @ points / mass.sum(), atol=0.02)


def test_marginals_agree_with_sampling() -> None:
    """Means and sds of f at 12 trials are within .1 and .06 of 20,000 draws by elliptical slice sampling."""
    x, y = data(12)
    found = fit(MODEL, x, y)
    core = posterior(MODEL, x, y, found)
    assert isinstance(core, OrdinalPosterior)
    random = np.random.default_rng(1)
    root = np.linalg.cholesky(core.covariance(x, x) + 1e-8 * np.eye(12))
    ends = np.concatenate([[-np.inf], core.cuts, [np.inf]])
    low, high = ends[y.astype(int)], ends[y.astype(int) + 1]

    def log_likelihood(f: np.ndarray) -> float:
        return float(np.log(np.maximum(ndtr(high - f) - ndtr(low - f), 1e-300)).sum())

    f, draws = np.zeros(12), []
    for step in range(21_000):
        other = root @ random.standard_normal(12)
        level = log_likelihood(f) + np.log(random.uniform())
        angle = random.uniform(0, 2 * np.pi)
        begin, end = angle - 2 * np.pi, angle
        while True:
            proposed = f * np.cos(angle) + other * np.sin(angle)
            if log_likelihood(proposed) > level:
                f = proposed
                break
            begin, end = (angle, end) if angle < 0 else (begin, angle)
            angle = random.uniform(begin, end)
        if step >= 1000:
            draws.append(f)
    mean, variance = core.latent(x)
    np.testing.assert_allclose(mean, np.mean(draws, axis=0), atol=0.1)
    np.testing.assert_allclose(np.sqrt(variance), np.std(draws, axis=0), atol=0.06)


@pytest.mark.parametrize("levels", [2, 3, 5])
def test_gradient_of_the_evidence_agrees_with_differences(levels: int) -> None:
    """The gradient of the log posterior density is right in every hyperparameter, cut-points included."""
    x, y = data(40)
    y = np.minimum(y, levels - 1)
    task = FAMILY.task(Component(MODEL.name, {"n_levels": levels}), 2, {})
    layout = task.layout

    def objective(theta: np.ndarray) -> tuple[float, np.ndarray]:
        return layout.objective(theta, task.evidence(x, y, None))

    theta = layout.typical() + 0.2
    gradient, step = objective(theta)[1], 1e-3
    for index in range(layout.size):
        shift = np.eye(layout.size)[index] * step
        difference = (objective(theta + shift)[0] - objective(theta - shift)[0]) / (2 * step)
        assert gradient[index] == pytest.approx(difference, rel=3e-3, abs=3e-3)


def test_cut_points_average_zero() -> None:
    """Gaps give increasing cut-points around zero; two levels have the single one 0."""
    cuts = mixing(5) @ np.array([1.0, 2.0, 0.5])
    np.testing.assert_allclose(np.diff(cuts), [1.0, 2.0, 0.5])
    assert cuts.sum() == pytest.approx(0.0, abs=1e-12)
    np.testing.assert_allclose(mixing(2) @ np.zeros(0), [0.0])


def test_two_levels_are_the_binary_model() -> None:
    """With levels 0 and 1 fit and posterior are those of GPClassificationModel."""
    x, y = data(40)
    y = (y > 2).astype(float)
    two, binary = Component("OrdinalGPModel", {"n_levels": 2}), Component("GPClassificationModel")
    found, other = fit(two, x, y), fit(binary, x, y)
    np.testing.assert_allclose(found["lengthscales"], other["lengthscales"], rtol=1e-3)
    test = np.random.default_rng(3).uniform(size=(20, 2))
    shared = {**other, "cuts": [0.0], "model": "OrdinalGPModel"}
    one = posterior(two, x, y, shared).moments(test, "outcome")
    same = posterior(binary, x, y, other).moments(test, "outcome")
    np.testing.assert_allclose(one[0], same[0], atol=1e-6)
    np.testing.assert_allclose(one[1], same[1], atol=1e-6)


def test_predictions_follow_the_observer() -> None:
    """With 120 ratings the expected level is within .25 of the truth on average, and levels add up."""
    x, y = data(120)
    found = fit(MODEL, x, y)
    core = posterior(MODEL, x, y, found)
    assert isinstance(core, OrdinalPosterior)
    test = np.random.default_rng(5).uniform(size=(200, 2))
    truth = ordinal_likelihood.expected_level(5.0 * (test[:, 0] - 0.5), CUTS)
    mean, sd, lower, upper = ensemble(MODEL, x, y, found).predict(test, "outcome", 0.95)
    assert np.mean(np.abs(mean - truth)) < 0.25
    assert np.mean((lower <= truth) & (truth <= upper)) > 0.85
    assert np.all(sd > 0)
    shares = core.levels(*core.latent(test))
    np.testing.assert_allclose(shares.sum(axis=1), 1.0)
    np.testing.assert_allclose(shares @ np.arange(5), mean, atol=1e-9)


def test_moments_of_the_expected_level_are_those_of_samples() -> None:
    """Mean and variance of E[y | f], expected information and information agree with quadrature."""
    mean, variance = np.array([0.2, -1.5]), np.array([0.3, 4.0])
    nodes, weights = np.polynomial.hermite_e.hermegauss(180)
    f = mean[:, None] + np.sqrt(variance)[:, None] * nodes
    weights = weights / weights.sum()
    curve = ordinal_likelihood.expected_level(f, CUTS)
    first, second = ordinal_likelihood.level_moments(mean, variance, CUTS)
    np.testing.assert_allclose(first, curve @ weights, atol=1e-9)
    np.testing.assert_allclose(second, np.square(curve - first[:, None]) @ weights, atol=1e-7)
    shares = ordinal_likelihood.levels(f, np.zeros_like(f), CUTS)
    average = np.einsum("mnk,n->mk", shares, weights)
    told = -np.sum(average * np.log(average), axis=1)
    told += np.einsum("mnk,n->m", shares * np.log(np.maximum(shares, 1e-300)), weights)
    np.testing.assert_allclose(ordinal_likelihood.information(mean, variance, CUTS), told, atol=1e-6)
    beta = np.zeros(2)
    for level in range(5):
        log_z, _, bend = ordinal_likelihood.tilted(mean, variance, np.full(2, float(level)), CUTS)
        beta += np.exp(log_z) * bend
    np.testing.assert_allclose(
        ordinal_likelihood.expected_information(mean, variance, CUTS), beta / (1 - beta * variance)
    )


def test_levels_and_latent_values_are_inverse() -> None:
    """`latent_of` inverts the expected level, and is infinite beyond the levels."""
    core = posterior(MODEL, *data(20), fit(MODEL, *data(20)))
    for level in (0.01, 1.0, 2.7, 3.99):
        assert core.valued(np.array(core.latent_of(level)), "outcome") == pytest.approx(level, abs=1e-9)
    assert core.latent_of(4.0) == np.inf
    assert core.latent_of(-1.0) == -np.inf


@pytest.mark.parametrize("outcomes", [[0.0], [4.0] * 20, [2.0] * 5])
def test_one_sided_outcomes_still_fit(outcomes: list[float]) -> None:
    """Ratings of one level only give finite predictions."""
    x, y = np.random.default_rng(0).uniform(size=(len(outcomes), 2)), np.array(outcomes)
    core = posterior(MODEL, x, y, fit(MODEL, x, y))
    assert np.all(np.isfinite(core.predict(x, "outcome")))


def test_hyperparameters_survive_json_and_warm_starts_agree() -> None:
    """Plain data; a warm start ends where the cold one does, in fewer evaluations."""
    x, y = data(50)
    cold = fit(MODEL, x, y)
    assert json.loads(json.dumps(cold)) == cold
    warm = fit(MODEL, x, y, cold)
    assert warm["log_posterior"] == pytest.approx(cold["log_posterior"], abs=0.02)
    assert warm["evaluations"] < cold["evaluations"]


def test_many_trials_are_seen_through_places() -> None:
    """1,100 ratings give a posterior near the truth."""
    x, y = data(1100)
    found = {**fit(MODEL, x[:100], y[:100])}
    core = posterior(MODEL, x, y, found)
    test = np.random.default_rng(5).uniform(size=(100, 2))
    truth = ordinal_likelihood.expected_level(5.0 * (test[:, 0] - 0.5), CUTS)
    assert np.mean(np.abs(core.moments(test, "outcome")[0] - truth)) < 0.15


def test_pending_trials_reduce_the_variance() -> None:
    """`expecting` lowers the variance at the point and keeps means and cut-points."""
    core = posterior(MODEL, *data(20), fit(MODEL, *data(20)))
    point = np.array([[0.9, 0.9]])
    later = core.expecting(point)
    assert later.latent(point)[1][0] < core.latent(point)[1][0]
    assert later.latent(point)[0][0] == pytest.approx(core.latent(point)[0][0])
    assert isinstance(later, OrdinalPosterior)


def test_botorch_takes_it() -> None:
    """The botorch model gives the same latent moments, batched."""
    torch = pytest.importorskip("torch")
    x, y = data(20)
    found = fit(MODEL, x, y)
    model = condition(MODEL, x, y, found)
    points = np.random.default_rng(1).uniform(size=(3, 2, 2))
    given = model.posterior(torch.tensor(points))
    mean, variance = posterior(MODEL, x, y, found).latent(points.reshape(-1, 2))
    np.testing.assert_allclose(given.mean.numpy().reshape(-1), mean)
    np.testing.assert_allclose(given.variance.numpy().reshape(-1), variance, atol=1e-6)
