"""The semi-parametric models: evidence, posterior against long Markov chains, and what they recover."""

import json

import numpy as np
import pytest
import torch
from botorch.acquisition import qUpperConfidenceBound

from fechner.strategies.acquisition import build
from fechner.strategies.acquisition.optimise import maximise
from fechner.strategies.models import condition, fit, posterior
from fechner.strategies.models.families import hadamard, semi_parametric
from fechner.strategies.models.families.semi_parametric_layout import (
    LOG_SLOPE_SD,
    from_plain,
    prior_of,
)
from fechner.strategies.models.fitting.priors import LogNormal
from fechner.strategies.models.inference import laplace
from fechner.strategies.models.kernels.of_intensity import split
from fechner.strategies.models.posteriors.semi_parametric import LinearisedPosterior
from fechner.strategies.models.uncertainty import ensemble
from fechner.strategies.numerics.normal import log_ndtr, ndtr
from fechner.strategies.numerics.sobol import sobol
from fechner.strategies.specification import Component

from .sampling import elliptical_slices

LAPLACE, PRODUCT = Component("SemiParametricGPModel"), Component("HadamardSemiPModel")
MODELS = {LAPLACE.name: (LAPLACE, semi_parametric), PRODUCT.name: (PRODUCT, hadamard)}
NAMES = sorted(MODELS)


def slope(x: np.ndarray) -> np.ndarray:
    """The observer's slope."""
    return 12.0 * np.exp(0.5 * (x[:, -1] - 0.5)) if x.shape[1] > 1 else np.full(len(x), 12.0)


def offset(x: np.ndarray) -> np.ndarray:
    """The observer's offset from the middle of the range."""
    return 0.1 - 0.3 * (x[:, -1] - 0.5) if x.shape[1] > 1 else np.full(len(x), 0.1)


def truth(x: np.ndarray) -> np.ndarray:
    """The observer's f; the first parameter is the intensity."""
    return slope(x) * (x[:, 0] - 0.5 + offset(x))


def data(n: int, d: int, seed: int = 0, floor: float = 0.0) -> tuple[np.ndarray, np.ndarray]:
    """Trials at random places."""
    random = np.random.default_rng(seed)
    x = random.uniform(size=(n, d))
    return x, (random.uniform(size=n) < floor + (1 - floor) * ndtr(truth(x))).astype(float)


@pytest.mark.parametrize("rates", [(0.0, 0.0), (0.2, 0.03)])
def test_derivatives_of_the_likelihood(rates: tuple[float, float]) -> None:
    """By differences, where it is steep and where it is flat."""
    f = np.linspace(-5, 5, 21)
    for outcome in (0.0, 1.0):
        y = np.full(21, outcome)
        here, step = laplace.likelihood(f, y, *rates), 1e-5
        more, less = laplace.likelihood(f + step, y, *rates), laplace.likelihood(f - step, y, *rates)
        for of, by in (("value", "first"), ("first", "second"), ("curvature", "curvature_slope")):
            wanted = (getattr(more, of) - getattr(less, of)) / (2 * step)
            np.testing.assert_allclose(getattr(here, by), wanted, rtol=1e-5, atol=1e-7)
        assert np.all(here.curvature > 0)


@pytest.mark.parametrize("d", [1, 3])
@pytest.mark.parametrize(
    ("name", "floor", "tolerance"),
    [(LAPLACE.name, 0.0, 1e-5), (LAPLACE.name, 0.2, 1e-5), (PRODUCT.name, 0.0, 2e-3)],
)
def test_the_gradient_of_the_evidence(name: str, d: int, floor: float, tolerance: float) -> None:
    """Agrees with differences away from the typical values too; sites of the product settle within 1e-4."""
    component = Component(name, {"floor": floor, "lapse": floor / 5, "slope_mean": 5.0})
    x, y = data(30, d, floor=floor)
    task, evidence, theta = MODELS[name][1].problem(component, x, y, fit(component, x[:0], y[:0]))
    layout = task.layout
    theta = theta + 0.3 * np.random.default_rng(1).standard_normal(layout.size)
    _, gradient = layout.objective(theta, evidence)
    wanted = []
    for shift in 1e-3 * np.eye(layout.size):
        more, less = (layout.objective(theta + sign * shift, evidence)[0] for sign in (1, -1))
        wanted.append((more - less) / 2e-3)
    np.testing.assert_allclose(gradient, wanted, rtol=tolerance, atol=tolerance)


