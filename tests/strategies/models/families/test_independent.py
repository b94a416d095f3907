"""Models of several outcomes, each on its own, and the weighted sum of their latent functions."""

import json

import numpy as np
import pytest

from fechner.strategies.models import condition, fit, posterior
from fechner.strategies.models.families import independent
from fechner.strategies.numerics.normal import ndtr
from fechner.strategies.specification import Component

PARTS = (
    Component("GPClassificationModel"),
    Component("GPRegressionModel"),
    Component("OrdinalGPModel", {"n_levels": 3}),
)
MODEL = Component("IndependentGPsModel", {"models": PARTS, "weights": ("2", "-1", "0.5")})


def data(n: int = 25) -> tuple[np.ndarray, np.ndarray]:
    """Trials with a binary, a continuous and an ordinal outcome."""
    random = np.random.default_rng(0)
    x = random.uniform(size=(n, 2))
    heard = random.uniform(size=n) < ndtr(5 * (x[:, 0] - 0.5))
    time = 2.0 - x[:, 1] + 0.1 * random.standard_normal(n)
    rating = np.clip(np.floor(3 * x[:, 0]), 0, 2)
    return x, np.column_stack([heard, time, rating]).astype(float)


def test_each_outcome_has_the_model_that_it_would_have_alone() -> None:
    """Hyperparameters and posteriors are those of the models alone, bit for bit; plain data."""
    x, y = data()
    found = fit(MODEL, x[:, None, :], y)
    assert json.loads(json.dumps(found)) == found
    cores = independent.posteriors(MODEL, x, y, found)
    for index, (part, core) in enumerate(zip(PARTS, cores, strict=True)):
        alone = fit(part, x, y[:, index])
        assert found["parts"][index] == alone
        assert np.array_equal(core.latent(x)[0], posterior(part, x, y[:, index], alone).latent(x)[0])


def test_warm_starts_begin_from_each_part() -> None:
    """A second fit begins with what the first left for each outcome."""
    x, y = data()
    cold = fit(MODEL, x, y)
    warm = fit(MODEL, x, y, cold)
    for before, after in zip(cold["parts"], warm["parts"], strict=True):
        assert after["log_posterior"] == pytest.approx(before["log_posterior"], abs=0.02)
    assert sum(p["evaluations"] for p in warm["parts"]) < sum(p["evaluations"] for p in cold["parts"])


def test_the_weighted_sum_has_the_moments_of_a_sum() -> None:
    """Means add with their weights, covariances with the weights' squares, also after pending trials."""
    x, y = data()
    found = fit(MODEL, x, y)
    whole, cores = posterior(MODEL, x, y, found), independent.posteriors(MODEL, x, y, found)
    test = np.random.default_rng(1).uniform(size=(7, 2))
    weights = (2.0, -1.0, 0.5)
    for core, parts in (
        (whole, cores),
        (whole.expecting(test[:2]), [part.expecting(test[:2]) for part in cores]),
    ):
        joints = [part.joint(test) for part in parts]
        mean, covariance = core.joint(test)
        np.testing.assert_allclose(mean, sum(w * one for w, (one, _) in zip(weights, joints, strict=True)))
        expected = sum(w * w * spread for w, (_, spread) in zip(weights, joints, strict=True))
        np.testing.assert_allclose(covariance, expected, atol=1e-12)
        mean, variance, half = core.reduced(test)
        np.testing.assert_allclose(variance, np.diag(expected), atol=1e-9)
        np.testing.assert_allclose(core.covariance(test, test) - half.T @ half, expected, atol=1e-9)
        np.testing.assert_allclose(core.latent(test)[0], mean)


def test_no_trials_give_the_priors() -> None:
    """Without data fits and posteriors are finite."""
    x, y = np.zeros((0, 2)), np.zeros((0, 3))
    found = fit(MODEL, x, y)
    mean, sd = posterior(MODEL, x, y, found).moments(np.full((2, 2), 0.5), "latent")
    assert np.all(np.isfinite(mean))
    assert np.all(sd > 0)


def test_botorch_takes_it() -> None:
    """The botorch model has an output for each outcome, batched."""
    torch = pytest.importorskip("torch")
    x, y = data()
    found = fit(MODEL, x, y)
    model = condition(MODEL, x, y, found)
    points = np.random.default_rng(1).uniform(size=(3, 2, 2))
    mean = model.posterior(torch.tensor(points)).mean.numpy().reshape(-1, 3)
    for index, core in enumerate(independent.posteriors(MODEL, x, y, found)):
        np.testing.assert_allclose(mean[:, index], core.latent(points.reshape(-1, 2))[0])
