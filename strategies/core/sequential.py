"""Stages in order: a finished stage gives way to the next one at the next ask, with all data."""

from __future__ import annotations

from dataclasses import replace

from fechner.strategies.core.state import State
from fechner.strategies.core.stopping import is_last, stage_finished


def advance(state: State) -> State:
    """The state in the stage that the next ask belongs to."""
    while not is_last(state) and stage_finished(state):
        state = replace(state, stage=state.stage + 1, stage_asked=0, stage_repeated=0, finish_sent=False)
    return state
