"""The acquisition generator: points, repeatability, pending and fixed ones, budgets."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from fechner.strategies.generators import searching
from fechner.strategies.generators.acquisition import generate
from fechner.strategies.generators.request import Generated, Request
from fechner.strategies.numerics.normal import ndtr
from fechner.strategies.numerics.sobol import sobol
from fechner.strategies.queries.answers import answer
from fechner.strategies.simulation import FREQUENCIES_KHZ, THRESHOLDS_DB, audiogram
from fechner.strategies.space.parameters import space
from fechner.strategies.specification import Component, Parameter

MODEL = Component("GPClassificationModel")
EAVC = Component("EAVC", {"target": 0.5, "query_set_size": 128})
STRADDLE = Component("MCLevelSetEstimation", {"target": 0.5, "objective": Component("ProbitObjective")})
SPACE = space(Parameter(name, "continuous", 0.0, 1.0) for name in "ab")
NOBODY = np.zeros((0, 1, 2))


def data(n: int = 30) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(0)
    x = random.uniform(size=(n, 1, 2))
    return x, (random.uniform(size=n) < ndtr(10 * (x[:, 0, 1] - 0.5))).astype(float)


def ask(acqf: Component = EAVC, **options: Any) -> Generated:
    keys = {"acqf": acqf, "samps": 128, "restarts": 2, **options.pop("keys", {})}
    x, y = options.pop("data", data())
    given: dict[str, Any] = {"n": 1, "fixed": {}, "seed": 11, "pending": NOBODY, "space": SPACE}
    request = Request(first=0, stimuli=1, x=x, y=y[:, None], **(given | options))
    return generate(Component("OptimizeAcqfGenerator", keys), MODEL, request)


@pytest.mark.parametrize("acqf", [EAVC, STRADDLE], ids=lambda c: c.name)
def test_points_lie_near_the_level_set(acqf: Component) -> None:
    """The next point is near the place where the probability is one half."""
    got = ask(acqf)
    assert got.points.shape == (1, 1, 2)
    assert abs(got.points[0, 0, 1] - 0.5) < 0.2
    assert got.tier == "model"
    assert 0 < got.post_mean[0] < 1
    assert got.post_range is None


def test_the_same_arguments_give_the_same_bits() -> None:
    """Two calls agree exactly, and another seed gives another scan."""
    one, other = ask(), ask()
    assert np.array_equal(one.points, other.points)
    assert replace(one, points=NOBODY) == replace(other, points=NOBODY)


def test_several_points_spread_out() -> None:
    """Three points of one ask are not all at one place, and the first equals the single one's."""
    points = ask(n=3).points[:, 0, :]
    assert np.array_equal(points[0], ask().points[0, 0])
    gaps = [np.linalg.norm(points[i] - points[j]) for i in range(3) for j in range(i)]
    assert min(gaps) > 0
    assert max(gaps) > 0.1


def test_pending_points_are_avoided() -> None:
    """A point handed out and not told moves the next one away from it."""
    first = ask().points
    assert np.linalg.norm(ask(pending=first).points - first) > 0.02


def test_fixed_dimensions_are_kept() -> None:
    """Fixed dimensions have exactly their value."""
    assert np.all(ask(fixed={0: 0.25}, n=2).points[:, 0, 0] == 0.25)


def test_without_refit_the_hyperparameters_stay() -> None:
    """Between refits the given hyperparameters are used as they are."""
    fitted = ask().hyperparameters
    x, y = data(40)
    got = ask(data=(x, y), start=fitted, refit=False)
    assert got.hyperparameters == fitted


def test_posterior_range_on_request() -> None:
    """The range of the predicted probability and the largest variance come on request."""
    got = ask(post_range=True)
    assert 0.5 < got.post_range <= 1
    assert 0 < got.max_post_var <= 0.25


def test_without_data_the_prior_asks() -> None:
    """Before any outcome is told the generator still gives a point in the box."""
    point = ask(data=(NOBODY, np.zeros(0))).points
    assert np.all((point >= 0) & (point <= 1))


def test_time_limits_become_evaluations() -> None:
    """max_gen_time and a budget bound the work at a nominal rate: fewer polls, same point on every run."""

    def polls(**options: Any) -> int:
        calls: list[int] = []
        ask(poll=lambda: calls.append(1), start=hyperparameters, refit=False, **options)
        return len(calls)

    hyperparameters = ask().hyperparameters
    free = polls()
    assert polls(keys={"max_gen_time": 0.002}) < free
    assert polls(budget=0.002) < free


def test_cancelled_by_poll() -> None:
    """An exception from poll ends the computation."""
    calls: list[int] = []

    def poll() -> None:
        calls.append(1)
        if len(calls) > 60:
            raise InterruptedError

    with pytest.raises(InterruptedError):
        ask(poll=poll)


def test_sixty_trials_find_an_audiogram() -> None:
    """Twelve Sobol and 48 adaptive trials give a listener's thresholds within 5 dB on average."""
    listener = audiogram(in_khz=True)
    axes = space(
        (
            Parameter("frequency", "continuous", 0.25, 8.0, "log"),
            Parameter("level", "continuous", -20.0, 120.0),
        )
    )
    random = np.random.default_rng(4)
    points = list(sobol(4, 2, 0, 12))
    outcomes = [listener.sample(axes.decode(point), random) for point in points]
    found = None
    while len(points) < 60:
        x, y = np.array(points)[:, None, :], np.array(outcomes, dtype=float)
        got = ask(STRADDLE, data=(x, y), start=found, seed=len(points))
        found = got.hyperparameters
        points.append(got.points[0, 0])
        outcomes.append(listener.sample(axes.decode(points[-1]), random))
    x, y = np.array(points)[:, None, :], np.array(outcomes, dtype=float)
    request = {
        "query": "threshold",
        "parameter": "level",
        "y": 0.5,
        "x": {"frequency": list(FREQUENCIES_KHZ)},
    }
    got = answer(MODEL, x, y, found, True, axes, request, 1)
    errors = np.abs(np.array(got["x"]["level"]) - THRESHOLDS_DB["metabolic+sensory"])
    assert errors.mean() < 5.0


MIXED = space(
    [
        Parameter("k", "integer", 1, 4),
        Parameter("side", "categorical", choices=("left", "right", "both")),
    ]
)
FINE = space([Parameter("k", "integer", 0, 900), Parameter("side", "binary", 0, 1)])


@pytest.mark.parametrize("of", [MIXED, FINE], ids=["few", "many"])
@pytest.mark.parametrize("acqf", [EAVC, STRADDLE], ids=lambda c: c.name)
def test_an_ask_is_the_best_combination(acqf: Component, of: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where there are only levels, no other combination has a greater acquisition value."""
    seen = []
    real = searching.build

    def build(*args: Any, **options: Any) -> Any:
        seen.append(real(*args, **options))
        return seen[-1]

    monkeypatch.setattr(searching, "build", build)
    everything = np.array([[a, b] for a in of.levels(0) for b in of.levels(1)])
    random = np.random.default_rng(4)
    x = everything[random.integers(0, len(everything), 20)][:, None]
    got = ask(acqf, space=of, data=(x, (x[:, 0, 0] > 0.5).astype(float)))
    assert any(np.array_equal(got.points[0, 0], one) for one in everything)
    assert seen[-1].values(got.points[0])[0] == pytest.approx(seen[-1].values(everything).max())
