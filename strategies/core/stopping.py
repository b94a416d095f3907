"""Stop rules: when a stage, and with its last stage the strategy, is finished.

The rules are those of docs/reference/config.md, Stages.
"""

from __future__ import annotations

from fechner.strategies.core.state import State, counted
from fechner.strategies.generators.manual import n_points
from fechner.strategies.numerics.arrays import Array


def stage_finished(state: State) -> str | None:
    """The rule that finished the current stage, naming itself; None while it goes on."""
    return _rule(state, state.n, state.counts)


def _rule(state: State, n: int, counts: tuple[tuple[int, ...], ...]) -> str | None:
    """The rule that finishes the current stage with `n` modelled trials and `counts` of their levels."""
    stage = state.current
    if state.finish_sent:
        return "finish_strategy"
    if stage.run_indefinitely:
        return None
    if stage.max_asks is not None and state.stage_asked >= stage.max_asks:
        return f"max_asks {stage.max_asks}"
    finite = n_points(stage.generator)
    if finite is not None and state.stage_new >= finite and not state.queue:
        return f"all {finite} points asked"
    if (
        n < 1
        or state.stage_asked < stage.min_asks
        or n < stage.min_total_tells
        or any(
            count < stage.min_total_outcome_occurrences
            for levels in _judged(state, counts)
            for count in levels
        )
        or (stage.min_post_range is not None and (state.post_range or 0.0) < stage.min_post_range)
    ):
        return None
    if finite is not None and not (stage.min_asks or stage.min_total_tells):
        return None  # the points themselves are the end
    met = [
        f"{name} {value}"
        for name, value in (
            ("min_asks", stage.min_asks),
            ("min_total_tells", stage.min_total_tells),
            ("min_post_range", stage.min_post_range),
        )
        if value
    ]
    return ", ".join(met) or "at least one trial told"


def _judged(state: State, counts: tuple[tuple[int, ...], ...]) -> list[tuple[int, ...]]:
    """The outcomes every level of which must occur: the binary ones; ordinal ones where there is none."""
    types = [outcome.type for outcome in state.specification.outcomes]
    kind = "binary" if "binary" in types else "ordinal"
    return [levels for levels, one in zip(counts, types, strict=True) if one == kind]


def is_last(state: State) -> bool:
    """Whether the current stage is the last."""
    return state.stage == len(state.specification.stages) - 1


def finished(state: State) -> str | None:
    """The rule that finished the whole strategy; None while there is a stage to go."""
    return stage_finished(state) if is_last(state) else None


def finished_after(state: State, outcomes: Array) -> str | None:
    """`finished` once `outcomes` (`k x m`) are told, without telling them."""
    if not is_last(state):
        return None
    return _rule(state, state.n + len(outcomes), counted(state.counts, outcomes))


def remaining(state: State) -> int | None:
    """Points that counting rules still ask for in this and the later stages; None where they don't say."""
    total = 0
    for i in range(state.stage, len(state.specification.stages)):
        stage = state.specification.stages[i]
        asked = state.stage_asked if i == state.stage else 0
        if i == state.stage and stage_finished(state):
            continue
        if stage.run_indefinitely:
            return None
        finite = n_points(stage.generator)
        if stage.max_asks is not None:
            wanted = stage.max_asks if finite is None else min(finite, stage.max_asks)
        elif finite is not None:
            wanted = finite
        elif stage.min_asks:
            wanted = stage.min_asks
        elif stage.min_total_tells:
            wanted = asked + stage.min_total_tells - state.n - len(state.pending) - total
        else:
            return None
        total += max(0, wanted - asked)
    return total
