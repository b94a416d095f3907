"""Parameter sections to parameters: types, bounds, scales, choices, and what is wrong with them."""

from __future__ import annotations

from typing import Any

import pytest

from fechner.strategies.config import Parameter, check
from fechner.strategies.errors import ConfigError, Problem


def configuration(keys: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {
        "common": {"parnames": ["p"], "outcome_types": ["binary"], "strategy_names": ["s"]},
        "p": keys,
        "s": {"generator": "SobolGenerator", "min_asks": 1},
    }


def read(**keys: Any) -> Parameter:
    return check(configuration(keys)).parameters[0]


def problems(**keys: Any) -> tuple[Problem, ...]:
    with pytest.raises(ConfigError) as caught:
        check(configuration(keys))
    return caught.value.problems


def test_every_type():
    """Each type of parameter with its own keys."""
    assert read(par_type="continuous", lower_bound=-1, upper_bound=2) == Parameter(
        "p", "continuous", -1.0, 2.0
    )
    assert read(par_type="integer", lower_bound=1, upper_bound=9, log_scale=True) == Parameter(
        "p", "integer", 1, 9, "log"
    )
    assert read(par_type="binary") == Parameter("p", "binary", 0, 1)
    assert read(par_type="categorical", choices=["a", "b, c", "3"]).choices == ("a", "b, c", "3")
    assert read(par_type="continuous", lower_bound=1, upper_bound=2, scale="log", unit="kHz").unit == "kHz"


@pytest.mark.parametrize(
    ("given", "value"),
    [(3, 3), (2.5, 2.5), ("3.0", 3.0), ("room A", "room A"), ('"a, b"', "a, b"), ("[1]", "[1]")],
)
def test_fixed_values(given: Any, value: Any):
    """A fixed value is a whole number, a number or a text, as written."""
    found = read(par_type="fixed", value=given).value
    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize(
    ("lower", "upper"),
    [
        (1, 1),
        (2, 1),
        (0, "inf"),
        ("-inf", 0),
        ("nan", 1),
        (0, "1e999"),
        (-1e308, 1e308),
        (1, 1 + 1e-15),
        (0, 1e-310),
        ("a", 1),
        (None, 1),
        ([0], 1),
        (True, 2),
    ],
)
@pytest.mark.parametrize("scale", ["linear", "log"])
def test_bounds_that_cannot_be(lower: Any, upper: Any, scale: str):
    """Bounds are finite numbers, the lower below the upper, with room between that arithmetic can hold."""
    for problem in problems(par_type="continuous", lower_bound=lower, upper_bound=upper, scale=scale):
        assert (problem.section, problem.key[6:]) == ("p", "bound")


def test_log_scales_that_cannot_be():
    """A log scale is refused where shifting leaves nothing of the range."""
    for lower, upper in [(-1e20, 1.0), (-1e10, 5.0)]:
        (problem,) = problems(par_type="continuous", lower_bound=lower, upper_bound=upper, log_scale=True)
        assert problem.detail == "is too low for a log scale"
    assert problems(par_type="integer", lower_bound=-(10**11), upper_bound=3, log_scale=True)


def test_whole_numbers():
    """An integer's bounds are whole, exact, and not too far apart for its levels to be told apart."""
    assert [p.key for p in problems(par_type="integer", lower_bound=0.5, upper_bound=1e30)] == [
        "lower_bound",
        "upper_bound",
    ]
    assert problems(par_type="integer", lower_bound=0, upper_bound=10**13)


@pytest.mark.parametrize(
    "choices", [[], ["a"], ["a", "a"], ["a", ""], "a, b", [["a"], "b"], None, list(range(2000))]
)
def test_choices_that_cannot_be(choices: Any):
    """Choices are two or more different texts."""
    (problem,) = problems(par_type="categorical", choices=choices)
    assert (problem.section, problem.key) == ("p", "choices")


@pytest.mark.parametrize(
    "keys",
    [
        {"par_type": "continuous", "lower_bound": 0, "upper_bound": 1, "scale": "dB"},
    ],
)
def test_what_comes_later(keys: dict[str, Any]):
    """Types and keys of a later version are errors that say so."""
    (problem,) = problems(**keys)
    assert problem.code == "not_supported"


def test_values_of_discrete_parameters():
    """Two or more different numbers, sorted; a warning where they were not."""
    assert read(par_type="discrete", values=[1, 2.5, 10]).choices == (1.0, 2.5, 10.0)
    spec = check(configuration({"par_type": "discrete", "values": [5, 1, 2]}))
    assert spec.parameters[0].choices == (1.0, 2.0, 5.0)
    assert [(w.key, w.code) for w in spec.warnings] == [("values", "doubtful")]


@pytest.mark.parametrize(
    "values", [[], [1], [1, 2, 1], ["a", 2], [1, "inf"], [-1e308, 1e308], [0, 1e-9, 1], None, [[1], 2]]
)
def test_values_that_cannot_be(values: Any):
    """One value, one twice or nearly so, no numbers, none finite: told at the key."""
    (problem,) = problems(par_type="discrete", values=values)
    assert (problem.section, problem.key) == ("p", "values")


@pytest.mark.parametrize("kind", ["continuous", "integer"])
def test_steps(kind: str):
    """A step is above 0, fits into the range, and is whole for whole numbers."""
    box = {"par_type": kind, "lower_bound": 0, "upper_bound": 10}
    assert read(step=2, **box).step == 2.0
    assert read(**box).step is None
    for step in (0, -1, 11, 1e-7, "wide", "inf"):
        (problem,) = problems(step=step, **box)
        assert (problem.section, problem.key) == ("p", "step")
    assert bool(kind == "integer") == _refused(step=0.5, **box)


def _refused(**keys: Any) -> bool:
    try:
        read(**keys)
    except ConfigError:
        return True
    return False


def test_contradictions_and_unknown_words():
    """Two scales that differ, an unknown scale, an unknown type."""
    box = {"lower_bound": 1, "upper_bound": 2}
    assert problems(par_type="continuous", log_scale=False, scale="log", **box)[0].key == "scale"
    assert problems(par_type="continuous", scale="logarithmic", **box)[0].code == "unknown_name"
    assert problems(par_type="continous", **box)[0].hint == "did you mean 'continuous'?"


def test_a_section_without_type_is_continuous():
    """par_type may be missing, with a warning."""
    spec = check(configuration({"lower_bound": 0, "upper_bound": 1}))
    assert spec.parameters[0].type == "continuous"
    assert [(w.section, w.key) for w in spec.warnings] == [("p", "par_type")]


def test_keys_out_of_place():
    """A key of another type, and a scaling that can't be switched off yet, are told as without effect."""
    spec = check(configuration({"par_type": "binary", "lower_bound": 0}))
    assert [(w.key, w.code) for w in spec.warnings] == [("lower_bound", "no_effect")]
    box = {"par_type": "continuous", "lower_bound": 0, "upper_bound": 1, "normalize_scale": False}
    spec = check(configuration(box))
    assert spec.parameters[0].normalize is False
    assert [w.code for w in spec.warnings] == ["no_effect"]


def test_older_bounds_must_fit():
    """lb and ub have one number per parameter."""
    config: dict[str, Any] = configuration({})
    del config["p"]
    config["common"] |= {"lb": [0, 1], "ub": ["x"]}
    with pytest.raises(ConfigError) as caught:
        check(config)
    assert {(p.section, p.key) for p in caught.value.problems} >= {("common", "lb"), ("common", "ub")}


@pytest.mark.parametrize(
    ("key", "lower", "shift"),
    [
        ("log_scale = True", -2, 3.0),
        ("log_scale = True", 0.5, 1.0),
        ("log_scale = True", 2, 0.0),
        ("scale = log", 0.5, 0.0),
        ("scale = log", 0, 1.0),
    ],
)
def test_shifts_of_log_scales(key: str, lower: float, shift: float):
    """log_scale shifts as AEPsych does; scale = log only where it has to, with a warning."""
    text = (
        "[common]\nparnames = [p]\noutcome_types = [binary]\nstrategy_names = [s]\n[s]\nmin_asks = 1\n"
        f"generator = SobolGenerator\n[p]\npar_type = continuous\n"
        f"lower_bound = {lower}\nupper_bound = 9\n{key}\n"
    )
    specification = check(text)
    assert specification.parameters[0].shift == shift
    assert bool(specification.warnings) == (key == "scale = log" and lower == 0)
