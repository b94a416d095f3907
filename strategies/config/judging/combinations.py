"""What goes together: models with outcomes and parameters, acquisition functions with models and targets."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from fechner.strategies.config.judging import gpu, semi_parametric, several
from fechner.strategies.config.judging.kernels import CATEGORICAL, check_modules
from fechner.strategies.config.reading.sections import Sections
from fechner.strategies.specification import Component, Outcome, Parameter, Stage


def needs_model(sections: Sections, generator: Component) -> bool:
    """Whether a generator computes with the stage's model."""
    return sections.catalogue[generator.name].needs_model


def check(
    sections: Sections,
    stage: Stage,
    parameters: Sequence[Parameter],
    outcomes: Sequence[Outcome],
    stimuli: int,
) -> None:
    """Note every combination of this stage that can't work, or not yet."""
    uses_model = stage.model is not None or needs_model(sections, stage.generator)
    if uses_model:
        _check_space(sections, stage, parameters, outcomes, stimuli)
    if len(outcomes) > 1 and stimuli == 1:
        for part, outcome in _parts(stage, outcomes):
            check(sections, part, parameters, [outcome], stimuli)
        return
    _check_alone(sections, stage, outcomes)
    kind = outcomes[0].type if len(outcomes) == 1 else ""
    if kind:
        _fits(sections, stage, "generator", stage.generator, kind, stimuli)
    if stage.model is not None and kind:
        _fits(sections, stage, "model", stage.model, kind, stimuli)
        _check_parts(sections, stage, stage.model, kind, stimuli)
        _check_shared(sections, stage.model, parameters)
        check_modules(sections.report, stage.model, tuple(parameters))
        _check_order(sections, stage.model, parameters)
    semi_parametric.check(sections, stage, parameters)
    acqf = stage.generator.keys.get("acqf")
    if isinstance(acqf, Component) and kind and stage.model is not None:
        _fits(sections, stage, "acqf", acqf, kind, stimuli)
        objective = acqf.keys.get("objective")
        if objective is not None and (objective.name == several.SUM or acqf.name in several.OF_SUMS):
            of_sum = objective.name == several.SUM
            detail = "is for several outcomes" if of_sum else "is not supported here yet"
            sections.report.problem(
                acqf.name,
                "objective",
                objective.name,
                detail,
                "leave it out",
                "does_not_fit" if of_sum else "not_supported",
            )
        elif objective is not None:
            _fits(sections, stage, "objective", objective, kind, stimuli)
        _check_target(sections, stage, acqf, stage.model, kind)


def _check_space(
    sections: Sections,
    stage: Stage,
    parameters: Sequence[Parameter],
    outcomes: Sequence[Outcome],
    stimuli: int,
) -> None:
    report, hint = sections.report, "a stage without model, generator = SobolGenerator"
    key, text = ("model", stage.model.name) if stage.model else ("generator", stage.generator.name)
    if parameters and all(parameter.type == "fixed" for parameter in parameters):
        detail = "a model needs a parameter that is not fixed"
        report.problem(stage.name, key, text, detail, hint)
    if len(outcomes) > 1 and stimuli > 1:
        detail = f"a model of {len(outcomes)} outcomes of pairs is not supported yet"
        report.problem(stage.name, key, text, detail, hint, "not_supported")


def _parts(stage: Stage, outcomes: Sequence[Outcome]) -> list[tuple[Stage, Outcome]]:
    """The stage as each of several outcomes would have it alone, where its model has parts."""
    models = (stage.model.keys.get("models") if stage.model is not None else None) or ()
    generators = stage.generator.keys.get("generators") or ()
    if len(models) != len(outcomes) or any(model.name == several.MODEL for model in models):
        return []
    own = (
        list(generators) if len(generators) == len(outcomes) else [Component("SobolGenerator")] * len(models)
    )
    return [
        (replace(stage, model=model, generator=generator), outcome)
        for model, generator, outcome in zip(models, own, outcomes, strict=True)
    ]


