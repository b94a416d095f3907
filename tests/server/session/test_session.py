"""A session is a fold over its recorded changes: read back, it is the live one."""

from __future__ import annotations

from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fechner.server.session.replay import fold
from fechner.strategies.core.dumps import dump

from ..rig import Rig

EVERY_KIND = """
[common]
parnames = [a, b, c, d, e]
outcome_types = [binary, continuous]
strategy_names = [first, second]
[a]
par_type = continuous
lower_bound = -5
upper_bound = 5
[b]
par_type = continuous
lower_bound = 0.01
upper_bound = 100
log_scale = True
[c]
par_type = integer
lower_bound = 3
upper_bound = 9
[d]
par_type = categorical
choices = [left, right, both]
[e]
par_type = fixed
value = loud
[first]
generator = SobolGenerator
min_asks = 3
[second]
generator = RandomGenerator
min_asks = 30
"""

points = st.fixed_dictionaries(
    {
        "a": st.floats(-5, 5),
        "b": st.floats(0.01, 100),
        "c": st.integers(3, 9),
        "d": st.sampled_from(["left", "right", "both"]),
    }
)
outcomes = st.tuples(st.integers(0, 1), st.floats(-1e6, 1e6)).map(list)
tells = st.one_of(
    st.fixed_dictionaries({"trial": st.integers(1, 12), "outcome": outcomes}),
    st.fixed_dictionaries({"trial": st.integers(1, 12), "outcome": outcomes, "shown": points}),
    st.fixed_dictionaries({"trial": st.integers(1, 12), "model_data": st.just(False)}),
    st.fixed_dictionaries({"config": points, "outcome": outcomes}),
    st.fixed_dictionaries({"config": points, "outcome": outcomes, "model_data": st.just(False)}),
)
requests = st.one_of(
    st.tuples(st.just("ask"), st.fixed_dictionaries({"n": st.integers(1, 3)})),
    st.tuples(st.just("ask"), st.just({"fixed": {"c": 4, "d": "both"}})),
    st.tuples(st.just("tell"), tells),
    st.tuples(st.just("tell"), st.lists(tells, max_size=4).map(lambda many: {"trials": many})),
    st.tuples(st.just("finish_strategy"), st.just({})),
    st.tuples(st.just("setup"), st.just({"config": EVERY_KIND, "seed": 2})),
    st.tuples(st.just("resume"), st.fixed_dictionaries({"strategy": st.integers(0, 1)})),
)


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(talk=st.lists(requests, max_size=14))
def test_a_session_read_back_is_the_live_one(new_rig: type[Rig], talk: list[tuple[str, Any]]) -> None:
    """Whatever was asked and told, with every kind of parameter: states and trials to the last bit."""
    rig = new_rig()
    peer = rig.setup(EVERY_KIND)
    for type_, message in talk:
        peer.request(type_, message)
    live = rig.session(peer)
    read = fold(live.id, rig.disk.changes(live.id))
    assert [dump(s.state) for s in read.strategies] == [dump(s.state) for s in live.strategies]
    assert [(s.name, s.stages) for s in read.strategies] == [(s.name, s.stages) for s in live.strategies]
    for one, other in zip(read.trials, live.trials, strict=True):
        assert (one.number, one.strategy, one.status, one.config) == (
            other.number,
            other.strategy,
            other.status,
            other.config,
        )
    assert read.counts() == live.counts()
    assert read.pending_list() == live.pending_list()
    assert read.current == live.current
    assert peer.ok("ask", {"beyond": True})  # and it goes on


def test_counts_add_up(rig: Rig) -> None:
    """Every trial is pending or told; points told but never asked count as told only."""
    peer = rig.setup()
    peer.ok("ask", {"n": 3})
    peer.ok("tell", {"trial": 2, "outcome": 1})
    peer.ok("tell", {"config": {"p": 0.0}, "outcome": 1})
    session = rig.session(peer)
    assert session.counts() == {"asked": 3, "told": 2, "pending": 2, "skipped": 0}
    assert session.next_trial == 5
    assert [trial["trial"] for trial in session.pending_list()] == [1, 3]


def test_pending_points_leave_the_state_with_their_tell(rig: Rig) -> None:
    """What an acquisition function sees as pending is what is pending."""
    peer = rig.setup()
    trials = peer.ok("ask", {"n": 3})["trials"]
    peer.ok("tell", {"trial": 2, "outcome": 1})
    state = rig.session(peer).state
    assert [point.item() for point in state.pending] == [trials[0]["config"]["p"], trials[2]["config"]["p"]]


def test_a_change_is_adopted_only_after_its_commit(rig: Rig) -> None:
    """Until then the session is as it was."""
    peer = rig.setup()
    peer.send("ask")
    assert rig.session(peer).trials == []
    rig.store()
    assert len(rig.session(peer).trials) == 1