@pytest.mark.long
@pytest.mark.parametrize(("n", "seed"), [(6, 5), (25, 1)])
def test_the_posterior_is_that_of_a_long_markov_chain(n: int, seed: int) -> None:
    """Of Laplace's model with its hyperparameters: E[p] and its sd within .06; of samples within .025."""
    x, y = data(n, 2, seed)
    found = fit(LAPLACE, x, y)
    core = posterior(LAPLACE, x, y, found)
    assert isinstance(core, LinearisedPosterior)
    pair = from_plain(found)
    at = sobol(3, 2, 0, 32)
    intensity, c = split(np.vstack([x, at]), 0)
    total = len(c)
    prior = np.zeros((2 * total, 2 * total))
    prior[:total, :total], prior[total:, total:] = pair.offset(c, c), pair.slope(c, c)
    mean = np.concatenate([np.zeros(total), np.full(total, pair.log_slope)])

    def log_likelihood(u: np.ndarray) -> float:
        f = np.exp(u[total : total + n]) * (intensity[:n] + u[:n])
        return float(log_ndtr((2 * y - 1) * f).sum())

    chain = elliptical_slices(mean, prior, log_likelihood, 10_000, 1)
    seen = ndtr((np.exp(chain[:, total:]) * (intensity + chain[:, :total]))[:, n:])
    middle, sd = core.moments(at, "probability")
    assert np.abs(middle - seen.mean(axis=0)).max() < 0.06
    assert np.abs(sd - seen.std(axis=0)).max() < 0.06
    samples = ndtr(core.drawn(at, 4000, 2))
    assert np.abs(samples.mean(axis=0) - seen.mean(axis=0)).max() < 0.025
    assert np.abs(samples.std(axis=0) - seen.std(axis=0)).max() < 0.025


def test_the_product_has_the_moments_of_slope_times_offset() -> None:
    """Mean and covariance of f under the prior, by drawing slopes and offsets."""
    found = fit(PRODUCT, np.zeros((0, 2)), np.zeros(0)) | {"log_slope": np.log(3.0)}
    core = posterior(PRODUCT, np.zeros((0, 2)), np.zeros(0), found)
    at = sobol(3, 2, 0, 5)
    intensity, c = split(at, 0)
    pair, random = from_plain(found), np.random.default_rng(0)
    roots = [np.linalg.cholesky(k(c, c) + 1e-10 * np.eye(5)) for k in (pair.offset, pair.slope)]
    o, r = (random.standard_normal((400_000, 5)) @ root.T for root in roots)
    f = 3.0 * (1.0 + r) * (intensity + o)
    mean, covariance = core.joint(at)
    np.testing.assert_allclose(mean, f.mean(axis=0), atol=0.02)
    np.testing.assert_allclose(covariance, np.cov(f.T), atol=0.03 * covariance.max())


@pytest.mark.parametrize("name", NAMES)
def test_slope_and_offset_are_recovered(name: str) -> None:
    """Three hundred trials find the slope within a quarter and thresholds within .03 of the range."""
    component, _ = MODELS[name]
    x, y = data(300, 2, 3)
    x[:, 0] = 0.25 * x[:, 0] + 0.4 - offset(x) - 0.02  # about the threshold
    y = (np.random.default_rng(4).uniform(size=300) < ndtr(truth(x))).astype(float)
    core = posterior(component, x, y, fit(component, x, y))
    at = np.column_stack([np.zeros(9), np.linspace(0.1, 0.9, 9)])
    low, high = core.latent(at)[0], core.latent(at + np.array([1.0, 0.0]))[0]
    np.testing.assert_allclose(high - low, slope(at), rtol=0.25)
    np.testing.assert_allclose(low / (high - low) + 0.5, offset(at), atol=0.03)


