"""Observers with a best place, measured or compared."""

import numpy as np
import pytest

from fechner.strategies.numerics.normal import ndtr
from fechner.strategies.simulation import bump_1d, bump_2d, measured, preference


def test_bumps_are_highest_in_their_middle() -> None:
    """Values at the middle and at one unit from it."""
    assert bump_1d(0.5).latent({"x": 0.5}) == 1.0
    assert bump_1d(0.5).latent({"x": 1.5}) == pytest.approx(np.exp(-1.0))
    assert bump_2d().latent({"x1": 0.0, "x2": 0.0}) == 1.0
    assert bump_2d().latent({"x1": 0.6, "x2": -0.8}) == pytest.approx(np.exp(-1.0))


def test_measurements_have_the_latent_mean_and_the_noise() -> None:
    """Mean and standard deviation over a thousand measurements."""
    random = np.random.default_rng(1)
    found = [measured(bump_1d(), {"x": 1.0}, random, sd=0.2) for _ in range(1000)]
    assert np.mean(found) == pytest.approx(np.exp(-1.0), abs=0.03)
    assert np.std(found) == pytest.approx(0.2, abs=0.02)


def test_the_better_stimulus_is_preferred() -> None:
    """Probit choice on the difference; which stands first doesn't matter."""
    best, far = {"x": 0.0}, {"x": 2.0}
    expected = float(ndtr((1 - np.exp(-4.0)) / np.sqrt(2)))
    assert preference(bump_1d(), far, best) == pytest.approx(expected)
    assert preference(bump_1d(), best, far) == pytest.approx(1 - expected)
