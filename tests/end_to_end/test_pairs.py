"""Comparisons of two stimuli over a socket, in both dialects: setup, asks, tells, queries; records replay."""

from __future__ import annotations

import json
import socket
from typing import Any

import pytest

#: Every acquisition function of pairs; with `None`, what a stage does that names neither generator nor model.
FUNCTIONS = (
    None,
    "PairwiseMCPosteriorVariance",
    *(
        pytest.param(name, marks=pytest.mark.long)
        for name in (
            "AnalyticExpectedUtilityOfBestOption",
            "BernoulliMCMutualInformation",
            "qNoisyExpectedImprovement",
            "qLogNoisyExpectedImprovement",
        )
    ),
)


def config(function: str | None) -> str:
    """Four Sobol pairs, then six of the acquisition function, over a number, an integer and a category."""
    named = ""
    if function is not None:
        named = f"generator = OptimizeAcqfGenerator\nmodel = PairwiseProbitModel\nacqf = {function}"
    return f"""
[common]
seed = 5
parnames = [gain, bands, voice]
stimuli_per_trial = 2
outcome_types = [binary]
strategy_names = [init_strat, opt_strat]
[gain]
par_type = continuous
lower_bound = 0
upper_bound = 30
[bands]
par_type = integer
lower_bound = 1
upper_bound = 4
[voice]
par_type = categorical
choices = [low, high]
[init_strat]
generator = SobolGenerator
min_asks = 4
min_total_outcome_occurrences = 0
[opt_strat]
{named}
min_asks = 6
[OptimizeAcqfGenerator]
restarts = 3
samps = 256
"""


def utility(gain: float, bands: int, voice: str) -> float:
    """What the listener likes: 18 dB, many bands, the low voice."""
    return -(((gain - 18.0) / 10.0) ** 2) + 0.4 * bands + (0.5 if voice == "low" else 0.0)


def prefers_second(pair: dict[str, list[Any]]) -> int:
    """The outcome; decided by the stimuli alone."""
    first, second = (
        utility(*values) for values in zip(*(pair[n] for n in ("gain", "bands", "voice")), strict=True)
    )
    return int(second > first)


def verified(fechner: Any, record: Any, session: str) -> None:
    """`fechner replay --verify` finds the session identical."""
    done = fechner("replay", session, "--verify", "--db", str(record), "--json")
    assert done.returncode == 0, done.stdout + done.stderr
    assert json.loads(done.stdout)["identical"] is True


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_native_session(serve: Any, fechner: Any, function: str | None) -> None:
    """Pairs are lists of two; queries answer utilities and preferences; the record replays identically."""
    server = serve("--workers", "1")
    wire = server.wire()
    session = wire.call("setup", {"config": config(function), "seed": 3})["session"]
    for trial in range(10):
        reply = wire.call("ask")
        pair = reply["trials"][0]["config"]
        assert all(len(values) == 2 for values in pair.values())
        assert any(values[0] != values[1] for values in pair.values())
        assert reply["finished"] is (trial == 9)
        wire.call("tell", {"trial": reply["trials"][0]["trial"], "outcome": prefers_second(pair)})
    best = wire.call("query", {"query": "max"})
    assert best["x"]["bands"][0] in (1, 2, 3, 4)
    assert best["x"]["voice"][0] in ("low", "high")
    assert best["lower"][0] < best["y"][0] < best["upper"][0]
    worst = wire.call("query", {"query": "min", "constraints": {"voice": "high", "gain": [5, 10]}})
    assert worst["x"]["voice"] == ["high"]
    assert 5 <= worst["x"]["gain"][0] <= 10
    assert worst["y"][0] < best["y"][0]
    both = {name: [best["x"][name][0], worst["x"][name][0]] for name in best["x"]}
    single = wire.call("query", {"query": "prediction", "x": both})
    assert single["y"][0] == pytest.approx(best["y"][0])
    pairs = {name: [values, values[::-1]] for name, values in both.items()}
    preference = wire.call("query", {"query": "prediction", "x": pairs})
    assert preference["y"][0] < 0.5 < preference["y"][1]
    assert sum(preference["y"]) == pytest.approx(1.0)
    assert all(
        0 <= low <= high <= 1 for low, high in zip(preference["lower"], preference["upper"], strict=True)
    )
    gain = wire.call("query", {"query": "prediction", "x": pairs, "space": "latent"})
    assert gain["y"][1] == pytest.approx(best["y"][0] - worst["y"][0], abs=1e-6)
    even = wire.call("query", {"query": "prediction", "x": both, "space": "probability"})
    assert 0 < even["y"][1] < even["y"][0] < 1
    assert wire.call("query", {"query": "inverse", "y": best["y"][0]})["y"][0] == pytest.approx(
        best["y"][0], abs=0.05
    )
    place = {"bands": 2, "voice": "low"}
    wire.call("query", {"query": "threshold", "y": 0.0, "parameter": "gain", "x": place})
    wrong = {"query": "threshold", "y": 0.0, "parameter": "voice", "x": {"bands": 2, "gain": 3}}
    assert wire.exchange({"version": "1", "type": "query", "message": wrong})["error"]["code"] == "bad_value"
    several = wire.call("ask", {"n": 2, "fixed": {"voice": "low"}, "beyond": True})["trials"]
    assert [trial["config"]["voice"] for trial in several] == [["low", "low"]] * 2
    verified(fechner, server.record, session)


