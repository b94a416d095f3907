"""Whatever happens in whatever order, the engine keeps its promises: a state machine of hypothesis."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

import pytest
from hypothesis import HealthCheck, seed, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from fechner.server.engine.effects import Commit, Find, Load
from fechner.server.engine.events import Computed, Emitted
from fechner.server.session.replay import fold

from ..rig import Peer, Rig

SESSIONS = ["6f1d2c3b-0000-4000-8000-00000000000" + digit for digit in "12"]

sessions = st.sampled_from(SESSIONS)
ids = st.none() | st.sampled_from("abcdef")
requests = st.sampled_from(
    [
        ("ask", {}),
        ("ask", {"n": 2, "beyond": True}),
        ("ask", {"fixed": {"q": 1}}),
        ("tell", {"trial": 1, "outcome": 1}),
        ("tell", {"trial": 2, "outcome": 0}),
        ("tell", {"config": {"p": 0.3}, "outcome": 1}),
        ("tell", {"trials": [{"trial": 3, "outcome": 1}, {"trial": 9, "outcome": 1}]}),
        ("update", {"tell": {"config": {"p": 0.6}, "outcome": 0}}),
        ("update", {"tell": {"trial": 1, "outcome": 0}, "ask": {"beyond": True}}),
        ("ask", {"deadline_ms": 100}),
        ("skip", {"trial": 1}),
        ("skip", {"trial": 2, "again": True}),
        ("correct", {"trial": 1, "outcome": 0}),
        ("correct", {"trial": 1, "remove": True}),
        ("query", {"query": "max"}),
        ("info", {}),
        ("finish_strategy", {}),
        ("resume", {"strategy": 0}),
        ("ping", {}),
        ("hello", {}),
        ("exit", {}),
        ("nonsense", {}),
    ]
)


def machine(new_rig: type[Rig], config: str, ahead: bool = False) -> type[RuleBasedStateMachine]:
    """The rules around one engine and its disk; `ahead`: asks are computed before they come."""

    class Interleavings(RuleBasedStateMachine):
        peers = Bundle("peers")

        def __init__(self) -> None:
            super().__init__()
            self.rig = new_rig(eager=ahead, speculate=ahead)
            self.sent: dict[int, list[tuple[str, Any]]] = {}
            self.answers: dict[tuple[str, str], bytes] = {}
            self.gone: set[int] = set()
            self.loyal: dict[int, str] = {}

        @rule(target=peers, stream=st.booleans(), loyal=st.none() | sessions)
        def connect(self, stream: bool, loyal: str | None) -> Any:
            """A loyal peer stays with one session."""
            peer = self.rig.connect(stream)
            self.sent[peer.number] = []
            if loyal is not None:
                self.loyal[peer.number] = loyal
            return peer

        def send(self, peer: Peer, type_: str, message: Any, **envelope: Any) -> None:
            session = self.loyal.get(peer.number)
            if session is not None:
                envelope["session"] = session
                if type_ == "resume":
                    message = {**message, "session": session}
            envelope = {key: value for key, value in envelope.items() if value is not None}
            if not peer.closed and peer.number not in self.gone:
                self.sent[peer.number].append((type_, envelope.get("id")))
                peer.send(type_, message, **envelope)

        @rule(peer=peers, session=sessions, id_=ids)
        def setup(self, peer: Peer, session: str, id_: str | None) -> None:
            self.send(peer, "setup", {"config": config, "seed": 1}, session=session, id=id_)

        @rule(peer=peers, session=sessions | st.just("last"), observe=st.booleans())
        def resume(self, peer: Peer, session: str, observe: bool) -> None:
            self.send(peer, "resume", {"session": session, "observe": observe})

        @rule(peer=peers, request=requests, session=st.none() | sessions, id_=ids)
        def request(self, peer: Peer, request: tuple[str, Any], session: str | None, id_: str | None) -> None:
            self.send(peer, *request, session=session, id=id_)

        @rule(peer=peers, packet=st.lists(st.tuples(requests, ids), min_size=2, max_size=5))
        def packet(self, peer: Peer, packet: list[tuple[tuple[str, Any], str | None]]) -> None:
            for request, id_ in packet:
                self.send(peer, *request, id=id_)

        @rule(seconds=st.sampled_from([0.1, 5.0, 10.0]))
        def wait(self, seconds: float) -> None:
            self.rig.wait(seconds)

        @rule()
        def store(self) -> None:
            if self.rig.storage:
                self.rig.store()

        @rule()
        def fail(self) -> None:
            if self.rig.storage and isinstance(self.rig.storage[0], Commit):
                self.rig.fail_commit()

        @rule(on_record=st.booleans())
        def leave_unsettled(self, on_record: bool) -> None:
            """Nobody can say whether a commit is on record."""
            if self.rig.storage and isinstance(self.rig.storage[0], Commit):
                if on_record:
                    self.rig.disk.commit(self.rig.storage[0])
                self.rig.fail_commit("nobody can say", unsettled=True)

        @rule()
        def fail_to_read(self) -> None:
            if self.rig.storage and isinstance(self.rig.storage[0], Load | Find):
                self.rig.fail_reading()

        @rule()
        def lose_workers(self) -> None:
            if self.rig.tasks:
                self.rig.fail_work()

        @rule()
        def ring(self) -> None:
            if self.rig.alarms:
                self.rig.ring()

        @rule(tiers=st.integers(0, 2))
        def half_work(self, tiers: int) -> None:
            """A computation has come so far."""
            for tier in ("previous_fit", "scan")[:tiers]:
                task = self.rig.tasks[0] if self.rig.tasks else None
                if task is not None and task.tiers:
                    computed = self.rig.compute(task)
                    assert isinstance(computed, Computed)
                    self.rig.event(Emitted(task.task, {**computed.result, "tier": tier}))

        @rule(last=st.booleans())
        def work(self, last: bool) -> None:
            if self.rig.tasks:
                self.rig.tasks.rotate(1 if last else 0)
                self.rig.work()

        @rule()
        def settle(self) -> None:
            self.rig.settle()

        @rule(peer=peers)
        def unreadable(self, peer: Peer) -> None:
            if not peer.closed and peer.number not in self.gone:
                self.sent[peer.number].append(("", None))
                peer.unreadable()
                if peer.stream:
                    self.gone.add(peer.number)  # it says nothing more, but still reads

        @rule(peer=peers)
        def end(self, peer: Peer) -> None:
            if peer.number not in self.gone:
                self.gone.add(peer.number)
                peer.end()

        @rule(peer=peers)
        def vanish(self, peer: Peer) -> None:
            self.gone.add(peer.number)
            self.sent.pop(peer.number, None)
            peer.vanish()

        @invariant()
        def replies_are_in_order(self) -> None:
            """Replies of one session come in the order of its requests; pings with an id may overtake."""
            for number, sent in self.sent.items():
                replies = self.rig.peers[number].replies
                got = [(r["type"] or "", r.get("id")) for r in replies]
                steady = [kind for kind in sent if kind[0] != "ping" or kind[1] is None]
                answered = [kind for kind in got if kind[0] != "ping" or kind[1] is None]
                if number in self.loyal:
                    assert answered == steady[: len(answered)]
                else:  # its sessions don't wait for each other
                    assert not Counter(answered) - Counter(steady)

        @invariant()
        def acknowledged_is_on_disk(self) -> None:
            """A successful reply to what changes a session is on record, byte for byte, once."""
            for number in self.sent:
                for raw, reply in zip(
                    self.rig.peers[number].raw, self.rig.peers[number].replies, strict=True
                ):
                    if not reply["ok"] or reply["type"] not in ("setup", "tell", "finish_strategy", "exit"):
                        continue
                    recorded = [e.reply for e in self.rig.recorded(reply["session"]) if e.ok]
                    assert raw.rstrip(b"\n").decode() in recorded

        @invariant()
        def the_same_id_gets_the_same_bytes(self) -> None:
            """Successful replies of one session with one id are equal, whoever gets them."""
            for number in self.sent:
                for raw, reply in zip(
                    self.rig.peers[number].raw, self.rig.peers[number].replies, strict=True
                ):
                    asked = reply.get("message", {}).get("ask")
                    if not reply["ok"] or "id" not in reply or "session" not in reply:
                        continue
                    if reply["type"] in ("info", "query") or (asked and "error" in asked):
                        continue  # these don't wait for their commit, which may fail
                    if reply["type"] == "resume" or (
                        reply["type"] == "ask" and not reply["message"]["trials"]
                    ):
                        continue
                    if asked and not asked["trials"]:
                        continue
                    key = (reply["session"], reply["id"])
                    assert self.answers.setdefault(key, raw.rstrip(b"\n")) == raw.rstrip(b"\n")

        @invariant()
        def the_engine_is_what_the_record_says(self) -> None:
            """A session with nothing under way equals the fold of its recorded changes."""
            for id_, lane in self.rig.engine.state.lanes.items():
                if lane.idle and lane.known:
                    read = fold(id_, self.rig.disk.changes(id_))
                    assert read.counts() == lane.session.counts()
                    assert read.pending_list() == lane.session.pending_list()
                    assert (read.current, read.ended) == (lane.session.current, lane.session.ended)

        @invariant()
        def nobody_shares_a_session(self) -> None:
            """Each session has at most one holder, which knows that it holds it."""
            for id_, lane in self.rig.engine.state.lanes.items():
                holders = [c for c in self.rig.engine.state.connections.values() if id_ in c.owned]
                assert holders == ([lane.owner] if lane.owner is not None else [])

        def teardown(self) -> None:
            """In the end everything is answered, and after a stop the engine halts."""
            rig = self.rig
            rig.settle()
            for number, sent in self.sent.items():
                assert len(rig.peers[number].raw) == len(sent), json.dumps(rig.peers[number].replies)
            rig.stop()
            rig.settle()
            assert rig.halted

    return Interleavings


def play(new_rig: type[Rig], config: str, ahead: bool, examples: int, seed_: int | None = None) -> None:
    """So many plays of the machine."""
    rules = machine(new_rig, config, ahead)
    run_state_machine_as_test(
        rules if seed_ is None else seed(seed_)(rules),
        settings=settings(
            max_examples=examples,
            stateful_step_count=50,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )


@pytest.mark.parametrize("ahead", [False, True])
def test_random_interleavings(new_rig: type[Rig], with_model: str, ahead: bool) -> None:
    """Peers that come, talk, repeat themselves, break off, and a disk and workers that take their time."""
    play(new_rig, with_model, ahead, 60)


@pytest.mark.long
@pytest.mark.parametrize("ahead", [False, True])
def test_many_random_interleavings(new_rig: type[Rig], with_model: str, ahead: bool) -> None:
    """Many more; `python benchmarks/interleavings.py --examples 100000` plays as many as you like."""
    play(new_rig, with_model, ahead, 400)
