"""What clients of AEPsych 0.1 say in their golden transcripts: Python's of two kinds, and MATLAB's."""

from __future__ import annotations

import json
from typing import Any

from wire_configs import FOUND, GRID, OLD, OLD_MODEL, OLD_PAIRS, PREDICTED, Script, Step


def _old(request: Any, first_point: bool) -> Script:
    """A session of the first generation; `request` makes the text of a request."""

    def point(text: str) -> dict[str, Any]:
        value: dict[str, Any] = json.loads(text)
        return value.get("config", value)

    yield request("ask", "")
    yield request("setup", {"config_str": "no configuration"})
    first = yield request("setup", {"config_str": OLD})
    asked = point(first) if first_point else point((yield request("ask", "")))
    yield request("parameters", "")
    yield request("can_model", "")
    yield request("tell", {"config": asked, "outcome": 1})
    asked = point((yield request("update", {"config": {"p": [0.5], "q": [30]}, "outcome": 0})))
    yield request("tell", {"config": {"p": asked["p"][0], "q": asked["q"][0]}, "outcome": 1})
    tells = [{"config": {"p": [p], "q": [50]}, "outcome": int(p > 0.5)} for p in (0.25, 0.75)]
    yield request("tell", tells)
    yield request("tell", [*tells, {"config": {"p": [2], "q": [50]}, "outcome": 1}])
    yield request("tell", {"config": {"p": [0.5], "q": [30]}, "outcome": 2})
    for _ in range(5):
        yield request("ask", "")
    yield request("info", "")
    yield request("finish_strategy", "")
    yield request("get_config", "")
    yield request("query", {"query_type": "max"})
    yield "12 "
    yield request("setup", {"config_str": OLD_MODEL})
    many = [{"config": {"p": [p], "q": [q]}, "outcome": int(p > 0.8)} for p, q in GRID]
    yield request("tell", many)
    yield request("can_model", "")
    query = {"query_type": "max", "probability_space": True, "constraints": {"1": [50]}}
    yield Step(request("query", query), near=FOUND)
    low = {**query, "query_type": "min", "constraints": {"0": [0.5, 0.75], "1": 50}}
    yield Step(request("query", low), near=FOUND)
    yield Step(request("query", {**query, "query_type": "inverse", "y": 0.75}), near=FOUND)
    prediction = {"query_type": "prediction", "probability_space": True, "x": {"p": [0.9], "q": [50]}}
    yield Step(request("query", prediction), near=PREDICTED)
    yield request("setup", {"config_str": OLD_PAIRS})
    pair = point((yield request("ask", "")))
    yield request("tell", {"config": pair, "outcome": 1})
    yield request("tell", {"config": {"p": [0.25, 0.75], "q": [0, 10]}, "outcome": 0})
    yield request("resume", {"strat_id": 0})
    yield request("resume", {"strat_id": "1"})
    yield request("resume", {"strat_id": 9})
    yield request("fly", "")
    yield request("exit", "")
    yield request("ask", "")
    yield Step('{"type":"exit"]', closes=True, tcp=True)


def python_01_unversioned() -> Script:
    """Python clients of 0.1 before versions; the server has to be told."""
    return _old(lambda type_, message: json.dumps({"type": type_, "message": message}), True)


def python_01_versioned() -> Script:
    """Python clients of 0.1 with a version."""
    return _old(
        lambda type_, message: json.dumps({"type": type_, "version": "0.01", "message": message}), False
    )


def matlab() -> Script:
    """MATLAB: line endings, metadata in setup, single values without brackets, sixteen digits."""

    def request(type_: str, message: Any, ending: str = "\n", **more: Any) -> str:
        value = {"type": type_, "message": message, "version": "0.01", **more}
        return json.dumps(value, separators=(",", ":")) + ending

    setup = {"config_str": OLD}
    yield request("setup", setup, metadata={"lab": "A", "participant": 7})
    for outcome in (1, 0):
        asked = json.loads((yield request("ask", "")))["config"]
        config = {name: float(f"{value[0]:.15g}") for name, value in asked.items()}
        yield request("tell", {"config": config, "outcome": outcome})
    yield request("ask", "", "\r\n")
    yield request("tell", {"config": {"p": 0.5, "q": 30}, "outcome": 1}, "\r\n")
    yield "\r\n" + request("parameters", "")
    yield request("can_model", "")
    yield request("setup", {"config_str": OLD_MODEL}, metadata="")
    columns = [{"config": {"p": p, "q": q}, "outcome": int(p > 0.8)} for p, q in GRID]
    yield request("tell", columns)
    query = {"query_type": "max", "probability_space": True, "x": [], "y": [], "constraints": {"q": 50}}
    yield Step(request("query", query), near=FOUND)
    at = {"p": 0.9, "q": 50}
    prediction = {"query_type": "prediction", "probability_space": True, "x": at}
    yield Step(request("query", prediction), near=PREDICTED)
    yield request("resume", {"strat_id": "0"})
    yield request("resume", {"strat_id": 1})
    yield request("resume", {"strat_id": "7"})
    yield request("resume", {"strat_id": "0"})
    for _ in range(3):
        yield request("ask", "")
    yield request("tell", {"config": {"p": 7, "q": 30}, "outcome": 1})
    yield request("exit", "")
