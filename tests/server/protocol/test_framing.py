"""However a stream of JSON values is cut, the splitter gives the same values and the same fault."""

from __future__ import annotations

import itertools
import json
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from fechner.server.protocol.framing import Splitter
from fechner.server.protocol.limits import Limits

USUAL = Limits()
SMALL = Limits(message_bytes=40, depth=4)

Outcome = tuple[list[bytes], tuple[str, str] | None]


def split(data: bytes, cuts: list[int], limits: Limits = USUAL) -> Outcome:
    """The values and the fault (code, detail) of a stream that comes in pieces and then ends."""
    splitter = Splitter(limits)
    values: list[bytes] = []
    places = sorted({0, len(data), *(cut for cut in cuts if cut < len(data))})
    for begin, end in itertools.pairwise(places):
        values += splitter.feed(data[begin:end])
    values += splitter.end()
    fault = splitter.fault
    return values, None if fault is None else (fault.code, fault.detail)


def bytewise(data: bytes, limits: Limits = USUAL) -> Outcome:
    return split(data, list(range(len(data))), limits)


json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=8,
)
rendered = st.tuples(json_values, st.booleans(), st.sampled_from([None, 1])).map(
    lambda drawn: json.dumps(drawn[0], ensure_ascii=drawn[1], indent=drawn[2]).encode(errors="ignore")
)
spaces = st.text(" \t\r\n", min_size=1, max_size=3).map(str.encode)
#: Streams that are nearly JSON: pieces of it in any order.
scraps = st.lists(
    st.sampled_from(
        [
            b"{",
            b"}",
            b"[",
            b"]",
            b",",
            b":",
            b'"',
            b'"a"',
            b"1",
            b"-",
            b"0",
            b"1e",
            b"1.5",
            b"tru",
            b"true",
            b"null",
            b"nul",
            b" ",
            b"\n",
            b"\\",
            b"\\u00",
            b"\x00",
            b"\xff",
            "é".encode(),
            b'{"a":1}',
            b"[1,2]",
        ]
    ),
    max_size=14,
).map(b"".join)
cuts = st.lists(st.integers(0, 400), max_size=12)


@given(st.lists(st.tuples(rendered, spaces), max_size=5), cuts)
def test_any_cut_of_a_stream_gives_its_values(parts: list[tuple[bytes, bytes]], cuts: list[int]) -> None:
    """Values with white space between them come out as they went in, whatever the pieces."""
    stream = b"".join(text + space for text, space in parts)
    expected = ([text for text, _ in parts], None)
    assert split(stream, cuts) == expected
    assert bytewise(stream) == expected


@given(st.lists(st.dictionaries(st.text(max_size=3), json_values, max_size=3), max_size=6), cuts)
def test_objects_need_no_space_between_them(objects: list[dict[str, Any]], cuts: list[int]) -> None:
    """Glued objects come apart."""
    texts = [json.dumps(value).encode() for value in objects]
    assert split(b"".join(texts), cuts) == (texts, None)


@settings(max_examples=300)
@given(st.binary(max_size=60) | scraps, cuts)
@example(b"[1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,x", [])
@example(b"[[[[[[", [3])
@example(b"12x34", [])
@example(b'{"a" : tru }', [])
@example(b" " * 60 + b"[" + b" " * 60, [])
@example(b"1" * 41, [])
@example(b"1" * 40 + b" 2", [])
def test_any_cut_of_any_bytes_gives_the_same_values_and_fault(data: bytes, cuts: list[int]) -> None:
    """Byte by byte, in pieces and all at once: one outcome, also at the limits."""
    for limits in (Limits(), SMALL):
        whole = split(data, [], limits)
        assert split(data, cuts, limits) == whole
        assert bytewise(data, limits) == whole


@settings(max_examples=300)
@given(st.binary(max_size=30) | scraps)
def test_the_splitter_agrees_with_a_json_parser(data: bytes) -> None:
    """What it gives is JSON up to escapes and encoding, and one value of a parser is one of its."""
    values, _ = split(data, [])
    for value in values:
        text = value.decode("utf-8", "replace")
        if "\\" not in text:
            json.loads(text)
    try:
        text = data.decode()
        json.loads(text, parse_constant=lambda name: pytest.skip("not strict JSON"))
    except ValueError:
        return
    assert split(data, []) == ([text.strip(" \t\r\n").encode()], None)


