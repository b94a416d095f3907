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

#: A trial's parameters by name: numbers, texts, truth values, or a list of two where trials have two stimuli.
Config = dict[str, Any]

#: A trial's outcomes by name, in the order of the configuration: the numbers that the model sees.
Outcome = dict[str, Any]


class Described(TypedDict):
    """A parameter or an outcome of a setup, for whoever reads the record without the configuration.

    Attributes:
        name: its name.
        type: a parameter's `par_type` or an outcome's `outcome_type`.
        unit: of a parameter, as the configuration names it; missing without one.
    """

    name: str
    type: str
    unit: NotRequired[str]


class ExtensionFile(TypedDict):
    """A local file with plug-ins, as it was when the setup read it.

    Attributes:
        file: its name in the configuration.
        path: where it lay.
        sha256: of its bytes; the session goes on only with the same file.
    """

    file: str
    path: str
    sha256: str


class EarlierTrial(TypedDict):
    """A trial of another session that warms a model, copied into the setup.

    Attributes:
        session: where it was told.
        trial: its number there.
        config: what was shown.
        outcome: what was told, as corrected.
    """

    session: str | None
    trial: int
    config: Config
    outcome: Outcome


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


class AskedTrial(TypedDict):
    """A trial that is handed out.

    Attributes:
        trial: its number in the session, from 1.
        config: what to show.
    """

    trial: int
    config: Config


class Left(TypedDict):
    """What an ask leaves in the strategy's state, so that it is read back without computing.

    Attributes:
        stage: the stage's index, from 0.
        points: one for each trial, each a list of stimuli, each a list of coordinates between 0 and 1.
        tier: how much was computed for it.
        hyperparameters: of the model, fitted anew; `model` names their kind. Missing where they stay.
        fit_version: the version of the data that they were fitted to; stands with `hyperparameters`.
        post_range: how far the model's mean spans, where the stage ends by it. Missing elsewhere.
        max_post_var: the greatest posterior variance, where the stage logs it. Missing elsewhere.
        device: what computed the scan, a GPU's name or `processor`, where a GPU was asked for and pays.
            Missing elsewhere.
        warnings: what the model had to say, each a text. Missing where that is nothing.
        again: how many of the points, the first ones, come back from a skip. Missing for 0.
    """

    stage: int
    points: list[list[list[float]]]
    tier: str
    hyperparameters: NotRequired[dict[str, Any]]
    fit_version: NotRequired[int]
    post_range: NotRequired[float]
    max_post_var: NotRequired[float]
    device: NotRequired[str]
    warnings: NotRequired[list[str]]
    again: NotRequired[int]


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


class ToldTrial(TypedDict):
    """A trial that is told.

    Attributes:
        trial: its number in the session; the next one if it was not asked.
        strategy: the number of its strategy.
        asked: whether an ask had handed it out.
        stage: the name of the strategy's stage when it was told; null in imported sessions.
        config: what was asked, or, if it was not asked, what was shown; null without either.
        shown: what was shown in place of what was asked; null if that was the same.
        outcome: what was answered; null without an answer.
        model_data: whether the model sees it, if it has an outcome.
        response_time: in seconds.
        confidence: as the client has it.
        client_time: the client's own clock, in its own unit.
        extra: whatever else the client tells.
    """

    trial: int
    strategy: int
    asked: bool
    stage: str | None
    config: Config | None
    shown: Config | None
    outcome: Outcome | None
    model_data: bool
    response_time: float | None
    confidence: float | None
    client_time: Any
    extra: dict[str, Any]


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

#: The parts that changes are made of, by the name that the documentation gives them.
PARTS = (Described, ExtensionFile, EarlierTrial, AskedTrial, Left, ToldTrial)


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
