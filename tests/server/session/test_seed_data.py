"""A setup copies the trials of earlier sessions into its own message, once, and says what it left out."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from fechner.database.upkeep.forget import forget
from fechner.server import Server
from fechner.server.engine.events import SeedDataRead
from fechner.server.protocol.limits import Limits
from fechner.server.session.replay import dataframe, verify

from ..rig import Rig

CONFIG = """
[common]
parnames = [level]
outcome_types = [binary]
strategy_names = [opt]
[level]
par_type = continuous
lower_bound = 0
upper_bound = 10
[opt]
generator = OptimizeAcqfGenerator
model = GPClassificationModel
min_asks = 4
[OptimizeAcqfGenerator]
acqf = MCLevelSetEstimation
samps = 32
restarts = 2
[MCLevelSetEstimation]
objective = ProbitObjective
"""
WARM = CONFIG.replace("min_asks = 4", "min_asks = 4\nseed_data_conditions = pilots")
WARM += "[pilots]\nexperiment_name = [pilot]\n"
LEVELS = (1, 3, 4.5, 5.5, 7, 9)
Call = Callable[..., Any]


class Booth:
    """An in-process server and what is said to it."""

    def __init__(self, server: Server) -> None:
        self.server = server

    def exchange(self, channel: Any, type: str, message: Any = None) -> Any:
        reply = channel.request({"version": "1", "type": type, "message": message or {}})
        assert reply["ok"], reply
        return reply

    def earlier(self, config: str = CONFIG, levels: Any = LEVELS, **more: Any) -> tuple[Any, str]:
        """A session that is told outcomes; its channel and name."""
        channel = self.server.connect()
        given = {"config": config, "name": "pilot", "seed": 1, **more}
        session = self.exchange(channel, "setup", given)["session"]
        for level in levels:
            self.exchange(channel, "tell", {"config": {"level": level}, "outcome": int(level > 5)})
        return channel, session

    def warm(self, config: str = WARM, **more: Any) -> tuple[Any, Any]:
        """A session with seed data; its channel and the setup's reply."""
        channel = self.server.connect()
        return channel, self.exchange(channel, "setup", {"config": config, "seed": 2, **more})

    def said(self, reply: Any) -> list[tuple[str, str]]:
        """The warnings of a reply about seed data."""
        return [(w["code"], w["detail"]) for w in reply.get("warnings", ()) if "seed_data" in w["code"]]

    def change(self, session: str) -> Any:
        """What the setup put on record."""
        return next(iter(self.server.record.changes(session)))[2]


@pytest.fixture
def booth() -> Iterator[Booth]:
    with Server() as server:
        yield Booth(server)


def test_told_trials_warm_the_model_and_are_on_record_with_their_origin(booth: Booth) -> None:
    """The setup's own message has them; the reply says how many; no trial is counted."""
    _, first = booth.earlier()
    channel, reply = booth.warm()
    assert reply["message"]["seed_data"] == {"pilots": 6}
    assert booth.said(reply) == []
    rows = booth.change(reply["session"])["seed_data"]["pilots"]
    assert [(row["session"], row["trial"]) for row in rows] == [(first, n) for n in range(1, 7)]
    assert [row["config"] for row in rows] == [{"level": level} for level in LEVELS]
    assert [row["outcome"] for row in rows] == [{"outcome_1": float(level > 5)} for level in LEVELS]
    info = booth.exchange(channel, "info")["message"]
    assert info["trials"] == {"asked": 0, "told": 0, "pending": 0, "skipped": 0}
    assert info["can_model"] is True
    assert dataframe(booth.server.record, reply["session"]).empty
    ask = booth.exchange(channel, "ask")
    assert ask["timing"]["tier"] == "model"
    assert ask["message"]["trials"][0]["trial"] == 1
    assert ask["message"]["remaining"] == {"trials": 3}


def test_a_warm_session_verifies_after_its_sources_changed_and_went(booth: Booth, tmp_path: Any) -> None:
    """What was copied stays, though an outcome is corrected and the earlier participant is forgotten."""
    where = tmp_path / "record.db"
    with Server(where) as server:
        one = Booth(server)
        source, first = one.earlier(participant="p01")
        channel, reply = one.warm(participant="p02")
        for _ in range(3):
            trial = one.exchange(channel, "ask")["message"]["trials"][0]
            tell = {"trial": trial["trial"], "outcome": int(trial["config"]["level"] > 5)}
            one.exchange(channel, "tell", tell)
        one.exchange(source, "correct", {"trial": 1, "outcome": 1})
        assert verify(server.record, reply["session"]).identical
    assert len(forget(where, "p01", "on request")) == 1
    with Server(where) as server:
        assert not server.record.exists(first)
        found = verify(server.record, reply["session"])
        assert found.identical
        assert found.asks == 3
        one = Booth(server)
        channel = server.connect()
        one.exchange(channel, "resume", {"session": reply["session"]})
        assert one.exchange(channel, "ask")["timing"]["tier"] == "model"
        assert one.said(one.warm()[1])[0][0] == "no_seed_data"


