"""Every generator over a socket: setup, asks, tells, a query; the record replays identically."""

from __future__ import annotations

import json
from typing import Any

import pytest

CONFIG = """
[common]
parnames = [level, count]
outcome_types = [binary]
strategy_names = [init_strat, opt_strat]
target = 0.75
[level]
par_type = continuous
lower_bound = 0
upper_bound = 10
[count]
par_type = integer
lower_bound = 1
upper_bound = 4
[init_strat]
generator = {first}
min_asks = 6
min_total_outcome_occurrences = 0
[opt_strat]
generator = {second}
model = GPClassificationModel
acqf = EAVC
min_asks = 5
min_total_outcome_occurrences = 0
[RandomGenerator]
seed = 4
[ManualGenerator]
points = [[1, 1], [2, 2], [4, 3], [6, 4], [8, 1], [9, 2]]
[SampleAroundPointsGenerator]
points = [[3, 2], [6, 3]]
window = [2, 1]
samples_per_point = 3
[EpsilonGreedyGenerator]
subgenerator = OptimizeAcqfGenerator
epsilon = 0.4
[{second}]
samps = 128
"""


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("SobolGenerator", "OptimizeAcqfGenerator"),
        ("RandomGenerator", "AcqfGridSearchGenerator"),
        ("ManualGenerator", "AcqfThompsonSamplerGenerator"),
        ("SampleAroundPointsGenerator", "EpsilonGreedyGenerator"),
        ("SobolGenerator", "MixedOptimizeAcqfGenerator"),
    ],
)
def test_a_session(serve: Any, fechner: Any, first: str, second: str) -> None:
    """Both stages hand out points inside the range; a threshold is found; replay agrees to the last bit."""
    server = serve("--workers", "1")
    wire = server.wire()
    config = CONFIG.format(first=first, second=second).replace(
        "[EpsilonGreedyGenerator]\nsamps = 128\n", "[OptimizeAcqfGenerator]\nsamps = 128\n"
    )
    session = wire.call("setup", {"config": config, "seed": 8})["session"]
    for _ in range(11):
        trial = wire.call("ask")["trials"][0]
        assert 0 <= trial["config"]["level"] <= 10
        assert trial["config"]["count"] in (1, 2, 3, 4)
        wire.call("tell", {"trial": trial["trial"], "outcome": int(trial["config"]["level"] > 5)})
    found = wire.call("query", {"query": "threshold", "y": 0.75, "parameter": "level", "x": {"count": 2}})
    assert len(found["y"]) == 1
    several = wire.call("ask", {"n": 3, "fixed": {"count": 3}, "beyond": True})["trials"]
    assert [trial["config"]["count"] for trial in several] == [3, 3, 3]
    assert server.stop() == 0
    done = fechner("replay", session, "--verify", "--db", str(server.record), "--json")
    assert done.returncode == 0, done.stdout + done.stderr
    assert json.loads(done.stdout)["identical"] is True
