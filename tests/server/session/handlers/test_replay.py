"""replay: a session's asks computed again, one by one."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from fechner.database.form.changes import Change
from fechner.server.session.handlers.replay import replay
from fechner.server.session.handlers.results import Answer, Computation, Priority
from fechner.strategies.core.strategy import propose

CONFIG = """
[common]
parnames = [p]
outcome_types = [binary]
strategy_names = [init]
[p]
par_type = continuous
lower_bound = 0
upper_bound = 1
[init]
generator = SobolGenerator
min_asks = 3
"""


@pytest.fixture
def changes() -> list[tuple[int, Change]]:
    """What a setup and three asks did."""
    from fechner.server import Server

    with Server() as server:
        channel = server.connect()
        setup = {"version": "1", "type": "setup", "message": {"config": CONFIG, "seed": 1}}
        session = channel.request(setup)["session"]
        for _ in range(3):
            channel.request({"version": "1", "type": "ask"})
        return [(seq, change) for seq, _, change in server.record.changes(session)]


def run(changes: list[tuple[int, Change]]) -> tuple[Answer, int]:
    """Compute what the handler wants until it answers; the answer, and how often it computed."""
    result, n = replay(changes, verify=True), 0
    while isinstance(result, Computation):
        assert result.priority is Priority.REPLAY
        result, n = result.answer(propose(*result.arguments)), n + 1
    return result, n


def test_an_untouched_session_is_identical(changes: list[tuple[int, Change]]) -> None:
    """Each ask is one computation behind those of sessions in progress; nothing is recorded."""
    answer, n = run(changes)
    assert answer.message == {"identical": True, "asks": 3}
    assert answer.change is None
    assert n == 3


def test_the_first_difference_is_named(changes: list[tuple[int, Change]]) -> None:
    """It says where, what was recorded and what comes out, and stops there."""
    changed: Any = copy.deepcopy(changes)
    changed[2][1]["left"]["points"][0][0][0] += 0.25
    answer, n = run(changed)
    first = answer.message["first_difference"]
    assert answer.message["identical"] is False
    assert n == 2
    assert first["seq"] == changed[2][0]
    assert first["recorded"]["points"] != first["recomputed"]["points"]


def test_without_verification_nothing_is_computed(changes: list[tuple[int, Change]]) -> None:
    """verify false only counts."""
    answer = replay(changes, verify=False)
    assert isinstance(answer, Answer)
    assert answer.message == {"identical": None, "asks": 3}