def test_corrections_count_as_of_the_setup(booth: Booth) -> None:
    """Corrected values, not removed trials, not what was kept from the model."""
    source, _ = booth.earlier()
    booth.exchange(source, "correct", {"trial": 1, "outcome": 1})
    booth.exchange(source, "correct", {"trial": 2, "remove": True})
    booth.exchange(source, "tell", {"config": {"level": 2}, "outcome": 0, "model_data": False})
    skipped = booth.exchange(source, "ask")["message"]["trials"][0]["trial"]
    booth.exchange(source, "skip", {"trial": skipped})
    _, reply = booth.warm()
    rows = booth.change(reply["session"])["seed_data"]["pilots"]
    assert [row["trial"] for row in rows] == [1, 3, 4, 5, 6]
    assert rows[0]["outcome"] == {"outcome_1": 1.0}


def test_nothing_found_is_a_warning(booth: Booth) -> None:
    """The session goes on without seed data; it isn't warmed by itself either."""
    channel, reply = booth.warm(name="pilot")
    [(code, detail)] = booth.said(reply)
    assert code == "no_seed_data"
    assert "no earlier session" in detail
    assert booth.exchange(channel, "ask")["timing"]["tier"] == "space_filling"
    booth.exchange(channel, "tell", {"trial": 1, "outcome": 1})
    again = booth.exchange(channel, "setup", {"config": WARM, "seed": 2})
    assert booth.said(again)[0][0] == "no_seed_data"


def test_another_kind_of_experiment_is_left_out(booth: Booth) -> None:
    """Other parameters or outcomes under the same name: a warning says which."""
    booth.earlier(CONFIG.replace("level", "loudness"), levels=())
    _, reply = booth.warm()
    [(code, detail)] = booth.said(reply)
    assert code == "no_seed_data"
    assert "1 setup of another kind: its parameters are loudness" in detail
    booth.earlier()
    [(code, detail)] = booth.said(booth.warm()[1])
    assert code == "seed_data_skipped"
    assert "1 setup left out: its parameters are loudness" in detail


def test_rows_outside_the_box_are_left_out_and_counted(booth: Booth) -> None:
    """The rest is used."""
    booth.earlier(CONFIG.replace("upper_bound = 10", "upper_bound = 20"), levels=(3, 12, 18, 4))
    _, reply = booth.warm()
    [(code, detail)] = booth.said(reply)
    assert code == "seed_data_skipped"
    assert "2 earlier trials left out, 2 used" in detail
    assert reply["message"]["seed_data"] == {"pilots": 2}


def test_levels_that_do_not_exist_here_are_left_out(booth: Booth) -> None:
    """An ordinal outcome with fewer levels."""
    ordinal = CONFIG.replace("[binary]", "[ordinal]").replace("GPClassificationModel", "OrdinalGPModel")
    ordinal = ordinal.replace("MCLevelSetEstimation", "MCPosteriorVariance").replace(
        "objective = ProbitObjective", ""
    )
    five = ordinal + "[OrdinalLikelihood]\nn_levels = 5\n"
    channel, _ = booth.earlier(five, levels=())
    for outcome in (0, 1, 2, 3, 4):
        booth.exchange(channel, "tell", {"config": {"level": outcome}, "outcome": outcome})
    three = ordinal + "[OrdinalLikelihood]\nn_levels = 3\n[pilots]\nexperiment_name = [pilot]\n"
    three = three.replace("min_asks = 4", "min_asks = 4\nseed_data_conditions = pilots")
    _, reply = booth.warm(three)
    assert reply["message"]["seed_data"] == {"pilots": 3}
    assert "2 earlier trials left out" in booth.said(reply)[0][1]


def test_the_newest_are_taken_where_there_are_too_many() -> None:
    """The limit seed_trials is named in the warning."""
    with Server(limits=Limits(seed_trials=8)) as server:
        booth = Booth(server)
        _, first = booth.earlier()
        _, second = booth.earlier()
        _, reply = booth.warm()
        rows = booth.change(reply["session"])["seed_data"]["pilots"]
        wanted = [(first, n) for n in (5, 6)] + [(second, n) for n in range(1, 7)]
        assert [(row["session"], row["trial"]) for row in rows] == wanted
        [(code, detail)] = booth.said(reply)
        assert code == "seed_data_limit"
        assert "newest 8" in detail
        assert "seed_trials" in detail


