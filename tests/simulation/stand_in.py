"""What a model proposes, without its mathematics: another pure function of the very same arguments."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from fechner.server.engine.effects import Compute
from fechner.server.engine.events import Computed, ComputeFailed, Emitted
from fechner.server.engine.foresight import digest
from fechner.server.observing.faults import Fault
from fechner.server.protocol.errors import FechnerError
from fechner.server.shell.execution import run
from fechner.strategies.core import proposals
from fechner.strategies.core.state import State
from fechner.strategies.tiers import CUT_SHORT, MODEL, PREVIOUS_FIT, SCAN, SPACE_FILLING_TIER

Emit = Callable[[dict[str, Any]], None]
Result = Computed | ComputeFailed


def propose(
    state: State,
    n: int = 1,
    fixed: Mapping[str, Any] | None = None,
    tier: str | None = None,
    poll: Callable[[], None] | None = None,
    emit: Emit | None = None,
) -> dict[str, Any]:
    """A proposal that depends on everything that a model's would depend on."""
    if not proposals.needs_model(state) or tier == SPACE_FILLING_TIER:
        return proposals.propose(state, n, fixed, tier)
    if emit is not None:
        emit(_proposed(state, n, fixed or {}, PREVIOUS_FIT))
        emit(_proposed(state, n, fixed or {}, SCAN))
    return _proposed(state, n, fixed or {}, tier if tier in CUT_SHORT else MODEL)


def _proposed(state: State, n: int, fixed: Mapping[str, Any], tier: str) -> dict[str, Any]:
    found = proposals.propose(state, n, fixed, SPACE_FILLING_TIER)
    seen = digest((state, n, dict(fixed)))
    shift = int.from_bytes(seen[:6], "big") / 2**48 + len(tier) / 64
    again, points = found.get("again", 0), found["points"]
    if len(points) > again:
        if not fixed:
            points[again:] = [
                [[(x + shift) % 1.0 for x in stimulus] for stimulus in point] for point in points[again:]
            ]
        found["tier"] = tier
        found["post_mean"] = [shift] * len(points)
        found["post_sd"] = [0.1] * len(points)
        if tier in (SCAN, MODEL) and state.fit_version != state.data_version:
            found["hyperparameters"] = {"model": "stand-in", "shift": shift}
            found["fit_version"] = state.data_version
    return found


def query(state: State, request: Mapping[str, Any]) -> dict[str, Any]:
    """An answer that depends on the data."""
    level = sum(map(float, state.y.array.ravel())) + len(str(sorted(request)))
    return {"x": {}, "y": [level], "lower": [level - 1], "upper": [level + 1], "sd": [0.5]}


def compute(
    task: Compute, seconds: float, emit: Callable[[Emitted], None] = lambda event: None, real: bool = False
) -> Result:
    """The result of a task that took `seconds`."""
    if real:
        result: Result = run(task, None, emit)
        return result if isinstance(result, ComputeFailed) else Computed(task.task, result.result, seconds)
    if task.function == "query":
        return Computed(task.task, query(*task.arguments), seconds * 1e3)
    tell: Emit | None = (lambda part: emit(Emitted(task.task, part))) if task.tiers else None
    return Computed(task.task, propose(*task.arguments, emit=tell), seconds * 1e3)


def failed(task: Compute) -> ComputeFailed:
    """A task that raised what nobody expected."""
    return ComputeFailed(task.task, FechnerError("internal", "a computation failed"), Fault("made to fail"))
