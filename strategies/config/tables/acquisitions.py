"""The acquisition functions, as a static table: ours, and BoTorch's."""

from __future__ import annotations

from collections.abc import Mapping

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

_OF_PAIRS = {"objective": Key("component", kind="objective")}

_LOOK_AT_OUTCOMES = {
    "query_set_size": _LOOK_AHEAD["query_set_size"],
    "lookahead_type": one_of("posterior", ("levelset", "posterior")),
    "target": number(0.75),
}
_OF_OUTCOMES = {
    "MOCU": _LOOK_AT_OUTCOMES,
    "SMOCU": {**_LOOK_AT_OUTCOMES, "k": number(20.0, above=0.0)},
    "BEMPS": _LOOK_AT_OUTCOMES,
}
_MAXIMIZE = {"maximize": Key("truth", True)}
_BOUND = {"beta": number(required=True, low=0.0)}
_IMPROVED = {"best_f": number(None)}
_OF_AN_OPTIMUM: dict[str, Mapping[str, Key]] = {
    "UpperConfidenceBound": {**_BOUND, **_MAXIMIZE},
    "qUpperConfidenceBound": _BOUND,
    "qLowerConfidenceBound": _BOUND,
    "PosteriorMean": _MAXIMIZE,
    "qSimpleRegret": {},
    "PosteriorStandardDeviation": {},
    "qPosteriorStandardDeviation": {},
    **{
        name: {**_IMPROVED, **_MAXIMIZE}
        for name in (
            "ExpectedImprovement",
            "LogExpectedImprovement",
            "ProbabilityOfImprovement",
            "qAnalyticProbabilityOfImprovement",
        )
    },
    "qExpectedImprovement": _IMPROVED,
    "qLogExpectedImprovement": _IMPROVED,
    "qProbabilityOfImprovement": {**_IMPROVED, "tau": Key("ignored")},
    "NoisyExpectedImprovement": {},
    "LogNoisyExpectedImprovement": {},
}

_LOCAL = {"target": _LOOK_AHEAD["target"], "lookahead_type": _LOOK_AHEAD["lookahead_type"]}

_CANDIDATES = {"candidate_set": whole(512, low=1, high=10_000)}
_HIGHEST = {
    **_CANDIDATES,
    "num_mv_samples": whole(10, low=1, high=1000),
    "use_gumbel": Key("truth", True),
    **_MAXIMIZE,
}
_AHEAD: dict[str, Mapping[str, Key]] = {
    "qKnowledgeGradient": {
        **_CANDIDATES,
        "num_fantasies": whole(64, low=2, high=1000),
        "current_value": Key("ignored"),
    },
    "qNegIntegratedPosteriorVariance": {"mc_points": whole(512, low=1, high=10_000)},
    "qMaxValueEntropy": {**_HIGHEST, "num_y_samples": Key("ignored"), "num_fantasies": Key("ignored")},
    "qLowerBoundMaxValueEntropy": _HIGHEST,
    "qBayesianActiveLearningByDisagreement": {},
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
_OF_SEVERAL: dict[str, Mapping[str, Key]] = {
    "ExpectedHypervolumeImprovement": _FRONT,
    "qExpectedHypervolumeImprovement": _SAMPLED_FRONT,
    "qLogExpectedHypervolumeImprovement": {**_SAMPLED_FRONT, **_SMOOTH},
    "qNoisyExpectedHypervolumeImprovement": _NOISY_FRONT,
    "qLogNoisyExpectedHypervolumeImprovement": {**_NOISY_FRONT, **_SMOOTH},
    "ConstrainedExpectedImprovement": {
        **_IMPROVED,
        "objective_index": whole(0, low=0, high=1000),
        "constraints": Key("bounds", required=True, inherited=False),
        **_MAXIMIZE,
    },
}

ACQUISITIONS: dict[str, Entry] = {
    "MCLevelSetEstimation": Entry("acquisition", {**ACQUISITION_KEYS, **_LEVEL_SET}, stimuli=1),
    **{
        name: Entry("acquisition", {**ACQUISITION_KEYS, **_LOOK_AHEAD}, outcome="binary", stimuli=1)
        for name in ("EAVC", "GlobalMI", "GlobalSUR")
    },
    **{
        name: Entry("acquisition", {**ACQUISITION_KEYS, **_LOCAL}, outcome="binary", stimuli=1)
        for name in ("LocalMI", "LocalSUR")
    },
    "ApproxGlobalSUR": Entry(
        "acquisition",
        {
            **ACQUISITION_KEYS,
            **_LOOK_AHEAD,
            "lookahead_type": one_of("levelset", ("levelset", "posterior"), later=("posterior",)),
        },
        outcome="binary",
        stimuli=1,
    ),
    **{
        name: Entry("acquisition", {**ACQUISITION_KEYS, **keys}, outcome="binary", stimuli=1)
        for name, keys in _OF_OUTCOMES.items()
    },
    **{
        name: Entry("acquisition", {**ACQUISITION_KEYS, **keys}, stimuli=1)
        for name, keys in _OF_AN_OPTIMUM.items()
    },
    "MCPosteriorVariance": Entry("acquisition", {**ACQUISITION_KEYS, **_OF_PAIRS}, stimuli=1),
    "qLogNoisyExpectedImprovement": Entry("acquisition", {**ACQUISITION_KEYS, **_OF_PAIRS}),
    "qNoisyExpectedImprovement": Entry("acquisition", {**ACQUISITION_KEYS, **_OF_PAIRS}),
    "AnalyticExpectedUtilityOfBestOption": Entry(
        "acquisition", ACQUISITION_KEYS, outcome="binary", stimuli=2
    ),
    "PairwiseMCPosteriorVariance": Entry(
        "acquisition", {**ACQUISITION_KEYS, **_OF_PAIRS}, outcome="binary", stimuli=2
    ),
    "BernoulliMCMutualInformation": Entry(
        "acquisition", {**ACQUISITION_KEYS, **_OF_PAIRS}, outcome="binary ordinal"
    ),
    **{name: Entry("acquisition", {**ACQUISITION_KEYS, **keys}, stimuli=1) for name, keys in _AHEAD.items()},
    **{
        name: Entry(
            "acquisition", {**ACQUISITION_KEYS, **keys}, outcome="continuous", stimuli=1, several=True
        )
        for name, keys in _OF_SEVERAL.items()
    },
    **{
        name: Entry("acquisition", ACQUISITION_KEYS, outcome="binary", stimuli=2)
        for name in ("qExpectedUtilityOfBestOption", "PairwiseBayesianActiveLearningByDisagreement")
    },
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