def test_conditions_select_among_participants_and_metadata(booth: Booth) -> None:
    """As the setup message or the configuration named them."""
    wanted = [booth.earlier(participant="p01", metadata={"lab": "A"})[1]]
    booth.earlier(participant="p02", metadata={"lab": "A"})
    booth.earlier(participant="p01", metadata={"lab": "B"})
    named = "[metadata]\nparticipant_id = p01\nexperiment_name = pilot\nlab = A\n"
    channel = server_channel = booth.server.connect()
    session = booth.exchange(channel, "setup", {"config": CONFIG + named, "seed": 1})["session"]
    booth.exchange(server_channel, "tell", {"config": {"level": 1}, "outcome": 0})
    wanted.append(session)
    _, reply = booth.warm(WARM + "participant_id = [p01]\nlab = [A, C]\n")
    rows = booth.change(reply["session"])["seed_data"]["pilots"]
    assert list(dict.fromkeys(row["session"] for row in rows)) == wanted


def test_a_program_brings_its_own_rows() -> None:
    """They stand for the record's, and are recorded without a session."""
    rows = [{"config": {"level": level}, "outcome": int(level > 5)} for level in (*LEVELS, 11)]
    with Server(seed_data=rows) as server:
        booth = Booth(server)
        channel, reply = booth.warm()
        assert reply["message"]["seed_data"] == {"pilots": 6}
        assert "1 earlier trial left out, 6 used" in booth.said(reply)[0][1]
        recorded = booth.change(reply["session"])["seed_data"]["pilots"]
        assert [(row["session"], row["trial"]) for row in recorded][:2] == [(None, 1), (None, 2)]
        booth.exchange(channel, "ask")
        assert verify(server.record, reply["session"]).identical


def test_an_unreadable_record_is_an_error_and_changes_nothing(booth: Booth) -> None:
    """storage_failed; the session isn't there."""
    _, first = booth.earlier()
    with booth.server.record.snapshot() as connection:
        connection.exec_driver_sql("UPDATE strategies SET metadata_json = '{' WHERE session = ?", (first,))
    channel = booth.server.connect()
    config = WARM + "lab = A\n"
    reply = channel.request({"version": "1", "type": "setup", "message": {"config": config}})
    assert reply["error"]["code"] == "storage_failed"
    assert first in reply["error"]["detail"]
    assert len(booth.server.record.sessions()) == 1


def test_a_setup_sent_again_gets_the_same_reply(booth: Booth) -> None:
    """Also when there are more trials by then."""
    booth.earlier()
    channel = booth.server.connect()
    setup = {"version": "1", "type": "setup", "id": "s", "message": {"config": WARM}}
    setup["session"] = "6f1d2c3b-0000-4000-8000-000000000001"
    first = channel.request(setup)
    booth.earlier()
    assert json.dumps(channel.request(setup)) == json.dumps(first)
    assert first["message"]["seed_data"] == {"pilots": 6}


def test_both_transports_of_aepsych_take_it(booth: Booth) -> None:
    """The older dialects set up the same session, without saying more."""
    booth.earlier()
    channel = booth.server.connect()
    assert channel.request({"type": "setup", "message": {"config_str": WARM}}) == {"strat_id": 0}
    assert channel.request({"type": "can_model"}) == {"can_model": True}


def test_a_server_that_stops_while_it_reads_says_so(rig: Rig) -> None:
    """The setup is refused, nothing is on record, and what comes too late is left alone."""
    peer = rig.connect()
    peer.send("setup", {"config": WARM})
    assert peer.raw == []
    rig.stop()
    assert peer.last["error"]["code"] == "shutting_down"
    rig.event(SeedDataRead(1, {}))
    assert rig.halted
    assert rig.disk.entries == {}


def test_nothing_overtakes_a_setup_that_reads(rig: Rig) -> None:
    """The requests behind it wait; a fault of the record is the setup's own."""
    peer = rig.connect()
    peer.send("setup", {"config": WARM})
    peer.send("info")
    assert peer.raw == []
    token = next(iter(rig.engine.state.waiting))
    rig.event(SeedDataRead(token, {}, "the disk is gone"))
    rig.settle()
    first, second = peer.replies
    assert (first["error"]["code"], second["error"]["code"]) == ("storage_failed", "no_session")
    assert "the disk is gone" in first["error"]["detail"]
