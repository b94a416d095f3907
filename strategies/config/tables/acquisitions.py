"""The acquisition functions, as a static table: ours, and BoTorch's."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from fechner.strategies.config.tables import acquisition_keys as keys
from fechner.strategies.config.tables.entries import Entry
from fechner.strategies.config.tables.key import Key, number, one_of, whole
from fechner.strategies.config.tables.keys import ACQUISITION_KEYS


def _entry(
    own: Mapping[str, Key],
    outcome: str = "",
    stimuli: int = 1,
    several: bool = False,
    words: str = "",
    pair_words: str = "",
    **functions: str,
) -> Entry:
    """One acquisition function: its keys, what it is for, and where its functions are (in acquisition/)."""
    found = {name: f"fechner.strategies.acquisition.{where}" for name, where in functions.items()}
    taken = {**ACQUISITION_KEYS, **own}
    return Entry(
        "acquisition",
        taken,
        outcome=outcome,
        stimuli=stimuli,
        several=several,
        functions=found,
        words=words,
        pair_words=pair_words,
    )


def _alone(own: Mapping[str, Key], build: str, outcome: str = "", *, words: str) -> Entry:
    return _entry(own, outcome, build=build, words=words)


def _scanned(
    own: Mapping[str, Key], build: str, on_device: str, outcome: str = "binary", *, words: str
) -> Entry:
    """One whose scan a GPU can compute."""
    return _entry(own, outcome, build=build, on_device=f"torch_values:{on_device}", words=words)


def _of_pairs(pairs: str, own: Mapping[str, Key] | None = None, *, pair_words: str) -> Entry:
    return _entry(own or {}, "binary", 2, pairs=pairs, pair_words=pair_words)


def _of_several(own: Mapping[str, Key], build: str = "hypervolume:build_front", *, words: str) -> Entry:
    return _entry(own, "continuous", several=True, build_with_pending=build, words=words)


_HIGHER = "where the outcome may be higher than anywhere so far"
_LIKELIEST = "where the outcome is likeliest to be higher than anywhere so far"
_BEYOND = "where the outcomes may be better together than any so far, beyond {beyond}"


ACQUISITIONS: dict[str, Entry] = {
    "MCLevelSetEstimation": replace(
        _scanned(
            keys.LEVEL_SET,
            "level_set:build_straddle",
            "at_a_point",
            outcome="",
            words="where it is least sure whether {scale} is above {target}",
        ),
        of_latent=True,
    ),
    "EAVC": _scanned(
        keys.LOOK_AHEAD,
        "looking_ahead:build_volume_change",
        "volume_change",
        words="where an answer changes most what lies above the probability {target}",
    ),
    "GlobalMI": _scanned(
        keys.LOOK_AHEAD,
        "looking_ahead:build_information",
        "information",
        words="where an answer tells most, in bits, about what lies above the probability {target}",
    ),
    "GlobalSUR": _scanned(
        keys.LOOK_AHEAD,
        "looking_ahead:build_misclassified",
        "misclassified",
        words="where an answer leaves least in doubt about what lies above the probability {target}",
    ),
    "LocalMI": _scanned(
        keys.LOCAL,
        "looking_ahead:build_local_information",
        "at_a_point",
        words="where an answer tells most, in bits, whether that very point lies above the probability"
        " {target}",
    ),
    "LocalSUR": _scanned(
        keys.LOCAL,
        "looking_ahead:build_local_misclassified",
        "at_a_point",
        words="where an answer decides best whether that very point lies above the probability {target}",
    ),
    "ApproxGlobalSUR": _scanned(
        {
            **keys.LOOK_AHEAD,
            "lookahead_type": one_of("levelset", ("levelset", "posterior"), later=("posterior",)),
        },
        "looking_ahead:build_approximate",
        "approximate_sur",
        words="where, roughly, an answer leaves least in doubt what lies above the probability {target}",
    ),
    "MOCU": _alone(
        keys.LOOK_AT_OUTCOMES,
        "looking_ahead:build_cost",
        "binary",
        words="where an answer leaves the fewest outcomes wrongly predicted",
    ),
    "SMOCU": _alone(
        {**keys.LOOK_AT_OUTCOMES, "k": number(20.0, above=0.0)},
        "looking_ahead:build_soft_cost",
        "binary",
        words="where an answer leaves the fewest outcomes wrongly predicted, on a soft count",
    ),
    "BEMPS": _alone(
        keys.LOOK_AT_OUTCOMES,
        "looking_ahead:build_brier",
        "binary",
        words="where an answer improves the predictions' Brier score most",
    ),
    "UpperConfidenceBound": _alone(
        {**keys.BOUND, **keys.MAXIMIZE}, "optimum:build_bound", words="where the outcome may be highest"
    ),
    "qUpperConfidenceBound": _alone(
        keys.BOUND, "optimum:build_bound", words="where the outcome may be highest"
    ),
    "qLowerConfidenceBound": _alone(
        keys.BOUND, "optimum:build_lower_bound", words="where the outcome is surely high"
    ),
    "PosteriorMean": _alone(
        keys.MAXIMIZE, "optimum:build_mean", words="where the outcome is taken to be highest"
    ),
    "qSimpleRegret": _alone({}, "optimum:build_mean", words="where the outcome is taken to be highest"),
    "PosteriorStandardDeviation": _alone({}, "optimum:build_sd", words="where f is least sure"),
    "qPosteriorStandardDeviation": _alone({}, "optimum:build_sd", words="where f is least sure"),
    "ExpectedImprovement": _alone(
        {**keys.IMPROVED, **keys.MAXIMIZE}, "optimum:build_improvement", words=_HIGHER
    ),
    "LogExpectedImprovement": _alone(
        {**keys.IMPROVED, **keys.MAXIMIZE}, "optimum:build_log_improvement", words=_HIGHER
    ),
    "ProbabilityOfImprovement": _alone(
        {**keys.IMPROVED, **keys.MAXIMIZE}, "optimum:build_probability", words=_LIKELIEST
    ),
    "qAnalyticProbabilityOfImprovement": _alone(
        {**keys.IMPROVED, **keys.MAXIMIZE}, "optimum:build_probability", words=_LIKELIEST
    ),
    "qExpectedImprovement": _alone(keys.IMPROVED, "optimum:build_improvement", words=_HIGHER),
    "qLogExpectedImprovement": _alone(keys.IMPROVED, "optimum:build_log_improvement", words=_HIGHER),
    "qProbabilityOfImprovement": _alone(
        {**keys.IMPROVED, "tau": Key("ignored")}, "optimum:build_probability", words=_LIKELIEST
    ),
    "NoisyExpectedImprovement": _entry({}, build_with_pending="improvement:build", words=_HIGHER),
    "LogNoisyExpectedImprovement": _entry({}, build_with_pending="improvement:build", words=_HIGHER),
    "MCPosteriorVariance": _scanned(
        keys.OF_OBJECTIVE,
        "level_set:build_variance",
        "at_a_point",
        outcome="",
        words="where the prediction is least sure",
    ),
    **{
        name: _entry(
            keys.OF_OBJECTIVE,
            stimuli=0,
            build_with_pending="improvement:build",
            stimuli_in_turn="preference_improvement:log_expected_improvement",
            words="where {what} may be higher than anywhere so far",
            pair_words="two stimuli that may be better than any so far",
        )
        for name in ("qLogNoisyExpectedImprovement", "qNoisyExpectedImprovement")
    },
    "AnalyticExpectedUtilityOfBestOption": _of_pairs(
        "preference:expected_utility_of_best",
        pair_words="the pair whose better stimulus promises the highest utility",
    ),
    "PairwiseMCPosteriorVariance": _of_pairs(
        "preference:variance_of_preference",
        keys.OF_OBJECTIVE,
        pair_words="the pair whose probability of preference is least known",
    ),
    "BernoulliMCMutualInformation": _entry(
        keys.OF_OBJECTIVE,
        "binary ordinal",
        0,
        build="level_set:build_information",
        pairs="preference:information_of_preference",
        on_device="torch_values:at_a_point",
        words="where an answer tells most about the whole function",
        pair_words="the pair whose answer tells most about the utility",
    ),
    "qKnowledgeGradient": _alone(
        {
            **keys.CANDIDATES,
            "num_fantasies": whole(64, low=2, high=1000),
            "current_value": Key("ignored"),
        },
        "one_outcome:build_knowledge_gradient",
        words="where an answer is expected to raise the highest prediction most",
    ),
    "qNegIntegratedPosteriorVariance": _alone(
        {"mc_points": whole(512, low=1, high=10_000)},
        "one_outcome:build_integrated_variance",
        words="where an answer leaves f least unsure, on average over the space",
    ),
    "qMaxValueEntropy": _alone(
        {**keys.HIGHEST, "num_y_samples": Key("ignored"), "num_fantasies": Key("ignored")},
        "max_value:build_information",
        words="where an answer tells most about the {end} outcome",
    ),
    "qLowerBoundMaxValueEntropy": _alone(
        keys.HIGHEST,
        "max_value:build_lower_bound",
        words="where an answer tells most about the {end} outcome",
    ),
    "qBayesianActiveLearningByDisagreement": _entry(
        {},
        build_with_pending="disagreement:build",
        words="where an answer tells most about the model's hyperparameters",
    ),
    "ExpectedHypervolumeImprovement": _of_several(keys.FRONT, words=_BEYOND),
    "qExpectedHypervolumeImprovement": _of_several(keys.SAMPLED_FRONT, words=_BEYOND),
    "qLogExpectedHypervolumeImprovement": _of_several({**keys.SAMPLED_FRONT, **keys.SMOOTH}, words=_BEYOND),
    "qNoisyExpectedHypervolumeImprovement": _of_several(keys.NOISY_FRONT, words=_BEYOND),
    "qLogNoisyExpectedHypervolumeImprovement": _of_several(
        {**keys.NOISY_FRONT, **keys.SMOOTH}, words=_BEYOND
    ),
    "ConstrainedExpectedImprovement": _of_several(
        {
            **keys.IMPROVED,
            "objective_index": whole(0, low=0, high=1000),
            "constraints": Key("bounds", required=True, inherited=False),
            **keys.MAXIMIZE,
        },
        "hypervolume:build_constrained",
        words="where outcome {which} may be higher than anywhere so far, others in bounds",
    ),
    "qExpectedUtilityOfBestOption": _of_pairs(
        "preference:expected_utility_of_best",
        pair_words="the pair whose better stimulus promises the highest utility",
    ),
    "PairwiseBayesianActiveLearningByDisagreement": _of_pairs(
        "preference:information_of_preference",
        pair_words="the pair whose answer tells most about the utility",
    ),
}


#: BoTorch's that don't fit what there is here, and what to use.
REFUSED: dict[str, str] = {
    "qMultiFidelityKnowledgeGradient": "qKnowledgeGradient (outcomes here have one fidelity)",
    "qMultiFidelityMaxValueEntropy": "qMaxValueEntropy (outcomes here have one fidelity)",
    "qMultiFidelityLowerBoundMaxValueEntropy": "qLowerBoundMaxValueEntropy (outcomes here have one fidelity)",
    **dict.fromkeys(
        ("MOMF", "qMultiFidelityHypervolumeKnowledgeGradient"),
        "qLogNoisyExpectedHypervolumeImprovement (outcomes here have one fidelity)",
    ),
    "qHypervolumeKnowledgeGradient": "qLogNoisyExpectedHypervolumeImprovement",
    "qMultiStepLookahead": "qKnowledgeGradient (one step)",
    "FixedFeatureAcquisitionFunction": "qLogNoisyExpectedImprovement (or another) with `fixed` in the asks",
    "ProximalAcquisitionFunction": "qLogNoisyExpectedImprovement (or another) with [constraints]",
    "PriorGuidedAcquisitionFunction": "MCLevelSetEstimation (or another) with constraint_locations",
}
