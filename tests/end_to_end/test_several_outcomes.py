"""Sessions of several outcomes, over a socket: turns, weighted sums, queries of each, replays."""

from __future__ import annotations

import json
from typing import Any

import pytest

COMMON = """
[common]
parnames = [level, rate]
outcome_types = [binary, continuous, ordinal]
outcome_names = [heard, time, effort]
strategy_names = [init_strat, opt_strat]
[level]
par_type = continuous
lower_bound = 0
upper_bound = 100
[rate]
par_type = continuous
lower_bound = 1
upper_bound = 10
[OrdinalLikelihood]
n_levels = 3
[init_strat]
generator = SobolGenerator
min_asks = 4
min_total_outcome_occurrences = 0
[opt_strat]
min_asks = 6
min_total_outcome_occurrences = 0
"""
TURNS = """
generator = IndependentOptimizeAcqfGenerator
model = IndependentGPsModel
[IndependentGPsModel]
models = [afc, GPRegressionModel, OrdinalGPModel]
[afc]
class = GPClassificationModel
floor = 0.25
[IndependentOptimizeAcqfGenerator]
generators = [detect, hurry, OptimizeAcqfGenerator]
[detect]
class = OptimizeAcqfGenerator
acqf = MCPosteriorVariance
samps = 128
[hurry]
class = OptimizeAcqfGenerator
acqf = qLogNoisyExpectedImprovement
samps = 128
"""
SUM = """
generator = OptimizeAcqfGenerator
model = IndependentGPsModel
[OptimizeAcqfGenerator]
acqf = qNoisyExpectedImprovement
samps = 128
restarts = 2
[qNoisyExpectedImprovement]
objective = AffinePosteriorTransform
[AffinePosteriorTransform]
weights = [1, -2, -1]
"""


def told(config: dict[str, Any]) -> dict[str, float]:
    """What a trial brings; decided by its stimulus alone."""
    return {
        "heard": float(config["level"] > 40),
        "time": 1.0 + 0.01 * (100 - config["level"]) + 0.05 * config["rate"],
        "effort": float(config["rate"] > 4) + float(config["rate"] > 7),
    }


def verified(fechner: Any, record: Any, session: str) -> None:
    """`fechner replay --verify` finds the session identical."""
    done = fechner("replay", session, "--verify", "--db", str(record), "--json")
    assert done.returncode == 0, done.stdout + done.stderr
    assert json.loads(done.stdout)["identical"] is True


@pytest.mark.parametrize(
    "stage",
    ["", pytest.param(TURNS, marks=pytest.mark.long), pytest.param(SUM, marks=pytest.mark.long)],
    ids=["nothing named", "turns", "weighted sum"],
)
def test_a_native_session(serve: Any, fechner: Any, tmp_path: Any, stage: str) -> None:
    """Each outcome is told by name and queried by name; check, export and replay go along."""
    server = serve("--workers", "1")
    wire = server.wire()
    setup = wire.call("setup", {"config": COMMON + stage, "seed": 3})
    assert [one["name"] for one in setup["outcomes"]] == ["heard", "time", "effort"]
    for trial in range(10):
        reply = wire.call("ask")
        asked = reply["trials"][0]
        assert reply["finished"] is (trial == 9)
        if not trial:
            wrong = {"trial": asked["trial"], "outcome": {"heard": 1, "time": 2.0}}
            refused = wire.exchange({"version": "1", "type": "tell", "message": wrong})
            assert refused["error"]["code"] == "bad_outcome"
            assert "effort" in refused["error"]["detail"]
        wire.call("tell", {"trial": asked["trial"], "outcome": told(asked["config"])})
    several = wire.call("ask", {"n": 3, "beyond": True})["trials"]
    assert len({json.dumps(one["config"]) for one in several}) == 3
    x = {"level": [10.0, 90.0], "rate": [2.0, 2.0]}
    heard, time, effort = (
        wire.call("query", {"query": "prediction", "x": x, "outcome": name})
        for name in ("heard", "time", "effort")
    )
    assert 0 <= heard["y"][0] < heard["y"][1] <= 1
    assert time["y"][0] > time["y"][1] > 0.5
    assert all(0 <= level < 1 for level in effort["y"])
    assert [sum(shares) for shares in effort["probabilities"]] == pytest.approx([1.0, 1.0])
    found = wire.call(
        "query", {"query": "threshold", "outcome": "heard", "parameter": "level", "x": {"rate": 2.0}}
    )
    assert 10 < found["y"][0] < 90
    slowest = wire.call("query", {"query": "max", "outcome": "time"})
    assert slowest["x"]["level"][0] < 30
    for wrong in ({"query": "max"}, {"query": "max", "outcome": "tiem"}):
        refused = wire.exchange({"version": "1", "type": "query", "message": wrong})
        assert refused["error"]["code"] == "bad_value"
        assert "heard, time, effort" in refused["error"]["hint"]
    assert wire.call("info")["model"] == "IndependentGPsModel"
    verified(fechner, server.record, setup["session"])
    assert server.stop() == 0
    done = fechner("export", setup["session"], "--db", str(server.record), "--to", str(tmp_path / "all.csv"))
    assert done.returncode == 0, done.stderr
    header = (tmp_path / "all.csv").read_text().splitlines()[0].split(",")
    assert {"heard", "time", "effort"} <= set(header)
    (tmp_path / "several.ini").write_text(COMMON + stage)
    done = fechner("check", str(tmp_path / "several.ini"))
    assert done.returncode == 0, done.stdout + done.stderr
    assert "IndependentGPsModel" in done.stdout
