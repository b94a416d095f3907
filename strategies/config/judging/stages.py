"""The stage sections to stages: generator, model, when a stage ends; what doesn't go together is noted."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from fechner.strategies.config.judging import combinations, semi_parametric, several
from fechner.strategies.config.judging import seed_data as seeding
from fechner.strategies.config.judging.classes import Classes
from fechner.strategies.config.judging.generators import greedy_part, with_window
from fechner.strategies.config.reading.sections import COMMON, OLDER_COMMON, Sections
from fechner.strategies.config.tables.keys import STAGE_KEYS
from fechner.strategies.config.tables.registry import CLASSES, FINITE, SEARCHING
from fechner.strategies.specification import Component, Outcome, Parameter, SeedDataConditions, Stage

DEFAULT_MODELS = {
    "binary": "GPClassificationModel",
    "continuous": "GPRegressionModel",
    "ordinal": "OrdinalGPModel",
}
DEFAULT_ACQUISITION = {
    "binary": "EAVC",
    "continuous": "qLogNoisyExpectedImprovement",
    "ordinal": "MCPosteriorVariance",
}
GENERATORS_MODELS = {
    semi_parametric.GENERATOR: semi_parametric.MODELS[0],
    combinations.THOMPSON: "MonotonicProjectionGP",
}
PAIRWISE_MODELS = {"binary": "PairwiseProbitModel"}
PAIRWISE_ACQUISITION = {"binary": "AnalyticExpectedUtilityOfBestOption"}
_ENDS = ("min_asks", "min_total_tells", "min_total_outcome_occurrences", "max_asks", "min_post_range")
_COMPONENTS = ("generator", "model", "acqf")
_ELSEWHERE = ("stimuli_per_trial", "outcome_types", "outcome_type", "n_trials", seeding.KEY)


@dataclass(frozen=True)
class Experiment:
    """What all stages share; `taken` are the names of sections with a role of their own."""

    parameters: Sequence[Parameter]
    outcomes: Sequence[Outcome]
    stimuli: int
    target: float | None
    no_end: Literal["error", "warning"]
    taken: Collection[str] = ()

    @property
    def outcome(self) -> str:
        """The type of the only outcome; empty if there are several or none."""
        return self.outcomes[0].type if len(self.outcomes) == 1 else ""

    @property
    def default_model(self) -> str | None:
        """The model for these outcomes and stimuli, if there is one."""
        if len(self.outcomes) > 1:
            return several.MODEL if self.stimuli == 1 else None
        return (DEFAULT_MODELS if self.stimuli == 1 else PAIRWISE_MODELS).get(self.outcome)

    @property
    def default_acquisition(self) -> str | None:
        """The acquisition function for these outcomes and stimuli, if there is one."""
        return (DEFAULT_ACQUISITION if self.stimuli == 1 else PAIRWISE_ACQUISITION).get(self.outcome)


def stages(
    sections: Sections, classes: Classes, names: Sequence[str], shared: Experiment
) -> tuple[Stage, ...]:
    """One stage per name; those whose generator can't be resolved are left out (the problems are noted)."""
    found = [_stage(sections, classes, name, shared) for name in names]
    for name, stage in list(zip(names, found, strict=True))[:-1]:
        if stage is not None and stage.run_indefinitely:
            detail = "the stages after this one begin only when finish_strategy is sent"
            sections.report.warn(name, "run_indefinitely", "True", detail)
    return tuple(filter(None, found))


def _stage(sections: Sections, classes: Classes, name: str, shared: Experiment) -> Stage | None:
    report = sections.report
    if name in sections:
        sections.know(name, STAGE_KEYS)
    else:
        near = report.near(name, [section for section in sections.texts if not sections.is_known(section)])
        detail = "the stage has no section; [common] and defaults are used"
        report.warn(name, "", "", detail, near, "missing_section")
    read: dict[str, Any] = {
        key: sections.read([name], key, table)
        for key, table in STAGE_KEYS.items()
        if key not in _COMPONENTS and key not in _ELSEWHERE
    }
    read = {key: value for key, value in read.items() if STAGE_KEYS[key].supported}
    _older_end(sections, name, read)
    if read["min_total_outcome_occurrences"] is None:
        read["min_total_outcome_occurrences"] = int(any(one.type == "binary" for one in shared.outcomes))
    named = sections.find([name], "model")
    model = classes.component(named, "model") if named else None
    generator = _generator(sections, classes, name, shared)
    if generator is not None and named is None and combinations.needs_model(sections, generator):
        model = _default_model(sections, classes, name, shared, generator.name)
    if len(shared.outcomes) == 1 and model is not None:
        model = several.with_levels(model, shared.outcomes[0])
    elif len(shared.outcomes) > 1 and shared.stimuli == 1:
        generator, model = _of_several(sections, classes, name, shared, generator, model)
    if model is not None:
        model = several.with_categories(model, shared.parameters)
    _check_end(sections, name, read, generator, model, shared.no_end)
    read[seeding.KEY] = _seed_data(sections, name, model, shared)
    if generator is None:
        return None
    stage = Stage(name=name, generator=generator, model=model, **read)
    combinations.check(sections, stage, shared.parameters, shared.outcomes, shared.stimuli)
    return stage


