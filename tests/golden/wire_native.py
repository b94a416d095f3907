"""What a client of version 1 says in its golden transcript."""

from __future__ import annotations

from typing import Any

from wire_configs import CONFIG, FOUND, GRID, MIXED, MODEL, ORDINAL, PAIRS, PREDICTED, Script, Step, sections


def native() -> Script:
    """Version 1 as the Python client of this release says it."""
    n = 0

    def request(type_: str, message: Any = None, session: str = "«session»", **more: Any) -> dict[str, Any]:
        nonlocal n
        n += 1
        named = {"session": session} if session else {}
        head = {"version": "1", "type": type_, "id": f"c-{n}", **named}
        return {**head, "message": {} if message is None else message, **more}

    yield "[1,2]\n"
    yield request("ping", session="")
    yield Step(request("hello", session=""), least=("limits", "capabilities"))
    yield "12 "
    yield '{"version":"1","type":"ping"}'
    yield request("ask", session="")
    yield request("ask", session="«other»")
    yield request("resume", {"session": "«other»"}, session="")
    yield request("setup", {"config": CONFIG.replace("= SobolG", "= SobbolG").replace("= 120", "= -30")})
    about = {"name": "hearing", "participant": "P 7", "description": "grüße", "metadata": {"room": 2}}
    setup = request("setup", {"config": CONFIG, **about, "seed": 11})
    yield setup
    yield Step(setup, again=10)
    yield {**setup, "message": {**setup["message"], "seed": 12}}
    yield request("parameters")
    yield request("get_config")
    yield request("get_config", {"section": "init_strat"})
    yield request("get_config", {"section": "p", "key": "upper_bound"})
    yield request("get_config", {"key": "upper_bound"})
    yield request("get_config", {"section": "r"})
    yield request("ask", {"n": 2})
    yield request("tell", {"trial": 1, "outcome": 1})
    yield request("tell", {"trial": 1, "outcome": 0})
    yield request("tell", {"trial": 99, "outcome": 0})
    yield request("tell", {"config": {"pp": 0.5, "q": 30}, "outcome": 0})
    yield request("tell", {"config": {"p": 1.5, "q": 30}, "outcome": 0})
    yield request("tell", {"config": {"p": 0.5, "q": 30}, "outcome": 2})
    yield request("tell", {"config": {"p": 0.5, "q": 30}, "outcom": 1})
    yield request("tell", {"trial": "2", "outcome": 1})
    yield request("tell", {"trials": [{"config": {"p": 0.5, "q": 30}, "outcome": 1}, {"trial": 1}]})
    told = {"model_data": True, "shown": {"p": 0.5, "q": 30}, "response_time": 0.25, "confidence": 0.5}
    yield request("tell", {"trial": 2, "outcome": 0, **told, "client_time": "noon", "extra": {"eye": [1]}})
    yield request("tell", {"config": {"p": 0.125, "q": -7.5}, "outcome": {"outcome_1": 1}})
    yield request("ask", {"fixed": {"p": 0.5}})
    update = request("update", {"tell": {"trial": 4, "outcome": 1}, "ask": {}})
    yield update
    yield Step(update, again=32)
    yield request("update", {"tell": {"trial": 5, "outcome": 1}, "ask": {"fixed": {"r": 1}}})
    yield request("ask")
    yield request("skip", {"trial": 6, "reason": "cough", "again": True})
    yield request("skip", {"trial": 6})
    yield request("ask")
    yield request("skip", {"trial": 7})
    yield request("correct", {"trial": 1, "outcome": 0})
    yield request("correct", {"trial": 4, "remove": True})
    yield request("correct", {"trial": 7, "outcome": 0})
    yield request("query", {"query": "max"})
    yield request("info")
    yield request("finish_strategy")
    yield request("ask")
    yield request("aks")
    yield request("ask", mesage={})
    yield request("resume", {"strategy": 3})
    yield {**request("info"), "id": 5}
    yield {"type": "info", "id": "unversioned"}
    model = {section: dict(keys) for section, keys in sections(MODEL)}
    yield request("setup", {"config": model})
    yield request("query", {"query": "max"})
    trials = [{"config": {"p": p, "q": q}, "outcome": int(p > 0.8)} for p, q in GRID]
    yield request("tell", {"trials": trials})
    at = {"p": [0.125, 0.9], "q": [10, 70.5]}
    yield Step(request("query", {"query": "prediction", "x": at}), near=PREDICTED)
    latent = {"query": "prediction", "x": {"p": [0.9], "q": [50]}, "space": "latent", "interval": 0.5}
    yield Step(request("query", latent), near=tuple((part, 0.05) for part, _ in PREDICTED))
    threshold = {"query": "threshold", "y": 0.5, "parameter": "p", "x": {"q": [0, 100]}, "interval": 0.5}
    yield Step(request("query", threshold), near=FOUND)
    nowhere = {"query": "threshold", "y": 0.99999, "parameter": "q", "x": {"p": [0.1]}}
    yield request("query", nowhere)
    inverse = {"query": "inverse", "y": 0.75, "constraints": {"q": 50}}
    yield Step(request("query", inverse), near=FOUND)
    for kind in ("max", "min"):
        query = {"query": kind, "constraints": {"p": [0.5, 0.9], "q": 50}}
        yield Step(request("query", query), near=FOUND)
    yield request("query", {"query": "prediction", "x": at, "y": 0.5})
    yield request("query", {"query": "inverse"})
    yield request("resume", {"strategy": 0})
    yield request("tell", {"trial": 8, "outcome": 1, "model_data": False})
    yield request("ask", {"n": 2})
    yield request("tell", {"trials": [{"trial": 36, "outcome": 1}]})
    yield request("ask", {"n": 2})
    yield request("tell", {"trials": [{"trial": 37, "outcome": 1}, {"trial": 38, "outcome": 0}]})
    yield request("ask")
    yield request("ask", {"beyond": True})
    yield request("setup", {"config": PAIRS, "seed": 13})
    yield request("ask", {"n": 2})
    yield request("tell", {"trial": 40, "outcome": 1})
    yield request("tell", {"config": {"p": [0.25, 0.5], "q": [0, 10]}, "outcome": 0})
    yield request("setup", {"config": MIXED})
    yield request("ask")
    yield request("tell", {"trial": 43, "outcome": {"loudness": 2.5, "heard": 1}})
    mixed = {"p": 0.5, "word": "red", "count": 3, "flag": 0, "side": "left"}
    yield request("tell", {"config": mixed, "outcome": [0, -1.5]})
    yield request("tell", {"config": mixed, "outcome": {"heard": 1}})
    yield request("tell", {"config": {**mixed, "word": "pink"}, "outcome": [0, -1.5]})
    yield request("setup", {"config": ORDINAL})
    levels = [{"config": {"p": i / 12}, "outcome": min(i // 4, 2)} for i in range(13)]
    yield request("tell", {"trials": levels})
    each = {"query": "prediction", "x": {"p": [0.125, 0.875]}}
    near = (*((part, 0.05) for part, _ in PREDICTED), ("probabilities", 0.05))
    yield Step(request("query", each), near=near)
    yield request("query", {**each, "space": "probability"})
    yield request("exit")
    yield request("ask")
    yield request("resume", {"session": "«session»", "strategy": 0}, session="")
    yield '{"version":"1","type":"ping"}'
    yield request("replay", {"session": "«session»"}, session="")
    yield '{"version":"1","type":"ping"}'
    yield request("auth", {"token": "anything will do where nobody asks for one"}, session="")
    yield request("auth", session="")
    yield request("shutdown", session="")
    yield request("exit", session="")
    yield Step('{"version":"1","type":"info",}', closes=True, tcp=True)
