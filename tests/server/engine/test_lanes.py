"""A request as the messages that it is recorded as."""

from __future__ import annotations

from fechner.server.engine.lanes import companion, steps_of
from fechner.server.protocol.dialects import NATIVE


def test_an_update_is_a_tell_and_an_ask() -> None:
    """The tell has the client's id, the ask a key that no client can send."""
    request = NATIVE.parse({"version": "1", "type": "update", "id": "u", "message": {"tell": {"trial": 1}}})
    assert [(step.type, step.key) for step in steps_of(request)] == [("tell", "u"), ("ask", companion("u"))]


def test_anything_else_is_one_message() -> None:
    """Under its own id, or none."""
    for id_ in ("a", None):
        request = NATIVE.parse({"version": "1", "type": "ask", **({"id": id_} if id_ else {})})
        assert [(step.type, step.key) for step in steps_of(request)] == [("ask", id_)]


def test_companion_keys_meet_no_id_and_not_each_other() -> None:
    """They are longer than any id, and as different as the ids."""
    ids = ["", "u", "u ", "x" * 64]
    keys = [companion(id_) for id_ in ids]
    assert len(set(keys)) == len(ids)
    assert all(key is not None and len(key) >= 64 for key in keys)
    assert companion(None) is None
