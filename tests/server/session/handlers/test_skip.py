"""skip: a trial closed without outcome, its point handed out again where wanted."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from fechner.server import Server
from fechner.server.session.replay import verify

CONFIG = """
[common]
parnames = [p]
outcome_types = [binary]
strategy_names = [{stage}]
seed = 4
[p]
par_type = continuous
lower_bound = 0
upper_bound = 1
[init]
generator = SobolGenerator
min_asks = 20
[list]
generator = ManualGenerator
[ManualGenerator]
points = [[0.1], [0.2], [0.3]]
shuffle = False
"""

Send = Callable[..., dict[str, Any]]


@pytest.fixture
def server() -> Iterator[Server]:
    with Server() as server:
        yield server


@pytest.fixture
def send(server: Server) -> Send:
    """Send a request of version 1; its reply."""
    channel = server.connect()

    def send(type_: str, **message: Any) -> dict[str, Any]:
        reply: dict[str, Any] = channel.request({"version": "1", "type": type_, "message": message})
        return reply

    return send


def asked(send: Send, **message: Any) -> list[dict[str, Any]]:
    trials: list[dict[str, Any]] = send("ask", **message)["message"]["trials"]
    return trials


def test_a_skipped_trial_is_closed_and_counts_as_asked(send: Send) -> None:
    """It is no longer pending, can't be told or skipped again, and the next ask is another point."""
    send("setup", config=CONFIG.format(stage="init"))
    [first] = asked(send)
    assert send("skip", trial=1, reason="sneezed")["message"] == {"trial": 1}
    counts = send("info")["message"]["trials"]
    assert counts == {"asked": 1, "told": 0, "pending": 0, "skipped": 1}
    for type_, more in (("skip", {}), ("tell", {"outcome": 1})):
        assert send(type_, trial=1, **more)["error"]["code"] == "trial_already_told"
    assert asked(send)[0]["config"] != first["config"]


def test_again_hands_the_point_out_next(send: Send) -> None:
    """The very point comes back as a new trial, before new ones, also among several."""
    send("setup", config=CONFIG.format(stage="init"))
    [first], [second] = asked(send), asked(send)
    send("skip", trial=2, again=True)
    trials = asked(send, n=2)
    assert [trial["trial"] for trial in trials] == [3, 4]
    assert trials[0]["config"] == second["config"]
    assert trials[1]["config"] not in (first["config"], second["config"])
    assert asked(send)[0]["config"] != second["config"]


def test_again_in_a_list_of_points_leaves_none_out(send: Send) -> None:
    """A finite list is asked to its end, and the repeated point once more."""
    send("setup", config=CONFIG.format(stage="list"))
    seen = [asked(send)[0]["config"]["p"]]
    send("skip", trial=1, again=True)
    while True:
        reply = send("ask")["message"]
        seen += [trial["config"]["p"] for trial in reply["trials"]]
        if reply["finished"]:
            break
    assert seen == pytest.approx([0.1, 0.1, 0.2, 0.3])


def test_fixed_values_leave_the_queue_alone(send: Send) -> None:
    """An ask with fixed values gets what it names; the queued point waits."""
    send("setup", config=CONFIG.format(stage="init"))
    [first] = asked(send)
    send("skip", trial=1, again=True)
    assert asked(send, fixed={"p": 0.25})[0]["config"]["p"] == pytest.approx(0.25)
    assert asked(send)[0]["config"] == first["config"]


@pytest.mark.parametrize("trial", [1, 7])
def test_unknown_trials(send: Send, trial: int) -> None:
    """A trial that was never handed out is named."""
    send("setup", config=CONFIG.format(stage="init"))
    assert send("skip", trial=trial)["error"]["code"] == "unknown_trial"


def test_skips_replay(server: Server, send: Send) -> None:
    """A session with skips verifies, and reads back to the same next ask."""
    session = send("setup", config=CONFIG.format(stage="init"))["session"]
    for i in range(4):
        [trial] = asked(send)
        send("skip", trial=trial["trial"], again=i % 2 == 0)
    assert verify(server.record, session).identical
    expected = asked(send)
    other = server.connect()
    other.request({"version": "1", "type": "ping"})
    assert send("resume")["message"]["pending"] == expected
