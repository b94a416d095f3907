"""Every name a configuration can use, as static tables: checking needs no torch.

`CLASSES` holds the models, generators, acquisition functions and their parts with their keys; the key tables
of the other sections are in `fechner.strategies.config.tables.keys`, the acquisition functions in
`fechner.strategies.config.tables.acquisitions`. A class that is known, but not
in this version, has ``supported=False`` and, where there is one, the name to use instead.
"""

from __future__ import annotations

from fechner.strategies.config.tables.acquisitions import ACQUISITIONS, REFUSED
from fechner.strategies.config.tables.entries import Entry, Function
from fechner.strategies.config.tables.generators import GENERATORS
from fechner.strategies.config.tables.kernels import KERNELS, MEANS
from fechner.strategies.config.tables.key import Key, number, whole
from fechner.strategies.config.tables.keys import (
    CONSTRAINT_KEYS,
    FACTORY_KEYS,
    LIKELIHOOD_KEYS,
    MODEL_KEYS,
    N_LEVELS,
    SEMI_PARAMETRIC_KEYS,
)


def _family(module: str) -> dict[str, Function]:
    return {"family": f"fechner.strategies.models.families.{module}:FAMILY"}


CLASSES: dict[str, Entry] = {
    **GENERATORS,
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
        functions=_family("gp_classification"),
    ),
    "GPRegressionModel": Entry(
        "model", MODEL_KEYS, outcome="continuous", stimuli=1, functions=_family("gp_regression")
    ),
    "OrdinalGPModel": Entry("model", MODEL_KEYS, outcome="ordinal", stimuli=1, functions=_family("ordinal")),
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
        on_the_processor=True,
        functions=_family("monotonic"),
    ),
    "IndependentGPsModel": Entry(
        "model", {"models": Key("components", kind="model", inherited=False)}, stimuli=1
    ),
    "PairwiseProbitModel": Entry(
        "model", MODEL_KEYS, outcome="binary", stimuli=2, functions=_family("pairwise")
    ),
    **{
        name: Entry(
            "model",
            SEMI_PARAMETRIC_KEYS,
            outcome="binary",
            stimuli=1,
            on_the_processor=True,
            functions=_family(family),
        )
        for name, family in (("SemiParametricGPModel", "semi_parametric"), ("HadamardSemiPModel", "hadamard"))
    },
    **ACQUISITIONS,
    # their parts
    "ProbitObjective": Entry("objective", outcome="binary"),
    "SemiPProbabilityObjective": Entry("objective", outcome="binary", stimuli=1),
    "SemiPThresholdObjective": Entry(
        "objective",
        {"target": number(0.75, above=0.0, below=1.0)},
        outcome="binary",
        stimuli=1,
        functions={"build": "fechner.strategies.acquisition.thresholds:build"},
    ),
    "WeightedMCMultiOutputObjective": Entry(
        "objective",
        {"weights": Key("texts", required=True, inherited=False)},
        outcome="continuous",
        stimuli=1,
        several=True,
    ),
    "IdentityMCMultiOutputObjective": Entry("objective", outcome="continuous", stimuli=1, several=True),
    "AffinePosteriorTransform": Entry(
        "objective", {"weights": Key("texts", required=True, inherited=False)}, stimuli=1
    ),
    **{
        name: Entry(
            "objective",
            {"floor": number(0.5, low=0.0, below=1.0)},
            outcome="binary",
            stimuli=1,
            functions={"shape": f"fechner.strategies.acquisition.objectives:{shape}"},
        )
        for name, shape in (
            ("FloorProbitObjective", "probit"),
            ("FloorLogitObjective", "logit"),
            ("FloorGumbelObjective", "gumbel"),
        )
    },
    "DefaultMeanCovarFactory": Entry("factory", FACTORY_KEYS),
    "MixedMeanCovarFactory": Entry(
        "factory", {**FACTORY_KEYS, "discrete_kernel": Key("component", kind="kernel")}
    ),
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
    "LinearBernoulliLikelihood": Entry("likelihood", outcome="binary", stimuli=1),
    "GaussianLikelihood": Entry("likelihood", outcome="continuous"),
    "FixedNoiseGaussianLikelihood": Entry(
        "likelihood",
        {"noise": Key("number", None, True, above=0.0, inherited=False)},
        outcome="continuous",
        stimuli=1,
    ),
    "OrdinalLikelihood": Entry("likelihood", {"n_levels": N_LEVELS}, outcome="ordinal"),
    **KERNELS,
    "CategoricalKernel": Entry("kernel"),
    **MEANS,
    "GreedyVarianceReduction": Entry("allocator"),
    "SobolAllocator": Entry("allocator"),
    "KMeansAllocator": Entry("allocator"),
    "DataAllocator": Entry("allocator"),
    "FixedAllocator": Entry("allocator"),
}


def _later(kind: str, names: str, instead: str = "") -> None:
    for name in names.split():
        CLASSES[name] = Entry(kind, supported=False, instead=instead)


_later("generator", "StaircaseGenerator QuestPlusGenerator PsiMarginalGenerator")
_later("generator", "InterleavedGenerator")
for _name, _instead in REFUSED.items():
    _later("acquisition", _name, _instead)
_later(
    "kernel",
    "IndexKernel",
    "CategoricalKernel",
)
_later("likelihood", "StudentTLikelihood", "GaussianLikelihood")

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
