"""What goes together with the semi-parametric models: their intensity, objectives, and generator."""

from __future__ import annotations

from collections.abc import Sequence

from fechner.strategies.config.judging.classes import Classes
from fechner.strategies.config.reading.sections import Sections
from fechner.strategies.specification import Component, Parameter, Stage

MODELS = ("SemiParametricGPModel", "HadamardSemiPModel")
GENERATOR = "IntensityAwareSemiPGenerator"
OBJECTIVES = ("SemiPProbabilityObjective", "SemiPThresholdObjective")
OF_THRESHOLDS = "SemiPThresholdObjective"
LIKELIHOOD = "LinearBernoulliLikelihood"
VARIANCE = "MCPosteriorVariance"


def with_parts(classes: Classes, generator: Component, parameters: Sequence[Parameter]) -> Component:
    """The generator with what chooses context and intensity, where the configuration names neither."""
    keys = dict(generator.keys)
    keys["context_objective"] = keys["context_objective"] or classes.default(OF_THRESHOLDS)
    keys["acqf"] = keys["acqf"] or classes.default("BernoulliMCMutualInformation")
    return Component(generator.name, keys)


def check(sections: Sections, stage: Stage, parameters: Sequence[Parameter]) -> None:
    """Note where a stage has a part of these without the others."""
    model, report = stage.model, sections.report
    named = model is not None and model.name in MODELS
    hint = f"model = {MODELS[0]}"
    if stage.generator.name == GENERATOR and not named:
        detail = "needs a semi-parametric model, whose intensity it chooses after the context"
        report.problem(stage.name, "generator", GENERATOR, detail, hint, "does_not_fit")
    acqf = stage.generator.keys.get("acqf")
    objective = acqf.keys.get("objective") if isinstance(acqf, Component) else None
    for owner, key, one in (
        (acqf, "objective", objective),
        (stage.generator, "context_objective", stage.generator.keys.get("context_objective")),
    ):
        if one is None or owner is None:
            continue
        if one.name in OBJECTIVES and not named:
            detail = "is for semi-parametric models"
            report.problem(owner.name, key, one.name, detail, hint, "does_not_fit")
        elif one.name == OF_THRESHOLDS and key == "objective" and owner.name != VARIANCE:
            detail = f"goes with {VARIANCE}: no outcome tells a threshold, and no target is one"
            report.problem(owner.name, key, one.name, detail, f"acqf = {VARIANCE}", "does_not_fit")
    likelihood = model.keys.get("likelihood") if model is not None else None
    if (
        model is not None
        and likelihood is not None
        and likelihood.name == LIKELIHOOD
        and model.name != MODELS[0]
    ):
        detail = f"is that of {MODELS[0]}, whose latent functions are slope and offset"
        wanted = f"{hint}, or BernoulliLikelihood"
        report.problem(model.name, "likelihood", LIKELIHOOD, detail, wanted, "does_not_fit")
    if model is None or not named:
        return
    given = model.keys.get("stim_dim")
    if given is not None and len(given) != 1:
        detail = f"names {len(given)} parameters; the intensity is one"
        report.problem(model.name, "stim_dim", f"{list(given)}", detail, "the name of one parameter")
        return
    free = [parameter for parameter in parameters if parameter.type != "fixed"]
    intensity = free[(given or (0,))[0] % len(free)] if free else None
    if intensity is not None and intensity.type == "categorical":
        detail = f"'{intensity.name}' is no intensity: its values have no order"
        report.problem(model.name, "stim_dim", intensity.name, detail, "stim_dim = another parameter")