@pytest.mark.parametrize("name", NAMES)
def test_a_guess_rate_and_another_intensity(name: str) -> None:
    """With stim_dim the intensity is another parameter; the curve begins at the guess rate."""
    component = Component(name, {"stim_dim": (1,), "floor": 0.5})
    x, y = data(120, 2, 2, floor=0.5)
    core = posterior(component, x[:, ::-1], y, fit(component, x[:, ::-1], y))
    at = sobol(3, 2, 0, 128)
    error = core.moments(at[:, ::-1], "probability")[0] - (0.5 + 0.5 * ndtr(truth(at)))
    assert np.sqrt(np.mean(np.square(error))) < 0.1
    assert core.range() == (0.5, 1.0)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("d", [1, 2])
def test_hyperparameters_are_plain_data_and_same_arguments_give_same_bits(name: str, d: int) -> None:
    """As for every model, without any context too; a warm start takes fewer evaluations."""
    component, module = MODELS[name]
    x, y = data(25, d)
    found = fit(component, x, y)
    assert json.loads(json.dumps(found)) == found
    assert fit(component, x, y) == found
    assert fit(component, x, y, found)["evaluations"] < found["evaluations"]
    one, other = posterior(component, x, y, found), posterior(component, x, y, found)
    assert all(np.array_equal(a, b) for a, b in zip(one.latent(x), other.latent(x), strict=True))
    assert len(ensemble(component, x, y, found).members) > 8
    task, _, theta = module.problem(component, x, y, found)
    assert task.plain(theta)["offset"] == found["offset"]
    assert module.FAMILY.task(component, d + 1, found).theta(found) is None
    with pytest.raises(ValueError, match="dimensions"):
        module.problem(component, np.zeros((1, d + 1)), y[:1], found)


@pytest.mark.parametrize("name", NAMES)
def test_without_trials_and_with_many(name: str) -> None:
    """The prior rises; of fifteen hundred trials as many as the model takes are seen."""
    component = Component(name, {"maxfun": 3})
    core = posterior(component, np.zeros((0, 2)), np.zeros(0), fit(component, np.zeros((0, 2)), np.zeros(0)))
    low, high = core.latent(np.array([[0.0, 0.5], [1.0, 0.5]]))[0]
    assert low == pytest.approx(-1.0)
    assert high == pytest.approx(1.0)
    x, y = data(1500, 2)
    core = posterior(component, x, y, fit(component, x, y))
    assert 500 <= len(core.x) <= 1000
    at = sobol(3, 2, 0, 128)
    assert np.abs(core.moments(at, "probability")[0] - ndtr(truth(at))).mean() < 0.03


