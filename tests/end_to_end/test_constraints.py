"""Constraints over a socket: asks keep them, tells from outside warn, the record replays identically."""

from __future__ import annotations

import json
from typing import Any

CONFIG = """
[common]
parnames = [level, gain, ear]
outcome_types = [binary]
strategy_names = [init_strat, opt_strat]
[level]
par_type = continuous
lower_bound = 0
upper_bound = 100
[gain]
par_type = integer
lower_bound = 0
upper_bound = 30
[ear]
par_type = categorical
choices = [left, right]
[constraints]
loudness = level + 2*gain <= 90
forbidden = ear == left and level > 40
[init_strat]
generator = SobolGenerator
min_asks = 8
min_total_outcome_occurrences = 0
[opt_strat]
model = GPClassificationModel
min_asks = 6
[OptimizeAcqfGenerator]
acqf = EAVC
restarts = 2
samps = 256
[EAVC]
target = 0.75
"""


def test_a_session(serve: Any, fechner: Any) -> None:
    """Points of both stages keep the constraints; what was shown outside is taken, with a warning."""
    server = serve("--workers", "1")
    wire = server.wire()
    session = wire.call("setup", {"config": CONFIG, "seed": 5})["session"]
    for _ in range(14):
        trial = wire.call("ask")["trials"][0]
        shown = trial["config"]
        assert shown["level"] + 2 * shown["gain"] <= 90 + 1e-6
        assert not (shown["ear"] == "left" and shown["level"] > 40)
        wire.call("tell", {"trial": trial["trial"], "outcome": int(shown["level"] + shown["gain"] > 40)})
    outside = {"config": {"level": 90, "gain": 20, "ear": "right"}, "outcome": 1}
    reply = wire.exchange({"version": "1", "type": "tell", "message": outside})
    assert reply["ok"]
    assert [(one["code"], "'loudness'" in one["detail"]) for one in reply["warnings"]] == [
        ("constraint", True)
    ]
    refused = {"fixed": {"level": 60, "ear": "left"}, "beyond": True}
    error = wire.exchange({"version": "1", "type": "ask", "message": refused})["error"]
    assert (error["code"], error["where"]) == ("bad_value", "message.fixed")
    held = wire.call("ask", {"fixed": {"level": 60}, "beyond": True})["trials"][0]["config"]
    assert held["ear"] == "right"
    assert held["gain"] <= 15
    wire.call("query", {"query": "max"})
    assert server.stop() == 0
    done = fechner("replay", session, "--verify", "--db", str(server.record), "--json")
    assert done.returncode == 0, done.stdout + done.stderr
    assert json.loads(done.stdout)["identical"] is True
