"""The monotone model: its posterior against a long Markov chain, its gradients, and what it is for."""

import json

import numpy as np
import pytest
import torch
from botorch.acquisition import qUpperConfidenceBound

from fechner.strategies.acquisition import build
from fechner.strategies.acquisition.optimise import maximise
from fechner.strategies.models import condition, fit, posterior
from fechner.strategies.models.families import monotonic
from fechner.strategies.models.families.augmented import SOFTNESS, rows_of
from fechner.strategies.models.uncertainty import ensemble
from fechner.strategies.numerics.normal import log_ndtr, ndtr
from fechner.strategies.numerics.sobol import sobol
from fechner.strategies.specification import Component

from .sampling import elliptical_slices

MODEL = Component("MonotonicProjectionGP")
PLAIN = Component("GPClassificationModel")


def data(n: int, d: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Trials of an observer who gets better along the last dimension."""
    random = np.random.default_rng(seed)
    x = random.uniform(size=(n, d))
    return x, (random.uniform(size=n) < ndtr(truth(x))).astype(float)


def truth(x: np.ndarray) -> np.ndarray:
    """The observer's f."""
    return 6 * (x[:, -1] - 0.4 - (0.3 * x[:, 0] if x.shape[1] > 1 else 0.0))


@pytest.mark.long
@pytest.mark.parametrize("least", [None, 0.0])
def test_the_posterior_is_that_of_a_long_markov_chain(least: float | None) -> None:
    """Mean and sd of f with eight trials, signs of slopes and a floor of f: within .1 sd, and 15 % of it."""
    component = Component(MODEL.name, {"monotonic_grid_size": 5, "min_f_val": least})
    x, y = data(8, 1)
    y[np.argmin(x[:, 0])] = 1.0  # against the direction
    h = {"model": MODEL.name, "lengthscales": [0.3], "variance": 4.0, "constant": 1.0, "mean": 0.0}
    h |= {"slopes": [1.0], "floor": 0.0, "lapse": 0.0}
    core = posterior(component, x, y, h)
    at = np.linspace(0, 1, 5)[:, None]
    pseudo = monotonic.signs(component, 1)
    rows = np.vstack([rows_of(x, pseudo), np.hstack([at, np.zeros((5, 1))])])
    n, k = len(y), len(pseudo.rows)
    below = np.where(pseudo.rows[:, -1] > 0, 1.0, SOFTNESS)

    def log_likelihood(f: np.ndarray) -> float:
        known = log_ndtr((f[n : n + k] - pseudo.means) / below).sum()
        return float(log_ndtr((2 * y - 1) * f[:n]).sum() + known)

    covariance = core.covariance(rows, rows)
    samples = elliptical_slices(np.zeros(len(rows)), covariance, log_likelihood, 60_000, 1)[:, n + k :]
    mean, variance = core.latent(at)
    sd = samples.std(axis=0)
    assert np.all(np.abs(mean - samples.mean(axis=0)) < 0.1 * sd)
    np.testing.assert_allclose(np.sqrt(variance), sd, rtol=0.15)


@pytest.mark.parametrize("keys", [{}, {"lapse": "estimate", "floor": 0.1, "min_f_val": -2.0}])
def test_gradient_of_the_evidence_agrees_with_differences(keys: dict[str, object]) -> None:
    """In every hyperparameter, the lapse rate among them."""
    component = Component(MODEL.name, keys)
    x, y = data(30, 2)
    task, evidence, theta = monotonic.problem(component, x, y, fit(component, x[:10], y[:10]))
    layout = task.layout
    theta = theta + 0.2
    gradient = layout.objective(theta, evidence)[1]
    for index in range(layout.size):
        shift = 1e-3 * np.eye(layout.size)[index]
        ends = [layout.objective(theta + sign * shift, evidence)[0] for sign in (1, -1)]
        assert gradient[index] == pytest.approx((ends[0] - ends[1]) / 2e-3, rel=5e-3, abs=5e-3)


def test_predictions_grow_and_are_better_for_it() -> None:
    """With 20 trials f hardly falls anywhere, and errors are smaller than without the knowledge."""
    errors = np.zeros(2)
    for seed in range(6):
        x, y = data(20, 2, seed)
        test = sobol(3, 2, 0, 256)
        for place, component in enumerate((MODEL, PLAIN)):
            core = posterior(component, x, y, fit(component, x, y))
            errors[place] += np.abs(core.predict(test, "probability")[0] - ndtr(truth(test))).mean() / 6
            if place == 0:
                higher = np.minimum(test + np.array([0.0, 0.05]), 1.0)
                assert np.all(core.latent(higher)[0] - core.latent(test)[0] > -0.02)
    assert errors[0] < 0.9 * errors[1]


def test_named_dimensions_and_directions() -> None:
    """`monotonic_dims` names coordinates; several share the places."""
    assert monotonic.monotone(Component(MODEL.name, {"monotonic_dims": (0, 2)}), 3) == (0, 2)
    assert monotonic.monotone(Component(MODEL.name, {"monotonic_idxs": (1,)}), 3) == (1,)
    assert monotonic.monotone(MODEL, 3) == (2,)
    both = monotonic.signs(Component(MODEL.name, {"monotonic_dims": (0, 1)}), 2)
    assert sorted(set(both.rows[:, -1])) == [1, 2]
    assert len(both.rows) == 60


def test_hyperparameters_are_plain_data_and_same_arguments_give_same_bits() -> None:
    """As for every model; a warm start takes fewer evaluations."""
    x, y = data(25, 2)
    found = fit(MODEL, x, y)
    assert json.loads(json.dumps(found)) == found
    assert fit(MODEL, x, y) == found
    assert fit(MODEL, x, y, found)["evaluations"] < found["evaluations"]
    one, other = posterior(MODEL, x, y, found), posterior(MODEL, x, y, found)
    assert all(np.array_equal(a, b) for a, b in zip(one.latent(x), other.latent(x), strict=True))
    assert len(ensemble(MODEL, x, y, found).members) > 8


def test_without_trials_and_with_many() -> None:
    """The prior grows; fifteen hundred trials go through inducing places."""
    core = posterior(MODEL, np.zeros((0, 2)), np.zeros(0), fit(MODEL, np.zeros((0, 2)), np.zeros(0)))
    ends = np.array([[0.5, 0.0], [0.5, 1.0]])
    low, high = core.latent(ends)[0]
    assert low < -0.5 < 0.5 < high
    x, y = data(1500, 2)
    component = Component(MODEL.name, {"maxfun": 3})
    core = posterior(component, x, y, fit(component, x, y))
    test = sobol(3, 2, 0, 128)
    assert np.abs(core.predict(test, "probability")[0] - ndtr(truth(test))).mean() < 0.03


NAMES = ("EAVC", "GlobalMI", "ApproxGlobalSUR", "MCLevelSetEstimation", "qLogNoisyExpectedImprovement")


@pytest.mark.parametrize("name", NAMES)
def test_acquisition_functions_climb(name: str) -> None:
    """Gradients agree with differences, pending points count, and the optimum is not below the scan's."""
    x, y = data(20, 2)
    core = posterior(MODEL, x, y, fit(MODEL, x, y))
    function = build(Component(name, {"target": 0.75, "query_set_size": 64}), core, seed=1, pending=x[:2])
    at = sobol(5, 2, 0, 8)
    assert function.gradients is not None
    values, slopes = function.gradients(at)
    np.testing.assert_allclose(values, function.values(at), rtol=1e-6, atol=1e-9)
    for j in range(2):
        shift = 1e-5 * np.eye(2)[j]
        wanted = (function.values(at + shift) - function.values(at - shift)) / 2e-5
        np.testing.assert_allclose(slopes[:, j], wanted, rtol=1e-3, atol=1e-3 * np.abs(slopes).max())
    point, value = maximise(function, core.covariance.lengthscales, seed=2)
    assert value >= function.values(sobol(9, 2, 0, 256)).max() - 1e-9
    assert point.shape == (2,)


def test_botorch_sees_the_same_posterior() -> None:
    """Mean and covariance of the model for botorch, in batches, and an acquisition function of it."""
    x, y = data(15, 2)
    found = fit(MODEL, x, y)
    core, model = posterior(MODEL, x, y, found), condition(MODEL, x, y, found)
    at = sobol(4, 2, 0, 12)
    mean, covariance = core.joint(at)
    seen = model.posterior(torch.tensor(at.reshape(3, 4, 2)))
    np.testing.assert_allclose(seen.mean.detach().numpy().ravel(), mean, rtol=1e-8, atol=1e-8)
    first = seen.distribution.covariance_matrix[0].detach().numpy()
    np.testing.assert_allclose(first, covariance[:4, :4], rtol=1e-6, atol=1e-6)
    assert qUpperConfidenceBound(model, beta=2.0)(torch.tensor(at.reshape(3, 4, 2))).shape == (3,)