def _seed_data(
    sections: Sections, name: str, model: Component | None, shared: Experiment
) -> SeedDataConditions | None:
    """Which earlier sessions warm the stage's model, if it has one."""
    found = seeding.conditions(sections, name, shared.taken)
    if found is not None and model is None and not sections.find([name], "model"):
        detail = "has no effect: the stage has no model that earlier trials could warm"
        hint = "put it into the stage with the model"
        sections.report.warn(name, seeding.KEY, found.section, detail, hint, "no_effect")
        return None
    return found


def _generator(sections: Sections, classes: Classes, name: str, shared: Experiment) -> Component | None:
    found = sections.find([name], "generator")
    acqf = sections.find([name], "acqf")
    if found is not None and found.text.lower() != "auto":
        generator = classes.component(found, "generator")
    elif len(shared.outcomes) > 1 and _can_model(shared) and acqf is None:
        generator = classes.default(several.GENERATOR)
    elif acqf or sections.find([name], "model") or _can_model(shared):
        generator = classes.default("OptimizeAcqfGenerator")
    else:
        generator = classes.default("SobolGenerator")
    if generator is not None and generator.name == "SampleAroundPointsGenerator":
        return with_window(sections, generator, shared.parameters)
    if generator is not None and generator.name == semi_parametric.GENERATOR:
        return semi_parametric.with_parts(classes, generator)
    if generator is None or generator.name not in SEARCHING:
        return generator
    automatic = found is None or found.text.lower() == "auto"
    if generator.name != "EpsilonGreedyGenerator":
        return _searching(sections, classes, name, generator, automatic, shared)
    part = greedy_part(sections, classes, generator)
    if part is None:
        return None
    part = _searching(sections, classes, name, part, automatic, shared)
    return Component(generator.name, {**generator.keys, "subgenerator": part, "acqf": part.keys["acqf"]})


def _searching(
    sections: Sections,
    classes: Classes,
    name: str,
    generator: Component,
    automatic: bool,
    shared: Experiment,
) -> Component:
    """A generator that follows an acquisition function, with the one of the stage, or the default one."""
    acqf = sections.find([name], "acqf")
    chosen = generator.keys["acqf"]
    own = acqf is not None and acqf.section not in (COMMON, OLDER_COMMON)
    if acqf is not None and (own or chosen is None):
        if own:
            detail, hint = "is an older place for this key", f"put it into [{generator.name}]"
            sections.report.warn(name, "acqf", acqf.text, detail, hint, "older_spelling")
        chosen = classes.component(acqf, "acquisition")
    elif chosen is None and not sections.find([generator.name], "acqf"):
        chosen = _default_acquisition(sections, classes, name, "" if automatic else generator.name, shared)
    does = generator.name if generator.name != "MixedOptimizeAcqfGenerator" else "OptimizeAcqfGenerator"
    return Component(does, {**generator.keys, "acqf": chosen})


def _can_model(shared: Experiment) -> bool:
    """Whether a model is supported for these parameters, outcomes and stimuli."""
    return shared.default_model is not None and any(one.type != "fixed" for one in shared.parameters)


def _default_acquisition(
    sections: Sections, classes: Classes, name: str, generator_named: str, shared: Experiment
) -> Component | None:
    chosen = shared.default_acquisition
    if chosen is None:
        return None
    if generator_named:
        hint = f"acqf = … in [{generator_named}]"
        sections.report.warn(
            name, "acqf", "", f"no acquisition function is named; {chosen} is used", hint, "chosen"
        )
    return _acquisition(sections, classes, chosen)


