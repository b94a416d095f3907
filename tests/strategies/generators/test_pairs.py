"""Pairs of stimuli by acquisition functions: repeatable, on their levels, sharing what is shared."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from fechner.strategies import Strategy
from fechner.strategies.generators.pairs import generate_pairs
from fechner.strategies.generators.request import Request
from fechner.strategies.numerics.normal import ndtr
from fechner.strategies.numerics.randomness import rng
from fechner.strategies.space.parameters import Space, space
from fechner.strategies.specification import Component, Parameter

EUBO = "AnalyticExpectedUtilityOfBestOption"
NAMES = (
    EUBO,
    "PairwiseMCPosteriorVariance",
    "BernoulliMCMutualInformation",
    "qNoisyExpectedImprovement",
    "qLogNoisyExpectedImprovement",
)
SQUARE = space((Parameter("p", "continuous", 0.0, 1.0), Parameter("q", "continuous", 0.0, 1.0)))
MIXED = space(
    (
        Parameter("p", "continuous", 0.0, 1.0),
        Parameter("k", "integer", 1.0, 4.0),
        Parameter("side", "categorical", choices=("a", "b, c", "d")),
    )
)
LEVELS = space((Parameter("k", "integer", 1.0, 4.0), Parameter("side", "categorical", choices=("a", "b"))))


def data(d: int, n: int = 20) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(0)
    x = random.uniform(size=(n, 2, d))
    utility = -4.0 * np.square(x - 0.6).sum(axis=-1)
    return x, (random.uniform(size=n) < ndtr((utility[:, 1] - utility[:, 0]) / np.sqrt(2.0))).astype(float)


def ask(name: str = EUBO, of: Space = SQUARE, keys: dict[str, Any] | None = None, **options: Any) -> Any:
    """The answer of the generator."""
    x, y = options.pop("data", data(of.d))
    generator = Component("OptimizeAcqfGenerator", {"acqf": Component(name), "samps": 256, "restarts": 3})
    given = {"n": 1, "fixed": {}, "seed": 5, "pending": np.zeros((0, 2, of.d))}
    request = Request(space=of, first=0, stimuli=2, x=x, y=y[:, None], **(given | options))
    return generate_pairs(generator, Component("PairwiseProbitModel", keys or {}), request)


@pytest.mark.parametrize("name", NAMES)
def test_the_same_arguments_give_the_same_bits(name: str) -> None:
    """Pairs lie in the box, differ in their stimuli, repeat, and have a probability of preference."""
    one, other = ask(name, n=2), ask(name, n=2)
    points = one.points
    assert np.array_equal(points, other.points)
    assert replace(one, points=points) == replace(other, points=points)
    assert points.shape == (2, 2, 2)
    assert np.all((points >= 0) & (points <= 1))
    assert np.all(np.abs(points[:, 0] - points[:, 1]).max(axis=1) > 1e-3)
    assert not np.allclose(points[0], points[1])
    assert all(0 < mean < 1 for mean in one.post_mean)
    assert all(0 < sd <= 0.5 for sd in one.post_sd)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("of", [MIXED, LEVELS], ids=["mixed", "levels"])
def test_integers_and_categories(name: str, of: Space) -> None:
    """Their coordinates are codes of values, and the two stimuli never the same."""
    for pair in ask(name, of, n=2).points:
        raw = of.decode_trial(pair)
        again = of.encode_trial(raw, 2)
        assert np.array_equal(pair[:, 1:] if of is MIXED else pair, again[:, 1:] if of is MIXED else again)
        assert not np.array_equal(pair[0], pair[1])


@pytest.mark.parametrize("name", [EUBO, "qNoisyExpectedImprovement"])
def test_fixed_values_hold_for_both(name: str) -> None:
    """A fixed parameter has its value in both stimuli."""
    points = ask(name, fixed={1: 0.25}, n=2).points
    assert np.all(points[:, :, 1] == 0.25)


@pytest.mark.parametrize("name", [EUBO, "qNoisyExpectedImprovement"])
def test_shared_dimensions_are_equal(name: str) -> None:
    """What the factory's shared_dims name is the same in both stimuli, and the rest is not."""
    keys = {"shared_dims": ("q",), "fixed_kernel_amplitude": False}
    factory = Component("PairwiseMeanCovarFactory", keys)
    points = ask(name, keys={"mean_covar_factory": factory}, n=3).points
    assert np.array_equal(points[:, 0, 1], points[:, 1, 1])
    assert np.all(points[:, 0, 0] != points[:, 1, 0])


