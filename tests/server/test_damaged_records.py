"""What a server says when a session on record can't be read any more: an error that names it."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from fechner.server import Server

SESSION = "6f1d2c3b-0000-4000-8000-000000000001"

Damage = Callable[[str], Path]


@pytest.fixture
def damaged(tmp_path: Path, space_filling: str) -> Damage:
    """Makes a record of one session (setup, ask, tell, ask) and does an SQL statement to it."""

    def damaged(statement: str) -> Path:
        file = tmp_path / "record.db"
        with Server(file) as server:
            channel = server.connect()
            for number, (type_, message) in enumerate(
                (
                    ("setup", {"config": space_filling, "seed": 1}),
                    ("ask", {}),
                    ("tell", {"trial": 1, "outcome": 1}),
                    ("ask", {}),
                )
            ):
                request = {"version": "1", "type": type_, "message": message, "id": f"c-{number}"}
                assert channel.request({**request, "session": SESSION})["ok"]
        with closing(sqlite3.connect(file)) as connection, connection:
            connection.execute("PRAGMA foreign_keys = OFF")
            assert connection.execute(statement).rowcount
        return file

    return damaged


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE messages SET change = '{no JSON' WHERE seq = 2",
        "UPDATE messages SET change = x'ff' WHERE seq = 2",
        """UPDATE messages SET change = '{"type":"ask"}' WHERE seq = 2""",
        """UPDATE messages SET change = '{"type":"other"}' WHERE seq = 2""",
        """UPDATE messages SET change = replace(change, '"strategy":0', '"strategy":7') WHERE seq = 2""",
    ],
)
def test_a_damaged_session_is_named(damaged: Damage, statement: str) -> None:
    """Resume, replay and a request of its own fail with a pointer to what finds the damage; others go on."""
    with Server(damaged(statement)) as server:
        channel = server.connect()

        def error(type_: str, message: Any, **more: Any) -> Any:
            reply = channel.request({"version": "1", "type": type_, "message": message, **more})
            return reply["error"]

        for found in (
            error("resume", {"session": SESSION}),
            error("replay", {"session": SESSION}),
            error("tell", {"trial": 2, "outcome": 1}, session=SESSION),
        ):
            assert found["code"] == "storage_failed"
            assert "message 2" in found["detail"] or "message 3" in found["detail"]
            assert "fechner verify" in found["detail"] + found.get("hint", "")
        assert channel.request({"version": "1", "type": "ping", "id": "p"})["ok"]


def test_a_damaged_reply_that_is_wanted_again_is_named(damaged: Damage) -> None:
    """The request of the id can't be read, so nobody knows whether it is the same; the session goes on."""
    with Server(damaged("UPDATE messages SET request = '{no JSON' WHERE seq = 2")) as server:
        channel = server.connect()
        ask = {"version": "1", "type": "ask", "message": {}, "session": SESSION}
        again = channel.request({**ask, "id": "c-1"})
        assert again["error"]["code"] == "storage_failed"
        assert "fechner verify" in again["error"]["hint"]
        assert channel.request({**ask, "id": "c-9"})["ok"]


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM messages WHERE seq = 4",
        "UPDATE messages SET reply = '{}' WHERE seq = 4",
    ],
)
def test_a_replay_names_a_message_that_was_changed_or_is_missing(damaged: Damage, statement: str) -> None:
    """Though every ask that is left comes out as recorded."""
    with Server(damaged(statement)) as server:
        request = {"version": "1", "type": "replay", "message": {"session": SESSION}}
        found = server.connect().request(request)["message"]
        assert (found["identical"], found["broken_chain"]) == (False, 4)
        assert "first_difference" not in found
