"""Acquisition functions and models in words, for ``fechner check``."""

from __future__ import annotations

from fechner.strategies.config.tables.registry import CLASSES
from fechner.strategies.specification import Component, Specification, Stage


def acquisition_words(acqf: Component, stimuli: int) -> str:
    """What an acquisition function looks for, after its name; a plug-in's name alone."""
    entry = CLASSES.get(acqf.name)
    words = "" if entry is None else entry.words if stimuli == 1 else entry.pair_words
    if not words:
        return acqf.name
    keys = acqf.keys
    if "{target}" in words and keys.get("lookahead_type") == "posterior":
        return f"{acqf.name}: where an answer tells most about the outcomes to come"
    objective, target, index = keys.get("objective"), keys.get("target"), keys.get("objective_index")
    weights = ", ".join(objective.keys.get("weights") or ()) if objective is not None else ""
    what = f"the sum of the outcomes, weighted by {weights}," if weights else "the outcome"
    said = words.format(
        target="" if target is None else f"{target:g}",
        scale=_scale(objective),
        end="lowest" if keys.get("maximize") is False else "highest",
        what=what,
        beyond=f"({', '.join(keys.get('ref_point') or ())})",
        which="" if index is None else index + 1,
    )
    more = f", weighted by {weights}" if weights and entry is not None and entry.several else ""
    return f"{acqf.name}: {said}{more}"


def _scale(objective: Component | None) -> str:
    """What a level is one of."""
    if objective is None:
        return "the latent function"
    if "floor" in objective.keys:
        return f"the {objective.name} with guess rate {objective.keys['floor']:g}"
    return "the probability"


def model_words(model: Component, stage: Stage, spec: Specification) -> str:
    parts = [f"The model is {model.name}"]
    if model.keys.get("models"):
        each = []
        for outcome, part in zip(spec.outcomes, model.keys["models"], strict=True):
            own = f" ({listed(_modules(part))})" if _modules(part) else ""
            each.append(f"{part.name} for {outcome.name}{own}")
        parts.append(f"with {listed(each)}")
    floor, lapse = model.keys.get("floor"), model.keys.get("lapse")
    if floor or lapse:
        known = "an unknown lapse rate" if lapse == "estimate" else f"lapse rate {lapse:g}"
        parts.append(f"with guess rate {floor:g} and {known}")
    points = model.keys.get("constraint_locations")
    if points:
        known = "one place" if len(points) == 1 else f"{len(points)} places"
        parts.append(f"told the probability at {known} beforehand")
    if model.name == "MonotonicProjectionGP":
        parts.append(f"in which the probability grows with {listed(_monotone(model, spec))}")
    if "slope_mean" in model.keys:
        free = [parameter.name for parameter in spec.parameters if parameter.type != "fixed"]
        intensity = free[(model.keys.get("stim_dim") or (0,))[0]]
        parts.append(f"in which psychometric curves of {intensity} have a slope and an offset everywhere")
    if model.keys.get("mean_covar_factory") is not None:
        parts.append(f"with the priors of {model.keys['mean_covar_factory'].name}")
        shared = model.keys["mean_covar_factory"].keys.get("shared_dims")
        if shared:
            parts.append(f"both stimuli sharing {listed(list(shared))}")
    parts += _modules(model)
    often = "for every ask" if stage.refit_every == 1 else f"every {stage.refit_every} asks"
    parts.append(f"fitted anew {often}")
    if stage.keep_most_recent is not None:
        parts.append(f"to the {stage.keep_most_recent} most recent trials")
    return ", ".join(parts) + "."


def _monotone(model: Component, spec: Specification) -> list[str]:
    """The parameters with which the probability grows."""
    free = [parameter.name for parameter in spec.parameters if parameter.type != "fixed"]
    places = model.keys.get("monotonic_dims") or model.keys.get("monotonic_idxs") or (-1,)
    return [free[place] for place in places]


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
        return f"{name} of {listed([_kernel(part) for part in keys['kernels']])}"
    return f"{name} ({keys['nu']:g})" if keys.get("nu") else name


def listed(items: list[str]) -> str:
    return items[0] if len(items) == 1 else ", ".join(items[:-1]) + " and " + items[-1]
