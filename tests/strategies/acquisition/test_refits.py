"""Looking ahead, against doing it: the model conditioned on the outcome by the same approximation."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from fechner.strategies.acquisition import build
from fechner.strategies.models import Posterior, fit, posterior
from fechner.strategies.numerics.arrays import Array
from fechner.strategies.numerics.normal import ndtr
from fechner.strategies.numerics.randomness import key
from fechner.strategies.numerics.sobol import sobol
from fechner.strategies.specification import Component

SEED, COUNT = 7, 96


def entropy(p: Array) -> Array:
    p = np.clip(p, 1e-12, 1 - 1e-12)
    out: Array = -p * np.log(p) - (1 - p) * np.log(1 - p)
    return out


def begun(floor: float) -> tuple[Component, Array, Array, dict[str, Any]]:
    """A model, 30 trials and the fit to them."""
    random = np.random.default_rng(2)
    x = random.random((30, 2))
    model = Component("GPClassificationModel", {"floor": floor})
    p = floor + (1 - floor) * ndtr(6 * (x[:, 1] - 0.5) + 2 * x[:, 0])
    y = (random.random(30) < p).astype(float)
    return model, x, y, fit(model, x, y)


REFERENCE = sobol(key(SEED, "query set"), 2, 0, COUNT)
POINTS = sobol(3, 2, 0, 24)


@pytest.mark.parametrize("floor", [0.0, 0.5])
@pytest.mark.parametrize("name", ["EAVC", "GlobalMI", "GlobalSUR"])
def test_what_an_outcome_would_change_is_what_it_changes(name: str, floor: float) -> None:
    """At points all over the box, the value is close to that of two refits, one for each outcome, with the
    hyperparameters held and each weighted by how probable its outcome is. They differ by what expectation
    propagation loses when it makes a Gaussian of the posterior again."""
    model, x, y, found = begun(floor)
    core = posterior(model, x, y, found)
    gamma = core.latent_of(0.8)

    def below(one: Posterior) -> Array:
        mean, variance = one.latent(REFERENCE)
        return np.asarray(ndtr((gamma - mean) / np.sqrt(variance)))

    def refitted(point: Array) -> float:
        yes = float(core.moments(point[None], "probability")[0][0])
        now, weights = below(core), (1 - yes, yes)
        after = [
            below(posterior(model, np.vstack([x, point]), np.append(y, outcome), found))
            for outcome in (0.0, 1.0)
        ]
        if name == "EAVC":
            return sum(w * abs(float((one - now).mean())) for w, one in zip(weights, after, strict=True))
        doubt = entropy if name == "GlobalMI" else lambda p: np.minimum(p, 1 - p)
        left = sum(w * float(doubt(one).mean()) for w, one in zip(weights, after, strict=True))
        return float(doubt(now).mean()) - left

    values = build(Component(name, {"target": 0.8, "query_set_size": COUNT}), core, seed=SEED).values(POINTS)
    refits = np.array([refitted(point) for point in POINTS])
    assert np.corrcoef(values, refits)[0, 1] > 0.93
    np.testing.assert_allclose(values, refits, atol=0.3 * refits.max())
    assert refits[int(np.argmax(values))] >= 0.97 * refits.max()


@pytest.mark.parametrize("floor", [0.0, 0.5])
def test_the_approximate_one_is_conditioning_on_the_outcome_expected(floor: float) -> None:
    """ApproxGlobalSUR holds the mean: the posterior conditioned on a site of the expected precision gives the
    very same doubt that is left."""
    model, x, y, found = begun(floor)
    core = posterior(model, x, y, found)
    gamma = core.latent_of(0.8)

    def doubt(one: Posterior) -> float:
        mean, variance = one.latent(REFERENCE)
        return float(ndtr(-np.abs(gamma - mean) / np.sqrt(variance)).mean())

    keys = {"target": 0.8, "query_set_size": COUNT}
    values = build(Component("ApproxGlobalSUR", keys), core, seed=SEED).values(POINTS)
    wanted = [doubt(core) - doubt(core.expecting(point[None])) for point in POINTS]
    np.testing.assert_allclose(values, wanted, rtol=1e-6, atol=1e-12)
