"""What clients of AEPsych 0.5 to 0.8 say in their golden transcripts: Python's, and Unity's."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
from wire_configs import CONFIG, FOUND, GRID, LATENT, MIXED, MODEL, PAIRS, PREDICTED, Script, Step, sections


def python_08() -> Script:
    """Python clients of 0.5 to 0.8: no version; the message stands first."""

    def request(type_: str, message: Any = None, **more: Any) -> str:
        value = {"type": type_} if message is None else {"message": message, "type": type_}
        return json.dumps({**value, **more})

    point = {"p": [0.5], "q": [30]}
    yield "null "
    yield request("parameters", {})
    yield request("ask", {"num_points": 1})
    yield request("setup", {"config_str": CONFIG.replace("min_asks = 8", "min_asks = eight")})
    yield request("setup", {})
    yield request("setup", {"config_str": CONFIG})
    yield request("parameters", {})
    yield request("info")
    yield request("can_model", {})
    yield request("get_config", {})
    yield request("get_config", {"section": "init_strat", "property": "min_asks"})
    yield request("get_config", {"section": "init_strat"})
    first = yield request("ask", {"num_points": 1})
    yield request("tell", {"config": json.loads(first)["config"], "outcome": 1, "rt": 0.25, "eye": "left"})
    second = json.loads((yield request("ask", "")))["config"]
    yield request("tell", {"config": second, "outcome": 0}, extra_info={"block": 1})
    yield request("ask", {})
    fixed = yield request("ask", {"num_points": 2, "fixed_pars": {"p": 0.5}})
    yield request("tell", {"config": json.loads(fixed)["config"], "outcome": [1, 0]})
    yield request("ask", {"num_points": 1, "fixed_pars": {"r": 0.5}})
    for outcome in (1, [1], "1", {"outcome_1": 1}, {"outcome_1": ["0"]}):
        yield request("tell", {"config": point, "outcome": outcome})
    yield request("tell", {"config": {"p": 0.5, "q": 30}, "outcome": 1})
    yield request("tell", {"config": {"p": [0.1, 0.2], "q": [1, 2]}, "outcome": {"outcome_1": [1, 0]}})
    yield request("tell", {"config": point, "outcome": 1, "model_data": False})
    yield request("tell", {"outcome": 1, "model_data": False})
    for wrong in (
        {"config": point, "outcome": 2},
        {"config": point, "outcome": {"heard": 1}},
        {"config": {"p": [0.5]}, "outcome": 1},
        {"config": {"p": [0.5], "q": [999]}, "outcome": 1},
        {"config": {"p": [0.1, 0.2], "q": [1, 2]}, "outcome": 1},
        {"config": {}, "outcome": 1},
    ):
        yield request("tell", wrong)
    yield request("query", {"query_type": "max"})
    yield request("finish_strategy")
    for _ in range(5):
        yield request("ask", {"num_points": 1})
    yield request("info", {})
    config = {section: dict(keys) for section, keys in sections(MODEL)}
    yield request("setup", {"config_dict": config})
    yield request("can_model", {})
    columns = {"p": [p for p, _ in GRID], "q": [q for _, q in GRID]}
    yield request("tell", {"config": columns, "outcome": [int(p > 0.8) for p, _ in GRID]})
    yield request("can_model", {})
    yield request("info", {})
    query = {"query_type": "max", "probability_space": True, "x": None, "y": None, "constraints": None}
    yield Step(request("query", {**query, "constraints": {"q": [50]}, "max_time": 2}), near=FOUND)
    low = {"query_type": "min", "constraints": {"0": [0.5, 0.75], "1": 0}}
    yield Step(request("query", low), near=LATENT)
    at = {"p": [0.9], "q": [50]}
    yield Step(request("query", {**query, "query_type": "prediction", "x": at}), near=PREDICTED)
    two = {"p": [0.1, 0.9], "q": [50, 50]}
    yield Step(request("query", {**query, "query_type": "prediction", "x": two}), near=PREDICTED)
    inverse = {**query, "query_type": "inverse", "y": 0.75, "constraints": {"1": [50]}}
    yield Step(request("query", inverse), near=FOUND)
    yield request("query", {"query_type": "mode"})
    yield request("query", {"query_type": "inverse"})
    yield request("setup", {"config_str": PAIRS})
    pair = json.loads((yield request("ask", {"num_points": 1})))["config"]
    yield request("tell", {"config": pair, "outcome": 1})
    pairs = json.loads((yield request("ask", {"num_points": 2})))["config"]
    yield request("tell", {"config": pairs, "outcome": [1, 0]})
    yield request("tell", {"config": {"p": [0.25, 0.5], "q": [0, 10]}, "outcome": [1]})
    yield request("setup", {"config_str": MIXED})
    yield request("parameters", {})
    mixed = json.loads((yield request("ask", {"num_points": 1})))["config"]
    yield request("tell", {"config": mixed, "outcome": {"loudness": 2.5, "heard": 1}})
    yield request("tell", {"config": mixed, "outcome": {"loudness": [2.5], "heard": ["1"]}})
    yield request("tell", {"config": mixed, "outcome": {"heard": 1}})
    yield request("resume", {"strat_id": 0})
    yield request("info", {})
    yield request("resume", {"strat_id": "2"})
    yield request("resume", {"strat_id": 9})
    yield request("dance", {"a": 1})
    yield request("ask", "now")
    yield json.dumps({"message": {}})
    yield "[] "
    yield request("exit", {})
    yield request("ask", {})
    yield request("setup", {"config_str": PAIRS})
    yield request("exit")
    yield Step('{"message": {}, "type": "ask"]', closes=True, tcp=True)


def unity() -> Script:
    """Unity: 0.01, extra_info on every request, float32 values, constraints by name, an empty x."""

    def request(type_: str, message: Any, extra_info: Any = None) -> str:
        value = {"type": type_, "message": message, "version": "0.01", "extra_info": extra_info}
        return json.dumps(value, separators=(",", ":"))

    def single(config: dict[str, list[float]]) -> dict[str, list[float]]:
        return {name: [float(str(np.float32(v))) for v in values] for name, values in config.items()}

    yield request("setup", {"config_str": CONFIG})
    yield request("parameters", {})
    yield request("info", {})
    for trial, outcome in enumerate((1, 0, 1)):
        asked = json.loads((yield request("ask", "")))["config"]
        extra = {"responseTime": 0.75 + trial, "participantID": "P 7"} if trial else None
        yield request("tell", {"config": single(asked), "outcome": outcome}, extra)
    yield request("ask", {"num_points": 1})
    yield request("tell", {"config": {"p": [0.1], "q": [-20.000002]}, "outcome": 1})
    yield request("tell", {"config": {"p": [0.1]}, "outcome": 1})
    for _ in range(4):
        yield request("ask", {})
    yield request("finish_strategy", {})
    yield request("ask", "")
    yield request("setup", {"config_str": MODEL})
    yield request("can_model", {})
    columns = {"p": [p for p, _ in GRID], "q": [q for _, q in GRID]}
    yield request("tell", {"config": columns, "outcome": [int(p > 0.8) for p, _ in GRID]})
    yield request("can_model", {})
    query = {"query_type": "max", "probability_space": True, "x": {}, "y": 0.0, "constraints": {"q": [50.0]}}
    yield Step(request("query", query), near=FOUND)
    yield Step(request("query", {**query, "query_type": "inverse", "y": 0.75}), near=FOUND)
    at = {"p": [0.9], "q": [50.0]}
    prediction = {**query, "query_type": "prediction", "x": at, "constraints": {}}
    yield Step(request("query", prediction), near=PREDICTED)
    yield request("get_config", {"section": "p", "property": "upper_bound"})
    yield request("resume", {"strat_id": 0})
    yield request("ask", "", {"responseTime": -1, "participantID": "P 7"})
    yield request("fly", {})
    yield request("exit", {})
