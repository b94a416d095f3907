"""Version 1: requests parsed into the core's messages, replies rendered, an update put together."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fechner.server.protocol.dialects.base import Reply, Request, Timing, join
from fechner.server.protocol.dialects.native_v1 import NATIVE
from fechner.server.protocol.errors import ConfigError, FechnerError
from fechner.server.protocol.kinds import MESSAGES
from fechner.server.protocol.messages import Ask
from fechner.strategies.errors import Problem

anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
keys = st.sampled_from(["version", "type", "id", "session", "message", "extra", ""])


@given(st.dictionaries(keys, anything | st.sampled_from([*MESSAGES, "1"]), max_size=6))
def test_any_object_is_a_request_or_a_fault(value: dict[str, object]) -> None:
    """Parsing never raises: there is a message, or a fault with a code."""
    request = NATIVE.parse(value)
    assert (request.message is None) is (request.fault is not None)
    json.loads(NATIVE.render(request, Reply(error=request.fault or FechnerError("internal", "x"))))


@given(st.sampled_from(sorted(MESSAGES)), anything)
def test_any_message_is_taken_or_a_fault(type_: str, message: object) -> None:
    """Whatever stands in the message of a known type; the fault names a place in it."""
    request = NATIVE.parse({"version": "1", "type": type_, "message": message})
    assert (request.message is None) is (request.fault is not None)
    if request.fault is not None:
        assert request.fault.code in ("unknown_field", "bad_value")
        assert request.fault.where.split(".")[0] == "message"


def test_a_reply_leaves_out_what_there_is_not() -> None:
    """No id, no session, no warnings, no tier: no keys."""
    text = NATIVE.render(Request({}, "ping"), Reply({}))
    assert text == (
        '{"version":"1","type":"ping","ok":true,"message":{},'
        '"timing":{"queue_ms":0.0,"compute_ms":0.0,"from":"request"}}'
    )


def test_a_reply_to_a_request_without_type_says_null() -> None:
    """As an error before the dialect is known does."""
    error = FechnerError("bad_request", "a request has a `type`, a text")
    for request in (
        Request(5, ""),
        NATIVE.parse({"version": "1"}),
        NATIVE.parse({"version": "1", "type": 3}),
    ):
        assert json.loads(NATIVE.render(request, Reply(error=error)))["type"] is None


def test_a_request_without_version_is_told_so() -> None:
    """Not that its version were 'None'."""
    fault = NATIVE.parse({"type": "ask"}).fault
    assert fault is not None
    assert (fault.code, fault.detail) == (
        "unknown_version",
        "this connection speaks version 1, and the request names none",
    )


def test_a_full_reply() -> None:
    """Id, session, warnings, timing to the microsecond, and null for numbers that are not finite."""
    reply = Reply({"y": float("nan")}, None, "S", [("w", "why")], Timing(0.12345, 2, "model"))
    assert json.loads(NATIVE.render(Request({}, "query", "c-1"), reply)) == {
        "version": "1",
        "type": "query",
        "id": "c-1",
        "session": "S",
        "ok": True,
        "message": {"y": None},
        "warnings": [{"code": "w", "detail": "why"}],
        "timing": {"queue_ms": 0.123, "compute_ms": 2, "tier": "model", "from": "request"},
    }


def test_an_error_leaves_out_what_there_is_not() -> None:
    """Where and hint only where there are any; problems of a configuration one by one."""
    error = json.loads(NATIVE.render(Request({}, "ask"), Reply(error=FechnerError("no_session", "none"))))
    assert error == {
        "version": "1",
        "type": "ask",
        "ok": False,
        "error": {"code": "no_session", "detail": "none"},
    }
    problems = ConfigError([Problem("p", "lb", "x", "no number", "a number")])
    error = json.loads(NATIVE.render(Request({}, "setup"), Reply(error=problems)))["error"]
    assert error["problems"] == [
        {"section": "p", "key": "lb", "value": "x", "detail": "no number", "hint": "a number"}
    ]


@pytest.mark.parametrize("asked_ok", [True, False])
def test_an_update_is_put_together_from_what_is_on_record(asked_ok: bool) -> None:
    """The same bytes of replies and of what their texts say on record; ok if the tell is."""
    request = NATIVE.parse({"version": "1", "type": "update", "id": "u", "message": {"tell": {"trial": 1}}})
    tell = Reply({"trials": [1]}, session="S", warnings=[("a", "b")], timing=Timing(0.12345))
    known = NATIVE.recall(NATIVE.render(Request({}, "tell", "u"), tell))
    reply = Reply({"trials": []}, session="S", warnings=[("c", "d")], timing=Timing(1, 2, "model"))
    if not asked_ok:
        reply = Reply(error=FechnerError("bad_value", "no"))
    text = NATIVE.render(request, join("tell", tell, reply))
    assert text == NATIVE.render(request, join("tell", known, reply))
    if asked_ok:
        again = NATIVE.recall(NATIVE.render(Request({}, "ask"), reply))
        assert text == NATIVE.render(request, join("tell", known, again))
    value = json.loads(text)
    assert (value["type"], value["id"], value["session"], value["ok"]) == ("update", "u", "S", True)
    assert value["message"]["tell"] == {"trials": [1]}
    if asked_ok:
        assert value["message"]["ask"] == {"trials": []}
        assert [warning["code"] for warning in value["warnings"]] == ["a", "c"]
        assert value["timing"]["tier"] == "model"
    else:
        assert value["message"]["ask"] == {"error": {"code": "bad_value", "detail": "no"}}


def test_did_you_mean() -> None:
    """Misspelt types and fields are answered with what is near."""
    cases: list[tuple[dict[str, Any], str]] = [
        ({"version": "1", "type": "aks"}, "did you mean 'ask'?"),
        ({"version": "1", "type": "ask", "mesage": {}}, "did you mean 'message'?"),
        ({"version": "1", "type": "tell", "message": {"trial": 1, "outcme": 1}}, "did you mean 'outcome'?"),
        ({"version": "1", "type": "tell", "message": {"trials": [{"trail": 1}]}}, "did you mean 'trial'?"),
    ]
    for value, hint in cases:
        fault = NATIVE.parse(value).fault
        assert fault is not None
        assert fault.hint == hint


def test_a_message_may_be_left_out() -> None:
    """When every field has a default."""
    assert NATIVE.parse({"version": "1", "type": "ask"}).message == Ask()
