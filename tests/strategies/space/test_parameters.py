"""The search space: raw values to the unit cube and back, and what a client is told about wrong values."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fechner.strategies.errors import FechnerError
from fechner.strategies.space.parameters import Space, space
from fechner.strategies.specification import Parameter

SPACE = space(
    [
        Parameter("level", "continuous", -20.0, 120.0, unit="dB"),
        Parameter("frequency", "continuous", 0.25, 8.0, "log", shift=1.0),
        Parameter("rig", "fixed", value=3),
        Parameter("count", "integer", 2, 9),
        Parameter("side", "categorical", choices=("left", "right", "both")),
        Parameter("mask", "binary", 0, 1),
        Parameter("gap", "discrete", choices=(1.0, 2.0, 5.0)),
        Parameter("room", "fixed", value="A"),
    ]
)
CONFIG: dict[str, Any] = {
    "level": 40.0,
    "frequency": 1.0,
    "rig": 3,
    "count": 4,
    "side": "right",
    "mask": 1,
    "gap": 2.0,
    "room": "A",
}

STEPPED = space(
    [
        Parameter("level", "continuous", -0.3, 1.0, step=0.1),
        Parameter("tone", "continuous", 1.0, 100.0, "log", step=7.0),
        Parameter("count", "integer", 1, 9, step=3.0),
        Parameter("gap", "discrete", choices=(1.0, 2.0, 5.0)),
    ]
)

NUMBERS = st.floats(min_value=-1e6, max_value=1e6, allow_subnormal=False)


@st.composite
def one_parameter(draw: st.DrawFn) -> Parameter:
    kind = draw(st.sampled_from(["continuous", "integer"]))
    scale = draw(st.sampled_from(["linear", "log"]))
    if kind == "integer":
        lower = draw(st.integers(-(10**6), 10**6))
        upper = lower + draw(st.integers(1, 10**6))
        return Parameter("p", kind, lower, upper, scale, shift=shift_of(draw, scale, lower))
    lower_bound, span = draw(NUMBERS), draw(st.floats(min_value=1, max_value=1e6))
    shift = shift_of(draw, scale, lower_bound)
    return Parameter("p", kind, lower_bound, lower_bound + span, scale, shift=shift)


def shift_of(draw: st.DrawFn, scale: str, lower: float) -> float:
    """A shift that a configuration can give: AEPsych's, or none where the bound is positive."""
    if scale == "linear":
        return 0.0
    if lower >= 0.01 and draw(st.booleans()):
        return 0.0
    return abs(lower) + 1 if lower < 0 else 1.0 if lower < 1 else 0.0


def failure(config: Any, stimuli: int = 1, of: Space = SPACE) -> FechnerError:
    with pytest.raises(FechnerError) as caught:
        of.validate(config, stimuli)
    return caught.value


def test_names_and_dimensions():
    """Fixed parameters have a name and no axis; levels are counted per axis."""
    assert SPACE.names == ("level", "frequency", "rig", "count", "side", "mask", "gap", "room")
    assert (SPACE.free, SPACE.d) == ((0, 1, 3, 4, 5, 6), 6)
    assert SPACE.n_levels == (None, None, 8, 3, 2, 3)


def test_a_known_point():
    """Linear and log10 (shifted where the bound is below 1) to [0, 1]; levels to the middle of their part."""
    unit = SPACE.encode(CONFIG)
    expected = [60 / 140, (math.log10(2) - math.log10(1.25)) / (math.log10(9) - math.log10(1.25))]
    np.testing.assert_allclose(unit, [*expected, 2.5 / 8, 0.5, 0.75, 0.5], rtol=1e-14)
    assert SPACE.decode(unit) == pytest.approx(CONFIG)


@pytest.mark.parametrize(("lower", "shift"), [(-2.0, 3.0), (0.0, 1.0), (0.5, 1.0), (0.5, 0.0), (20.0, 0.0)])
def test_shift_of_the_log_scale(lower: float, shift: float):
    """The middle of a log axis is the geometric mean of the shifted bounds."""
    one = space([Parameter("p", "continuous", lower, lower + 100, "log", shift=shift)])
    middle = math.sqrt((lower + shift) * (lower + 100 + shift)) - shift
    assert one.decode([0.5])["p"] == pytest.approx(middle, rel=1e-12)


@given(one_parameter(), st.floats(min_value=0, max_value=1))
@settings(max_examples=300, deadline=None, derandomize=True)
def test_unit_to_raw_and_back(parameter: Parameter, unit: float):
    """Decoded values lie in the box, and encoding and decoding them again gives them back."""
    one = space([parameter])
    raw = one.decode([unit])["p"]
    assert parameter.lower is not None
    assert parameter.upper is not None
    assert parameter.lower <= raw <= parameter.upper
    again = one.decode(one.encode({"p": raw}))["p"]
    if parameter.type == "integer":
        assert type(raw) is int
        assert again == raw
    else:
        assert abs(again - raw) <= 1e-12 * max(abs(parameter.lower), abs(parameter.upper), 1.0)
        assert one.encode({"p": raw})[0] == pytest.approx(unit, abs=1e-9)
    assert one.close({"p": raw}, {"p": again})
    assert one.validate({"p": raw}) == {"p": raw}


