"""The validated configuration: frozen values that a strategy's state and every pure function build on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from fechner.strategies.errors import Problem


@dataclass(frozen=True)
class Parameter:
    """One parameter of the stimulus.

    Attributes:
        name: as in ``parnames``.
        type: ``continuous``, ``integer``, ``binary``, ``discrete``, ``categorical`` or ``fixed``.
        lower, upper: bounds in raw space (numbers; for binary 0 and 1; None for categorical and fixed).
        scale: ``linear`` or ``log`` (log10 of the value plus `shift`).
        shift: what a log scale adds first: 0 under ``scale = log`` with a positive lower bound; under
            ``log_scale = True`` what AEPsych adds, so that its configurations give the same spacing.
        normalize: whether the model sees it scaled to [0, 1] (normalize_scale).
        choices: the texts of a categorical parameter, or the ordered numbers of a discrete one.
        value: the value of a fixed parameter.
        unit: for people.
        step: what asks are multiples of, from `lower` on; None if there is no such thing. Tells need not be.
    """

    name: str
    type: str
    lower: float | None = None
    upper: float | None = None
    scale: str = "linear"
    shift: float = 0.0
    normalize: bool = True
    choices: tuple[Any, ...] = ()
    value: Any = None
    unit: str = ""
    step: float | None = None


@dataclass(frozen=True)
class Comparison:
    """The sum of `terms` (name, factor), compared with a bound in raw space.

    Attributes:
        terms: names of parameters that vary, and factors.
        sign: ``<=``, ``>=``, ``<``, ``>``, ``==`` or ``!=``.
        bound: a number; a choice where the only term is a categorical parameter.
    """

    terms: tuple[tuple[str, float], ...]
    sign: str
    bound: float | str


@dataclass(frozen=True)
class Constraint:
    """Comparisons that hold together in every ask; or, of a forbidden region, in none."""

    key: str
    text: str
    forbidden: bool
    comparisons: tuple[Comparison, ...]


@dataclass(frozen=True)
class Outcome:
    """One outcome: its name, its type (binary, continuous, ordinal) and the levels of an ordinal one."""

    name: str
    type: str
    n_levels: int = 0


@dataclass(frozen=True)
class Component:
    """A registered class and the keys given to it.

    Attributes:
        name: the registered name, aliases and older spellings resolved, for instance ``"EAVC"``.
        keys: every key of its table, defaults filled in; values are plain data or other components.
        plugin: where a plug-in's functions are found (plugins.py); empty for our own classes.
    """

    name: str
    keys: Mapping[str, Any] = field(default_factory=dict)
    plugin: str = ""


@dataclass(frozen=True)
class Extension:
    """A local file with plug-ins: as the configuration names it, where it lies, the SHA-256 of its bytes."""

    file: str
    path: str
    sha256: str


@dataclass(frozen=True)
class SeedDataConditions:
    """Which earlier sessions warm a stage.

    Attributes:
        section: where the conditions stand.
        wanted: for each key the texts of which a session has one; all keys must hold.
    """

    section: str
    wanted: Mapping[str, tuple[str, ...]]


@dataclass(frozen=True)
class Stage:
    """One stage of a strategy (docs/reference/config.md, Stages)."""

    name: str
    generator: Component
    model: Component | None = None
    min_asks: int = 0
    min_total_tells: int = 0
    min_total_outcome_occurrences: int = 0
    max_asks: int | None = None
    refit_every: int = 1
    keep_most_recent: int | None = None
    min_post_range: float | None = None
    log_post_var: bool = False
    run_indefinitely: bool = False
    seed: int | None = None
    seed_data_conditions: SeedDataConditions | None = None
    speculate: bool = True
    deadline_ms: float | None = None


@dataclass(frozen=True)
class Specification:
    """A whole configuration, checked.

    Attributes:
        parameters: in the order of ``parnames``.
        outcomes: in the order of ``outcome_types``.
        stages: in the order of ``strategy_names``.
        stimuli_per_trial: 1 or 2.
        seed: of ``[common]``, or None.
        target: of ``[common]``, or None.
        constraints: of ``[constraints]``, in its order.
        metadata: of ``[metadata]``: experiment_name, participant_id … and every other key, as text.
        sections: the whole configuration as written, texts by section and key (interpolation resolved,
            common's keys repeated in every section), for get_config.
        source: the configuration as it was given, INI text or nested mapping; `check(source)` gives this
            specification again.
        warnings: what is doubtful.
        extensions: local files with plug-ins that were run for it.
        abouts: what its plug-ins do, by class.
    """

    parameters: tuple[Parameter, ...]
    outcomes: tuple[Outcome, ...]
    stages: tuple[Stage, ...]
    stimuli_per_trial: int = 1
    seed: int | None = None
    target: float | None = None
    constraints: tuple[Constraint, ...] = ()
    metadata: Mapping[str, str] = field(default_factory=dict)
    sections: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    source: str | Mapping[str, Any] = ""
    warnings: tuple[Problem, ...] = ()
    extensions: tuple[Extension, ...] = ()
    abouts: Mapping[str, str] = field(default_factory=dict)
