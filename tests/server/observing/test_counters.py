"""What a server counts."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from fechner.server.observing.counters import Counters, Histogram


@given(st.lists(st.floats(min_value=0, max_value=100)))
def test_a_histogram_holds_every_value_once(values: list[float]) -> None:
    """In the first bin whose bound isn't below it."""
    bins = Histogram((1, 10))
    for value in values:
        bins.observe(value)
    assert bins.n == len(values)
    assert bins.sum == sum(values)
    assert bins.counts == [
        sum(value <= 1 for value in values),
        sum(1 < value <= 10 for value in values),
        sum(value > 10 for value in values),
    ]


def test_what_peers_send_makes_no_label() -> None:
    """A type that there isn't counts as unknown: peers can't fill the memory with names."""
    counters = Counters()
    for number in range(100):
        counters.count_reply(f"type-{number}", "1", "unknown_type", 0.001)
    counters.count_reply("ask", "1", "ok", 0.001)
    assert counters.requests == {("unknown", "1", "unknown_type"): 100, ("ask", "1", "ok"): 1}
    assert set(counters.request_seconds) == {"unknown", "ask"}
    assert (counters.totals()["requests"], counters.totals()["errors"]) == (101, 100)
