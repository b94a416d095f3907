"""Whatever the input, `check` answers a specification or raises ConfigError, and nothing else."""

from __future__ import annotations

import configparser
import json
from dataclasses import replace
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from fechner.strategies import values
from fechner.strategies.config import Specification, check
from fechner.strategies.config.describing.describe import describe
from fechner.strategies.config.reading import ini
from fechner.strategies.config.reading.report import Report
from fechner.strategies.config.tables.keys import COMMON_KEYS, PARAMETER_KEYS, STAGE_KEYS
from fechner.strategies.config.tables.registry import CLASSES, OLDER_CLASSES
from fechner.strategies.errors import ConfigError

WORDS = sorted(
    {*CLASSES, *OLDER_CLASSES, "x", "y", "a", "b", "auto", "binary", "continuous", "ordinal", "single_probit"}
)
KEYS = sorted(
    {
        *COMMON_KEYS,
        *STAGE_KEYS,
        *PARAMETER_KEYS,
        *(k for e in CLASSES.values() for k in e.keys),
        "class",
        "zz",
    }
)
SECTIONS = ["common", "experiment", "x", "y", "a", "b", "metadata", "constraints", "[", *sorted(CLASSES)]
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.integers(min_value=10**300, max_value=10**320),
    st.floats(),
    st.text(max_size=12),
    st.sampled_from(WORDS),
    st.sampled_from(
        ["categorical", "integer", "fixed", "binary", "discrete", "integer", "inf", "1e999", "-0", "1_0", "٣"]
    ),
    st.sampled_from(
        [
            "${x}",
            "${common:parnames}",
            "${a:b:c}",
            "$",
            "$$",
            "[",
            "[[1,2],[3,4]]",
            "[a,,b]",
            '"',
            "'[a",
            "\n",
        ]
    ),
)
VALUES = st.recursive(SCALARS, lambda inner: st.lists(inner, max_size=4), max_leaves=8)
MAPPINGS = st.dictionaries(
    st.sampled_from(SECTIONS), st.dictionaries(st.sampled_from(KEYS), VALUES, max_size=8), max_size=7
)
FRAMES: dict[str, dict[str, Any]] = {
    "common": {
        "parnames": ["x", "y"],
        "outcome_types": ["binary"],
        "strategy_names": ["a", "b"],
        "target": 0.75,
    },
    "x": {"par_type": "continuous", "lower_bound": 0, "upper_bound": 1},
    "y": {"par_type": "fixed", "value": 3},
    "a": {"generator": "SobolGenerator", "min_asks": 5},
    "b": {"generator": "OptimizeAcqfGenerator", "model": "GPClassificationModel", "min_asks": 5},
}


def outcome(config: Any) -> Specification | ConfigError:
    """What check makes of a configuration; problems and warnings must be plain, short and sendable."""
    try:
        answer: Specification | ConfigError = check(config)
        assert describe(answer)
    except ConfigError as error:
        answer = error
    assert answer.problems if isinstance(answer, ConfigError) else answer.stages
    notes = [*getattr(answer, "problems", ()), *answer.warnings]
    assert len(notes) <= 202
    for note in notes:
        assert note.detail
        assert str(note).isprintable()
        json.dumps(str(note), allow_nan=False).encode()
    return answer


@given(MAPPINGS)
@settings(max_examples=300, deadline=None, derandomize=True)
def test_any_mapping(mapping: dict[str, Any]):
    """Known names in any places, with values of any type."""
    outcome(mapping)


@given(MAPPINGS)
@settings(max_examples=300, deadline=None, derandomize=True)
def test_a_sound_configuration_with_anything_added(mapping: dict[str, Any]):
    """A sound configuration in which anything is overwritten; what passes gives itself again."""
    config = {name: {**FRAMES.get(name, {}), **mapping.get(name, {})} for name in {**FRAMES, **mapping}}
    answer = outcome(config)
    if isinstance(answer, Specification):
        written = json.dumps(answer.source)
        again = check(json.loads(written))
        assert json.dumps(again.source) == written  # texts: a nan differs from itself
        assert replace(again, source=answer.source) == answer


PIECES = [*"[]=:#; \n\t$}{\",'ab1.-", "${", "[common]", "\nparnames=", "\r\n", "\x1c", "\x1b"]


@given(st.lists(st.sampled_from(PIECES), max_size=40).map("".join))
@settings(max_examples=500, deadline=None, derandomize=True)
def test_any_text(text: str):
    """Text in which anything stands anywhere."""
    outcome(text)
    outcome("[common]\nparnames = [x]\n" + text)


@given(
    st.recursive(
        st.none() | st.integers() | st.text() | st.binary(),
        lambda v: st.lists(v) | st.dictionaries(st.text(), v),
    )
)
@settings(max_examples=100, deadline=None, derandomize=True)
def test_any_value_at_all(value: Any):
    """Things that are no configuration at all."""
    outcome(value)


LINES = st.lists(
    st.sampled_from(
        [
            "[a]",
            "[b]",
            "[common]",
            "x = 1",
            "Y: 2  # note",
            "  z",
            "z",
            "# note",
            " ; note",
            "",
            "k = [1,",
            "   2]",
            "w =",
        ]
    ),
    max_size=14,
)


@given(LINES)
@settings(max_examples=400, deadline=None, derandomize=True)
def test_lines_are_read_as_configparser_reads_them(lines: list[str]):
    """Where configparser reads a text without complaint, the sections and values are the same."""
    text = "\n".join(lines)
    parser = configparser.RawConfigParser(
        default_section="common", inline_comment_prefixes=("#",), allow_no_value=True, strict=True
    )
    try:
        parser.read_string(text)
    except (configparser.Error, AttributeError):  # AttributeError: it continues a key without value
        return
    report = Report()
    read = ini.read(text, report)
    assert not report.problems
    assert {name: keys for name, keys in read.items() if name != "common"} == {
        name: dict(parser._sections[name])  # type: ignore[attr-defined]
        for name in parser.sections()
    }
    assert read.get("common", {}) == dict(parser.defaults())


ITEMS = st.recursive(
    st.text(min_size=1, max_size=8).filter(lambda t: "\0" not in t),
    lambda v: st.lists(v, max_size=4),
    max_leaves=10,
)


@given(st.lists(ITEMS, max_size=5))
@settings(max_examples=300, deadline=None, derandomize=True)
def test_lists_of_any_texts_come_back(items: list[Any]):
    """A list written with quotes is read back exactly, whatever its texts contain."""

    def written(item: Any) -> str:
        if isinstance(item, list):
            return "[" + ", ".join(map(written, item)) + "]"
        return '"' + item.replace("\\", "\\\\").replace('"', '\\"') + '"'

    assert values.nested(written(items)) == items
