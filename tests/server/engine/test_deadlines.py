"""Asks with a deadline: the best tier by then answers, is on record, and is what a replay computes."""

from __future__ import annotations

import pytest

from fechner.server.session.handlers.registry import load
from fechner.server.session.replay import recomputation
from fechner.strategies.core.strategy import propose

from ..rig import Computing, Peer, Rig

load()


@pytest.fixture
def peer(new_rig: type[Rig], with_model: str, computed_here: Computing) -> Peer:
    """A session with a fit behind it, whose next ask computes."""
    rig = new_rig(compute=computed_here)
    peer = rig.setup(with_model.replace("max_asks = 1000", "run_indefinitely = True"))
    for trial, outcome in ((1, 1), (2, 0)):
        peer.ok("ask")
        peer.ok("tell", {"trial": trial, "outcome": outcome})
    return peer


def verified(peer: Peer) -> bool:
    """Whether the record gives the same asks again."""
    entries = peer.rig.recorded(peer.rig.session(peer).id)
    steps = recomputation([(i, entry.change) for i, entry in enumerate(entries) if entry.change])
    result = None
    while True:
        try:
            arguments = next(steps) if result is None else steps.send(result)
        except StopIteration as end:
            return bool(end.value.identical)
        result = propose(*arguments)


TIERS = ["space_filling", "previous_fit", "scan"]


@pytest.mark.parametrize("done", range(3))
def test_the_best_tier_by_the_deadline_answers(peer: Peer, done: int) -> None:
    """It is in the reply and on record; the computation is given up, and the session verifies."""
    peer.send("ask", {"deadline_ms": 50})
    (task,) = peer.rig.tasks
    peer.rig.half_work(done)
    peer.rig.ring()
    assert peer.rig.abandoned == [task.task]
    peer.rig.settle()
    assert peer.last["ok"]
    assert peer.last["timing"]["tier"] == TIERS[done]
    assert peer.rig.change(peer.rig.session(peer).id)["tier"] == TIERS[done]
    peer.ok("tell", {"trial": 3, "outcome": 1})
    peer.ok("ask")
    assert peer.last["timing"]["tier"] == "model"
    assert verified(peer)


def test_a_computation_that_begins_again_takes_nothing_back(peer: Peer) -> None:
    """Stopped for another's request, it passes its lower tiers a second time; the best one counts."""
    peer.send("ask", {"deadline_ms": 50})
    for tiers in (2, 1):
        peer.rig.half_work(tiers)
    peer.rig.ring()
    peer.rig.settle()
    assert peer.last["timing"]["tier"] == "scan"


def test_an_answer_before_the_deadline_is_the_usual_one(peer: Peer) -> None:
    """The same as without; the alarm that comes later changes nothing."""
    session = peer.rig.session(peer)
    usual = propose(session.strategies[0].state)
    peer.ok("ask", {"deadline_ms": 50})
    assert peer.last["timing"]["tier"] == "model"
    assert session.strategies[0].state.pending[-1].tolist() == usual["points"][0]
    before = len(peer.raw)
    peer.rig.ring()
    peer.rig.settle()
    assert len(peer.raw) == before
    assert verified(peer)


def test_the_reply_leaves_in_time(peer: Peer) -> None:
    """The alarm is set so that a commit has time too, also for the shortest deadlines."""
    began = peer.rig.seconds
    for deadline_ms, least, most in ((50, 45, 47), (8, 5, 7), (0.5, 0.3, 0.5)):
        peer.send("ask", {"deadline_ms": deadline_ms})
        assert least <= (peer.rig.alarms[-1].seconds - began) * 1e3 <= most
        peer.rig.settle()


def test_time_spent_waiting_counts(peer: Peer) -> None:
    """The deadline runs from the receipt of the request, not from when its turn comes."""
    peer.send("tell", {"config": {"p": 0.3}, "outcome": 1})
    began = peer.rig.seconds
    peer.send("ask", {"deadline_ms": 40})
    peer.rig.wait(1.0)
    peer.rig.store_all()
    assert peer.rig.alarms[-1].seconds < began + 0.04
    peer.rig.ring()
    peer.rig.settle()
    assert peer.last["timing"]["tier"] == "space_filling"


def test_a_stage_may_have_a_deadline(new_rig: type[Rig], with_model: str, computed_here: Computing) -> None:
    """For all of its asks; one that an ask has itself counts instead."""
    rig = new_rig(compute=computed_here)
    peer = rig.setup(with_model.replace("max_asks = 1000", "run_indefinitely = True\ndeadline_ms = 30"))
    peer.ok("ask")
    peer.ok("tell", {"trial": 1, "outcome": 1})
    began = rig.seconds
    peer.send("ask")
    assert rig.alarms[-1].seconds < began + 0.03
    rig.ring()
    rig.settle()
    assert peer.last["timing"]["tier"] == "space_filling"
    peer.ok("tell", {"trial": 2, "outcome": 0})
    peer.send("ask", {"deadline_ms": 500})
    assert rig.alarms[-1].seconds > began + 0.1
    rig.settle()
    assert verified(peer)