def _acquisition(sections: Sections, classes: Classes, chosen: str) -> Component:
    """An acquisition function that nobody named."""
    target = sections.find([chosen], "target")
    if chosen == "EAVC" and target is None:
        return Component(chosen, {"target": 0.75, "query_set_size": 256, "lookahead_type": "levelset"})
    return classes.default(chosen)


def _default_model(
    sections: Sections, classes: Classes, name: str, shared: Experiment, generator: str
) -> Component | None:
    chosen = shared.default_model
    if chosen == DEFAULT_MODELS["binary"]:
        chosen = GENERATORS_MODELS.get(generator, chosen)
    if chosen is None:
        if shared.outcomes:
            detail = "the generator needs a model, and none for these outcomes and stimuli is supported yet"
            sections.report.problem(name, "model", "", detail, "generator = SobolGenerator", "not_supported")
        return None
    sections.report.warn(
        name, "model", "", f"no model is named; {chosen} is used", f"model = {chosen}", "chosen"
    )
    return classes.default(chosen)


def _of_several(
    sections: Sections,
    classes: Classes,
    name: str,
    shared: Experiment,
    generator: Component | None,
    model: Component | None,
) -> tuple[Component | None, Component | None]:
    """Generator and model with a part for each of several outcomes."""
    if model is not None:
        model = several.with_models(
            sections, name, model, shared.outcomes, lambda kind: classes.default(DEFAULT_MODELS[kind])
        )
    if generator is not None and generator.name == several.GENERATOR:
        generator = several.with_generators(
            sections,
            generator,
            shared.outcomes,
            lambda _kind: classes.default("OptimizeAcqfGenerator"),
            lambda kind: _acquisition(sections, classes, DEFAULT_ACQUISITION[kind]),
        )
    elif generator is not None and generator.name == "OptimizeAcqfGenerator":
        several.check_sum(sections, name, generator, shared.outcomes)
    elif generator is not None and combinations.needs_model(sections, generator):
        detail, hint = "is for one outcome", f"{several.GENERATOR}, or OptimizeAcqfGenerator"
        sections.report.problem(name, "generator", generator.name, detail, hint, "does_not_fit")
    return generator, model


def _older_end(sections: Sections, name: str, read: dict[str, Any]) -> None:
    found = sections.find([name], "n_trials")
    if found is None:
        return
    if sections.find([name], "min_asks"):
        detail = "stands beside min_asks, which is used"
    else:
        detail = "is an older spelling of min_asks"
        read["min_asks"] = sections.read([name], "n_trials", STAGE_KEYS["n_trials"]) or 0
    sections.report.warn(
        found.section, "n_trials", found.text, detail, f"min_asks = {found.text}", "older_spelling"
    )


def _check_end(
    sections: Sections,
    name: str,
    read: dict[str, Any],
    generator: Component | None,
    model: Component | None,
    no_end: Literal["error", "warning"],
) -> None:
    report = sections.report
    if read["min_asks"] and read["min_total_tells"]:
        detail = "min_asks and min_total_tells are both given: the stage ends only when both hold"
        report.warn(
            name, "min_total_tells", str(read["min_total_tells"]), detail, "one of them is usually meant"
        )
    if read["max_asks"] is not None and read["max_asks"] < read["min_asks"]:
        detail = f"the stage ends here, before min_asks = {read['min_asks']} is reached"
        report.warn(name, "max_asks", str(read["max_asks"]), detail)
    if read["min_post_range"] is not None and model is None:
        found = sections.find([name], "min_post_range")
        if found and found.section == name and not sections.find([name], "model"):
            report.problem(
                name, "min_post_range", found.text, "needs a model", "model = GPClassificationModel"
            )
        read["min_post_range"] = None
    elif (read["min_post_range"] or 0.0) >= 1.0 and model is not None:
        entry = CLASSES.get(model.name)
        if entry is not None and entry.outcome == "binary":
            detail = "is never reached: probabilities lie between 0 and 1"
            report.warn(name, "min_post_range", f"{read['min_post_range']:g}", detail, "0.9, say")
    given = [sections.find([name], key) for key in (*_ENDS, "n_trials", "stop")]
    finite = generator is not None and generator.name in FINITE
    if finite or read["run_indefinitely"] or any(found and found.text.strip("0. ") for found in given):
        return
    hint = "min_asks = 10, or min_total_tells, max_asks, run_indefinitely = True"
    if no_end == "error":
        report.problem(name, "min_asks", "", "nothing says when the stage ends", hint, "no_end")
    else:
        report.warn(name, "min_asks", "", "nothing says when the stage ends", hint, "no_end")
