"""Queries: places, values, intervals, thresholds, and refusals that name the place."""

from typing import Any

import numpy as np
import pytest

from fechner.strategies.errors import FechnerError
from fechner.strategies.models import fit
from fechner.strategies.numerics.normal import ndtr
from fechner.strategies.queries.answers import answer
from fechner.strategies.space.parameters import space
from fechner.strategies.specification import Comparison, Component, Constraint, Parameter

MODEL = Component("GPClassificationModel")
SPACE = space(
    (
        Parameter("frequency", "continuous", 0.25, 8.0, "log"),
        Parameter("ear", "fixed", value="left"),
        Parameter("level", "continuous", -20.0, 120.0),
    )
)


def threshold(frequency: float) -> float:
    """The simulated listener's threshold in dB."""
    return 30.0 + 5.0 * float(np.log2(frequency))


@pytest.fixture(scope="module")
def session() -> dict[str, Any]:
    """A hundred and fifty trials of a listener and the fitted hyperparameters."""
    random = np.random.default_rng(0)
    configs = [
        {
            "frequency": float(0.25 * 32 ** random.random()),
            "ear": "left",
            "level": float(random.uniform(-20, 100)),
        }
        for _ in range(150)
    ]
    x = np.array([SPACE.encode(config) for config in configs])[:, None, :]
    p = [ndtr((c["level"] - threshold(c["frequency"])) / 8) for c in configs]
    y = (random.random(150) < np.array(p)).astype(float)
    return {"x": x, "y": y, "hyperparameters": fit(MODEL, x, y)}


def query(session: dict[str, Any], **request: Any) -> dict[str, Any]:
    return answer(
        MODEL,
        session["x"],
        session["y"],
        session["hyperparameters"],
        False,
        SPACE,
        {"space": "probability", **request},
        5,
    )


def test_places_keep_the_experiments_constraints(session: dict[str, Any]) -> None:
    """What [constraints] rules out is no maximum, minimum or inverse; nothing left is an error."""
    rule = Comparison((("level", 1.0), ("frequency", 5.0)), "<=", 40.0)
    limited = space(SPACE.parameters, (Constraint("c1", "level + 5*frequency <= 40", False, (rule,)),))

    def found(**request: Any) -> tuple[float, float]:
        data = session["x"], session["y"], session["hyperparameters"], False
        got = answer(MODEL, *data, limited, {"space": "probability", **request}, 5)
        ((frequency,), (level,)) = got["x"]["frequency"], got["x"]["level"]
        assert level + 5 * frequency <= 40 * (1 + 1e-6)
        return frequency, level

    frequency, level = found(query="max")
    free = query(session, query="max")
    assert free["x"]["level"][0] + 5 * free["x"]["frequency"][0] > 41
    assert level + 5 * frequency > 38  # at the edge of what is allowed
    found(query="min")
    found(query="inverse", y=0.5)
    found(query="max", constraints={"frequency": [4.0, 8.0]})
    with pytest.raises(FechnerError) as refused:
        found(query="max", constraints={"level": [60.0, 100.0]})
    assert (refused.value.code, refused.value.where) == ("bad_value", "message.constraints")


def test_prediction_at_many_points(session: dict[str, Any]) -> None:
    """Predictions come for all points, with fixed parameters, between their bounds, near the truth."""
    got = query(session, query="prediction", x={"frequency": [1.0, 1.0, 1.0], "level": [0.0, 30.0, 80.0]})
    assert got["x"]["ear"] == ["left"] * 3
    np.testing.assert_allclose(got["x"]["level"], [0.0, 30.0, 80.0], atol=1e-9)
    np.testing.assert_allclose(got["y"], [0.0, 0.5, 1.0], atol=0.2)
    assert all(low <= y <= high for low, y, high in zip(got["lower"], got["y"], got["upper"], strict=True))


