"""Points for several outcomes: turns, pending points, weighted sums."""

from typing import Any

import numpy as np
import pytest

from fechner.strategies.generators.acquisition import generate
from fechner.strategies.generators.independent import generate_for_several
from fechner.strategies.generators.request import Generated, Request
from fechner.strategies.models import fit
from fechner.strategies.models.families import independent
from fechner.strategies.numerics.normal import ndtr
from fechner.strategies.numerics.randomness import key
from fechner.strategies.space.parameters import space
from fechner.strategies.specification import Component, Parameter

SPACE = space([Parameter("a", "continuous", 0.0, 1.0)])
PARTS = (Component("GPClassificationModel"), Component("GPRegressionModel"))
MODEL = Component("IndependentGPsModel", {"models": PARTS})
SEARCH = {"samps": 128, "restarts": 2}
TURNS = Component(
    "IndependentOptimizeAcqfGenerator",
    {
        "generators": (
            Component("OptimizeAcqfGenerator", {**SEARCH, "acqf": Component("MCPosteriorVariance")}),
            Component("OptimizeAcqfGenerator", {**SEARCH, "acqf": Component("qLogNoisyExpectedImprovement")}),
        )
    },
)


def data() -> tuple[np.ndarray, np.ndarray]:
    """A threshold at .3 and a time that is longest at .8."""
    random = np.random.default_rng(0)
    x = random.uniform(size=(25, 1, 1))
    heard = random.uniform(size=25) < ndtr(10 * (x[:, 0, 0] - 0.3))
    time = np.exp(-((x[:, 0, 0] - 0.8) ** 2) / 0.05) + 0.02 * random.standard_normal(25)
    return x, np.column_stack([heard, time]).astype(float)


def ask(first: int = 0, generator: Component = TURNS, **options: Any) -> Generated:
    x, y = data()
    return generate_for_several(generator, MODEL, request(x, y, first=first, **options))


def request(x: np.ndarray, y: np.ndarray, **options: Any) -> Request:
    given: dict[str, Any] = {"n": 1, "first": 0, "fixed": {}, "seed": 11, "pending": np.zeros((0, 1, 1))}
    return Request(space=SPACE, stimuli=1, x=x, y=y, **(given | options))


def test_outcomes_take_turns() -> None:
    """Each point is the one that its outcome's generator alone would choose."""
    x, y = data()
    for first in range(4):
        index = first % 2
        alone = generate(
            TURNS.keys["generators"][index],
            PARTS[index],
            request(x, y[:, index : index + 1], seed=key(11, "turn", 0)),
        )
        assert np.array_equal(ask(first).points, alone.points)
    assert abs(ask(1).points[0, 0, 0] - 0.8) < 0.15


def test_several_points_go_round_and_differ() -> None:
    """Three points in one ask are distinct, and so are those that are pending."""
    got = ask(0, n=3)
    assert got.points.shape == (3, 1, 1)
    assert len(np.unique(got.points)) == 3
    assert got.post_mean is None
    again = ask(0, pending=got.points[:1])
    assert again.points[0, 0, 0] != got.points[0, 0, 0]


def test_hyperparameters_of_all_outcomes_come_along() -> None:
    """A fit is used as it is where none is due; post_range is that of the least known outcome."""
    x, y = data()
    found = fit(MODEL, x, y)
    got = ask(start=found, refit=False, post_range=True)
    assert got.hyperparameters == found
    assert ask().hyperparameters == found
    assert 0 < got.post_range < 1.5
    assert got.max_post_var > 0


@pytest.mark.parametrize(("weights", "place"), [((0.0, 1.0), 0.8), ((0.0, -1.0), None)])
def test_a_weighted_sum_is_maximised(weights: tuple[float, float], place: float | None) -> None:
    """With all weight on one outcome its best place is sought; a negative weight seeks its worst."""
    objective = Component("AffinePosteriorTransform", {"weights": tuple(map(str, weights))})
    acqf = Component("qLogNoisyExpectedImprovement", {"objective": objective})
    point = ask(generator=Component("OptimizeAcqfGenerator", {**SEARCH, "acqf": acqf})).points[0, 0, 0]
    if place is None:
        assert abs(point - 0.8) > 0.3
    else:
        assert abs(point - place) < 0.15


def test_the_sum_with_one_weight_is_that_outcome_alone() -> None:
    """The acquisition function of 0 f_1 + 1 f_2 has the values of f_2's."""
    from fechner.strategies.acquisition import build

    x, y = data()
    found = fit(MODEL, x, y)
    weighted = Component(MODEL.name, {**MODEL.keys, "weights": ("0", "1")})
    inputs = x.reshape(-1, 1)
    whole = independent.posterior(weighted, inputs, y, found)
    alone = independent.posteriors(MODEL, inputs, y, found)[1]
    acqf, grid = Component("qLogNoisyExpectedImprovement"), np.linspace(0, 1, 50)[:, None]
    values = [build(acqf, core, seed=3).values(grid) for core in (whole, alone)]
    np.testing.assert_allclose(values[0], values[1], atol=1e-2)
