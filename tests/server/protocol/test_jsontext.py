"""Strict JSON in, finite JSON out."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fechner.server.protocol.errors import FechnerError
from fechner.server.protocol.jsontext import dumps_strict, finite, parse, parse_reply, render
from fechner.server.protocol.limits import Limits

USUAL = Limits()
SMALL = Limits(depth=3, string_bytes=8, config_bytes=16)

texts = st.text(st.characters(exclude_categories=["Cs"]))
values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**200), 10**200)
    | st.floats(allow_nan=False, allow_infinity=False)
    | texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=10,
)


def fault(text: bytes | str, limits: Limits = USUAL) -> FechnerError:
    with pytest.raises(FechnerError) as caught:
        parse(text, limits)
    json.dumps(caught.value.detail + caught.value.where, ensure_ascii=False).encode()  # can be sent
    return caught.value


@given(values)
def test_what_goes_out_comes_back(value: Any) -> None:
    """Every value, to the last bit of its numbers."""
    assert parse(render(value), USUAL) == value
    assert parse(render(value).encode(), USUAL) == value
    assert parse(dumps_strict(value), USUAL) == value
    assert parse_reply(render(value).encode()) == value


@given(st.binary(max_size=40) | st.text(max_size=40).map(lambda text: text.encode("utf-8", "surrogatepass")))
def test_any_bytes_are_a_value_or_a_fault(data: bytes) -> None:
    """Nothing else is raised, and what is taken can be sent back."""
    try:
        value = parse(data, USUAL)
    except FechnerError as error:
        value = [error.code, error.detail, error.where]
    render(value).encode()


@pytest.mark.parametrize(
    "text",
    [
        "NaN",
        "[Infinity]",
        '{"a":-Infinity}',
        "1e999",
        '{"a":1,"a":1}',
        '{"b":{"a":1,"a":2}}',
        r'"\ud800"',
        r'{"\udfff":1}',
        r'{"\ud800":1,"\ud800":2}',
        r'["\udc00\ud800"]',
        b'"\xff"',
        b'"\xc3"',
        "",
        "[1",
        "'a'",
        r'"\x"',
        '"\n"',
        "1" * 301,
    ],
)
def test_what_is_not_strict_json(text: bytes | str) -> None:
    """Numbers that aren't finite, keys twice, half surrogate pairs, broken UTF-8, endless integers."""
    assert fault(text).code == "bad_json"


def test_a_whole_surrogate_pair_is_a_character() -> None:
    """Escaped as JSON demands it."""
    assert parse(r'"\ud83d\ude00"', USUAL) == "\U0001f600"


def test_depth() -> None:
    """Objects and lists count alike; the place of the first that is too deep is named."""
    assert parse('{"a":[{"b":1}]}', SMALL) == {"a": [{"b": 1}]}
    error = fault('{"a":[{"b":{}}]}', SMALL)
    assert (error.code, error.where) == ("too_deep", "a.b")
    assert fault("[" * 100_000, SMALL).code in ("too_deep", "bad_json")
    assert fault("[" * 100_000 + "]" * 100_000, SMALL).code == "too_deep"


def test_lengths_of_texts() -> None:
    """Counted in bytes of UTF-8; setup's configuration may be longer than other texts."""
    assert parse('{"message":{"name":"12345678"}}', SMALL)
    for text in ("123456789", "ééééé"):
        error = fault(f'{{"message":{{"name":"{text}"}}}}', SMALL)
        assert (error.code, error.where) == ("too_large", "message.name")
    for key in ("config", "config_str"):
        assert parse(f'{{"message":{{"{key}":"{"x" * 16}"}}}}', SMALL)
        assert fault(f'{{"message":{{"{key}":"{"x" * 17}"}}}}', SMALL).code == "too_large"
    assert fault(f'{{"{"k" * 257}":1}}').code == "too_large"


def test_numbers_that_are_not_finite_become_null() -> None:
    """At any depth, tuples as lists; finite values are left as they are."""
    value = {"a": [math.nan, (1.0, math.inf)], "b": -math.inf, "c": "NaN", "d": 1}
    expected = {"a": [None, [1.0, None]], "b": None, "c": "NaN", "d": 1}
    assert finite(value) == expected
    assert json.loads(render(value)) == expected


def test_text_goes_out_as_it_is() -> None:
    """Compact, in UTF-8, without escapes that nobody needs."""
    assert render({"é": [1, "日本"]}) == '{"é":[1,"日本"]}'


@pytest.mark.parametrize("value", [{"a": object()}, {"a": math.nan}, {(1, 2): 3}, {"a": {1, 2}}])
def test_what_json_cannot_say_in_process(value: Any) -> None:
    """A request made in this process is held to the same rules."""
    with pytest.raises(FechnerError) as caught:
        dumps_strict(value)
    assert caught.value.code == "bad_json"


def test_a_value_that_contains_itself() -> None:
    """It is refused like any other that JSON can't say."""
    value: dict[str, Any] = {}
    value["a"] = value
    with pytest.raises(FechnerError):
        dumps_strict(value)
