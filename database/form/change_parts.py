"""What changes on record are made of: trials, parameters, files, and what an ask leaves behind.

As in `changes`, fields are only ever added, and those that a record may lack are `NotRequired`.
"""

# No `from __future__ import annotations`: it would hide NotRequired from `__required_keys__`.

from typing import Any, NotRequired, TypedDict

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
        session: where it was told; null if a program brought it.
        trial: its number there.
        config: what was shown.
        outcome: what was told, as corrected.
    """

    session: str | None
    trial: int
    config: Config
    outcome: Outcome


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


#: The parts that changes are made of, each with fields of its own.
PARTS = (Described, ExtensionFile, EarlierTrial, AskedTrial, Left, ToldTrial)
