"""The tables name every class of the format, and each entry leads somewhere."""

from __future__ import annotations

import importlib

import pytest

from fechner.strategies.config.tables.registry import CLASSES, OLDER_ALLOCATORS, OLDER_CLASSES

SUPPORTED = {
    "generator": {
        *("SobolGenerator", "RandomGenerator", "ManualGenerator"),
        *("OptimizeAcqfGenerator", "IndependentOptimizeAcqfGenerator", "MixedOptimizeAcqfGenerator"),
        *("AcqfGridSearchGenerator", "AcqfThompsonSamplerGenerator"),
        *("EpsilonGreedyGenerator", "SampleAroundPointsGenerator"),
        *("IntensityAwareSemiPGenerator", "MonotonicThompsonSamplerGenerator"),
    },
    "model": {
        *("GPClassificationModel", "GPRegressionModel", "MonotonicProjectionGP", "OrdinalGPModel"),
        *("PairwiseProbitModel", "IndependentGPsModel", "SemiParametricGPModel", "HadamardSemiPModel"),
    },
    "acquisition": {
        *("MCLevelSetEstimation", "EAVC", "GlobalMI", "GlobalSUR", "ApproxGlobalSUR", "LocalMI", "LocalSUR"),
        *("MCPosteriorVariance", "BernoulliMCMutualInformation", "PairwiseMCPosteriorVariance"),
        *("qLogNoisyExpectedImprovement", "qNoisyExpectedImprovement"),
        "AnalyticExpectedUtilityOfBestOption",
        *("MOCU", "SMOCU", "BEMPS"),
        *("UpperConfidenceBound", "qUpperConfidenceBound", "qLowerConfidenceBound"),
        *("PosteriorMean", "qSimpleRegret", "PosteriorStandardDeviation", "qPosteriorStandardDeviation"),
        *("ExpectedImprovement", "LogExpectedImprovement", "qExpectedImprovement", "qLogExpectedImprovement"),
        *("ProbabilityOfImprovement", "qProbabilityOfImprovement"),
        *("NoisyExpectedImprovement", "LogNoisyExpectedImprovement", "qAnalyticProbabilityOfImprovement"),
        *("qKnowledgeGradient", "qNegIntegratedPosteriorVariance", "qBayesianActiveLearningByDisagreement"),
        *("qMaxValueEntropy", "qLowerBoundMaxValueEntropy"),
        *("qExpectedUtilityOfBestOption", "PairwiseBayesianActiveLearningByDisagreement"),
        *("ExpectedHypervolumeImprovement", "ConstrainedExpectedImprovement"),
        *("qExpectedHypervolumeImprovement", "qNoisyExpectedHypervolumeImprovement"),
        *("qLogExpectedHypervolumeImprovement", "qLogNoisyExpectedHypervolumeImprovement"),
    },
    "objective": {
        *("AffinePosteriorTransform", "ProbitObjective"),
        *("WeightedMCMultiOutputObjective", "IdentityMCMultiOutputObjective"),
        *("FloorProbitObjective", "FloorLogitObjective", "FloorGumbelObjective"),
        *("SemiPProbabilityObjective", "SemiPThresholdObjective"),
    },
    "factory": {
        *("SongMeanCovarFactory", "DefaultMeanCovarFactory", "PairwiseMeanCovarFactory"),
        "MixedMeanCovarFactory",
    },
}


@pytest.mark.parametrize("kind", SUPPORTED)
def test_what_this_version_has(kind: str):
    """Exactly these are supported; everything else says 'not supported yet'."""
    assert {name for name, entry in CLASSES.items() if entry.kind == kind and entry.supported} == SUPPORTED[
        kind
    ]


def test_older_names_lead_to_classes():
    """Every older name stands for a class of the tables."""
    assert {*OLDER_CLASSES.values(), *OLDER_ALLOCATORS.values()} <= set(CLASSES)


def test_what_to_use_instead_is_supported():
    """A name that comes later points only at something that works now."""
    for entry in CLASSES.values():
        if entry.instead:
            assert CLASSES[entry.instead.split()[0]].supported


def test_component_keys_have_a_kind():
    """A key that names a class says of which kind."""
    kinds = {entry.kind for entry in CLASSES.values()}
    for entry in CLASSES.values():
        for key in entry.keys.values():
            assert (key.kind in kinds) == (key.type in ("component", "components"))


def test_names_of_botorch_exist_there():
    """Names taken over from botorch are spelt as there."""
    acquisition = importlib.import_module("botorch.acquisition")
    more = importlib.import_module("botorch.acquisition.multi_objective")
    for name, entry in CLASSES.items():
        if entry.kind == "acquisition" and name.startswith(("q", "Log", "Posterior", "Upper", "Expected")):
            assert hasattr(acquisition, name) or hasattr(more, name), name


def test_every_acquisition_function_of_botorch_is_known():
    """Each public one is supported, or refused by name with what to use."""
    acquisition = importlib.import_module("botorch.acquisition")
    more = importlib.import_module("botorch.acquisition.multi_objective")
    abstract = {"MCAcquisitionFunction", "MaxValueBase", "DecoupledAcquisitionFunction"}
    for module in (acquisition, more):
        for name in module.__all__:
            found = getattr(module, name)
            if not (isinstance(found, type) and issubclass(found, acquisition.AcquisitionFunction)):
                continue
            if name in abstract or (name.endswith("AcquisitionFunction") and name not in CLASSES):
                continue  # what the others are derived from
            assert name in CLASSES, name
            assert CLASSES[name].supported or CLASSES[name].instead, name
