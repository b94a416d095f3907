"""What goes together: models with outcomes and parameters, acquisition functions with models and targets."""

from __future__ import annotations

from collections.abc import Sequence

from fechner.strategies.config.registry import CLASSES
from fechner.strategies.config.sections import Sections
from fechner.strategies.config.specification import Component, Outcome, Parameter, Stage

_WITH_MODELS = ("continuous", "fixed")


def check(
    sections: Sections,
    stage: Stage,
    parameters: Sequence[Parameter],
    outcomes: Sequence[Outcome],
    stimuli: int,
) -> None:
    """Note every combination of this stage that can't work, or not yet."""
    uses_model = stage.model is not None or stage.generator.name == "OptimizeAcqfGenerator"
    if uses_model:
        _check_space(sections, stage, parameters, outcomes, stimuli)
    kind = outcomes[0].type if len(outcomes) == 1 else ""
    if stage.model is not None and kind:
        _fits(sections, stage, "model", stage.model, kind)
        _check_parts(sections, stage, stage.model, kind)
    acqf = stage.generator.keys.get("acqf")
    if isinstance(acqf, Component) and kind and stage.model is not None:
        _fits(sections, stage, "acqf", acqf, kind)
        objective = acqf.keys.get("objective")
        if objective is not None:
            _fits(sections, stage, "objective", objective, kind)
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
    for parameter in parameters:
        if parameter.type not in _WITH_MODELS:
            detail = f"a model over the {parameter.type} parameter '{parameter.name}' is not supported yet"
            report.problem(stage.name, key, text, detail, hint, "not_supported")
    if parameters and all(parameter.type == "fixed" for parameter in parameters):
        detail = "a model needs a parameter that is not fixed"
        report.problem(stage.name, key, text, detail, hint)
    if len(outcomes) > 1:
        detail = f"a model of {len(outcomes)} outcomes is not supported yet"
        report.problem(stage.name, key, text, detail, hint, "not_supported")
    if stimuli != 1:
        detail = f"a model of {stimuli} stimuli per trial is not supported yet"
        report.problem(stage.name, key, text, detail, hint, "not_supported")


def _fits(sections: Sections, stage: Stage, key: str, component: Component, kind: str) -> None:
    entry = CLASSES[component.name]
    if entry.outcome and entry.outcome != kind:
        others = [
            n for n, e in CLASSES.items() if e.kind == entry.kind and e.supported and e.outcome in ("", kind)
        ]
        hint = f"use {' or '.join(others)}" if others else f"outcome_types = [{entry.outcome}]"
        detail = f"is for {entry.outcome} outcomes; the outcome is {kind}"
        sections.report.problem(stage.name, key, component.name, detail, hint, "does_not_fit")


def _check_parts(sections: Sections, stage: Stage, model: Component, kind: str) -> None:
    report, keys = sections.report, model.keys
    likelihood = keys.get("likelihood")
    if likelihood is not None:
        _fits(sections, stage, "likelihood", likelihood, kind)
    if keys.get("floor", 0.0) + keys.get("lapse", 0.0) >= 1:
        detail = f"floor {keys['floor']:g} and lapse {keys['lapse']:g} leave no room for a curve"
        report.problem(model.name, "lapse", f"{keys['lapse']:g}", detail, "their sum must be below 1")
    if keys.get("use_gpu"):
        report.warn(
            model.name,
            "use_gpu",
            "True",
            "has no effect: models of this size are faster without",
            code="no_effect",
        )
    factory = keys.get("mean_covar_factory")
    if factory is not None and factory.keys["target"] is not None:
        detail = "has no effect: the prior mean is fitted, or zero with zero_mean = True"
        report.warn(factory.name, "target", f"{factory.keys['target']:g}", detail, code="no_effect")
    if factory is not None and factory.keys["lengthscale_prior"] != "lognormal":
        for key in ("ls_loc", "ls_scale"):
            if factory.keys[key] is not None:
                detail = "has an effect only with lengthscale_prior = lognormal"
                report.warn(factory.name, key, f"{factory.keys[key]:g}", detail, code="no_effect")


def _check_target(sections: Sections, stage: Stage, acqf: Component, model: Component, kind: str) -> None:
    report, target = sections.report, acqf.keys.get("target")
    if target is None or kind != "binary":
        return
    found = sections.find([acqf.name], "target")
    section = found.section if found else acqf.name
    if acqf.name == "MCLevelSetEstimation" and acqf.keys["objective"] is None:
        detail = (
            f"without objective the target {target:g} is a value of the latent function, not a probability"
        )
        hint = "objective = ProbitObjective"
        report.warn(acqf.name, "objective", "", detail, hint, "latent_target")
        return
    low, high = model.keys.get("floor", 0.0), 1 - model.keys.get("lapse", 0.0)
    if low < high and not low < target < high:
        detail = "is a probability that the curve never crosses"
        report.problem(
            section, "target", f"{target:g}", detail, f"between {low:g} and {high:g}, not equal to either"
        )
