"""Experiments as scripts: generators that yield (type, message) and are sent the reply's message.

A script decides from replies only, so whoever carries it (any transport, a server that is killed and started
again) must hear the same asks and answers from the same seed.
"""

from __future__ import annotations

import math
from collections.abc import Generator
from typing import Any

Step = tuple[str, dict[str, Any]]
Script = Generator[Step, dict[str, Any], None]

_PARAMETERS = """
[frequency]
par_type = continuous
lower_bound = 0.25
upper_bound = 8
log_scale = True
[level]
par_type = continuous
lower_bound = -20
upper_bound = 120
[ear]
par_type = fixed
value = left
"""


def config(kind: str = "EAVC", first: int = 4, then: int = 8) -> str:
    """INI text: `first` Sobol trials, `then` trials of the acquisition function `kind`."""
    binary = kind != "qLogNoisyExpectedImprovement"
    own = "" if kind == "qLogNoisyExpectedImprovement" else f"[{kind}]\ntarget = 0.5\n"
    return f"""
[common]
parnames = [frequency, level, ear]
outcome_types = [{"binary" if binary else "continuous"}]
strategy_names = [init, opt]
{_PARAMETERS}
[init]
generator = SobolGenerator
min_asks = {first}
min_total_outcome_occurrences = 0
[opt]
generator = OptimizeAcqfGenerator
model = {"GPClassificationModel" if binary else "GPRegressionModel"}
min_asks = {then}
[OptimizeAcqfGenerator]
acqf = {kind}
restarts = 4
samps = 256
{own}"""


def heard(config: dict[str, Any], kind: str = "EAVC") -> float:
    """What the listener answers; decided by the stimulus alone."""
    threshold = 20.0 + 12.0 * math.log2(config["frequency"]) ** 2 / 3.0
    excess = (config["level"] - threshold) / 30.0
    if kind == "qLogNoisyExpectedImprovement":
        return round(-((excess - 0.4) ** 2), 6)
    return float(excess > 0.2 * math.sin(40.0 * config["level"]))


def trials(n: int, kind: str = "EAVC", **ask: Any) -> Script:
    """n times ask and tell."""
    for _ in range(n):
        reply = yield "ask", ask
        yield from tell_all(reply, kind)


def tell_all(reply: dict[str, Any], kind: str) -> Script:
    """Tell every trial of an ask's reply."""
    for trial in reply["trials"]:
        yield "tell", {"trial": trial["trial"], "outcome": heard(trial["config"], kind)}


def queries(kind: str) -> Script:
    """One query of each kind."""
    y = -0.1 if kind == "qLogNoisyExpectedImprovement" else 0.5
    three = {"frequency": [0.5, 1.0, 4.0]}
    yield "query", {"query": "max"}
    yield "query", {"query": "min", "constraints": {"frequency": 1.0}}
    points = {**three, "level": [10.0, 20.0, 60.0], "ear": ["left"] * 3}
    yield "query", {"query": "prediction", "x": points}
    yield "query", {"query": "inverse", "y": y, "constraints": {"frequency": [1.0, 2.0]}}
    yield "query", {"query": "threshold", "y": y, "parameter": "level", "x": {**three, "ear": ["left"] * 3}}


def short(kind: str = "EAVC", seed: int = 5) -> Script:
    """Setup and eight trials: four space-filling, four of the model."""
    yield "setup", {"config": config(kind, 4, 4), "seed": seed}
    yield from trials(8, kind)


def whole(kind: str = "EAVC", seed: int = 5) -> Script:
    """Every message that changes a session, and every question."""
    yield "setup", {"config": config(kind), "seed": seed, "name": "hearing", "participant": "P 7"}
    yield "parameters", {}
    yield from trials(3, kind)
    reply = yield "ask", {}
    for _ in range(4):
        trial = reply["trials"][0]
        outcome = heard(trial["config"], kind)
        both = yield "update", {"tell": {"trial": trial["trial"], "outcome": outcome}, "ask": {}}
        reply = both["ask"]
    left_pending = reply["trials"][0]
    yield "info", {}
    yield from queries(kind)
    reply = yield "ask", {"n": 3, "fixed": {"frequency": 2.0}}
    point = {"frequency": 1.5, "level": 33.0, "ear": "left"}
    yield "tell", {"config": point, "outcome": heard(point, kind), "response_time": 0.4}
    yield from tell_all(reply, kind)
    yield "setup", {"config": config(kind, 2, 3), "seed": seed + 1, "name": "another"}
    yield from trials(1, kind)
    yield "finish_strategy", {}
    yield from trials(2, kind)
    yield "resume", {"strategy": 0}
    outcome = heard(left_pending["config"], kind)
    yield "tell", {"trial": left_pending["trial"], "outcome": outcome, "extra": {"note": "late"}}
    yield from trials(2, kind, beyond=True)
    yield from queries(kind)
    yield "exit", {}


def asks(replies: list[dict[str, Any]]) -> list[Any]:
    """The trials that replies handed out, in order."""
    found = [reply.get("ask", reply) for reply in replies]
    return [reply["trials"] for reply in found if "stage" in reply and isinstance(reply.get("trials"), list)]
