"""Configurations of several outcomes."""

from __future__ import annotations

from typing import Any

import pytest

from fechner.strategies.config import check
from fechner.strategies.config.describing.describe import describe
from fechner.strategies.errors import FechnerError
from fechner.strategies.specification import Specification


def config(stage: dict[str, Any], types: list[str], **sections: Any) -> dict[str, Any]:
    """One stage `s` over one parameter."""
    return {
        "common": {"parnames": ["x"], "outcome_types": types, "strategy_names": ["s"]},
        "x": {"par_type": "continuous", "lower_bound": 0, "upper_bound": 1},
        "s": {"min_asks": 5, **stage},
        **sections,
    }


def read(stage: dict[str, Any], types: list[str], **sections: Any) -> Specification:
    return check(config(stage, types, **sections))


def models(spec: Specification) -> list[str]:
    """Of the stage's model."""
    model = spec.stages[0].model
    assert model is not None
    assert model.name == "IndependentGPsModel"
    return [part.name for part in model.keys["models"]]


def acquisitions(spec: Specification) -> list[str]:
    """Of the stage's generator."""
    return [part.keys["acqf"].name for part in spec.stages[0].generator.keys["generators"]]


def test_nothing_named() -> None:
    """Each outcome has the model and the acquisition function that it would have alone."""
    spec = read({}, ["binary", "continuous", "ordinal"], OrdinalLikelihood={"n_levels": 3})
    assert models(spec) == ["GPClassificationModel", "GPRegressionModel", "OrdinalGPModel"]
    assert acquisitions(spec) == ["EAVC", "qLogNoisyExpectedImprovement", "MCPosteriorVariance"]
    assert spec.stages[0].model.keys["models"][2].keys["n_levels"] == 3
    words = " ".join(describe(spec).split())
    assert "Outcomes take turns" in words
    assert "GPRegressionModel for outcome_2" in words


def test_aliases_give_each_outcome_its_own_keys() -> None:
    """Names in `models` and `generators` are classes or aliases, in the order of the outcomes."""
    spec = read(
        {"generator": "IndependentOptimizeAcqfGenerator", "model": "IndependentGPsModel"},
        ["binary", "continuous"],
        IndependentGPsModel={"models": ["afc", "GPRegressionModel"]},
        afc={"class": "GPClassificationModel", "floor": 0.5},
        IndependentOptimizeAcqfGenerator={"generators": ["low", "OptimizeAcqfGenerator"]},
        low={"class": "OptimizeAcqfGenerator", "acqf": "MCPosteriorVariance", "restarts": 3},
    )
    assert spec.stages[0].model.keys["models"][0].keys["floor"] == 0.5
    assert acquisitions(spec) == ["MCPosteriorVariance", "qLogNoisyExpectedImprovement"]
    assert spec.stages[0].generator.keys["generators"][0].keys["restarts"] == 3


def test_a_weighted_sum() -> None:
    """One function of the sum of all outcomes, weighted."""
    spec = read(
        {"generator": "OptimizeAcqfGenerator", "model": "IndependentGPsModel"},
        ["continuous", "continuous"],
        OptimizeAcqfGenerator={"acqf": "qLogNoisyExpectedImprovement"},
        qLogNoisyExpectedImprovement={"objective": "AffinePosteriorTransform"},
        AffinePosteriorTransform={"weights": [1, -0.5]},
    )
    objective = spec.stages[0].generator.keys["acqf"].keys["objective"]
    assert objective.keys["weights"] == ("1", "-0.5")
    assert "the sum of the outcomes, weighted by 1, -0.5, may be higher" in " ".join(describe(spec).split())


SUM = {"qLogNoisyExpectedImprovement": {"objective": "AffinePosteriorTransform"}}
OF_SUM = {"generator": "OptimizeAcqfGenerator", "acqf": "qLogNoisyExpectedImprovement"}


@pytest.mark.parametrize(
    ("stage", "types", "sections", "key"),
    [
        ({"model": "GPClassificationModel"}, ["binary"] * 2, {}, "model"),
        ({"generator": "OptimizeAcqfGenerator"}, ["binary"] * 2, {}, "generator"),
        ({"generator": "OptimizeAcqfGenerator", "acqf": "EAVC"}, ["binary"] * 2, {}, "generator"),
        (
            {"model": "IndependentGPsModel"},
            ["binary", "continuous"],
            {"IndependentGPsModel": {"models": ["GPClassificationModel"]}},
            "models",
        ),
        (
            {"model": "IndependentGPsModel"},
            ["binary", "continuous"],
            {"IndependentGPsModel": {"models": ["GPRegressionModel", "GPRegressionModel"]}},
            "model",
        ),
        (
            {"model": "IndependentGPsModel"},
            ["binary", "continuous"],
            {"IndependentGPsModel": {"models": ["GPClassificationModel", "IndependentGPsModel"]}},
            "models",
        ),
        (
            {"model": "IndependentGPsModel"},
            ["binary", "continuous"],
            {"IndependentGPsModel": {"models": ["GPClassificationModel", "GPRegresionModel"]}},
            "models",
        ),
        (
            {"generator": "IndependentOptimizeAcqfGenerator"},
            ["binary", "continuous"],
            {"IndependentOptimizeAcqfGenerator": {"generators": ["SobolGenerator", "OptimizeAcqfGenerator"]}},
            "generators",
        ),
        (OF_SUM, ["binary"] * 2, {**SUM, "AffinePosteriorTransform": {"weights": [1]}}, "weights"),
        (OF_SUM, ["binary"] * 2, {**SUM, "AffinePosteriorTransform": {"weights": [1, "a"]}}, "weights"),
        (OF_SUM, ["binary"] * 2, {**SUM, "AffinePosteriorTransform": {"weights": [0, 0]}}, "weights"),
        ({"model": "IndependentGPsModel"}, ["binary"], {}, "model"),
        (OF_SUM, ["continuous"], {**SUM, "AffinePosteriorTransform": {"weights": [1]}}, "objective"),
    ],
)
def test_what_does_not_go_together(
    stage: dict[str, Any], types: list[str], sections: dict[str, Any], key: str
) -> None:
    """Each is a problem at its key, with the mend."""
    with pytest.raises(FechnerError) as error:
        read(stage, types, **sections)
    found = [one for one in error.value.problems if one.key == key]
    assert found, error.value.problems
    assert found[0].hint or found[0].detail
