"""[constraints]: what a text means, and what is told of one that can't be."""

from __future__ import annotations

from typing import Any

import pytest

from fechner.strategies.config import check
from fechner.strategies.config.describing.describe import describe
from fechner.strategies.errors import ConfigError, Problem
from fechner.strategies.specification import Comparison, Constraint

PARAMETERS: dict[str, dict[str, Any]] = {
    "a": {"par_type": "continuous", "lower_bound": 0, "upper_bound": 1},
    "sound level": {"par_type": "continuous", "lower_bound": 0, "upper_bound": 100},
    "k": {"par_type": "integer", "lower_bound": 1, "upper_bound": 5},
    "ear": {"par_type": "categorical", "choices": ["left", "right", "both ears"]},
    "rig": {"par_type": "fixed", "value": 3},
}


def configuration(**constraints: str) -> dict[str, dict[str, Any]]:
    return {
        "common": {"parnames": list(PARAMETERS), "outcome_types": "binary", "strategy_names": "s"},
        **PARAMETERS,
        "constraints": constraints,
        "s": {"generator": "SobolGenerator", "min_asks": 1},
    }


def read(text: str, key: str = "c1") -> Constraint:
    (found,) = check(configuration(**{key: text})).constraints
    return found


def problem(**constraints: str) -> Problem:
    with pytest.raises(ConfigError) as caught:
        check(configuration(**constraints))
    (found,) = caught.value.problems
    return found


@pytest.mark.parametrize(
    ("text", "comparisons"),
    [
        ("a <= 0.5", [((("a", 1.0),), "<=", 0.5)]),
        ("a + 2*k <= 3", [((("a", 1.0), ("k", 2.0)), "<=", 3.0)]),
        ("3 >= 2 * a * 2 - k/4 + 1e-1", [((("a", -4.0), ("k", 0.25)), ">=", -2.9)]),
        ("sound level>10 and a<.5", [((("sound level", 1.0),), ">", 10.0), ((("a", 1.0),), "<", 0.5)]),
        ("2 <= a + k", [((("a", -1.0), ("k", -1.0)), "<=", -2.0)]),
        ("2 <= k < 4", [((("k", -1.0),), "<=", -2.0), ((("k", 1.0),), "<", 4.0)]),
        ("k = 2", [((("k", 1.0),), "==", 2.0)]),
        ("ear == left", [((("ear", 1.0),), "==", "left")]),
        ("'both ears' != ear AND -k<-2", [((("ear", 1.0),), "!=", "both ears"), ((("k", -1.0),), "<", -2.0)]),
        ("a < 2 - rig/2", [((("a", 1.0),), "<", 0.5)]),
    ],
)  # fmt: skip
def test_texts(text: str, comparisons: list[Any]) -> None:
    """Sums, products with numbers, chains, choices, and names of several words."""
    found = read(text).comparisons
    assert [one.sign for one in found] == [sign for _, sign, _ in comparisons]
    for one, (terms, _, bound) in zip(found, comparisons, strict=True):
        assert one.terms == terms
        assert one.bound == (pytest.approx(bound) if isinstance(bound, float) else bound)


def test_forbidden_regions_are_told_by_their_name() -> None:
    """Keys that begin with forbidden are regions; describe says both in words."""
    spec = check(configuration(c1="a <= 0.5", forbidden="k > 3 and a > 0.2", forbidden_2="k < 2"))
    assert [one.forbidden for one in spec.constraints] == [False, True, True]
    assert spec.constraints[0] == Constraint("c1", "a <= 0.5", False, (Comparison((("a", 1.0),), "<=", 0.5),))
    words = describe(spec)
    assert "c1: asks only where a <= 0.5" in words
    assert "forbidden_2: no ask where k < 2" in words


@pytest.mark.parametrize(
    ("text", "detail"),
    [
        ("", "at character 1 it ends, where a parameter or a number is needed"),
        ("a <=", "at character 5 it ends"),
        ("a + k", "where a comparison (<=, >=, <, >, ==, !=) is needed"),
        ("a <= 1 or k < 2", "at character 8 stands 'or'"),
        ("a <= 1 and", "it ends"),
        ("a * k <= 1", "has a product of parameters at character 5"),
        ("1 / a <= 1", "has a division by a parameter at character 5"),
        ("a / 0 <= 1", "divides by 0"),
        ("b <= 1", "there is no parameter 'b'"),
        ("aa <= 1", "there is no parameter 'aa'"),
        ("__import__('os').system('x') <= 1", "unreadable at character 11"),
        ("a ** 2 <= 1", "at character 4 stands '*'"),
        ("a <= 1e999", "too large"),
        ("a == 0.5", "'==' is not for continuous parameters"),
        ("ear <= left", "'ear' is categorical"),
        ("ear == middle", "'middle' is not a value of 'ear'"),
        ("ear + a <= 1", "stands alone"),
        ("rig <= 3", "compares no parameter that varies"),
        ("a - a <= 3", "compares no parameter that varies"),
        ("a <= 1; k", "unreadable at character 7"),
        ("a < " + "1 + " * 400 + "1", "more than 1000 characters"),
    ],
)
def test_texts_that_can_not_be(text: str, detail: str) -> None:
    """Each is one problem at its key that says what is wrong, and where in the text."""
    found = problem(limit=text)
    assert (found.section, found.key) == ("constraints", "limit")
    assert detail in found.detail
    assert found.hint


def test_regions_that_leave_nothing() -> None:
    """Alone, at the key; together, at the section."""
    assert problem(c1="a > 0.2", forbidden="k >= 1").key == "forbidden"
    together = problem(c1="a > 0.6", c2="a + 0*k < 0.5")
    assert (together.section, together.key) == ("constraints", "")
    assert "together" in together.detail


def test_points_of_a_list() -> None:
    """A listed point that is ruled out is told by its number and the constraint's name."""
    config = configuration(limit="a <= 0.5")
    config["s"]["generator"] = "ManualGenerator"
    config["ManualGenerator"] = {"points": [[0.5, 1, 1, "left"], [0.6, 1, 1, "left"]]}
    with pytest.raises(ConfigError) as caught:
        check(config)
    (found,) = caught.value.problems
    assert (found.section, found.key) == ("ManualGenerator", "points")
    assert "point 2 breaks 'limit'" in found.detail


def test_constraints_are_read_beside_a_parameter_that_can_not_be() -> None:
    """Those that speak of it are not judged; what is wrong with another is told at once."""
    config = configuration(mine="a + <= 1", wrong="q + k <= 1", right="k <= 1", eq="a == 1")
    config["a"]["upper_bound"] = "high"
    with pytest.raises(ConfigError) as caught:
        check(config)
    assert [
        (found.section, found.key) for found in caught.value.problems if found.section == "constraints"
    ] == [("constraints", "wrong")]