def test_pending_pairs_are_avoided() -> None:
    """A pair handed out and not told moves the next one elsewhere."""
    for name in ("BernoulliMCMutualInformation", "qNoisyExpectedImprovement"):
        first = ask(name).points
        assert not np.allclose(ask(name, pending=first).points, first, atol=1e-3)


def test_no_data_and_no_refit() -> None:
    """Without outcomes the prior asks; between refits the hyperparameters stay as they are."""
    empty = ask(data=(np.zeros((0, 2, 2)), np.zeros(0)))
    assert empty.points.shape == (1, 2, 2)
    fitted = ask().hyperparameters
    assert ask(start=fitted, refit=False, data=data(2, 25)).hyperparameters == fitted


def test_a_budget_is_obeyed_and_the_range_reported() -> None:
    """max_gen_time buys evaluations, a poll may end the work, and post_range comes on request."""
    calls: list[int] = []
    ask(poll=lambda: calls.append(1), budget=0.01)
    few = len(calls)
    got = ask(poll=lambda: calls.append(1), post_range=True)
    assert len(calls) - few > few
    assert 0 < got.post_range <= 1
    assert 0 < got.max_post_var <= 0.25

    def stop() -> None:
        raise InterruptedError

    with pytest.raises(InterruptedError):
        ask(poll=stop)


BALD = {
    "generator": "OptimizeAcqfGenerator",
    "model": "PairwiseProbitModel",
    "acqf": "BernoulliMCMutualInformation",
}


def configuration(**stage: Any) -> dict[str, Any]:
    """Eight Sobol pairs, then pairs of the default model and acquisition function."""
    bounds = {"par_type": "continuous", "lower_bound": 0, "upper_bound": 1}
    return {
        "common": {
            "parnames": ["p", "q"],
            "outcome_types": ["binary"],
            "stimuli_per_trial": 2,
            "strategy_names": ["init", "opt"],
        },
        "p": bounds,
        "q": bounds,
        "init": {"generator": "SobolGenerator", "min_asks": 8},
        "opt": {"min_asks": 42, **stage},
    }


def distance(seed: int, trials: int, **stage: Any) -> float:
    """How far from the truth the utility's maximum is found after `trials` comparisons of one observer."""
    random = rng(seed, "observer")
    best = random.uniform(0.2, 0.8, 2)
    strategy = Strategy(configuration(**stage), seed=seed)
    for _ in range(trials):
        point = strategy.ask()
        first, second = np.array([point["p"], point["q"]]).T
        gain = 10.0 * (np.sum(np.square(first - best)) - np.sum(np.square(second - best)))
        strategy.tell(point, int(random.random() < ndtr(np.array(gain / np.sqrt(2.0)))))
    found = strategy.query("max")["x"]
    return float(np.hypot(found["p"][0] - best[0], found["q"][0] - best[1]))


def test_the_maximum_is_found() -> None:
    """One observer's favourite is found within .2 of a unit square after 30 informative comparisons."""
    assert distance(1, 30, **BALD) < 0.2


@pytest.mark.timeout(1200)
@pytest.mark.long
@pytest.mark.parametrize(
    ("stage", "average", "worst"), [({}, 0.16, 0.35), (BALD, 0.08, 0.2)], ids=["EUBO", "BALD"]
)
def test_the_maximum_is_found_over_twenty_seeds(stage: dict[str, Any], average: float, worst: float) -> None:
    """Mean and greatest distance from 20 observers' favourites in a unit square after 50 comparisons."""
    away = [distance(seed, 50, **stage) for seed in range(20)]
    assert np.mean(away) < average
    assert max(away) < worst
