"""Models over every type of parameter over a socket: asks at levels and steps, queries, the replay."""

from __future__ import annotations

import json
from typing import Any

import pytest

CONFIG = """
[common]
parnames = [level, count, mask, gap, ear, rig]
outcome_types = [{outcome}]
strategy_names = [init_strat, opt_strat]
[level]
par_type = continuous
lower_bound = -0.5
upper_bound = 2
step = 0.25
[count]
par_type = integer
lower_bound = 1
upper_bound = 9
step = 2
[mask]
par_type = binary
[gap]
par_type = discrete
values = [1, 2, 5, 10]
[ear]
par_type = categorical
choices = [left, right, both]
[rig]
par_type = fixed
value = booth 1
[init_strat]
generator = SobolGenerator
min_asks = 6
min_total_outcome_occurrences = 0
[opt_strat]
model = {model}
min_asks = 5
[OptimizeAcqfGenerator]
acqf = {acqf}
restarts = 2
samps = 256
"""
VALUES = {
    "level": [-0.5 + 0.25 * k for k in range(11)],
    "count": [1, 3, 5, 7, 9],
    "mask": [0, 1],
    "gap": [1.0, 2.0, 5.0, 10.0],
    "ear": ["left", "right", "both"],
    "rig": ["booth 1"],
}


def strength(config: dict[str, Any]) -> float:
    """What decides the outcome."""
    return float(config["level"] - 0.5 * config["mask"] + 0.1 * config["gap"] * (config["ear"] == "both"))


@pytest.mark.parametrize(
    ("outcome", "model", "acqf"),
    [
        ("binary", "GPClassificationModel", "MCLevelSetEstimation"),
        ("continuous", "GPRegressionModel", "qLogNoisyExpectedImprovement"),
    ],
)
def test_a_session(serve: Any, fechner: Any, outcome: str, model: str, acqf: str) -> None:
    """Asks take the values that can be shown, a tell any; queries answer; the record replays identically."""
    server = serve("--workers", "1")
    wire = server.wire()
    config = CONFIG.format(outcome=outcome, model=model, acqf=acqf)
    session = wire.call("setup", {"config": config, "seed": 3})["session"]
    for _ in range(11):
        trial = wire.call("ask")["trials"][0]
        assert all(value in VALUES[name] for name, value in trial["config"].items())
        value = strength(trial["config"])
        wire.call(
            "tell", {"trial": trial["trial"], "outcome": value if outcome != "binary" else int(value > 1)}
        )
    own = {"level": 0.1, "count": 2, "mask": 1, "gap": 5, "ear": "left"}
    wire.call("tell", {"config": own, "outcome": 0})
    best = wire.call("query", {"query": "max"})["x"]
    assert all(value[0] in VALUES[name] for name, value in best.items())
    held = wire.call("ask", {"fixed": {"level": 0.1, "ear": "right"}, "beyond": True})["trials"][0]["config"]
    assert (held["level"], held["ear"]) == (pytest.approx(0.1), "right")
    assert server.stop() == 0
    done = fechner("replay", session, "--verify", "--db", str(server.record), "--json")
    assert done.returncode == 0, done.stdout + done.stderr
    assert json.loads(done.stdout)["identical"] is True
