"""Replies out of a byte stream, values into JSON."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fechner_client.framing import BadReply, ReplyReader, encode, plain

texts = st.text(st.characters(exclude_categories=["Cs"]))
values = st.dictionaries(
    texts, st.recursive(st.one_of(st.none(), st.booleans(), st.integers(), texts), st.lists)
)


@settings(max_examples=40, deadline=None)
@given(replies=st.lists(values, max_size=5), cuts=st.lists(st.integers(1, 40)))
def test_replies_come_out_whole_however_they_were_cut(replies: list[Any], cuts: list[int]) -> None:
    """Glued, cut, in the middle of a character: the same replies in the same order."""
    stream = b"".join(encode(reply) + b"\n" for reply in replies)
    reader, got = ReplyReader(), []
    for cut in [*cuts, len(stream) or 1]:
        piece, stream = stream[:cut], stream[cut:]
        got += reader.feed(piece)
    assert got == replies


def test_a_reply_of_megabytes_arrives(client: Any, fake: Any) -> None:
    """A prediction at many points comes in many pieces."""
    client.setup("[common]\n")
    levels = [index / 7 for index in range(100_000)]
    assert client.prediction({"level": levels}).x["level"] == levels


def test_a_broken_line_is_an_error_and_a_piece_is_not() -> None:
    """Only a whole line can be wrong."""
    reader = ReplyReader()
    assert reader.feed(b'{"a": "}') == []
    assert reader.feed(b'"}\n') == [{"a": "}"}]
    with pytest.raises(BadReply):
        reader.feed(b"Terminate\n")


def test_text_travels_as_utf8() -> None:
    """No escapes, no spaces."""
    assert encode({"name": "Gänsehaut 😀"}) == '{"name":"Gänsehaut 😀"}'.encode()


def test_what_json_cannot_say_is_named() -> None:
    """The place and the type are in the message."""
    with pytest.raises(TypeError, match=r"message\.config\.level is a complex"):
        plain({"config": {"level": 1j}})
    with pytest.raises(TypeError, match="the key 1"):
        plain({1: 2})


@settings(max_examples=40, deadline=None)
@given(values)
def test_plain_values_stay_as_they_are(value: Any) -> None:
    """What JSON can say is not changed."""
    assert plain(value) == value
    assert json.loads(encode(plain(value))) == value
