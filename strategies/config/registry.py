"""Every name a configuration can use, as static tables: checking needs no torch (design.md 2.5).

`CLASSES` holds the models, generators, acquisition functions and their parts with their keys; the key tables
of the other sections are in `fechner.strategies.config.keys`. A class that is known, but not
in this version, has ``supported=False`` and, where there is one, the name to use instead.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from fechner.strategies.config.keys import (
    ACQUISITION_KEYS,
    CONSTRAINT_KEYS,
    FACTORY_KEYS,
    GENERATOR_KEYS,
    LIKELIHOOD_KEYS,
    MODEL_KEYS,
    N_LEVELS,
    Key,
    number,
    one_of,
    whole,
)


@dataclass(frozen=True)
class Entry:
    """One registered class.

    Attributes:
        kind: generator, model, acquisition, objective, factory, likelihood, kernel, mean or allocator.
        keys: the keys of its section.
        supported: whether this version has it.
        outcome: the outcome type it works with, or several with spaces between; empty if any.
        stimuli: how many stimuli a trial has that it works with; 0 if any.
        instead: what to use as long as it is not supported, a sentence's end after "use".
    """

    kind: str
    keys: Mapping[str, Key] = field(default_factory=dict)
    supported: bool = True
    outcome: str = ""
    instead: str = ""
    stimuli: int = 0


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
        )
    },
    "qExpectedImprovement": _IMPROVED,
    "qLogExpectedImprovement": _IMPROVED,
    "qProbabilityOfImprovement": {**_IMPROVED, "tau": Key("ignored")},
    "NoisyExpectedImprovement": {},
    "LogNoisyExpectedImprovement": {},
}

_LOCAL = {"target": _LOOK_AHEAD["target"], "lookahead_type": _LOOK_AHEAD["lookahead_type"]}

CLASSES: dict[str, Entry] = {
    # generators
    "SobolGenerator": Entry("generator", GENERATOR_KEYS),
    "RandomGenerator": Entry("generator", GENERATOR_KEYS),
    "ManualGenerator": Entry(
        "generator",
        {**GENERATOR_KEYS, "points": Key("points", required=True), "shuffle": Key("truth", True)},
    ),
    "OptimizeAcqfGenerator": Entry(
        "generator",
        {
            **GENERATOR_KEYS,
            "acqf": Key("component", kind="acquisition"),
            "restarts": whole(10, low=1, high=1000),
            "samps": whole(1024, low=1, high=100_000),
            "max_gen_time": number(None, above=0.0),
        },
    ),
    "IndependentOptimizeAcqfGenerator": Entry(
        "generator",
        {**GENERATOR_KEYS, "generators": Key("components", kind="generator", inherited=False)},
        stimuli=1,
    ),
    **{
        name: Entry(
            "generator",
            {
                **GENERATOR_KEYS,
                "acqf": Key("component", kind="acquisition"),
                "samps": whole(1024, low=1, high=100_000),
            },
            stimuli=1,
        )
        for name in ("AcqfGridSearchGenerator", "AcqfThompsonSamplerGenerator")
    },
    "EpsilonGreedyGenerator": Entry(
        "generator",
        {
            **GENERATOR_KEYS,
            "subgenerator": Key("text", inherited=False),
            "epsilon": number(0.1, low=0.0, high=1.0),
        },
    ),
    "SampleAroundPointsGenerator": Entry(
        "generator",
        {
            **GENERATOR_KEYS,
            "points": Key("points", required=True),
            "window": Key("texts", required=True, inherited=False),
            "samples_per_point": Key("whole", None, True, low=1, high=10_000),
            "shuffle": Key("truth", True),
        },
    ),
    # models
    "GPClassificationModel": Entry(
        "model",
        {
            **MODEL_KEYS,
            **LIKELIHOOD_KEYS,
            **CONSTRAINT_KEYS,
        },
        outcome="binary",
        stimuli=1,
    ),
    "GPRegressionModel": Entry("model", MODEL_KEYS, outcome="continuous", stimuli=1),
    "OrdinalGPModel": Entry("model", MODEL_KEYS, outcome="ordinal", stimuli=1),
    "MonotonicProjectionGP": Entry(
        "model",
        {
            **MODEL_KEYS,
            **LIKELIHOOD_KEYS,
            **CONSTRAINT_KEYS,
            "monotonic_dims": Key("coordinates"),
            "monotonic_idxs": Key("coordinates"),
            "monotonic_grid_size": whole(20, low=2, high=100),
            "min_f_val": number(None),
        },
        outcome="binary",
        stimuli=1,
    ),
    "IndependentGPsModel": Entry(
        "model", {"models": Key("components", kind="model", inherited=False)}, stimuli=1
    ),
    "PairwiseProbitModel": Entry("model", MODEL_KEYS, outcome="binary", stimuli=2),
    # acquisition functions
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
    # their parts
    "ProbitObjective": Entry("objective", outcome="binary"),
    "AffinePosteriorTransform": Entry(
        "objective", {"weights": Key("texts", required=True, inherited=False)}, stimuli=1
    ),
    **{
        name: Entry("objective", {"floor": number(0.5, low=0.0, below=1.0)}, outcome="binary", stimuli=1)
        for name in ("FloorProbitObjective", "FloorLogitObjective", "FloorGumbelObjective")
    },
    "DefaultMeanCovarFactory": Entry("factory", FACTORY_KEYS),
    "PairwiseMeanCovarFactory": Entry(
        "factory", {**FACTORY_KEYS, "shared_dims": Key("texts", inherited=False)}, stimuli=2
    ),
    "SongMeanCovarFactory": Entry(
        "factory",
        {
            **FACTORY_KEYS,
            "fixed_kernel_amplitude": Key("ignored"),
            "outputscale_prior": Key("ignored"),
            "stim_dim": Key("coordinates"),
            "intensity_RBF": Key("truth", False),
        },
        outcome="binary",
        stimuli=1,
    ),
    "BernoulliLikelihood": Entry("likelihood", outcome="binary"),
    "GaussianLikelihood": Entry("likelihood", outcome="continuous"),
    "OrdinalLikelihood": Entry("likelihood", {"n_levels": N_LEVELS}, outcome="ordinal"),
    "RBFKernel": Entry("kernel"),
    "GreedyVarianceReduction": Entry("allocator"),
    "SobolAllocator": Entry("allocator"),
    "KMeansAllocator": Entry("allocator"),
    "DataAllocator": Entry("allocator"),
    "FixedAllocator": Entry("allocator"),
}


CLASSES["MixedOptimizeAcqfGenerator"] = CLASSES["OptimizeAcqfGenerator"]

#: Generators that follow an acquisition function, and those whose points end.
SEARCHING = frozenset(
    {
        "OptimizeAcqfGenerator",
        "MixedOptimizeAcqfGenerator",
        "AcqfGridSearchGenerator",
        "AcqfThompsonSamplerGenerator",
        "EpsilonGreedyGenerator",
    }
)
FINITE = frozenset({"ManualGenerator", "SampleAroundPointsGenerator"})


def _later(kind: str, names: str, instead: str = "") -> None:
    for name in names.split():
        CLASSES[name] = Entry(kind, supported=False, instead=instead)


_later("generator", "IntensityAwareSemiPGenerator")
_later(
    "generator",
    "MonotonicThompsonSamplerGenerator StaircaseGenerator QuestPlusGenerator PsiMarginalGenerator",
)
_later("generator", "InterleavedGenerator")
_later("model", "SemiParametricGPModel HadamardSemiPModel", "GPClassificationModel")
_later(
    "acquisition",
    "qNegIntegratedPosteriorVariance qKnowledgeGradient qMultiFidelityKnowledgeGradient"
    " qMaxValueEntropy qLowerBoundMaxValueEntropy"
    " qBayesianActiveLearningByDisagreement qExpectedUtilityOfBestOption"
    " qExpectedHypervolumeImprovement qNoisyExpectedHypervolumeImprovement"
    " qLogExpectedHypervolumeImprovement qLogNoisyExpectedHypervolumeImprovement",
)
_later(
    "objective",
    "SemiPProbabilityObjective SemiPThresholdObjective",
    "ProbitObjective",
)
_later(
    "factory",
    "MixedMeanCovarFactory",
    "DefaultMeanCovarFactory",
)
_later(
    "likelihood",
    "LinearBernoulliLikelihood StudentTLikelihood FixedNoiseGaussianLikelihood",
)
_later(
    "kernel", "MaternKernel LinearKernel PeriodicKernel RQKernel PolynomialKernel ScaleKernel", "RBFKernel"
)
_later("kernel", "CosineKernel ProductKernel AdditiveKernel", "RBFKernel")
_later("mean", "ConstantMean ZeroMean LinearMean")

# Names of earlier releases of the format, and what does their work today.
OLDER_CLASSES: dict[str, str] = {
    "PairwiseSobolGenerator": "SobolGenerator",
    "PairwiseOptimizeAcqfGenerator": "OptimizeAcqfGenerator",
    "MonotonicRejectionGenerator": "OptimizeAcqfGenerator",
    "MonotonicRejectionGP": "MonotonicProjectionGP",
    "MonotonicMCLSE": "MCLevelSetEstimation",
    "MonotonicBernoulliMCMutualInformation": "BernoulliMCMutualInformation",
    "MonotonicMCPosteriorVariance": "MCPosteriorVariance",
    "default_mean_covar_factory": "DefaultMeanCovarFactory",
    "monotonic_mean_covar_factory": "DefaultMeanCovarFactory",
    "song_mean_covar_factory": "SongMeanCovarFactory",
    "pairwise_mean_covar_factory": "PairwiseMeanCovarFactory",
}

# inducing_point_method took these words before it took the name of a class.
OLDER_ALLOCATORS: dict[str, str] = {
    "auto": "GreedyVarianceReduction",
    "sobol": "SobolAllocator",
    "pivoted_chol": "GreedyVarianceReduction",
    "kmeans++": "KMeansAllocator",
    "all": "DataAllocator",
}
PAIRWISE_NAMES = frozenset({"PairwiseSobolGenerator", "PairwiseOptimizeAcqfGenerator"})