@given(st.integers(0, 1), one_parameter())
@settings(max_examples=100, deadline=None, derandomize=True)
def test_the_corners_are_the_bounds(corner: int, parameter: Parameter):
    """The ends of the unit interval are the bounds themselves, to the bit."""
    assert space([parameter]).decode([float(corner)])["p"] == (parameter.upper if corner else parameter.lower)


@given(st.lists(st.floats(min_value=0, max_value=1), min_size=6, max_size=6))
@settings(max_examples=100, deadline=None, derandomize=True)
def test_every_kind_round_trips(unit: list[float]):
    """All kinds of parameters together, fixed ones included, are clean values of their own type."""
    config = SPACE.decode(unit)
    assert list(config) == list(SPACE.names)
    assert SPACE.validate(config) == config
    assert SPACE.close(config, SPACE.decode(SPACE.encode(config)), 1e-12)
    assert {name: type(value) for name, value in config.items()} == {
        name: type(value) for name, value in CONFIG.items()
    }


def test_levels_share_the_interval_equally():
    """Each level owns an equal part of the unit interval."""
    counts = space([Parameter("p", "integer", -1, 2)])
    assert [counts.decode([u])["p"] for u in (0.0, 0.249, 0.251, 0.51, 0.76, 1.0)] == [-1, -1, 0, 1, 2, 2]


def test_two_stimuli():
    """A trial of two stimuli has a list per parameter; fixed ones stay as they are, given once or twice."""
    pair = {name: value if name in ("rig", "room") else [value, value] for name, value in CONFIG.items()}
    pair["level"] = [40.0, 60.0]
    unit = SPACE.encode_trial(pair, 2)
    assert unit.shape == (2, 6)
    assert SPACE.decode_trial(unit) == pair | {"frequency": pytest.approx([1.0, 1.0])}
    assert SPACE.validate({**pair, "rig": [3, 3]}, 2) == pair
    error = failure({**pair, "level": 40.0}, 2)
    assert (error.code, error.where) == ("bad_value", "message.config.level")


def test_one_value_or_a_list_of_one():
    """A value may come as it is or in a list of one, and a fixed one may be left out."""
    clean = SPACE.validate({**{name: [value] for name, value in CONFIG.items()}, "count": 4.0})
    assert clean == CONFIG
    assert type(clean["count"]) is int
    assert SPACE.validate({name: value for name, value in CONFIG.items() if name != "rig"}) == CONFIG
    assert SPACE.validate({**CONFIG, "level": np.float32(40)})["level"] == 40.0


def test_unknown_and_missing_names():
    """The detail lists unknown and missing names; the place and the hint point at the misspelt one."""
    config = {name: value for name, value in CONFIG.items() if name not in ("frequency", "level")}
    error = failure({**config, "frequncy": 1.0})
    assert error.code == "unknown_parameter"
    assert error.where == "message.config.frequncy"
    assert error.hint == "did you mean 'frequency'?"
    assert "unknown: 'frequncy'; missing: 'level', 'frequency'" in error.detail
    assert failure(config).where == "message.config"
    assert failure([1, 2]).code == "bad_value"


@pytest.mark.parametrize(
    ("name", "value", "code"),
    [
        ("level", 121, "out_of_bounds"),
        ("level", -20.001, "out_of_bounds"),
        ("frequency", -5, "out_of_bounds"),
        ("count", 10, "out_of_bounds"),
        ("count", 2.5, "bad_value"),
        ("level", True, "bad_value"),
        ("level", "40", "bad_value"),
        ("level", math.nan, "bad_value"),
        ("level", math.inf, "bad_value"),
        ("level", 10**400, "bad_value"),
        ("level", None, "bad_value"),
        ("level", [1, 2], "bad_value"),
        ("level", [], "bad_value"),
        ("level", [[1]], "bad_value"),
        ("level", {"a": 1}, "bad_value"),
        ("mask", 2, "out_of_bounds"),
        ("mask", True, "bad_value"),
        ("side", "Left", "bad_value"),
        ("side", 0, "bad_value"),
        ("gap", 3.0, "bad_value"),
        ("rig", 4, "bad_value"),
        ("room", "B", "bad_value"),
    ],
)
def test_wrong_values(name: str, value: Any, code: str):
    """A wrong value is told with its code and its place."""
    error = failure({**CONFIG, name: value})
    assert (error.code, error.where) == (code, f"message.config.{name}")
    assert name in error.detail


