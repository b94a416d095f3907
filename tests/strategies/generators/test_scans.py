"""Choosing among scanned points: the best, or one by its value."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from fechner.strategies.acquisition.acquisition import Acquisition
from fechner.strategies.generators import scans
from fechner.strategies.generators.request import Request
from fechner.strategies.generators.searching import Candidates, Found, Search
from fechner.strategies.space.parameters import space
from fechner.strategies.specification import Component, Parameter

SPACE = space([Parameter("a", "continuous", 0.0, 1.0), Parameter("k", "integer", 1, 4)])
NEAR = Acquisition(lambda x: np.exp(-8 * np.abs(x[:, 0] - 0.3)) * (x[:, 1] < 0.5), 64, 1e-5)


@pytest.fixture
def points(monkeypatch: pytest.MonkeyPatch) -> Callable[..., np.ndarray]:
    """What a generator chooses for `NEAR`, so many times."""
    found = Candidates(NEAR, None, 256, 0, None, NEAR)
    monkeypatch.setattr(scans, "candidates", lambda *_: found)

    def choose(choice: Callable[..., Found], count: int, fixed: dict[int, float]) -> np.ndarray:
        empty = np.zeros((0, 1, 2))
        asked = Request(SPACE, 1, 0, 0, 1, empty, np.zeros((0, 1)), empty, fixed)
        generator: Any = Component("", {"acqf": Component("MCPosteriorVariance")})
        core: Any = None
        around: Any = None
        searches = [Search(asked, seed, np.zeros((0, 2)), around) for seed in range(count)]
        return np.array([choice(generator, core, search).point for search in searches])

    return choose


def test_the_best_of_a_scan(points: Callable[..., np.ndarray]) -> None:
    """Near the maximum, at a level, with fixed values."""
    found = points(scans.best, 20, {})
    assert np.abs(found[:, 0] - 0.3).max() < 0.05
    assert set(found[:, 1]) <= set(SPACE.levels(1)[:2])
    held = points(scans.best, 3, {1: float(SPACE.levels(1)[0])})
    assert set(held[:, 1]) == {SPACE.levels(1)[0]}


def test_draws_follow_the_values(points: Callable[..., np.ndarray]) -> None:
    """Points come in proportion to their values: all over, and more where they are higher."""
    found = points(scans.drawn, 200, {})
    assert (found[:, 1] < 0.5).all()
    assert found[:, 0].std() > 0.05
    assert np.mean(np.abs(found[:, 0] - 0.3) < 0.1) == pytest.approx(0.61, abs=0.12)


def test_shares() -> None:
    """In proportion to what is above the least; of logarithms, to what they are logarithms of."""
    random = np.random.default_rng(0)
    values = np.array([1.0, 2.0, 4.0, -np.inf])
    counts = np.bincount([scans.draw(values, False, random) for _ in range(4000)], minlength=4)
    assert counts[0] == counts[3] == 0
    assert counts[1] / 4000 == pytest.approx(0.25, abs=0.03)
    counts = np.bincount([scans.draw(np.log(values[:3]), True, random) for _ in range(7000)], minlength=3)
    assert counts / 7000 == pytest.approx(np.array([1, 2, 4]) / 7, abs=0.03)


def test_values_that_tell_nothing() -> None:
    """Equal values, or none finite, make every point as likely."""
    random = np.random.default_rng(0)
    for values in (np.ones(3), np.full(3, -np.inf)):
        assert {scans.draw(values, False, random) for _ in range(50)} == {0, 1, 2}
