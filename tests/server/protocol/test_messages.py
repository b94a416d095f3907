"""The core's messages are strict: types, ranges, no further fields."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from fechner.server.protocol.errors import FechnerError
from fechner.server.protocol.kinds import MESSAGES
from fechner.server.protocol.messages import Ask, Query, Setup, Tell, Update, validate


def test_the_message_types_of_version_1() -> None:
    """Those of this version of the server."""
    assert set(MESSAGES) == {
        *(
            "hello",
            "auth",
            "ping",
            "status",
            "setup",
            "ask",
            "tell",
            "update",
            "query",
            "parameters",
            "info",
            "get_config",
        ),
        *("get_config", "skip", "correct", "finish_strategy", "resume", "replay", "exit", "shutdown"),
    }


def test_defaults() -> None:
    """What may be left out, and what it then is."""
    assert validate(Ask, {}) == Ask(n=1, fixed={}, deadline_ms=None, beyond=False)
    query = validate(Query, {"query": "max"})
    assert isinstance(query, Query)
    assert (query.interval, query.constraints, query.x) == (0.95, {}, None)
    update = validate(Update, {"tell": {"trial": 1}})
    assert isinstance(update, Update)
    assert update.ask == Ask()


@pytest.mark.parametrize(
    ("kind", "content", "code", "where"),
    [
        (Ask, None, "bad_value", "message"),
        (Ask, [], "bad_value", "message"),
        (Ask, {"n": "1"}, "bad_value", "message.n"),
        (Ask, {"n": 2.0}, "bad_value", "message.n"),
        (Ask, {"beyond": 1}, "bad_value", "message.beyond"),
        (Ask, {"fixed": []}, "bad_value", "message.fixed"),
        (Ask, {"[": None}, "unknown_field", "message.["),
        (Ask, {"str": None}, "unknown_field", "message.str"),
        (Ask, {"": None}, "unknown_field", "message."),
        (Setup, {"config": []}, "bad_value", "message.config"),
        (Setup, {}, "bad_value", "message.config"),
        (Setup, {"config": {}, "seed": 2**63}, "bad_value", "message.seed"),
        (Setup, {"config": {}, "name": "x" * 70_000}, "bad_value", "message.name"),
        (Tell, {"trial": 0}, "bad_value", "message.trial"),
        (Tell, {"trials": [{"trial": 1}, {"trial": "2"}]}, "bad_value", "message.trials.1.trial"),
        (Tell, {"trials": [1]}, "bad_value", "message.trials.0"),
        (Tell, {"trials": {}}, "bad_value", "message.trials"),
        (Tell, {"client_time": []}, "bad_value", "message.client_time"),
        (Tell, {"trials": [{"trials": []}]}, "unknown_field", "message.trials.0.trials"),
        (Update, {"tell": {}, "ask": {"m": 1}}, "unknown_field", "message.ask.m"),
        (Query, {"query": "max", "interval": 0}, "bad_value", "message.interval"),
        (Query, {"query": "max", "y": True}, "bad_value", "message.y"),
    ],
)
def test_faults_name_their_place(kind: Any, content: Any, code: str, where: str) -> None:
    """Code and path of the first fault, in a text of reasonable length."""
    with pytest.raises(FechnerError) as caught:
        validate(kind, content)
    assert (caught.value.code, caught.value.where) == (code, where)
    assert len(caught.value.detail) < 200


@pytest.mark.parametrize(
    ("kind", "content", "detail"),
    [
        (Tell, {"trial": "2"}, "must be a whole number, not '2'"),
        (Tell, {"trial": 0}, "must be at least 1, not 0"),
        (Setup, {"config": {}, "seed": 2**63}, f"must be less than {2**63}, not {2**63}"),
        (Query, {"query": "max", "interval": 1}, "must be less than 1, not 1"),
        (Query, {"query": "max", "interval": 0}, "must be greater than 0, not 0"),
        (Query, {"query": "max", "y": "high"}, "must be a number, not 'high'"),
        (Query, {"query": "max", "outcome": 3}, "must be a text, not 3"),
        (
            Query,
            {"query": "mode"},
            "must be 'max', 'min', 'prediction', 'inverse' or 'threshold', not 'mode'",
        ),
        (Ask, {"beyond": 1}, "must be true or false, not 1"),
        (Ask, {"fixed": []}, "must be an object, not []"),
        (
            Setup,
            {"config": {}, "name": "x" * 65_537},
            f"must be at most 65536 characters long, not '{'x' * 56}…",
        ),
    ],
)
def test_faults_say_what_is_wanted(kind: Any, content: Any, detail: str) -> None:
    """In this protocol's words, whichever library checks."""
    with pytest.raises(FechnerError) as caught:
        validate(kind, content)
    assert caught.value.detail == detail


def test_a_whole_number_is_a_number() -> None:
    """JSON doesn't tell 1 from 1.0 where a number is wanted."""
    told = validate(Tell, {"trial": 1, "response_time": 1, "confidence": 0.5})
    assert isinstance(told, Tell)
    assert told.response_time == 1.0


@pytest.mark.parametrize(
    ("kind", "content", "where"),
    [
        (Ask, {"n": "x", **{f"k{i}": 0 for i in range(1000)}}, "message.k0"),
        (Update, {"tell": {f"k{i}": 0 for i in range(1000)}}, "message.tell.k0"),
        (Tell, {"trials": [{}, {f"k{i}": 0 for i in range(1000)}]}, "message.trials.1.k0"),
    ],
)
def test_of_many_unknown_fields_the_first_is_named(
    monkeypatch: pytest.MonkeyPatch, kind: Any, content: Any, where: str
) -> None:
    """Without a look at each: a message may have hundreds of thousands."""
    counted: list[int] = []
    errors = ValidationError.errors
    validated = kind.model_validate

    def watched(value: Any) -> Any:
        try:
            return validated(value)
        except ValidationError as error:
            counted.append(len(errors(error)))
            raise

    monkeypatch.setattr(kind, "model_validate", watched)
    with pytest.raises(FechnerError) as raised:
        validate(kind, content)
    assert (raised.value.code, raised.value.where) == ("unknown_field", where)
    assert counted[0] <= 3