def test_a_hair_outside_is_clamped():
    """Within 1e-6 of the range a value is moved to the bound."""
    assert SPACE.validate({**CONFIG, "level": 120.0001})["level"] == 120.0
    assert SPACE.validate({**CONFIG, "frequency": 0.2499999})["frequency"] == 0.25


def test_fixed_subset():
    """Some of the parameters may be given alone, as an ask's fixed values are."""
    assert SPACE.validate_fixed({"count": [3], "level": 1}) == {"level": 1.0, "count": 3}
    with pytest.raises(FechnerError) as caught:
        SPACE.validate_fixed({"levle": 1})
    assert (caught.value.code, caught.value.where) == ("unknown_parameter", "message.fixed.levle")


def test_close():
    """Configurations are the same within 1e-6 of each range, and different beyond, in number or kind."""
    assert SPACE.close(CONFIG, {**CONFIG, "level": 40.0001})
    assert not SPACE.close(CONFIG, {**CONFIG, "level": 40.001})
    assert not SPACE.close(CONFIG, {**CONFIG, "side": "left"})
    assert not SPACE.close(CONFIG, {"level": 40.0})
    assert not SPACE.close(CONFIG, {**CONFIG, "level": [40.0, 40.0]})


def test_what_a_client_is_told():
    """`describe` has only the keys that apply; `bounds` has two numbers per parameter."""
    told = SPACE.describe()
    assert told["level"] == {
        "type": "continuous",
        "lower": -20.0,
        "upper": 120.0,
        "scale": "linear",
        "unit": "dB",
    }
    assert told["side"] == {"type": "categorical", "choices": ["left", "right", "both"]}
    assert told["rig"] == {"type": "fixed", "value": 3}
    assert SPACE.bounds() == {
        "level": [-20.0, 120.0],
        "frequency": [0.25, 8.0],
        "rig": [3, 3],
        "count": [2, 9],
        "side": [0, 2],
        "mask": [0, 1],
        "gap": [1.0, 5.0],
        "room": ["A", "A"],
    }


def test_a_space_of_fixed_parameters_only():
    """No axis at all is a space too."""
    fixed = space([Parameter("p", "fixed", value=1.5)])
    assert (fixed.d, fixed.decode([]), fixed.encode({"p": 1.5}).shape) == (0, {"p": 1.5}, (0,))
    assert fixed.decode_trial(np.zeros((2, 0))) == {"p": 1.5}
    assert fixed.validate({}) == {"p": 1.5}


@given(st.lists(st.floats(0.0, 1.0), min_size=4, max_size=4))
def test_asks_are_multiples_of_the_step(unit: list[float]):
    """From the lower bound on, inside the range, written as people write them, and found again."""
    row = STEPPED.displayed(np.array([unit]))
    shown = STEPPED.decode(row[0])
    assert shown["level"] in [round(-0.3 + 0.1 * k, 10) for k in range(14)]
    assert shown["tone"] in [1.0 + 7.0 * k for k in range(15)]
    assert shown["count"] in (1, 4, 7)
    assert type(shown["count"]) is int
    assert shown["gap"] in (1.0, 2.0, 5.0)
    assert np.array_equal(STEPPED.displayed(row), row)
    for place, grid in enumerate(map(STEPPED.levels, range(4))):
        assert row[0, place] in grid
    assert STEPPED.n_levels == (14, 15, 3, 3)


def test_told_and_given_values_need_no_step():
    """Tells may be any value in the box, and a coordinate that was given stays."""
    clean = STEPPED.validate({"level": 0.123, "tone": 50.5, "count": 2, "gap": 5})
    unit = STEPPED.encode(clean)
    assert STEPPED.decode(unit)["level"] == pytest.approx(0.123)
    shown = STEPPED.decode(STEPPED.displayed(unit[None], given=[0])[0])
    assert shown["level"] == pytest.approx(0.123)
    assert shown["tone"] == 50.0
    assert STEPPED.describe()["level"]["step"] == 0.1


def test_errors_tell_near_numbers_apart():
    """All the digits that matter: a range and a value that differ in the ninth digit are shown so."""
    narrow = space((Parameter("p", "continuous", lower=0.5, upper=0.500000001),))
    with pytest.raises(FechnerError) as caught:
        narrow.validate({"p": 0.500000002})
    assert caught.value.detail == "0.500000002 is outside the range of 'p'"
    assert caught.value.hint == "'p' runs from 0.5 to 0.500000001"
    fixed = space((Parameter("p", "fixed", value=12345678.0), Parameter("q", "integer", lower=0, upper=1e7)))
    with pytest.raises(FechnerError, match="fixed at 12345678, not 12345999"):
        fixed.validate({"p": 12345999, "q": 1})
    with pytest.raises(FechnerError, match=r"not 1234567\.25"):
        fixed.validate({"p": 12345678, "q": 1234567.25})
