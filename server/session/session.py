"""What a session is: its strategies, its trials, their order. A fold over recorded changes.

A *change* is the canonical effect of one request on a session, as plain data; database/form/changes.py lists
all kinds. Handlers compute changes from an unchanged session; `Session.apply` adopts one after it is on
record, and computes nothing. So a live session and one read back from the record are the same by
construction.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from fechner.database.form.changes import (
    AskChange,
    Change,
    Config,
    CorrectChange,
    ExitChange,
    FinishStrategyChange,
    ResumeChange,
    SetupChange,
    SkipChange,
    TellChange,
)
from fechner.strategies.config import check
from fechner.strategies.core import state as core
from fechner.strategies.core.seed_data import of_stages
from fechner.strategies.core.state import State
from fechner.strategies.core.strategy import adopt, configs, finish
from fechner.strategies.plugins.extensions import changed
from fechner.strategies.specification import Specification

PENDING, TOLD, SKIPPED = "pending", "told", "skipped"


@dataclass(slots=True)
class Trial:
    """One trial: its strategy, its status, and while it is pending its number and what was asked.

    Those that are closed share objects without a number: a session of 100,000 trials has to stay small.
    """

    number: int
    strategy: int
    status: str
    config: Mapping[str, Any] | None = None
    unit: NDArray[np.float64] | None = None


@lru_cache(maxsize=256)
def closed_trial(strategy: int, status: str) -> Trial:
    """Any trial of a strategy that is told or skipped."""
    return Trial(0, strategy, status)


@dataclass
class Strategy:
    """One setup of a session: its state and what people call it.

    Attributes:
        rows: the trial of each modelled row of the state.
        removed: points of trials that a correction took out of the model.
    """

    state: State
    name: str
    stages: list[str]
    participant: str = ""
    rows: array[int] = field(default_factory=lambda: array("q"))
    removed: dict[int, NDArray[np.float64]] = field(default_factory=dict)


@dataclass
class Session:
    """A session as of its last adopted change.

    Attributes:
        id: UUID.
        strategies: one per setup.
        current: index of the strategy that asks and tells go to.
        trials: all of them; trial k is `trials[k - 1]`.
        pending: trials handed out and not told, by number, oldest first.
        told, skipped: how many.
        ended: exit was sent (a resume begins it again).
        owner: whose token set it up, as its digest; None where none was asked for.
    """

    id: str
    strategies: list[Strategy] = field(default_factory=list)
    current: int = 0
    trials: list[Trial] = field(default_factory=list)
    pending: dict[int, Trial] = field(default_factory=dict)
    told: int = 0
    skipped: int = 0
    ended: bool = False
    owner: str | None = None

    @property
    def strategy(self) -> Strategy:
        """The current strategy."""
        return self.strategies[self.current]

    @property
    def state(self) -> State:
        """The current strategy's state."""
        return self.strategy.state

    @property
    def next_trial(self) -> int:
        """The number of the next trial."""
        return len(self.trials) + 1

    def counts(self) -> dict[str, int]:
        """Trials by status, as replies show them."""
        asked = sum(strategy.state.asked for strategy in self.strategies)
        return {"asked": asked, "told": self.told, "pending": len(self.pending), "skipped": self.skipped}

    def pending_list(self) -> list[dict[str, Any]]:
        """The pending trials as replies show them."""
        return [{"trial": t.number, "config": dict(t.config or {})} for t in self.pending.values()]

    def apply(self, change: Change, specification: Specification | None = None) -> None:
        """Adopt one recorded change.

        Args:
            change: what the message did.
            specification: of a setup: its configuration as it was checked a moment ago; None: check it.

        Raises:
            FechnerError: a configuration on record can't be read any more: bad_config, say, where an
                extension is gone or another one.
        """
        if change["type"] == "setup":
            _set_up(self, change, specification or _check_recorded(change))
        else:
            _APPLY[change["type"]](self, change)


def _check_recorded(change: SetupChange) -> Specification:
    """The configuration on record, with the very extensions that it had."""
    specification = check(change["config"], no_end=change["no_end"])
    now = {one.file: one.sha256 for one in specification.extensions}
    for extension in change.get("extensions") or ():
        if now.get(extension["file"]) != extension["sha256"]:
            raise changed(extension["file"], extension["sha256"])
    return specification


