"""Posteriors of many trials through inducing places."""

import numpy as np
import pytest

from fechner.strategies.models import fit, posterior
from fechner.strategies.models.inference import inducing
from fechner.strategies.models.inference.inducing import thinned
from fechner.strategies.numerics.normal import ndtr
from fechner.strategies.numerics.sobol import sobol
from fechner.strategies.specification import Component


@pytest.mark.parametrize("limit", [60, 600])
def test_thinning_keeps_an_even_share_and_changes_little(limit: int) -> None:
    """Between a third and all of the limit is kept; one more trial changes the choice by that trial only."""
    before = thinned(limit, limit)
    np.testing.assert_array_equal(before, np.arange(limit))
    halved = False
    for n in range(limit + 1, 20 * limit):
        chosen = thinned(n, limit)
        assert limit / 3 < len(chosen) <= 1.05 * limit
        shared = np.intersect1d(before, chosen)
        if len(chosen) >= len(before):
            np.testing.assert_array_equal(shared, before)
            assert set(chosen) - set(before) <= {n - 1}
        else:
            halved = True
            np.testing.assert_array_equal(shared, chosen[chosen < n - 1])
        before = chosen
    assert halved


def test_thinned_sobol_points_still_fill_the_space() -> None:
    """A quarter of a Sobol sequence lies in all quarters of the square alike."""
    x = sobol(3, 2, 0, 4096)[thinned(4096, 1024)]
    counts = np.histogram2d(x[:, 0], x[:, 1], bins=4, range=[[0, 1], [0, 1]])[0]
    assert counts.min() > 0.8 * len(x) / 16


@pytest.mark.parametrize("name", ["GPClassificationModel", "GPRegressionModel"])
@pytest.mark.parametrize("d", [1, 3])
def test_posteriors_through_places_are_nearly_exact(
    name: str, d: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Mean within .1 posterior sd and sd within 10 % of the exact posterior's, everywhere."""
    random = np.random.default_rng(d)
    x = sobol(1, d, 0, 900)
    f = 2 * np.sin(4 * x).sum(axis=1)
    binary = name == "GPClassificationModel"
    y = (
        (random.uniform(size=900) < ndtr(f)).astype(float)
        if binary
        else f + 0.5 * random.standard_normal(900)
    )
    model = Component(name)
    hyperparameters = fit(model, x[:300], y[:300])
    exact = posterior(model, x, y, hyperparameters)
    monkeypatch.setattr(inducing, "FROM", 800)
    condensed = posterior(model, x, y, hyperparameters)
    assert len(condensed.x) < 450
    at = sobol(2, d, 0, 200)
    mean, variance = exact.latent(at)
    other_mean, other_variance = condensed.latent(at)
    assert np.max(np.abs(other_mean - mean) / np.sqrt(variance)) < 0.1
    np.testing.assert_allclose(np.sqrt(other_variance), np.sqrt(variance), rtol=0.1)
    if binary:
        assert condensed.log_evidence == pytest.approx(exact.log_evidence, rel=0.01)


def test_far_places_keep_their_prior_variance() -> None:
    """Where no trial is, the variance isn't lost with the places."""
    x = 0.3 * sobol(1, 2, 0, 1200)
    y = (x[:, 0] > 0.15).astype(float)
    model = Component("GPClassificationModel")
    core = posterior(model, x, y, fit(model, x[:200], y[:200]))
    near, far = core.latent(np.array([[0.15, 0.15], [0.95, 0.95]]))[1]
    assert far > 10 * near


@pytest.mark.parametrize("name", ["GPClassificationModel", "GPRegressionModel"])
def test_the_few_trials_far_from_all_others_are_not_lost(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Most trials near one place, as adaptive sessions have them: what the others tell is kept, wherever."""
    random = np.random.default_rng(3)
    x = np.vstack([0.5 + 0.02 * random.standard_normal((1070, 2)), sobol(4, 2, 0, 30)])
    f = 3 * np.sin(9 * x[:, 0]) + x[:, 1]
    model = Component(name)
    y = f + 0.05 * random.standard_normal(len(x))
    if name == "GPClassificationModel":
        y = (random.uniform(size=len(x)) < ndtr(f)).astype(float)
    hyperparameters = fit(model, x[-200:], y[-200:])
    monkeypatch.setattr(inducing, "FROM", 2000)
    mean, variance = posterior(model, x, y, hyperparameters).latent(x[-30:])
    monkeypatch.setattr(inducing, "FROM", 1000)
    other_mean, other_variance = posterior(model, x, y, hyperparameters).latent(x[-30:])
    assert np.max(np.abs(other_mean - mean) / np.sqrt(variance)) < 0.1
    np.testing.assert_allclose(np.sqrt(other_variance), np.sqrt(variance), rtol=0.1)
