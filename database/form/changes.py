"""What a message did to its session: one type for each change that is on record, as plain JSON data.

A change is a dict, since the record keeps it for ever and its hash covers its text: what is written are the
dict's fields in the dict's order. What a handler makes, what a session is folded from and what the tables
follow from is this one value. Fields are only ever added; those that a record may lack are `NotRequired`, and
their texts say in which records they are missing.
"""

# No `from __future__ import annotations`: it would hide NotRequired from `__required_keys__`.

import json
from collections.abc import Mapping
from typing import Any, Literal, NotRequired, TypedDict, cast

from fechner.database.form.change_parts import (
    AskedTrial,
    Config,
    Described,
    EarlierTrial,
    ExtensionFile,
    Left,
    Outcome,
    ToldTrial,
)

__all__ = [
    "CHANGES",
    "AskChange",
    "AskedTrial",
    "Change",
    "Config",
    "CorrectChange",
    "Described",
    "EarlierTrial",
    "ExitChange",
    "ExtensionFile",
    "FinishStrategyChange",
    "Left",
    "Outcome",
    "ResumeChange",
    "SetupChange",
    "SkipChange",
    "TellChange",
    "ToldTrial",
    "environment_of",
    "read",
]


class SetupChange(TypedDict):
    """A strategy begins and is the current one; strategy 0 begins the session.

    Attributes:
        type: `setup`.
        strategy: its number in the session, from 0.
        name: of the experiment, from the message, else from the configuration's metadata.
        participant: who is tested, found in the same way.
        description: of the experiment, found in the same way.
        metadata: other metadata of the configuration and of the message.
        config: the configuration as it came: INI text, or sections by name.
        no_end: whether a configuration without an end is an `error` or, as in AEPsych, a `warning`.
        environment: what computes: versions of libraries, threads, processor. Missing in records of revision
            0001 and in imported sessions.
        seed: of all the strategy's random numbers.
        stages: their names, in order.
        outcomes: their names and types, in order.
        parameters: their names and types, in order.
        owner: of strategy 0, the digest of the token that set the session up. Missing where none was asked
            for, and before revision 0005.
        extensions: the local files that hold its plug-ins. Missing where there are none.
        plugins: its plug-ins of installed packages by name, each as package and version. Missing where there
            are none.
        seed_data: by section of conditions, the trials of earlier sessions that warm its models. Missing
            where there are none.
        stand_in: true where an imported session's own configuration can't be used here and `config` was made
            from its data. Missing elsewhere.
        given_config: that configuration of its own, null without one; stands with `stand_in`.
    """

    type: Literal["setup"]
    strategy: int
    name: str | None
    participant: str | None
    description: str | None
    metadata: dict[str, Any]
    config: str | dict[str, Any]
    no_end: Literal["error", "warning"]
    environment: NotRequired[dict[str, Any]]
    seed: int
    stages: list[str]
    outcomes: list[Described]
    parameters: list[Described]
    owner: NotRequired[str]
    extensions: NotRequired[list[ExtensionFile]]
    plugins: NotRequired[dict[str, str]]
    seed_data: NotRequired[dict[str, list[EarlierTrial]]]
    stand_in: NotRequired[bool]
    given_config: NotRequired[str | dict[str, Any] | None]


class AskChange(TypedDict):
    """Trials are handed out and are pending.

    Attributes:
        type: `ask`.
        strategy: the number of their strategy.
        stage: the name of their stage.
        n: how many trials the message wanted.
        fixed: parameters that the message fixed, by name.
        beyond: whether it wanted trials also after the strategy's end.
        trials: the trials; fewer than `n` where the stage has no more.
        tier: how much was computed, as in the reply.
        left: what the ask leaves in the strategy's state.
        post_mean: the model's mean at each trial, null for one without; null without a model.
        post_sd: its standard deviation there, in the same way.
        deadline_ms: the time within which the reply was due. Missing without a deadline.
    """

    type: Literal["ask"]
    strategy: int
    stage: str
    n: int
    fixed: Config
    beyond: bool
    trials: list[AskedTrial]
    tier: str
    left: Left
    post_mean: list[float | None] | None
    post_sd: list[float | None] | None
    deadline_ms: NotRequired[float]


class TellChange(TypedDict):
    """Trials are told, all of a message together.

    Attributes:
        type: `tell`.
        trials: the trials, in the order of the message.
    """

    type: Literal["tell"]
    trials: list[ToldTrial]


class SkipChange(TypedDict):
    """A pending trial is closed without outcome.

    Attributes:
        type: `skip`.
        trial: its number.
        strategy: the number of its strategy.
        reason: why, as the client says; null if it doesn't.
        again: whether its point is handed out again.
    """

    type: Literal["skip"]
    trial: int
    strategy: int
    reason: str | None
    again: bool


class CorrectChange(TypedDict):
    """A told trial has another outcome from now on, or none.

    Attributes:
        type: `correct`.
        trial: its number.
        strategy: the number of its strategy.
        outcome: its outcome from now on; null removes the trial from the model's data.
    """

    type: Literal["correct"]
    trial: int
    strategy: int
    outcome: Outcome | None


class FinishStrategyChange(TypedDict):
    """A strategy's current stage is over.

    Attributes:
        type: `finish_strategy`.
        strategy: the number of the strategy.
        stage: the name of the stage.
    """

    type: Literal["finish_strategy"]
    strategy: int
    stage: str


class ResumeChange(TypedDict):
    """A strategy is the current one, and the session goes on if it had ended.

    Attributes:
        type: `resume`.
        strategy: the number of the strategy.
        environment: what computes from now on, as in a setup. Missing in records of revision 0001 and in
            imported sessions.
    """

    type: Literal["resume"]
    strategy: int
    environment: NotRequired[dict[str, Any]]


class ExitChange(TypedDict):
    """The session ends; it can be resumed.

    Attributes:
        type: `exit`.
    """

    type: Literal["exit"]


Change = (
    SetupChange
    | AskChange
    | TellChange
    | SkipChange
    | CorrectChange
    | FinishStrategyChange
    | ResumeChange
    | ExitChange
)

#: Every type of change by its name, as `type` has it.
CHANGES: Mapping[str, type[Change]] = {
    "setup": SetupChange,
    "ask": AskChange,
    "tell": TellChange,
    "skip": SkipChange,
    "correct": CorrectChange,
    "finish_strategy": FinishStrategyChange,
    "resume": ResumeChange,
    "exit": ExitChange,
}


def environment_of(change: Change) -> dict[str, Any]:
    """What computes from a change on, nothing where it doesn't say so."""
    found: dict[str, Any] | None = None
    if change["type"] == "setup" or change["type"] == "resume":
        found = change.get("environment")
    return found or {}


def read(text: str) -> Change:
    """The change that a column's text holds. Its form is that of whoever wrote it; nothing is checked.

    Raises:
        ValueError, TypeError: the text is no JSON.
    """
    return cast(Change, json.loads(text))