def _check_alone(sections: Sections, stage: Stage, outcomes: Sequence[Outcome]) -> None:
    """Note a model or generator of several outcomes where there is one."""
    if len(outcomes) != 1:
        return
    for key, component in (("model", stage.model), ("generator", stage.generator)):
        if component is not None and component.name in (several.MODEL, several.GENERATOR):
            detail, hint = "is for several outcomes", "outcome_types = [binary, continuous], or another class"
            sections.report.problem(stage.name, key, component.name, detail, hint, "does_not_fit")


def _fitting(sections: Sections, component: str, kind: str, stimuli: int) -> list[str]:
    """The classes of one kind of component that go with an outcome type and a number of stimuli."""
    return [
        name
        for name, entry in sections.catalogue.items()
        if entry.kind == component
        and entry.supported
        and not entry.several
        and name not in (several.MODEL, several.GENERATOR)
        and (not entry.outcome or kind in entry.outcome.split())
        and entry.stimuli in (0, stimuli)
    ]


def _fits(sections: Sections, stage: Stage, key: str, component: Component, kind: str, stimuli: int) -> None:
    entry = sections.catalogue[component.name]
    if entry.several:
        others = _fitting(sections, entry.kind, kind, stimuli)
        hint = f"use {' or '.join(others)}" if others else "leave it out"
        detail = f"is for several outcomes at once, with {several.MODEL} and OptimizeAcqfGenerator"
        sections.report.problem(stage.name, key, component.name, detail, hint, "does_not_fit")
        return
    if entry.stimuli not in (0, stimuli):
        others = _fitting(sections, entry.kind, kind, stimuli)
        hint = f"stimuli_per_trial = {entry.stimuli}" + (f", or {' or '.join(others)}" if others else "")
        shown = "pairs of stimuli" if entry.stimuli == 2 else "trials of one stimulus"
        detail = f"is for {shown}; here a trial has {stimuli}"
        sections.report.problem(stage.name, key, component.name, detail, hint, "does_not_fit")
        return
    if entry.outcome and kind not in entry.outcome.split():
        others = _fitting(sections, entry.kind, kind, stimuli)
        kinds = entry.outcome.split()
        hint = f"use {' or '.join(others)}" if others else f"outcome_types = [{kinds[0]}]"
        detail = f"is for {' and '.join(kinds)} outcomes; the outcome is {kind}"
        sections.report.problem(stage.name, key, component.name, detail, hint, "does_not_fit")


def _check_parts(sections: Sections, stage: Stage, model: Component, kind: str, stimuli: int) -> None:
    report, keys = sections.report, model.keys
    likelihood = keys.get("likelihood")
    if likelihood is not None:
        _fits(sections, stage, "likelihood", likelihood, kind, stimuli)
        given = likelihood.keys.get("n_levels")
        if given is not None and keys.get("n_levels") not in (None, given):
            detail = f"is {given} here, and {keys['n_levels']} for the outcome"
            hint = "one n_levels, in [OrdinalLikelihood]"
            report.problem(likelihood.name, "n_levels", str(given), detail, hint)
    if keys.get("lapse") != "estimate" and keys.get("floor", 0.0) + keys.get("lapse", 0.0) >= 1:
        detail = f"floor {keys['floor']:g} and lapse {keys['lapse']:g} leave no room for a curve"
        report.problem(model.name, "lapse", f"{keys['lapse']:g}", detail, "their sum must be below 1")
    no_effect = gpu.without_effect(stage, stimuli) if keys.get("use_gpu") else None
    if no_effect is not None:
        report.warn(model.name, "use_gpu", "True", no_effect, code="no_effect")
    factory = keys.get("mean_covar_factory")
    if factory is not None and factory.name == "SongMeanCovarFactory" and keys.get("lapse") == "estimate":
        detail, hint = "an unknown lapse rate with this kernel is not supported yet", "lapse = 0.02"
        report.problem(model.name, "lapse", "estimate", detail, hint, "not_supported")
    if factory is not None:
        _fits(sections, stage, "mean_covar_factory", factory, kind, stimuli)
    discrete = factory.keys.get("discrete_kernel") if factory is not None else None
    if factory is not None and discrete is not None and discrete.name != CATEGORICAL:
        detail, hint = "is no kernel of categories", f"discrete_kernel = {CATEGORICAL}"
        report.problem(factory.name, "discrete_kernel", discrete.name, detail, hint, "does_not_fit")
    if factory is not None and factory.keys["target"] is not None:
        detail = "has no effect: the prior mean is fitted, or zero with zero_mean = True"
        report.warn(factory.name, "target", f"{factory.keys['target']:g}", detail, code="no_effect")
    if factory is not None and factory.keys["lengthscale_prior"] != "lognormal":
        for key in ("ls_loc", "ls_scale"):
            if factory.keys[key] is not None:
                detail = "has an effect only with lengthscale_prior = lognormal"
                report.warn(factory.name, key, f"{factory.keys[key]:g}", detail, code="no_effect")


