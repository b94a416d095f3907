"""Sessions of ordinal outcomes, over a socket: every acquisition function, queries, replays."""

from __future__ import annotations

import json
import socket
from typing import Any

import pytest

FUNCTIONS = [
    None,
    "BernoulliMCMutualInformation",
    "MCPosteriorVariance",
    "MCLevelSetEstimation",
    "qLogNoisyExpectedImprovement",
]


def config(function: str | None) -> str:
    """Sobol points, then the model's, for ratings from 0 to 3 of tones of some frequency and level."""
    named = ""
    if function is not None:
        named = f"generator = OptimizeAcqfGenerator\nmodel = OrdinalGPModel\nacqf = {function}"
    return f"""
[common]
seed = 5
parnames = [frequency, level]
outcome_types = [ordinal]
outcome_names = [rating]
strategy_names = [init_strat, opt_strat]
[frequency]
par_type = continuous
lower_bound = 250
upper_bound = 4000
scale = log
[level]
par_type = continuous
lower_bound = 0
upper_bound = 100
[OrdinalLikelihood]
n_levels = 4
[MCLevelSetEstimation]
target = 0
[init_strat]
generator = SobolGenerator
min_asks = 4
[opt_strat]
{named}
min_asks = 6
[OptimizeAcqfGenerator]
restarts = 3
samps = 256
"""


def rating(tone: dict[str, Any]) -> int:
    """What is told; decided by the tone alone."""
    return sum(tone["level"] > cut for cut in (25, 50, 75))


def verified(fechner: Any, record: Any, session: str) -> None:
    """`fechner replay --verify` finds the session identical."""
    done = fechner("replay", session, "--verify", "--db", str(record), "--json")
    assert done.returncode == 0, done.stdout + done.stderr
    assert json.loads(done.stdout)["identical"] is True


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_native_session(serve: Any, fechner: Any, function: str | None) -> None:
    """Ratings are checked, queries answer levels and their probabilities, the record replays identically."""
    server = serve("--workers", "1")
    wire = server.wire()
    setup = wire.call("setup", {"config": config(function), "seed": 3})
    assert setup["outcomes"] == [{"name": "rating", "type": "ordinal"}]
    for trial in range(10):
        reply = wire.call("ask")
        asked = reply["trials"][0]
        assert reply["finished"] is (trial == 9)
        if not trial:
            for wrong in (4, 1.5, -1, "loud", True):
                message = {"trial": asked["trial"], "outcome": wrong}
                refused = wire.exchange({"version": "1", "type": "tell", "message": message})
                assert refused["error"]["code"] == "bad_outcome", wrong
        wire.call("tell", {"trial": asked["trial"], "outcome": {"rating": rating(asked["config"])}})
    loud, quiet = wire.call("query", {"query": "max"}), wire.call("query", {"query": "min"})
    assert 0 <= quiet["y"][0] < 1 < 2 < loud["y"][0] <= 3
    assert 0 <= loud["lower"][0] <= loud["y"][0] <= loud["upper"][0] <= 3
    x = {"frequency": [1000.0] * 3, "level": [5.0, 50.0, 95.0]}
    found = wire.call("query", {"query": "prediction", "x": x, "outcome": "rating"})
    assert found["y"] == sorted(found["y"])
    for shares, expected in zip(found["probabilities"], found["y"], strict=True):
        assert sum(shares) == pytest.approx(1.0)
        assert sum(level * share for level, share in enumerate(shares)) == pytest.approx(expected)
    latent = wire.call("query", {"query": "prediction", "x": x, "space": "latent"})
    assert "probabilities" not in latent
    at = wire.call("query", {"query": "threshold", "y": 1.5, "parameter": "level", "x": {"frequency": 1000}})
    assert 35 < at["y"][0] < 65
    near = wire.call("query", {"query": "inverse", "y": 1.5})
    assert near["y"][0] == pytest.approx(1.5, abs=0.05)
    for wrong in (
        {"query": "threshold", "y": 3.5, "parameter": "level", "x": {"frequency": 1000}},
        {"query": "threshold", "parameter": "level", "x": {"frequency": 1000}},
        {"query": "prediction", "x": x, "space": "probability"},
    ):
        refused = wire.exchange({"version": "1", "type": "query", "message": wrong})
        assert refused["error"]["code"] in ("out_of_bounds", "bad_value")
    verified(fechner, server.record, setup["session"])


def test_a_session_of_the_older_dialect(serve: Any, fechner: Any) -> None:
    """Asks, tells and queries in AEPsych's words; predictions are of the latent function."""
    server = serve("--workers", "1")
    with socket.create_connection(server.address, 60) as raw:

        def call(type: str, message: Any) -> Any:
            raw.sendall(json.dumps({"type": type, "message": message}).encode())
            return json.loads(raw.recv(65536))

        assert call("setup", {"config_str": config("MCPosteriorVariance")}) == {"strat_id": 0}
        for _ in range(8):
            asked = call("ask", {"num_points": 1})["config"]
            tone = {name: values[0] for name, values in asked.items()}
            assert call("tell", {"config": asked, "outcome": rating(tone)})["trials_recorded"] == 1
        found = call("query", {"query_type": "prediction", "x": {"frequency": [500.0], "level": [90.0]}})
        assert found["y"] > 1
        session = call("info", {})["exp_id"]
    verified(fechner, server.record, session)
