"""What a configuration will do, in words, for ``fechner check``."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from fechner.strategies.config.registry import FINITE
from fechner.strategies.config.specification import (
    Component,
    Constraint,
    Parameter,
    SeedDataConditions,
    Specification,
    Stage,
)
from fechner.strategies.config.values import written

PAIRS = {
    "AnalyticExpectedUtilityOfBestOption": "the pair whose better stimulus promises the highest utility",
    "PairwiseMCPosteriorVariance": "the pair whose probability of preference is least known",
    "BernoulliMCMutualInformation": "the pair whose answer tells most about the utility",
    "qExpectedUtilityOfBestOption": "the pair whose better stimulus promises the highest utility",
    "PairwiseBayesianActiveLearningByDisagreement": "the pair whose answer tells most about the utility",
    "qLogNoisyExpectedImprovement": "two stimuli that may be better than any so far",
    "qNoisyExpectedImprovement": "two stimuli that may be better than any so far",
}

LEVEL_SETS = {
    "EAVC": "where an answer changes most what lies above the probability {}",
    "GlobalMI": "where an answer tells most, in bits, about what lies above the probability {}",
    "GlobalSUR": "where an answer leaves least in doubt about what lies above the probability {}",
    "ApproxGlobalSUR": "where, roughly, an answer leaves least in doubt what lies above the probability {}",
    "LocalMI": "where an answer tells most, in bits, whether that very point lies above the probability {}",
    "LocalSUR": "where an answer decides best whether that very point lies above the probability {}",
}
_HIGHER = "where the outcome may be higher than anywhere so far"
AT_A_POINT = {
    "MOCU": "where an answer leaves the fewest outcomes wrongly predicted",
    "SMOCU": "where an answer leaves the fewest outcomes wrongly predicted, on a soft count",
    "BEMPS": "where an answer improves the predictions' Brier score most",
    "UpperConfidenceBound": "where the outcome may be highest",
    "qUpperConfidenceBound": "where the outcome may be highest",
    "qLowerConfidenceBound": "where the outcome is surely high",
    "PosteriorMean": "where the outcome is taken to be highest",
    "qSimpleRegret": "where the outcome is taken to be highest",
    "PosteriorStandardDeviation": "where f is least sure",
    "qPosteriorStandardDeviation": "where f is least sure",
    "ExpectedImprovement": _HIGHER,
    "qExpectedImprovement": _HIGHER,
    "LogExpectedImprovement": _HIGHER,
    "qLogExpectedImprovement": _HIGHER,
    "NoisyExpectedImprovement": _HIGHER,
    "LogNoisyExpectedImprovement": _HIGHER,
    "ProbabilityOfImprovement": "where the outcome is likeliest to be higher than anywhere so far",
    "qProbabilityOfImprovement": "where the outcome is likeliest to be higher than anywhere so far",
    "qAnalyticProbabilityOfImprovement": "where the outcome is likeliest to be higher than anywhere so far",
    "qKnowledgeGradient": "where an answer is expected to raise the highest prediction most",
    "qNegIntegratedPosteriorVariance": "where an answer leaves f least unsure, on average over the space",
    "qMaxValueEntropy": "where an answer tells most about the {} outcome",
    "qLowerBoundMaxValueEntropy": "where an answer tells most about the {} outcome",
    "qBayesianActiveLearningByDisagreement": "where an answer tells most about the model's hyperparameters",
    "MCPosteriorVariance": "where the prediction is least sure",
    "BernoulliMCMutualInformation": "where an answer tells most about the whole function",
}
_FRONT = "where the outcomes may be better together than any so far, beyond {}"
OF_SEVERAL = {
    "ConstrainedExpectedImprovement": "where outcome {} may be higher than anywhere so far, others in bounds",
    **dict.fromkeys(
        (
            "ExpectedHypervolumeImprovement",
            "qExpectedHypervolumeImprovement",
            "qLogExpectedHypervolumeImprovement",
            "qNoisyExpectedHypervolumeImprovement",
            "qLogNoisyExpectedHypervolumeImprovement",
        ),
        _FRONT,
    ),
}


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
    outcomes = f"{'outcome' if len(kinds) == 1 else 'outcomes'} {_and(kinds)}"
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
        yield _model(stage.model, stage, spec)
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
        turns = [f"{_acquisition(part.keys['acqf'], stimuli)}" for part in generator.keys["generators"]]
        return f"Outcomes take turns; points are chosen, in their order, by {_and(turns)}."
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
        said = _acquisition(acqf, stimuli)
        return f"The context is chosen where the {least} is least known, then the intensity by {said}."
    if generator.name == "MonotonicThompsonSamplerGenerator":
        return (
            f"Points are those of {generator.keys['num_ts_points']} at which a curve drawn from the model's "
            f"posterior is nearest to {generator.keys['target_value']:g}."
        )
    if generator.name == "AcqfGridSearchGenerator" and isinstance(acqf, Component):
        return f"Points are the best of {generator.keys['samps']} by {_acquisition(acqf, stimuli)}."
    if generator.name == "AcqfThompsonSamplerGenerator" and isinstance(acqf, Component):
        return f"Points are drawn, the likelier the better by {_acquisition(acqf, stimuli)}."
    if generator.plugin:
        return f"Points come from the plug-in {generator.name}."
    return (
        f"Points are chosen by {_acquisition(acqf, stimuli)}."
        if isinstance(acqf, Component)
        else generator.name
    )


def _acquisition(acqf: Component, stimuli: int) -> str:
    target = acqf.keys.get("target")
    if acqf.name == "MCLevelSetEstimation":
        objective = acqf.keys["objective"]
        scale = "the probability" if objective is not None else "the latent function"
        if objective is not None and "floor" in objective.keys:
            scale = f"the {objective.name} with guess rate {objective.keys['floor']:g}"
        return f"MCLevelSetEstimation: where it is least sure whether {scale} is above {target:g}"
    if acqf.keys.get("lookahead_type") == "posterior" and acqf.name in LEVEL_SETS:
        return f"{acqf.name}: where an answer tells most about the outcomes to come"
    if acqf.name in LEVEL_SETS:
        return f"{acqf.name}: {LEVEL_SETS[acqf.name].format(format(target, 'g'))}"
    if stimuli == 1 and acqf.name in ("qLogNoisyExpectedImprovement", "qNoisyExpectedImprovement"):
        what = "the outcome"
        if acqf.keys.get("objective") is not None:
            what = (
                f"the sum of the outcomes, weighted by {', '.join(acqf.keys['objective'].keys['weights'])},"
            )
        return f"{acqf.name}: where {what} may be higher than anywhere so far"
    if stimuli == 1 and acqf.name in AT_A_POINT:
        end = "lowest" if acqf.keys.get("maximize") is False else "highest"
        return f"{acqf.name}: {AT_A_POINT[acqf.name].format(end)}"
    if acqf.name in OF_SEVERAL:
        beyond = f"({', '.join(acqf.keys.get('ref_point') or ())})"
        which = acqf.keys.get("objective_index")
        text = OF_SEVERAL[acqf.name].format(beyond if which is None else which + 1)
        objective = acqf.keys.get("objective")
        if objective is not None and objective.keys.get("weights"):
            text += f", weighted by {', '.join(objective.keys['weights'])}"
        return f"{acqf.name}: {text}"
    if acqf.name in PAIRS:
        return f"{acqf.name}: {PAIRS[acqf.name]}"
    return acqf.name


def _monotone(model: Component, spec: Specification) -> list[str]:
    """The parameters with which the probability grows."""
    free = [parameter.name for parameter in spec.parameters if parameter.type != "fixed"]
    places = model.keys.get("monotonic_dims") or model.keys.get("monotonic_idxs") or (-1,)
    return [free[place] for place in places]


def _model(model: Component, stage: Stage, spec: Specification) -> str:
    parts = [f"The model is {model.name}"]
    if model.keys.get("models"):
        each = []
        for outcome, part in zip(spec.outcomes, model.keys["models"], strict=True):
            own = f" ({_and(_modules(part))})" if _modules(part) else ""
            each.append(f"{part.name} for {outcome.name}{own}")
        parts.append(f"with {_and(each)}")
    floor, lapse = model.keys.get("floor"), model.keys.get("lapse")
    if floor or lapse:
        known = "an unknown lapse rate" if lapse == "estimate" else f"lapse rate {lapse:g}"
        parts.append(f"with guess rate {floor:g} and {known}")
    points = model.keys.get("constraint_locations")
    if points:
        known = "one place" if len(points) == 1 else f"{len(points)} places"
        parts.append(f"told the probability at {known} beforehand")
    if model.name == "MonotonicProjectionGP":
        parts.append(f"in which the probability grows with {_and(_monotone(model, spec))}")
    if "slope_mean" in model.keys:
        free = [parameter.name for parameter in spec.parameters if parameter.type != "fixed"]
        intensity = free[(model.keys.get("stim_dim") or (0,))[0]]
        parts.append(f"in which psychometric curves of {intensity} have a slope and an offset everywhere")
    if model.keys.get("mean_covar_factory") is not None:
        parts.append(f"with the priors of {model.keys['mean_covar_factory'].name}")
        shared = model.keys["mean_covar_factory"].keys.get("shared_dims")
        if shared:
            parts.append(f"both stimuli sharing {_and(list(shared))}")
    parts += _modules(model)
    often = "for every ask" if stage.refit_every == 1 else f"every {stage.refit_every} asks"
    parts.append(f"fitted anew {often}")
    if stage.keep_most_recent is not None:
        parts.append(f"to the {stage.keep_most_recent} most recent trials")
    return ", ".join(parts) + "."


def _seed_data(conditions: SeedDataConditions) -> str:
    each = [f"{key} {' or '.join(texts)}" for key, texts in conditions.wanted.items()]
    return (
        f"Its model starts with the trials of earlier sessions on the record with {_and(each)}, where "
        "parameters and outcomes are the same; they don't count as trials."
    )


def _modules(model: Component) -> list[str]:
    """The kernel, the mean and the noise that a model has in place of its own."""
    keys, found = model.keys, []
    factory, kernel = keys.get("mean_covar_factory"), keys.get("covar_module")
    if kernel is None and factory is not None:
        kernel = factory.keys.get("cov_kernel")
        kernel = None if kernel is not None and kernel.name == "RBFKernel" else kernel
    if kernel is not None:
        found.append(f"with the kernel {_kernel(kernel)}")
    if keys.get("mean_module") is not None:
        found.append(f"with a {keys['mean_module'].name}")
    likelihood = keys.get("likelihood")
    if likelihood is not None and likelihood.keys.get("noise"):
        found.append(f"with noise of variance {likelihood.keys['noise']:g}")
    return found


def _kernel(kernel: Component) -> str:
    """A kernel and what it is made of."""
    name, keys = kernel.name, kernel.keys
    if keys.get("base_kernel") is not None:
        return f"{name} of {_kernel(keys['base_kernel'])}"
    if keys.get("kernels"):
        return f"{name} of {_and([_kernel(part) for part in keys['kernels']])}"
    return f"{name} ({keys['nu']:g})" if keys.get("nu") else name


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
    if stage.generator.name in FINITE:
        limit += ", or when its points are used up"
    return f"It ends when {_and(needed)}{limit}."


def _seed(spec: Specification) -> str:
    if spec.seed is None:
        return "No seed in [common]: one is drawn at setup and recorded, unless setup gives one."
    return f"Seed {spec.seed}, unless setup gives another."


def _and(items: list[str]) -> str:
    return items[0] if len(items) == 1 else ", ".join(items[:-1]) + " and " + items[-1]