def _check_shared(sections: Sections, model: Component, parameters: Sequence[Parameter]) -> None:
    """Note what of a factory's shared_dims is no parameter, and a pair that has nothing of its own."""
    factory = model.keys.get("mean_covar_factory")
    named = factory.keys.get("shared_dims") if factory is not None else None
    if factory is None or not named:
        return
    report, names = sections.report, [parameter.name for parameter in parameters]
    places = [str(place) for place in range(len(names))]
    text = ", ".join(named)
    for name in named:
        if name not in names and name not in places:
            hint = report.near(name, names) or f"names or places (from 0) of {', '.join(names)}"
            report.problem(factory.name, "shared_dims", text, f"there is no parameter '{name}'", hint)
            return
    own = [
        parameter.name
        for place, parameter in zip(places, parameters, strict=True)
        if parameter.type != "fixed" and place not in named and parameter.name not in named
    ]
    if not own:
        detail = "leaves nothing in which the two stimuli could differ"
        report.problem(factory.name, "shared_dims", text, detail, "fewer parameters")


def _check_order(sections: Sections, model: Component, parameters: Sequence[Parameter]) -> None:
    """Note a parameter without an order along which a model needs one."""
    free = [parameter for parameter in parameters if parameter.type != "fixed"]
    factory = model.keys.get("mean_covar_factory")
    of: list[tuple[str, str, tuple[int, ...]]] = []
    if "monotonic_dims" in model.keys:
        keys = model.keys
        of.append((model.name, "monotonic_dims", keys["monotonic_dims"] or keys["monotonic_idxs"] or (-1,)))
    if factory is not None and "intensity_RBF" in factory.keys:
        of.append((factory.name, "stim_dim", factory.keys["stim_dim"] or (-1,)))
    numbers = ", ".join(parameter.name for parameter in free if parameter.type != "categorical")
    for section, key, places in of:
        for one in [free[place] for place in places if free]:
            if one.type == "categorical":
                detail = f"'{one.name}' is categorical: its values have no order"
                hint = f"{key} = [{numbers}]" if numbers else "a parameter of numbers"
                sections.report.problem(section, key, one.name, detail, hint, "does_not_fit")


def _check_target(sections: Sections, stage: Stage, acqf: Component, model: Component, kind: str) -> None:
    report, target = sections.report, acqf.keys.get("target")
    if target is None or kind == "continuous":
        return
    found = sections.find([acqf.name], "target")
    section = found.section if found else acqf.name
    if acqf.name == "MCLevelSetEstimation" and acqf.keys["objective"] is None:
        meant = "probability" if kind == "binary" else "level"
        detail = f"without objective the target {target:g} is a value of the latent function, not a {meant}"
        hint = "objective = ProbitObjective" if kind == "binary" else ""
        report.warn(acqf.name, "objective", "", detail, hint, "latent_target")
        return
    if kind != "binary":
        return
    lapse, objective = model.keys.get("lapse"), acqf.keys.get("objective")
    low, high = model.keys.get("floor", 0.0), 1.0 if lapse == "estimate" else 1 - (lapse or 0.0)
    if objective is not None and "floor" in objective.keys:
        low, high = objective.keys["floor"], 1.0
    if low < high and not low < target < high:
        detail = "is a probability that the curve never crosses"
        report.problem(
            section, "target", f"{target:g}", detail, f"between {low:g} and {high:g}, not equal to either"
        )
