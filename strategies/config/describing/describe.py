"""What a configuration will do, in words, for ``fechner check``."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from fechner.strategies.config.describing.describe_methods import acquisition_words, listed, model_words
from fechner.strategies.config.tables.registry import CLASSES
from fechner.strategies.specification import (
    Component,
    Constraint,
    Parameter,
    SeedDataConditions,
    Specification,
    Stage,
)
from fechner.strategies.values import written


def describe(spec: Specification) -> str:
    """Paragraphs for a person: the experiment, its parameters, its stages in order, and seeds."""
    lines = [_experiment(spec), "", "Parameters:"]
    lines += [f"  {_parameter(parameter)}" for parameter in spec.parameters]
    if spec.constraints:
        lines += ["", "Constraints:", *(f"  {_constraint(one)}" for one in spec.constraints)]
    lines += ["", "Stages:"]
    for number, stage in enumerate(spec.stages, start=1):
        lines += [f"  {number}. {stage.name}", *(f"     {line}" for line in _stage(stage, spec))]
    lines += [*_plugins(spec), "", _seed(spec)]
    if spec.metadata:
        lines += ["Metadata: " + "; ".join(f"{key} = {text}" for key, text in spec.metadata.items()) + "."]
    return "\n".join(lines)


def _plugins(spec: Specification) -> list[str]:
    """What plug-ins do, and the files that were run."""
    said = [f"  {name}: {about}" for name, about in spec.abouts.items() if _used(name, spec)]
    said += [f"  {one.file} was run (SHA-256 {one.sha256[:16]}…)" for one in spec.extensions]
    return ["", "Plug-ins:", *said] if said else []


def _used(name: str, spec: Specification) -> bool:
    """Whether a stage has a component of this name."""
    parts: list[object] = [part for stage in spec.stages for part in (stage.generator, stage.model)]
    while parts:
        part = parts.pop()
        if isinstance(part, tuple):
            parts += part
        elif isinstance(part, Component):
            if part.name == name:
                return True
            parts += part.keys.values()
    return False


def _experiment(spec: Specification) -> str:
    stimuli = "one stimulus" if spec.stimuli_per_trial == 1 else f"{spec.stimuli_per_trial} stimuli"
    free = sum(parameter.type != "fixed" for parameter in spec.parameters)
    kinds = [f"{one.name} ({one.type}{_levels(one.n_levels)})" for one in spec.outcomes]
    outcomes = f"{'outcome' if len(kinds) == 1 else 'outcomes'} {listed(kinds)}"
    varied = f"{free} parameter{'' if free == 1 else 's'} varied"
    return f"Each trial shows {stimuli}; {varied}; {outcomes}."


def _levels(n_levels: int) -> str:
    return f", levels 0 to {n_levels - 1}" if n_levels else ""


def _constraint(constraint: Constraint) -> str:
    kind = "no ask where" if constraint.forbidden else "asks only where"
    return f"{constraint.key}: {kind} {constraint.text}"


def _parameter(parameter: Parameter) -> str:
    unit = f" {parameter.unit}" if parameter.unit else ""
    if parameter.type == "fixed":
        return f"{parameter.name}: always {parameter.value}{unit}"
    if parameter.type == "categorical":
        return f"{parameter.name}: one of {', '.join(map(_quoted, parameter.choices))}"
    if parameter.type == "discrete":
        return f"{parameter.name}: one of {', '.join(map(written, parameter.choices))}{unit}"
    if parameter.type == "binary":
        return f"{parameter.name}: 0 or 1"
    kind = "whole numbers " if parameter.type == "integer" else ""
    scale = ""
    if parameter.scale == "log":
        scale = (
            f", on a log scale{f' (of the value + {written(parameter.shift)})' if parameter.shift else ''}"
        )
    step = "" if parameter.step is None else f", in steps of {written(parameter.step)}{unit}"
    assert parameter.lower is not None
    assert parameter.upper is not None
    bounds = f"from {written(parameter.lower)} to {written(parameter.upper)}"
    return f"{parameter.name}: {kind}{bounds}{unit}{scale}{step}"


def _quoted(choice: Any) -> str:
    """A choice, in quotes where a comma in it would seem to end it."""
    return f"'{choice}'" if "," in str(choice) else str(choice)


def _stage(stage: Stage, spec: Specification) -> Iterable[str]:
    yield _generator(stage.generator, spec.stimuli_per_trial)
    if stage.model is not None:
        yield model_words(stage.model, stage, spec)
    if stage.seed_data_conditions is not None:
        yield _seed_data(stage.seed_data_conditions)
    yield _end(stage, spec)
    if stage.deadline_ms is not None:
        yield (
            f"An ask is answered within {stage.deadline_ms:g} ms, by the best that is computed until then."
        )
    if not stage.speculate:
        yield "Nothing is computed ahead while an outcome is awaited."
    if stage.seed is not None or stage.generator.keys.get("seed") is not None:
        own = stage.generator.keys.get("seed")
        yield f"Its own seed is {stage.seed if own is None else own}."


def _generator(generator: Component, stimuli: int) -> str:
    if generator.name == "SobolGenerator":
        return "Points fill the space evenly (scrambled Sobol sequence)."
    if generator.name == "RandomGenerator":
        return "Points are drawn at random, uniformly."
    if generator.name == "ManualGenerator":
        order = "in random order" if generator.keys["shuffle"] else "in the order given"
        return f"{len(generator.keys['points'])} points of the configuration, {order}."
    if generator.name == "IndependentOptimizeAcqfGenerator":
        turns = [f"{acquisition_words(part.keys['acqf'], stimuli)}" for part in generator.keys["generators"]]
        return f"Outcomes take turns; points are chosen, in their order, by {listed(turns)}."
    if generator.name == "SampleAroundPointsGenerator":
        keys = generator.keys
        order = "in random order" if keys["shuffle"] else "in the order given"
        count, each = len(keys["points"]), keys["samples_per_point"]
        return f"{count * each} points, {each} around each of {count} of the configuration, {order}."
    acqf = generator.keys.get("acqf")
    if generator.name == "EpsilonGreedyGenerator":
        rest = _generator(generator.keys["subgenerator"], stimuli)
        share = generator.keys["epsilon"]
        return f"One in {1 / share:g} points is random. Of the others: {rest}" if share else rest
    if generator.name == "IntensityAwareSemiPGenerator" and isinstance(acqf, Component):
        least = "threshold" if "target" in generator.keys["context_objective"].keys else "probability"
        said = acquisition_words(acqf, stimuli)
        return f"The context is chosen where the {least} is least known, then the intensity by {said}."
    if generator.name == "MonotonicThompsonSamplerGenerator":
        return (
            f"Points are those of {generator.keys['num_ts_points']} at which a curve drawn from the model's "
            f"posterior is nearest to {generator.keys['target_value']:g}."
        )
    if generator.name == "AcqfGridSearchGenerator" and isinstance(acqf, Component):
        return f"Points are the best of {generator.keys['samps']} by {acquisition_words(acqf, stimuli)}."
    if generator.name == "AcqfThompsonSamplerGenerator" and isinstance(acqf, Component):
        return f"Points are drawn, the likelier the better by {acquisition_words(acqf, stimuli)}."
    if generator.plugin:
        return f"Points come from the plug-in {generator.name}."
    return (
        f"Points are chosen by {acquisition_words(acqf, stimuli)}."
        if isinstance(acqf, Component)
        else generator.name
    )


def _seed_data(conditions: SeedDataConditions) -> str:
    each = [f"{key} {' or '.join(texts)}" for key, texts in conditions.wanted.items()]
    return (
        f"Its model starts with the trials of earlier sessions on the record with {listed(each)}, where "
        "parameters and outcomes are the same; they don't count as trials."
    )


def _end(stage: Stage, spec: Specification) -> str:
    if stage.run_indefinitely:
        return "It ends only when finish_strategy is sent."
    needed = []
    if stage.min_asks:
        needed.append(f"{stage.min_asks} points were handed out")
    if stage.min_total_tells:
        needed.append(f"{stage.min_total_tells} outcomes are in (earlier stages included)")
    if stage.min_total_outcome_occurrences and any(one.type == "binary" for one in spec.outcomes):
        count = stage.min_total_outcome_occurrences
        needed.append(f"each binary outcome occurred {'once' if count == 1 else f'{count} times'}")
    if stage.min_post_range is not None:
        needed.append(f"predictions span {stage.min_post_range:g} or more")
    if not needed:
        needed.append("one outcome is in")
    limit = f", at the latest after {stage.max_asks} asks" if stage.max_asks is not None else ""
    if stage.generator.name in CLASSES and CLASSES[stage.generator.name].finite:
        limit += ", or when its points are used up"
    return f"It ends when {listed(needed)}{limit}."


def _seed(spec: Specification) -> str:
    if spec.seed is None:
        return "No seed in [common]: one is drawn at setup and recorded, unless setup gives one."
    return f"Seed {spec.seed}, unless setup gives another."