def test_a_session_of_the_older_dialect(serve: Any, fechner: Any) -> None:
    """An ask gives [[a, b]] for each parameter, a tell takes it back; several at once are lists of pairs."""
    server = serve("--workers", "1")
    with socket.create_connection(server.address, 60) as raw:

        def call(type: str, message: Any) -> Any:
            raw.sendall(json.dumps({"type": type, "message": message}).encode())
            return json.loads(raw.recv(65536))

        assert call("setup", {"config_str": config("qNoisyExpectedImprovement")}) == {"strat_id": 0}
        for trial in range(10):
            reply = call("ask", "")
            assert reply["num_points"] == 1
            pair = {name: values[0] for name, values in reply["config"].items()}
            assert [len(values) for values in pair.values()] == [2, 2, 2]
            assert reply["is_finished"] is (trial == 9)
            told = call("tell", {"config": reply["config"], "outcome": prefers_second(pair)})
            assert told == {"trials_recorded": 1, "model_data_added": 1}
        several = call("ask", {"num_points": 2})["config"]
        assert [len(values) for values in several.values()] == [2, 2, 2]
        assert call("tell", {"config": several, "outcome": [0, 1]})["trials_recorded"] == 2
        best = call("query", {"query_type": "max"})
        assert isinstance(best["y"], float)
        point = {name: values[0] for name, values in best["x"].items()}
        same = call("query", {"query_type": "prediction", "x": {name: [v] for name, v in point.items()}})
        assert same["y"] == pytest.approx(best["y"])
        probable = {"query_type": "prediction", "probability_space": True, "x": best["x"]}
        assert 0.5 < call("query", probable)["y"] < 1
        session = call("info", {})["exp_id"]
    verified(fechner, server.record, session)


def test_commands_take_sessions_of_pairs(serve: Any, fechner: Any, tmp_path: Any) -> None:
    """Export has two columns for a parameter, and check says in words what will happen."""
    server = serve("--workers", "1")
    wire = server.wire()
    session = wire.call("setup", {"config": config(None), "seed": 3})["session"]
    for _ in range(6):
        trial = wire.call("ask")["trials"][0]
        wire.call("tell", {"trial": trial["trial"], "outcome": prefers_second(trial["config"])})
    assert server.stop() == 0
    done = fechner("export", session, "--db", str(server.record), "--to", str(tmp_path / "all.csv"))
    assert done.returncode == 0, done.stderr
    assert len((tmp_path / "all.csv").read_text().splitlines()) == 7
    (tmp_path / "pairs.ini").write_text(config(None))
    done = fechner("check", str(tmp_path / "pairs.ini"))
    assert done.returncode == 0, done.stdout + done.stderr
    assert "the pair whose better stimulus promises the highest utility" in " ".join(done.stdout.split())
