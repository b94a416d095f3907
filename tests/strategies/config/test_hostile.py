"""What strangers send: no configuration at all, texts made to be slow, values made to break arithmetic."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest

from fechner.strategies.config import check
from fechner.strategies.errors import ConfigError, Problem

SOUND = """
[common]
parnames = [x]
outcome_types = [binary]
strategy_names = [only]
[x]
par_type = continuous
lower_bound = 0
upper_bound = 1
[only]
min_asks = 3
"""


def failure(config: Any, **options: Any) -> ConfigError:
    with pytest.raises(ConfigError) as caught:
        check(config, **options)
    return caught.value


def places(problems: tuple[Problem, ...]) -> set[tuple[str, str]]:
    return {(problem.section, problem.key) for problem in problems}


@pytest.mark.parametrize(
    "config", ["", " \n", None, 3, [], b"x", {}, {"common": 3}, {3: {}}, {"common": {3: 4}}]
)
def test_what_is_no_configuration(config: Any):
    """Whatever is given instead of a configuration gives a ConfigError."""
    assert failure(config).problems


@pytest.mark.parametrize(
    "text",
    [
        SOUND + "[metadata]\nx = \ud800\n",
        SOUND + "[metadata]\nx = \0\n",
        SOUND + "# " + "x" * (1 << 20),
    ],
    ids=["surrogate", "nul", "too long"],
)
def test_texts_that_cannot_be_kept(text: str):
    """A text that can't be recorded or sent is refused before anything is read."""
    assert len(failure(text).problems) == 1


@pytest.mark.parametrize("length", [256, 257])
def test_names_are_no_longer_than_a_message_may_have_them(length: int):
    """A configuration comes back by get_config, and may be sent again as it came."""
    section, key = "s" * length, "k" * length
    as_text = failure(SOUND + f"[{section}]\n{key} = 1\n[only]\n")
    as_mapping = failure({"common": {"parnames": "[x]", key: 1}, section: {key: 1}})
    for found, names in ((as_text, 2), (as_mapping, 3)):
        told = [str(problem) for problem in found.problems if problem.code == "too_large"]
        assert len(told) == (names if length > 256 else 0)
        assert all("has more than 256 characters" in one and len(one) < 400 for one in told)


def test_hostile_values_in_a_mapping():
    """Huge integers, deep lists, cycles and objects are problems like any other."""
    cycle: list[Any] = []
    cycle.append(cycle)
    for value in (10**5000, float("nan"), float("inf"), -(10**400), cycle, object(), {"a": 1}, [[{}]], b"x"):
        error = failure({"common": {"parnames": ["x"], "seed": value}, "x": {"lower_bound": value}})
        assert ("common", "seed") in places(error.problems)


@pytest.mark.parametrize(
    "text",
    [
        "\n".join(f"k{i} = 1" for i in range(50_000)),
        "[common]\n" + "\n".join(f"[s{i}]\nminasks = {i}" for i in range(40_000)),
        "[common]\nparnames = [" + ",".join(f"p{i}" for i in range(100_000)) + "]",
        "[common]\nparnames = " + "[" * 500_000,
        "[common]\nparnames = [" + '"' * 500_000,
        "[common]\n" + "\n".join(f"k{i} = {f'${{k{i + 1}}}' * 20}" for i in range(150)) + "\nk150 = x",
        "[common]\n" + "\n".join(f"k{i} = {f'${{k{i - 1}}}' * 20}" for i in range(1, 150)) + "\nk0 = x",
        "[common]\nseed = " + "9" * 900_000,
        "[common]\n"
        + "\n".join(f"[stage{i}]\n" + "\n".join(f"mintells{j}=1" for j in range(90)) for i in range(490)),
        "[common]\nx = a\n" + "  b\n" * 200_000,
        "[common]\nx = " + " #" * 400_000,
        "[common]\nx = " + "${" * 400_000,
        "[common" + "]" * 500_000,
    ],
    ids=lambda text: text[:12].strip(),
)
def test_large_hostile_texts_are_refused_quickly(text: str):
    """A megabyte of nonsense costs a second or two at most, and the list of problems stays readable."""
    begun = time.process_time()
    error = failure(text)
    assert time.process_time() - begun < 5
    assert len(error.problems) <= 101
    assert len(error.detail) < 100_000


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
def test_a_number_that_json_lacks_is_kept_as_text(value: float) -> None:
    """So that the source can be recorded, and compared."""
    config: dict[str, Any] = {
        "common": {
            "parnames": ["p"],
            "outcome_types": ["binary"],
            "strategy_names": ["only"],
            "unused": value,
        },
        "p": {"par_type": "continuous", "lower_bound": 0, "upper_bound": 1},
        "only": {"generator": "SobolGenerator", "min_asks": 1},
    }
    found = check(config)
    json.dumps(found.source, allow_nan=False)
    assert check(found.source) == found