def test_an_ask_foreseen_in_tiers_is_there_in_part(
    new_rig: type[Rig], with_model: str, computed_here: Computing
) -> None:
    """What was computed ahead of the request counts, whole or in part."""
    rig = new_rig(eager=True, compute=computed_here)
    peer = rig.setup(with_model.replace("max_asks = 1000", "run_indefinitely = True\ndeadline_ms = 30"))
    for trial in (1, 2):
        peer.ok("ask")
        peer.ok("tell", {"trial": trial, "outcome": trial % 2})
    peer.ok("ask")
    assert (peer.last["timing"]["from"], peer.last["timing"]["tier"]) == ("eager", "model")
    peer.send("tell", {"trial": 3, "outcome": 1})
    rig.store_all()
    rig.half_work(1)
    peer.send("ask")
    rig.ring()
    rig.settle()
    assert (peer.last["timing"]["from"], peer.last["timing"]["tier"]) == ("eager", "previous_fit")
    assert verified(peer)


def test_an_answer_without_what_was_foreseen_says_so(
    new_rig: type[Rig], with_model: str, computed_here: Computing
) -> None:
    """A computation ahead that has nothing to show at the deadline is not where the answer came from."""
    rig = new_rig(eager=True, compute=computed_here)
    peer = rig.setup(with_model.replace("max_asks = 1000", "run_indefinitely = True\ndeadline_ms = 30"))
    peer.ok("ask")
    peer.send("tell", {"trial": 1, "outcome": 1})
    rig.store_all()
    peer.send("ask")
    rig.ring()
    rig.settle()
    assert (peer.last["timing"]["from"], peer.last["timing"]["tier"]) == ("request", "space_filling")
    assert verified(peer)


def test_one_foreseen_without_tiers_is_not_waited_for(
    new_rig: type[Rig], with_model: str, computed_here: Computing
) -> None:
    """It would have nothing to show at the deadline: the ask is computed for itself, in tiers."""
    rig = new_rig(eager=True, compute=computed_here)
    peer = rig.setup(with_model.replace("max_asks = 1000", "run_indefinitely = True"))
    for trial in (1, 2):
        peer.ok("ask")
        peer.send("tell", {"trial": trial, "outcome": trial % 2})
        rig.store_all()
    (foreseen,) = rig.tasks
    assert not foreseen.tiers
    peer.send("ask", {"deadline_ms": 30})
    assert rig.abandoned == [foreseen.task]
    assert rig.tasks[0].tiers
    rig.half_work(1)
    rig.ring()
    rig.settle()
    assert peer.last["timing"]["tier"] == "previous_fit"
    peer.send("tell", {"trial": 3, "outcome": 1})
    rig.store_all()
    assert rig.tasks[0].tiers  # the next ask is taken to be like the last one


def test_a_deadline_after_the_stop_is_nothing(peer: Peer) -> None:
    """What waits is answered by the stop; an alarm that rings then finds nobody."""
    peer.send("ask", {"deadline_ms": 50})
    peer.rig.stop()
    assert peer.last["error"]["code"] == "shutting_down"
    before = len(peer.raw)
    peer.rig.ring()
    assert len(peer.raw) == before


def test_fixed_values_are_kept_at_the_deadline_too(peer: Peer) -> None:
    """Every tier honours them."""
    peer.send("ask", {"deadline_ms": 50, "fixed": {"p": 0.25}})
    peer.rig.ring()
    peer.rig.settle()
    (trial,) = peer.last["message"]["trials"]
    assert trial["config"] == {"p": 0.25}


def test_several_points_have_a_deadline_together(peer: Peer) -> None:
    """All of them come from the same tier."""
    for done, tier in ((0, "space_filling"), (1, "previous_fit")):
        peer.send("ask", {"n": 3, "deadline_ms": 50})
        peer.rig.half_work(done)
        peer.rig.ring()
        peer.rig.settle()
        assert len(peer.last["message"]["trials"]) == 3
        assert peer.last["timing"]["tier"] == tier
    assert verified(peer)


def test_a_deadline_that_is_met_is_silenced(peer: Peer) -> None:
    """Whoever keeps the time forgets it; and nothing happens if it comes all the same."""
    reply = peer.ok("ask", {"deadline_ms": 50})
    assert peer.rig.silenced == [alarm.token for alarm in peer.rig.alarms]
    peer.rig.ring()
    assert peer.ok("ask", {"deadline_ms": 50})["trials"] != reply["trials"]
    assert len(peer.raw) == 7


def test_a_deadline_that_comes_is_not_silenced(peer: Peer) -> None:
    """Its timer is over; one that the end of the server overtakes is given up."""
    peer.send("ask", {"deadline_ms": 50})
    peer.rig.ring()
    peer.rig.settle()
    assert peer.rig.silenced == []
    peer.send("ask", {"deadline_ms": 50})
    peer.rig.stop()
    assert peer.rig.silenced == [peer.rig.alarms[0].token]