def test_a_single_value_stands_for_all_points(session: dict[str, Any]) -> None:
    """A frequency given once goes with every level."""
    got = query(session, query="prediction", x={"frequency": 2.0, "level": [10.0, 40.0]})
    np.testing.assert_allclose(got["x"]["frequency"], [2.0, 2.0])


def test_latent_and_probability_agree(session: dict[str, Any]) -> None:
    """The ends of the probability interval are Phi of the latent ones."""
    x = {"frequency": [1.0], "level": [35.0]}
    p = query(session, query="prediction", x=x)
    f = query(session, query="prediction", x=x, space="latent")
    assert p["lower"][0] == pytest.approx(float(ndtr(f["lower"][0])), abs=1e-6)
    assert p["y"][0] == pytest.approx(float(ndtr(f["y"][0] / np.sqrt(1 + f["sd"][0] ** 2))), abs=0.02)


def test_maximum_and_minimum_respect_constraints(session: dict[str, Any]) -> None:
    """The maximum lies at high levels, the minimum at low ones, inside what the constraints leave."""
    top = query(session, query="max", constraints={"level": [0.0, 40.0]}, space="latent")
    assert top["x"]["level"][0] == pytest.approx(40.0, abs=1.0)
    assert len(top["y"]) == 1
    bottom = query(session, query="min", constraints={"frequency": 1.0})
    assert bottom["x"]["frequency"][0] == pytest.approx(1.0)
    assert bottom["y"][0] < 0.1
    assert bottom["y"][0] <= query(session, query="max")["y"][0]


def test_inverse_finds_the_value(session: dict[str, Any]) -> None:
    """The place whose predicted probability is nearest to .7, at one frequency."""
    got = query(session, query="inverse", y=0.7, constraints={"frequency": [2.0]})
    assert got["y"][0] == pytest.approx(0.7, abs=1e-3)
    assert got["x"]["frequency"][0] == pytest.approx(2.0)


def test_inverse_always_answers(session: dict[str, Any]) -> None:
    """Where the value is out of reach the nearest prediction is the answer."""
    got = query(session, query="inverse", y=0.999, constraints={"level": [-20.0, -10.0]})
    assert got["y"][0] < 0.5


def test_thresholds_follow_the_listener(session: dict[str, Any]) -> None:
    """Thresholds are near the truth at each frequency and the truth lies in the interval."""
    frequencies = [0.5, 1.0, 2.0, 4.0]
    got = query(session, query="threshold", parameter="level", y=0.5, x={"frequency": frequencies})
    truth = np.array([threshold(frequency) for frequency in frequencies])
    np.testing.assert_allclose(got["x"]["level"], truth, atol=8.0)
    assert got["x"]["frequency"] == frequencies
    assert got["y"] == got["x"]["level"]
    assert all(low < t < high for low, t, high in zip(got["lower"], truth, got["upper"], strict=True))
    assert all(0 < sd < 15 for sd in got["sd"])


def test_higher_levels_have_higher_thresholds_and_wider_intervals_hold_narrower_ones(
    session: dict[str, Any],
) -> None:
    """The 75 % point lies above the 50 % point; the 99 % interval holds the 80 % one."""
    common = {"query": "threshold", "parameter": "level", "x": {"frequency": [1.0]}}
    half, most = query(session, y=0.5, **common), query(session, y=0.75, **common)
    assert most["x"]["level"][0] > half["x"]["level"][0]
    wide, narrow = (
        query(session, y=0.5, interval=0.99, **common),
        query(session, y=0.5, interval=0.8, **common),
    )
    assert wide["lower"][0] < narrow["lower"][0] < narrow["upper"][0] < wide["upper"][0]


def test_no_crossing_is_null(session: dict[str, Any]) -> None:
    """Where the curve never gets there the estimate is null, and so is the side without crossing."""
    got = query(
        session,
        query="threshold",
        parameter="level",
        y=0.5,
        x={"frequency": [1.0]},
        constraints={"level": [-20.0, -5.0]},
    )
    assert got["x"]["level"] == [None]
    assert got["upper"] == [None]


