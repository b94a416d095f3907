"""The acquisition functions, as a static table: ours, and BoTorch's."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from fechner.strategies.config.tables.entries import Entry
from fechner.strategies.config.tables.keys import ACQUISITION_KEYS, Key, number, one_of, whole

_LEVEL_SET = {
    "target": number(0.75),
    "beta": number(3.84, low=0.0),
    "objective": Key("component", kind="objective"),
}
_LOOK_AHEAD = {
    "target": number(required=True),
    "query_set_size": whole(256, low=2, high=10_000),
    "lookahead_type": one_of("levelset", ("levelset", "posterior")),
}

_OF_OBJECTIVE = {"objective": Key("component", kind="objective")}

_LOOK_AT_OUTCOMES = {
    "query_set_size": _LOOK_AHEAD["query_set_size"],
    "lookahead_type": one_of("posterior", ("levelset", "posterior")),
    "target": number(0.75),
}
_MAXIMIZE = {"maximize": Key("truth", True)}
_BOUND = {"beta": number(required=True, low=0.0)}
_IMPROVED = {"best_f": number(None)}
_LOCAL = {"target": _LOOK_AHEAD["target"], "lookahead_type": _LOOK_AHEAD["lookahead_type"]}

_CANDIDATES = {"candidate_set": whole(512, low=1, high=10_000)}
_HIGHEST = {
    **_CANDIDATES,
    "num_mv_samples": whole(10, low=1, high=1000),
    "use_gumbel": Key("truth", True),
    **_MAXIMIZE,
}
_FRONT = {"ref_point": Key("texts", required=True, inherited=False)}
_SAMPLED_FRONT = {
    **_FRONT,
    "objective": Key("component", kind="objective"),
    "mc_samples": whole(64, low=1, high=10_000),
    "eta": Key("ignored"),
    "fat": Key("ignored"),
}
_NOISY_FRONT = {
    **_SAMPLED_FRONT,
    "prune_baseline": Key("truth", True),
    "alpha": number(0.0, low=0.0, below=1.0),
}
_SMOOTH = {"tau_relu": number(None, above=0.0), "tau_max": number(None, above=0.0)}


def _entry(
    keys: Mapping[str, Key],
    outcome: str = "",
    stimuli: int = 1,
    several: bool = False,
    **functions: str,
) -> Entry:
    """One acquisition function: its keys, what it is for, and where its functions are (in acquisition/)."""
    found = {name: f"fechner.strategies.acquisition.{where}" for name, where in functions.items()}
    taken = {**ACQUISITION_KEYS, **keys}
    return Entry("acquisition", taken, outcome=outcome, stimuli=stimuli, several=several, functions=found)


def _alone(keys: Mapping[str, Key], build: str, outcome: str = "") -> Entry:
    return _entry(keys, outcome, build=build)


def _scanned(keys: Mapping[str, Key], build: str, on_device: str, outcome: str = "binary") -> Entry:
    """One whose scan a GPU can compute."""
    return _entry(keys, outcome, build=build, on_device=f"torch_values:{on_device}")


def _of_pairs(pairs: str, keys: Mapping[str, Key] | None = None) -> Entry:
    return _entry(keys or {}, "binary", 2, pairs=pairs)


def _of_several(keys: Mapping[str, Key], build: str = "hypervolume:build_front") -> Entry:
    return _entry(keys, "continuous", several=True, build_with_pending=build)


ACQUISITIONS: dict[str, Entry] = {
    "MCLevelSetEstimation": replace(
        _scanned(_LEVEL_SET, "level_set:build_straddle", "at_a_point", outcome=""), of_latent=True
    ),
    "EAVC": _scanned(_LOOK_AHEAD, "looking_ahead:build_volume_change", "volume_change"),
    "GlobalMI": _scanned(_LOOK_AHEAD, "looking_ahead:build_information", "information"),
    "GlobalSUR": _scanned(_LOOK_AHEAD, "looking_ahead:build_misclassified", "misclassified"),
    "LocalMI": _scanned(_LOCAL, "looking_ahead:build_local_information", "at_a_point"),
    "LocalSUR": _scanned(_LOCAL, "looking_ahead:build_local_misclassified", "at_a_point"),
    "ApproxGlobalSUR": _scanned(
        {
            **_LOOK_AHEAD,
            "lookahead_type": one_of("levelset", ("levelset", "posterior"), later=("posterior",)),
        },
        "looking_ahead:build_approximate",
        "approximate_sur",
    ),
    "MOCU": _alone(_LOOK_AT_OUTCOMES, "looking_ahead:build_cost", "binary"),
    "SMOCU": _alone(
        {**_LOOK_AT_OUTCOMES, "k": number(20.0, above=0.0)}, "looking_ahead:build_soft_cost", "binary"
    ),
    "BEMPS": _alone(_LOOK_AT_OUTCOMES, "looking_ahead:build_brier", "binary"),
    "UpperConfidenceBound": _alone({**_BOUND, **_MAXIMIZE}, "optimum:build_bound"),
    "qUpperConfidenceBound": _alone(_BOUND, "optimum:build_bound"),
    "qLowerConfidenceBound": _alone(_BOUND, "optimum:build_lower_bound"),
    "PosteriorMean": _alone(_MAXIMIZE, "optimum:build_mean"),
    "qSimpleRegret": _alone({}, "optimum:build_mean"),
    "PosteriorStandardDeviation": _alone({}, "optimum:build_sd"),
    "qPosteriorStandardDeviation": _alone({}, "optimum:build_sd"),
    "ExpectedImprovement": _alone({**_IMPROVED, **_MAXIMIZE}, "optimum:build_improvement"),
    "LogExpectedImprovement": _alone({**_IMPROVED, **_MAXIMIZE}, "optimum:build_log_improvement"),
    "ProbabilityOfImprovement": _alone({**_IMPROVED, **_MAXIMIZE}, "optimum:build_probability"),
    "qAnalyticProbabilityOfImprovement": _alone({**_IMPROVED, **_MAXIMIZE}, "optimum:build_probability"),
    "qExpectedImprovement": _alone(_IMPROVED, "optimum:build_improvement"),
    "qLogExpectedImprovement": _alone(_IMPROVED, "optimum:build_log_improvement"),
    "qProbabilityOfImprovement": _alone({**_IMPROVED, "tau": Key("ignored")}, "optimum:build_probability"),
    "NoisyExpectedImprovement": _entry({}, build_with_pending="improvement:build"),
    "LogNoisyExpectedImprovement": _entry({}, build_with_pending="improvement:build"),
    "MCPosteriorVariance": _scanned(_OF_OBJECTIVE, "level_set:build_variance", "at_a_point", outcome=""),
    **{
        name: _entry(
            _OF_OBJECTIVE,
            stimuli=0,
            build_with_pending="improvement:build",
            stimuli_in_turn="preference_improvement:log_expected_improvement",
        )
        for name in ("qLogNoisyExpectedImprovement", "qNoisyExpectedImprovement")
    },
    "AnalyticExpectedUtilityOfBestOption": _of_pairs("preference:expected_utility_of_best"),
    "PairwiseMCPosteriorVariance": _of_pairs("preference:variance_of_preference", _OF_OBJECTIVE),
    "BernoulliMCMutualInformation": _entry(
        _OF_OBJECTIVE,
        "binary ordinal",
        0,
        build="level_set:build_information",
        pairs="preference:information_of_preference",
        on_device="torch_values:at_a_point",
    ),
    "qKnowledgeGradient": _alone(
        {
            **_CANDIDATES,
            "num_fantasies": whole(64, low=2, high=1000),
            "current_value": Key("ignored"),
        },
        "one_outcome:build_knowledge_gradient",
    ),
    "qNegIntegratedPosteriorVariance": _alone(
        {"mc_points": whole(512, low=1, high=10_000)}, "one_outcome:build_integrated_variance"
    ),
    "qMaxValueEntropy": _alone(
        {**_HIGHEST, "num_y_samples": Key("ignored"), "num_fantasies": Key("ignored")},
        "max_value:build_information",
    ),
    "qLowerBoundMaxValueEntropy": _alone(_HIGHEST, "max_value:build_lower_bound"),
    "qBayesianActiveLearningByDisagreement": _entry({}, build_with_pending="disagreement:build"),
    "ExpectedHypervolumeImprovement": _of_several(_FRONT),
    "qExpectedHypervolumeImprovement": _of_several(_SAMPLED_FRONT),
    "qLogExpectedHypervolumeImprovement": _of_several({**_SAMPLED_FRONT, **_SMOOTH}),
    "qNoisyExpectedHypervolumeImprovement": _of_several(_NOISY_FRONT),
    "qLogNoisyExpectedHypervolumeImprovement": _of_several({**_NOISY_FRONT, **_SMOOTH}),
    "ConstrainedExpectedImprovement": _of_several(
        {
            **_IMPROVED,
            "objective_index": whole(0, low=0, high=1000),
            "constraints": Key("bounds", required=True, inherited=False),
            **_MAXIMIZE,
        },
        "hypervolume:build_constrained",
    ),
    "qExpectedUtilityOfBestOption": _of_pairs("preference:expected_utility_of_best"),
    "PairwiseBayesianActiveLearningByDisagreement": _of_pairs("preference:information_of_preference"),
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
