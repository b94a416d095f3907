"""Habits of clients: each stands in one place, and a new dialect is a module and a line of the table."""

from __future__ import annotations

import json
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import pytest

from fechner.server.protocol.dialects import DIALECTS, NATIVE, Request, choose
from fechner.server.protocol.dialects.base import Reply
from fechner.server.protocol.dialects.traits import Traits
from fechner.server.protocol.errors import FechnerError
from fechner.server.protocol.messages import Ask, Message, Setup, Tell, validate

from ...rig import Rig

ROOT = Path(__file__).parents[4]


class Verbs:
    """A toy: `{"version": "verbs", "do": "ask"}`, answered with what there is, also after the end."""

    name = "verbs"
    versions: tuple[str | None, ...] = ("verbs",)
    handlers = "1"
    traits = Traits(asks_go_on=True)
    ending = b"!"
    recall = None

    def speaks(self, value: dict[str, Any]) -> bool:
        return value.get("version") == "verbs"

    def parse(self, value: dict[str, Any]) -> Request:
        request = Request(value, value["do"])
        try:
            kinds: dict[str, type[Message]] = {"setup": Setup, "ask": Ask, "tell": Tell}
            request.message = validate(kinds[request.type], value.get("with", {}))
        except FechnerError as fault:
            request.fault = fault
        return request

    def render(self, request: Request, reply: Reply) -> str:
        return json.dumps(reply.message if reply.error is None else str(reply.error))


def test_version_1_has_the_habits_by_default() -> None:
    """So that a new dialect says only how it differs."""
    assert Traits() == NATIVE.traits


@pytest.mark.parametrize("habit", [field.name for field in fields(Traits)])
def test_every_habit_is_asked_for(habit: str) -> None:
    """Somewhere in the server, by its name, outside the dialects themselves."""
    sources = [
        file.read_text("utf-8")
        for room in ("engine", "session")
        for file in (ROOT / "server" / room).rglob("*.py")
    ]
    assert any(f".traits.{habit}" in source for source in sources)


def test_a_new_dialect_is_a_module_and_a_line(
    rig: Rig, space_filling: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is spoken, and its habits count, with nothing else changed."""
    toy = Verbs()
    monkeypatch.setitem(DIALECTS, toy.name, toy)
    assert choose({"version": "verbs"}) is toy
    peer = rig.connect()

    def say(do: str, **message: Any) -> Any:
        peer.send_value({"version": "verbs", "do": do, "with": message})
        rig.settle()
        assert peer.raw[-1].endswith(b"!")
        return json.loads(peer.raw[-1][:-1])

    assert say("setup", config=space_filling)["strategy"] == 0
    finished = []
    for _ in range(6):
        [trial] = asked["trials"] if (asked := say("ask")) else []
        finished.append(asked["finished"])
        say("tell", trial=trial["trial"], outcome=1)
    assert finished[:3] == [False] * 3
    assert finished[-1] is True
    assert {entry.dialect for entry in rig.recorded(rig.session(peer).id)} == {"verbs"}
    assert "no field here" in say("ask", now=True)


def test_habits_can_be_mixed(rig: Rig, space_filling: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Version 1 with one habit more is version 1 in all else."""
    monkeypatch.setattr(NATIVE, "traits", replace(NATIVE.traits, only_bounds=True))
    peer = rig.setup(space_filling)
    assert peer.ok("parameters") == {"p": [0, 1]}
    assert "record" not in peer.ok("info")