ACQUISITIONS = ("EAVC", "GlobalMI", "ApproxGlobalSUR", "MCLevelSetEstimation", "qLogNoisyExpectedImprovement")


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("acqf", ACQUISITIONS)
def test_acquisition_functions_climb(name: str, acqf: str) -> None:
    """Gradients agree with differences, pending points count, and the optimum is not below the scan's."""
    component, _ = MODELS[name]
    x, y = data(20, 2)
    core = posterior(component, x, y, fit(component, x, y))
    function = build(Component(acqf, {"target": 0.75, "query_set_size": 64}), core, seed=1, pending=x[:2])
    at = sobol(5, 2, 0, 8)
    assert function.gradients is not None
    assert function.parts is None  # a GPU's scan knows nothing of these covariances
    values, slopes = function.gradients(at)
    np.testing.assert_allclose(values, function.values(at), rtol=1e-6, atol=1e-9)
    for j in range(2):
        shift = 1e-5 * np.eye(2)[j]
        wanted = (function.values(at + shift) - function.values(at - shift)) / 2e-5
        np.testing.assert_allclose(slopes[:, j], wanted, rtol=1e-3, atol=1e-3 * np.abs(slopes).max())
    _, value = maximise(function, core.covariance.lengthscales, seed=2)
    assert value >= function.values(sobol(9, 2, 0, 256)).max() - 1e-9


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("d", [1, 2])
def test_botorch_sees_the_same_posterior(name: str, d: int) -> None:
    """Mean and covariance of the model for botorch, in batches, and an acquisition function of it."""
    component, _ = MODELS[name]
    x, y = data(15, d)
    found = fit(component, x, y)
    core, model = posterior(component, x, y, found), condition(component, x, y, found)
    at = sobol(4, d, 0, 12)
    mean, covariance = core.joint(at)
    seen = model.posterior(torch.tensor(at.reshape(3, 4, d)))
    np.testing.assert_allclose(seen.mean.detach().numpy().ravel(), mean, rtol=1e-8, atol=1e-8)
    first = seen.distribution.covariance_matrix[0].detach().numpy()
    np.testing.assert_allclose(first, covariance[:4, :4], rtol=1e-6, atol=1e-6)
    assert qUpperConfidenceBound(model, beta=2.0)(torch.tensor(at.reshape(3, 4, d))).shape == (3,)


def test_samples_rise_with_the_intensity() -> None:
    """Every curve that is drawn from Laplace's model does, and predictions' intervals hold the mean."""
    x, y = data(12, 2)
    core = ensemble(LAPLACE, x, y, fit(LAPLACE, x, y))
    line = np.column_stack([np.linspace(0, 1, 33), np.full(33, 0.3)])
    curves = core.curves(line, 1, 200)
    assert curves.shape == (200, 33)
    assert np.all(np.diff(curves, axis=1) > 0)
    assert np.array_equal(curves, core.curves(line, 1, 200))
    middle, sd, lower, upper = core.predict(line, "probability", 0.95)
    assert np.all((lower <= middle) & (middle <= upper) & (sd > 0))


@pytest.mark.long
def test_intervals_hold_the_truth() -> None:
    """Over 200 observers from the prior, with 25 trials each: 92 to 97 % of probabilities at 95 %."""
    component, held = Component(LAPLACE.name, {"slope_mean": 8.0}), []
    prior = prior_of(fit(component, np.zeros((0, 2)), np.zeros(0)), 2)
    layout = prior.layout()
    for seed in range(200):
        random = np.random.default_rng(1000 + seed)
        offset_priors, slope_priors = prior.offset.priors, prior.slope.priors
        drawn = [
            random.normal(prior.location, prior.scale)
            for prior in (
                *(offset_priors.lengthscale, offset_priors.variance, offset_priors.slope),
                *(slope_priors.lengthscale, slope_priors.variance),
            )
            if isinstance(prior, LogNormal)
        ]
        theta = layout.inside(np.array([*drawn, random.normal(np.log(8.0), LOG_SLOPE_SD)]))
        pair = prior.read(layout.split(theta))
        x, at = sobol(seed, 2, 0, 25), random.uniform(size=(4, 2))
        intensity, c = split(np.vstack([x, at]), 0)
        o, g = (
            np.linalg.cholesky(kernel(c, c) + 1e-9 * np.eye(29)) @ random.standard_normal(29)
            for kernel in (pair.offset, pair.slope)
        )
        f = np.exp(pair.log_slope + g) * (intensity + o)
        y = (random.uniform(size=25) < ndtr(f[:25])).astype(float)
        _, _, lower, upper = ensemble(component, x, y, fit(component, x, y)).predict(at, "probability", 0.95)
        held.append((lower - 1e-9 <= ndtr(f[25:])) & (ndtr(f[25:]) <= upper + 1e-9))
    assert 0.92 <= np.mean(held) <= 0.97
