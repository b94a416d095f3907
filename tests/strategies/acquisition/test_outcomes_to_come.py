"""Look-ahead at outcomes against brute force over joint samples, with its gradients."""

import numpy as np
import pytest

from fechner.strategies.acquisition import build
from fechner.strategies.acquisition.look_ahead import uncertainty_of
from fechner.strategies.models import Posterior, fit, posterior
from fechner.strategies.numerics.normal import ndtr
from fechner.strategies.numerics.randomness import key
from fechner.strategies.numerics.sobol import sobol
from fechner.strategies.specification import Component

POSTERIOR = {"target": 0.75, "lookahead_type": "posterior", "query_set_size": 32}
FUNCTIONS = {
    "MOCU": "misclassified",
    "SMOCU": "soft",
    "BEMPS": "brier",
    "GlobalMI": "entropy",
    "GlobalSUR": "misclassified",
    "EAVC": "",
}


def core(floor: float) -> Posterior:
    """A posterior after 25 trials in two dimensions."""
    random = np.random.default_rng(0)
    x = random.uniform(size=(25, 2))
    y = (random.uniform(size=25) < floor + (1 - floor) * ndtr(6 * (x[:, 1] - 0.5))).astype(float)
    model = Component("GPClassificationModel", {"floor": floor, "lapse": floor / 10})
    return posterior(model, x, y, fit(model, x, y))


@pytest.mark.parametrize("floor", [0.0, 0.3])
@pytest.mark.parametrize("name", FUNCTIONS)
def test_the_closed_form_is_that_of_samples(name: str, floor: float) -> None:
    """Predictions after either outcome follow from joint samples of f weighted by its likelihood."""
    now = core(floor)
    function = build(Component(name, POSTERIOR), now, seed=7)
    reference = sobol(key(7, "query set"), 2, 0, 32)
    points = sobol(3, 2, 0, 3)
    mean, covariance = now.joint(np.vstack([points, reference]))
    normal = np.random.default_rng(1).standard_normal((200_000, len(mean)))
    p = now.probability(mean + normal @ np.linalg.cholesky(covariance + 1e-9 * np.eye(len(mean))).T)
    for index in range(3):
        yes, predicted = p[:, index], p[:, 3:]
        chance = yes.mean()
        before = predicted.mean(axis=0)
        after = [weights @ predicted / weights.sum() for weights in (yes, 1 - yes)]
        if name == "EAVC":
            changes = [abs((one - before).mean()) for one in after]
            wanted = chance * changes[0] + (1 - chance) * changes[1]
        else:
            u, _ = uncertainty_of(FUNCTIONS[name])
            wanted = float((u(before) - chance * u(after[0]) - (1 - chance) * u(after[1])).mean())
        assert function.values(points)[index] == pytest.approx(wanted, rel=0.03, abs=3e-4)


@pytest.mark.parametrize("name", [*FUNCTIONS, "LocalMI", "LocalSUR"])
def test_gradients_agree_with_differences(name: str) -> None:
    """Where they are smooth; a count of wrong predictions has kinks, which few points meet."""
    function = build(Component(name, POSTERIOR), core(0.3), seed=7)
    x = 0.05 + 0.9 * sobol(5, 2, 0, 12)
    assert function.gradients is not None
    values, slopes = function.gradients(x)
    np.testing.assert_allclose(values, function.values(x), rtol=1e-7, atol=1e-9)
    for j in range(2):
        shift = 1e-5 * np.eye(2)[j]
        wanted = (function.values(x + shift) - function.values(x - shift)) / 2e-5
        np.testing.assert_allclose(slopes[:, j], wanted, rtol=1e-3, atol=2e-3 * np.abs(slopes).max())


@pytest.mark.parametrize("kind", ["soft", "brier", "entropy", "misclassified"])
def test_uncertainties_have_their_derivatives(kind: str) -> None:
    """And are greatest where the outcome is a coin's."""
    u, slope = uncertainty_of(kind)
    p = np.array([0.1, 0.3, 0.45, 0.6, 0.9])
    np.testing.assert_allclose(slope(p), (u(p + 1e-6) - u(p - 1e-6)) / 2e-6, rtol=1e-6, atol=1e-8)
    assert np.all(u(p) < u(np.array([0.5])))


def test_local_functions_are_global_ones_of_one_point() -> None:
    """LocalSUR at a point is GlobalSUR with that point as the only reference, by samples of f there."""
    now = core(0.0)
    function = build(Component("LocalSUR", POSTERIOR), now, seed=7)
    points = sobol(3, 2, 0, 4)
    mean, variance = now.latent(points)
    normal = np.random.default_rng(2).standard_normal(400_000)
    for index in range(4):
        p = ndtr(mean[index] + np.sqrt(variance[index]) * normal)
        after = [(p * p).mean() / p.mean(), (p * (1 - p)).mean() / (1 - p).mean()]
        low = [min(one, 1 - one) for one in after]
        wanted = min(p.mean(), 1 - p.mean()) - p.mean() * low[0] - (1 - p.mean()) * low[1]
        assert function.values(points)[index] == pytest.approx(wanted, abs=1e-3)