def test_one_dimension_needs_no_names() -> None:
    """In one dimension the threshold needs neither parameter nor x; falling curves work as rising ones do."""
    line = space((Parameter("contrast", "continuous", 0.0, 1.0),))
    random = np.random.default_rng(1)
    x = random.random((80, 1, 1))
    for sign in (1.0, -1.0):
        y = (random.random(80) < ndtr(sign * 8 * (x[:, 0, 0] - 0.6))).astype(float)
        got = answer(
            MODEL, x, y, None, True, line, {"query": "threshold", "space": "probability", "y": 0.5}, 2
        )
        assert got["x"]["contrast"][0] == pytest.approx(0.6, abs=0.12)
        assert got["lower"][0] < got["x"]["contrast"][0] < got["upper"][0]


def test_continuous_outcomes_have_thresholds_in_their_own_units() -> None:
    """For a continuous outcome the threshold is where the mean crosses y."""
    line = space((Parameter("dose", "continuous", 0.0, 10.0),))
    x = np.linspace(0, 1, 30)[:, None, None]
    y = 100.0 * x[:, 0, 0] + np.random.default_rng(0).standard_normal(30)
    model = Component("GPRegressionModel")
    request = {"query": "threshold", "space": "outcome", "y": 40.0}
    got = answer(model, x, y, None, True, line, request, 2)
    assert got["x"]["dose"][0] == pytest.approx(4.0, abs=0.15)


def test_answers_repeat(session: dict[str, Any]) -> None:
    """Equal arguments give equal answers."""
    request = {"query": "threshold", "parameter": "level", "y": 0.5, "x": {"frequency": [3.0]}}
    assert query(session, **request) == query(session, **request)


@pytest.mark.parametrize(
    ("request_", "code", "where"),
    [
        ({"query": "prediction"}, "bad_value", "message.x"),
        ({"query": "prediction", "x": {"frequency": [1.0]}}, "unknown_parameter", "message.x"),
        (
            {"query": "prediction", "x": {"frequncy": [1.0], "level": [1.0]}},
            "unknown_parameter",
            "message.x.frequncy",
        ),
        (
            {"query": "prediction", "x": {"frequency": [1.0, 2.0], "level": [1.0, 2.0, 3.0]}},
            "bad_value",
            "message.x.frequency",
        ),
        ({"query": "inverse"}, "bad_value", "message.y"),
        (
            {"query": "max", "constraints": {"loudness": 1}},
            "unknown_parameter",
            "message.constraints.loudness",
        ),
        ({"query": "max", "constraints": {"level": 1000}}, "out_of_bounds", "message.constraints.level"),
        ({"query": "max", "constraints": {"level": [50, 10]}}, "bad_value", "message.constraints.level"),
        ({"query": "threshold", "y": 0.5}, "bad_value", "message.parameter"),
        ({"query": "threshold", "y": 0.5, "parameter": "ear"}, "unknown_parameter", "message.parameter"),
        ({"query": "threshold", "y": 0.5, "parameter": "level"}, "bad_value", "message.x"),
        (
            {"query": "threshold", "y": 1.5, "parameter": "level", "x": {"frequency": [1]}},
            "out_of_bounds",
            "message.y",
        ),
        ({"query": "max", "interval": 2.0}, "bad_value", "message.interval"),
        ({"query": "max", "space": "somewhere"}, "bad_value", "message.space"),
        ({"query": "median"}, "bad_value", "message.query"),
    ],
)
def test_faults_name_their_place(
    session: dict[str, Any], request_: dict[str, Any], code: str, where: str
) -> None:
    """A faulty request is refused with the code and the place."""
    with pytest.raises(FechnerError) as caught:
        query(session, **request_)
    assert (caught.value.code, caught.value.where) == (code, where)
