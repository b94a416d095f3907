"""The table of message types: each has its row, what answers it, and a place on the published page."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

from fechner.server.engine.sessionless import ANSWERS
from fechner.server.observing.counters import TYPES
from fechner.server.protocol import messages
from fechner.server.protocol.dialects.aepsych_v01 import AEPSYCH_01
from fechner.server.protocol.dialects.aepsych_v08 import AEPSYCH_08
from fechner.server.protocol.dialects.native_v1 import NATIVE
from fechner.server.protocol.kinds import KINDS, MESSAGES, UNKNOWN, Kind, kind_of
from fechner.server.protocol.messages import Begin, Message, Told
from fechner.server.session.handlers.hello import hello
from fechner.server.session.handlers.registry import HANDLERS, handles, load
from fechner.server.session.handlers.results import Answer

from ..rig import Rig

#: Types that no handler answers: an update is a tell and an ask, a replay reads a history first.
ELSEWHERE = {"update", "replay"}

DOCS = Path(__file__).parents[3] / "docs"


def of(flag: str) -> set[str]:
    """The types whose row has this flag."""
    return {type_ for type_, kind in KINDS.items() if getattr(kind, flag)}


def test_every_message_has_a_row() -> None:
    """Every class of message but those that stand in others is some type's."""
    classes = {
        one
        for one in vars(messages).values()
        if isinstance(one, type) and issubclass(one, Message) and one is not Message
    }
    assert {kind.message for kind in KINDS.values()} == classes - {Told, Begin}


@pytest.mark.parametrize("type_", sorted(KINDS))
def test_every_type_is_answered_and_published(type_: str, limits: Any) -> None:
    """By a handler, or without a session, or as two messages; and the page of the wire has it."""
    load()
    kind, handled = KINDS[type_], {name for name, _ in HANDLERS}
    assert (type_ in handled, type_ in ANSWERS, type_ in ELSEWHERE).count(True) == 1
    assert (type_ in handled) is bool(kind.handler)
    assert (type_ in ANSWERS) is kind.sessionless
    assert f"`{type_}`" in (DOCS / "reference" / "wire.md").read_text("utf-8")
    assert type_ in TYPES
    assert (type_ in hello("fechner", limits)["capabilities"]) is kind.in_version_1


def test_the_handlers_are_where_the_table_says() -> None:
    """Each is registered by the module of its row."""
    load()
    for (type_, _), handler in HANDLERS.items():
        assert handler.__module__ == f"fechner.server.session.handlers.{KINDS[type_].handler}"


@pytest.mark.parametrize("dialect", [NATIVE, AEPSYCH_08, AEPSYCH_01])
def test_a_dialect_takes_types_of_the_table_only(dialect: Any) -> None:
    """What it doesn't call unknown has a row; version 1 has all that are its own."""
    taken = set()
    for type_ in [*KINDS, "nonsense", ""]:
        fault = dialect.parse({"version": "1", "type": type_}).fault
        if fault is None or fault.code != "unknown_type":
            taken.add(type_)
    assert taken <= set(KINDS)
    if dialect is NATIVE:
        assert taken == set(MESSAGES) == of("in_version_1")


def test_the_rows_hang_together() -> None:
    """What one column says of a type allows what the others say."""
    assert of("before_auth") <= of("sessionless")
    assert of("sets_up") <= of("takes_hold") <= of("barrier")
    assert not of("sessionless") & (of("barrier") | of("reattachable") | of("before_ask") | of("logged"))
    assert not of("reattachable") & of("takes_hold")
    assert not of("in_vain") & of("before_ask")


def test_a_type_that_there_is_not_is_nothing_special() -> None:
    """It goes on record as a fault in its session, and holds nothing up."""
    assert kind_of("nonsense") is UNKNOWN
    assert kind_of("") is UNKNOWN
    for field in fields(Kind):
        if field.name not in ("message", "in_version_1"):
            assert not getattr(UNKNOWN, field.name)


def test_a_new_type_needs_a_row_and_a_handler(
    rig: Rig, space_filling: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing else asks which types there are."""

    class Tired(Message):
        """How tired the participant is."""

        level: int

    def tired(context: Any, message: Tired) -> Answer:
        return Answer({"rest": message.level > 5})

    load()
    monkeypatch.setitem(KINDS, "tired", Kind(Tired, "tired"))
    monkeypatch.setitem(MESSAGES, "tired", Tired)
    monkeypatch.setattr("fechner.server.session.handlers.registry.HANDLERS", HANDLERS | {})
    handles("tired", "1")(tired)
    peer = rig.setup(space_filling)
    assert peer.ok("tired", {"level": 7}) == {"rest": True}
    assert peer.error("tired", {"levl": 7})["code"] == "unknown_field"
    assert [entry.type for entry in rig.recorded(rig.session(peer).id)] == ["setup", "tired", "tired"]