@pytest.mark.parametrize(
    ("stream", "values"),
    [
        (b"1 2\n", [b"1", b"2"]),
        (b"true", [b"true"]),
        (b"-1.5e+3", [b"-1.5e+3"]),
        (b'1{"a":1}', [b"1", b'{"a":1}']),
        (b'null"x"[1]', [b"null", b'"x"', b"[1]"]),
        (b'"a""b"', [b'"a"', b'"b"']),
        (b'{"a":"\\"}{"}{}', [b'{"a":"\\"}{"}', b"{}"]),
        ('{"é":"日本"}'.encode(), ['{"é":"日本"}'.encode()]),
        (b"", []),
        (b" \r\n\t ", []),
    ],
)
def test_where_values_end(stream: bytes, values: list[bytes]) -> None:
    """A bare token ends at white space, an opening character or the end; the others at their own."""
    assert split(stream, []) == bytewise(stream) == (values, None)


@pytest.mark.parametrize(
    "stream",
    [
        b"}",
        b"[1,]",
        b'{"a"}',
        b'{"a":1,}',
        b"{1:2}",
        b"[1 2]",
        b'{"a":1 "b":2}',
        b"NaN",
        b"-Infinity",
        b"01",
        b"+1",
        b"1.",
        b".5",
        b"1e",
        b"'a'",
        b'"\n"',
        b"tru",
        b"{]",
        b"\xef\xbb\xbf{}",
        b"GET / HTTP/1.1\r\n",
        b"1,",
    ],
)
def test_broken_json_is_a_fault(stream: bytes) -> None:
    """What can't become JSON is bad_json; the values before it still come."""
    values, fault = split(b'{"a":1}' + stream + b" ", [])
    assert values[0] == b'{"a":1}'
    assert fault is not None
    assert fault[0] == "bad_json"


@pytest.mark.parametrize("stream", [b"{", b'{"a', b"[1,", b'"', b'"\\', b'{"a":tru', b"-"])
def test_a_stream_that_ends_inside_a_value_is_a_fault(stream: bytes) -> None:
    """A begun value whose stream ends is told as such."""
    assert bytewise(stream) == split(stream, []) == ([], ("bad_json", "the stream ended inside a value"))


def test_a_fault_names_the_first_wrong_character() -> None:
    """The detail shows the text up to the character that can't be, so that it can be found."""
    for stream, shown in [(b'{"a": 12x4}', '{"a": 12x'), (b"[1, tru ]", "[1, tru "), (b'{"a" 1}', '{"a" 1')]:
        _, fault = split(stream, [])
        assert fault is not None
        assert fault[1] == f"not JSON: wrong at the last character of {shown!r}"


def test_after_a_fault_nothing_is_read() -> None:
    """A broken stream can't be resynchronised: what follows is ignored, and the fault is kept."""
    splitter = Splitter(Limits())
    assert splitter.feed(b"{}}") == [b"{}"]
    fault = splitter.fault
    assert splitter.feed(b'{"a":1}') == []
    assert splitter.end() == []
    assert splitter.fault is fault


def test_a_value_may_have_the_limit_and_no_byte_more() -> None:
    """The length limit counts a value's own bytes, not the space around it."""
    fits = b'"' + b"a" * (SMALL.message_bytes - 2) + b'"'
    assert split(b"  " * 40 + fits + fits + b"  ", [], SMALL) == ([fits, fits], None)
    values, fault = split(fits[:-1] + b'a"', [], SMALL)
    assert values == []
    assert fault is not None
    assert fault[0] == "too_large"


def test_a_value_without_end_is_refused_at_the_limit() -> None:
    """No more than a message's length is ever kept of a value that doesn't end."""
    splitter = Splitter(SMALL)
    splitter.feed(b'"' + b"a" * SMALL.message_bytes)
    assert splitter.fault is not None
    assert splitter.fault.code == "too_large"


def test_nesting_is_refused_at_the_limit() -> None:
    """The bracket that is one too deep is a fault at once."""
    assert split(b'[[{"a":[]}]]', [], SMALL) == ([b'[[{"a":[]}]]'], None)
    _, fault = split(b"[[[[[", [], SMALL)
    assert fault is not None
    assert fault[0] == "too_deep"


def test_begun_says_whether_a_value_is_open() -> None:
    """White space begins nothing, the first character of a value does, its last ends it."""
    splitter = Splitter(Limits())
    states = []
    for byte in b' {"a":1} 7 ':
        splitter.feed(bytes([byte]))
        states.append(splitter.begun)
    assert states == [False, *[True] * 6, False, False, True, False]


def test_a_long_message_in_small_pieces_is_linear() -> None:
    """A megabyte that comes in small pieces is looked at once, not once per piece."""
    text = b'"' + b"a" * 1_000_000 + b'"'
    splitter = Splitter(Limits())
    values = [value for i in range(0, len(text), 100) for value in splitter.feed(text[i : i + 100])]
    assert values == [text]