def _set_up(session: Session, change: SetupChange, specification: Specification) -> None:
    seed_data = of_stages(specification, change.get("seed_data") or {})
    state = core.initial(specification, change["seed"], change["strategy"], change["no_end"], seed_data)
    stages = [stage.name for stage in specification.stages]
    participant = change.get("participant") or ""
    session.strategies.append(Strategy(state, change["name"] or "", stages, participant))
    session.current = change["strategy"]
    session.ended = False
    if change["strategy"] == 0:
        session.owner = change.get("owner")


def proposal_of(change: AskChange) -> dict[str, Any]:
    """The proposal that an ask's change records."""
    proposal: dict[str, Any] = {**change["left"]}
    for name, values in (("post_mean", change.get("post_mean")), ("post_sd", change.get("post_sd"))):
        if values is not None:
            proposal[name] = values
    return proposal


def _ask(session: Session, change: AskChange) -> None:
    strategy = session.strategies[change["strategy"]]
    proposal = proposal_of(change)
    points = np.asarray(proposal["points"], dtype=np.float64)
    raw = configs(strategy.state, proposal)
    strategy.state = adopt(strategy.state, proposal)
    for handed_out, config, point in zip(change["trials"], raw, points, strict=True):
        trial = Trial(handed_out["trial"], change["strategy"], PENDING, config, point)
        session.trials.append(trial)
        session.pending[trial.number] = trial


def _tell(session: Session, change: TellChange) -> None:
    told: dict[int, list[tuple[int, Any, Any, Any]]] = {}
    for row in change["trials"]:
        number, index = row["trial"], row["strategy"]
        if number > len(session.trials):
            session.trials.append(closed_trial(index, TOLD))
        asked = session.trials[number - 1].unit
        session.trials[number - 1] = closed_trial(index, TOLD)
        session.pending.pop(number, None)
        session.told += 1
        strategy = session.strategies[index]
        if row["model_data"] and row["outcome"] is not None:
            specification, space = strategy.state.specification, strategy.state.space
            if asked is not None and row.get("shown") is None:
                unit = asked
            else:
                shown = cast(Config, row.get("shown") or row["config"])
                unit = space.encode_trial(shown, specification.stimuli_per_trial)
            told.setdefault(index, []).append((number, unit, list(row["outcome"].values()), asked))
        elif asked is not None:
            strategy.state = core.drop(strategy.state, asked[None])
    for index, rows in told.items():
        strategy = session.strategies[index]
        numbers, units, values, asked_points = zip(*rows, strict=True)
        strategy.rows.extend(numbers)
        strategy.state = core.tell(
            strategy.state,
            np.stack(units),
            np.array(values, dtype=np.float64),
            [asked for asked in asked_points if asked is not None],
        )


def _skip(session: Session, change: SkipChange) -> None:
    trial = session.pending.pop(change["trial"])
    assert trial.unit is not None
    strategy = session.strategies[trial.strategy]
    strategy.state = core.skip(strategy.state, trial.unit, change["again"])
    session.trials[change["trial"] - 1] = closed_trial(trial.strategy, SKIPPED)
    session.skipped += 1


def _correct(session: Session, change: CorrectChange) -> None:
    number, outcome = change["trial"], change["outcome"]
    strategy = session.strategies[session.trials[number - 1].strategy]
    values = None if outcome is None else np.array(list(outcome.values()), dtype=np.float64)
    if number in strategy.rows:
        row = strategy.rows.index(number)
        if values is None:
            strategy.removed[number] = np.array(strategy.state.x.array[row])
            del strategy.rows[row]
        strategy.state = core.correct(strategy.state, row, None, values)
    elif number in strategy.removed and values is not None:
        row = len(strategy.rows)
        strategy.rows.append(number)
        strategy.state = core.correct(strategy.state, row, strategy.removed.pop(number), values)


def _finish(session: Session, change: FinishStrategyChange) -> None:
    strategy = session.strategies[change["strategy"]]
    strategy.state = finish(strategy.state)


def _resume(session: Session, change: ResumeChange) -> None:
    session.current = change["strategy"]
    session.ended = False


def _exit(session: Session, change: ExitChange) -> None:
    session.ended = True


_APPLY: Mapping[str, Callable[[Session, Any], None]] = {
    "ask": _ask,
    "tell": _tell,
    "skip": _skip,
    "correct": _correct,
    "finish_strategy": _finish,
    "resume": _resume,
    "exit": _exit,
}
