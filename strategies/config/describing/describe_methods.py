"""Acquisition functions and models in words, for ``fechner check``."""

from __future__ import annotations

from fechner.strategies.specification import Component, Specification, Stage

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


def acquisition_words(acqf: Component, stimuli: int) -> str:
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
