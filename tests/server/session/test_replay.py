"""Replay: a recorded session read back, recomputed and compared, given as strategies and as a dataframe."""

from __future__ import annotations

import functools
import json
from collections.abc import Iterator
from typing import Any

import pytest

from fechner.server import Server
from fechner.server.session.replay import dataframe, fold, strategies, verify
from fechner.strategies.core.dumps import dump
from fechner.strategies.core.proposal import Proposal
from fechner.strategies.core.strategy import propose


@pytest.fixture(scope="module")
def talk() -> Iterator[tuple[Server, str]]:
    """A server with a session of two strategies: a few points, some told, the rest pending."""
    config = {
        "common": {"parnames": ["p"], "outcome_types": ["binary"], "strategy_names": ["init", "opt"]},
        "p": {"par_type": "continuous", "lower_bound": 1, "upper_bound": 10, "log_scale": True},
        "init": {"generator": "SobolGenerator", "min_asks": 3},
        "opt": {"generator": "OptimizeAcqfGenerator", "model": "GPClassificationModel", "min_asks": 3},
        "OptimizeAcqfGenerator": {"acqf": "MCLevelSetEstimation"},
    }
    with Server() as server:
        channel = server.connect()

        def ok(type_: str, message: dict[str, Any]) -> Any:
            reply = channel.request({"version": "1", "type": type_, "message": message})
            assert reply["ok"], reply
            return reply

        session = ok("setup", {"config": config, "seed": 3, "name": "first"})["session"]
        ok("ask", {"n": 3})
        ok("tell", {"trials": [{"trial": i, "outcome": i % 2} for i in (1, 2, 3)]})
        ok("tell", {"config": {"p": 2.5}, "outcome": 0})
        ok("ask", {"n": 1, "fixed": {"p": 7}})
        ok("ask", {})
        ok("update", {"tell": {"trial": 6, "outcome": 1, "shown": {"p": 9.5}}})
        ok("setup", {"config": config, "seed": 4})
        ok("ask", {"n": 2})
        ok("finish_strategy", {})
        ok("resume", {"strategy": 0})
        yield server, session


def test_a_session_read_back_is_the_live_one(talk: tuple[Server, str]) -> None:
    """Every state, to the last bit, and everything about the trials."""
    server, session = talk
    live = server._engine.state.lanes[session].session
    read = fold(session, (change for _, _, change in server.record.changes(session)))
    assert [dump(s.state) for s in read.strategies] == [dump(s.state) for s in live.strategies]
    assert read.pending_list() == live.pending_list()
    assert (read.counts(), read.current, read.ended) == (live.counts(), live.current, live.ended)
    assert [t.status for t in read.trials] == [t.status for t in live.trials]


def test_recomputing_gives_what_was_recorded(talk: tuple[Server, str]) -> None:
    """Every ask, identical; progress is told after each."""
    server, session = talk
    progress: list[int] = []
    found = verify(server.record, session, progress=progress.append)
    assert found.identical
    assert found.asks == 5
    assert progress == [1, 2, 3, 4, 5]


def test_the_first_difference_is_named(talk: tuple[Server, str]) -> None:
    """The message, what differs, and both values."""
    server, session = talk

    def other(state: Any, *how: Any) -> Proposal:
        result = propose(state, *how)
        if state.index == 1:
            result["points"][0][0][0] += 1e-16 + 1e-9
        return result

    found = verify(server.record, session, other)
    assert not found.identical
    assert found.difference is not None
    message = server.record.messages(session)[found.difference.seq - 1]
    assert message.type == "ask"
    assert message.change is not None
    assert message.change["type"] == "ask"
    assert message.change["strategy"] == 1
    assert found.difference.what == "points"
    assert found.difference.recorded != found.difference.recomputed


def test_another_device_is_no_difference_but_explains_one(talk: tuple[Server, str]) -> None:
    """What computed is not compared; it is told where an ask differs."""
    server, session = talk

    def other(shift: float, state: Any, *how: Any) -> dict[str, Any]:
        result = propose(state, *how)
        result["points"][0][0][0] += shift
        return {**result, "device": "a GPU"}

    assert verify(server.record, session, functools.partial(other, 0.0)).identical
    found = verify(server.record, session, functools.partial(other, 1e-9)).difference
    assert found is not None
    assert found.what == "points"
    assert found.devices == (None, "a GPU")


def test_strategies_go_on_where_they_were_left(talk: tuple[Server, str]) -> None:
    """Their next ask is the one that the server would give."""
    server, session = talk
    first, second = strategies(server.record, session)
    assert first.data[0].shape == (5, 1, 1)
    assert len(second.state.pending) == 2
    reply = server._engine.state.lanes[session].session.state
    assert first.ask() == propose_config(reply)


def propose_config(state: Any) -> Any:
    return state.space.decode_trial(propose(state)["points"][0])


def test_a_dataframe_of_a_session(talk: tuple[Server, str]) -> None:
    """One row per trial."""
    server, session = talk
    frame = dataframe(server.record, session)
    assert len(frame) == 9
    assert frame["trial"].tolist() == list(range(1, 10))
    assert (frame["status"] == "pending").sum() == 4
    assert set(dataframe(server.record)["session"]) == {session}


def test_the_reply_on_record_is_what_was_sent(talk: tuple[Server, str]) -> None:
    """Every recorded reply is a reply of its session."""
    server, session = talk
    for message in server.record.messages(session):
        assert json.loads(message.reply)["session"] == session
    assert server.record.verify_chain(session) is None
