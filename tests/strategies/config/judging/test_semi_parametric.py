"""What goes together with the semi-parametric models."""

from typing import Any

import pytest

from fechner.strategies.config import check
from fechner.strategies.config.describing.describe import describe
from fechner.strategies.errors import ConfigError

CONFIG: dict[str, dict[str, Any]] = {
    "common": {"parnames": ["a", "b"], "outcome_types": ["binary"], "strategy_names": ["opt"]},
    "a": {"par_type": "continuous", "lower_bound": 0, "upper_bound": 1},
    "b": {"par_type": "categorical", "choices": ["x", "y"]},
    "opt": {"generator": "OptimizeAcqfGenerator", "model": "SemiParametricGPModel", "min_asks": 5},
    "OptimizeAcqfGenerator": {"acqf": "MCPosteriorVariance"},
    "MCPosteriorVariance": {"objective": "SemiPThresholdObjective"},
}


def problems(**more: dict[str, Any]) -> list[tuple[str, str, str]]:
    """Section, key and detail of what is wrong."""
    with pytest.raises(ConfigError) as caught:
        check({**CONFIG, **more})
    return [(one.section, one.key, one.detail) for one in caught.value.problems]


def test_keys_are_read() -> None:
    """The intensity is the first parameter if none is named; the target may stand in [common]."""
    stage = check({**CONFIG, "common": {**CONFIG["common"], "target": 0.6}}).stages[0]
    assert stage.model is not None
    assert stage.model.keys["slope_mean"] == 2.0
    assert stage.model.keys["stim_dim"] is None
    assert stage.generator.keys["acqf"].keys["objective"].keys["target"] == 0.6
    named = check({**CONFIG, "SemiParametricGPModel": {"stim_dim": "a", "slope_mean": 9}}).stages[0].model
    assert named is not None
    assert named.keys["stim_dim"] == (0,)
    assert "curves of a have a slope" in describe(check(CONFIG))


def test_the_generator_fills_in_what_is_not_named() -> None:
    """Threshold, BALD, and the model; `fechner check` says so."""
    specification = check({**CONFIG, "opt": {"generator": "IntensityAwareSemiPGenerator", "min_asks": 5}})
    stage = specification.stages[0]
    assert stage.model is not None
    assert stage.model.name == "SemiParametricGPModel"
    assert stage.generator.keys["context_objective"].name == "SemiPThresholdObjective"
    assert stage.generator.keys["acqf"].name == "BernoulliMCMutualInformation"
    assert "where the threshold is least known" in describe(specification)


def test_parts_without_the_model_are_refused() -> None:
    """Objectives and the generator need a semi-parametric model."""
    other = {"opt": {**CONFIG["opt"], "model": "GPClassificationModel"}}
    assert problems(**other) == [
        ("MCPosteriorVariance", "objective", "is for semi-parametric models"),
    ]
    other["opt"]["generator"] = "IntensityAwareSemiPGenerator"
    assert {key for _, key, _ in problems(**other)} == {"generator", "context_objective"}


def test_no_outcome_tells_a_threshold() -> None:
    """The threshold's objective goes with the variance alone."""
    (problem,) = problems(
        OptimizeAcqfGenerator={"acqf": "BernoulliMCMutualInformation"},
        BernoulliMCMutualInformation={"objective": "SemiPThresholdObjective"},
    )
    assert problem[:2] == ("BernoulliMCMutualInformation", "objective")


@pytest.mark.parametrize(
    ("given", "detail"), [(["a", "b"], "the intensity is one"), ("b", "no order"), ("c", "must be a list")]
)
def test_the_intensity_is_one_parameter_with_an_order(given: Any, detail: str) -> None:
    """Anything else is refused."""
    (problem,) = problems(SemiParametricGPModel={"stim_dim": given})
    assert problem[:2] == ("SemiParametricGPModel", "stim_dim")
    assert detail in problem[2]


def test_what_the_model_has_not_yet() -> None:
    """A factory and an unknown lapse rate are refused by name."""
    found = problems(SemiParametricGPModel={"mean_covar_factory": "DefaultMeanCovarFactory"})
    assert found[0][:2] == ("SemiParametricGPModel", "mean_covar_factory")
    assert problems(SemiParametricGPModel={"lapse": "estimate"})[0][:2] == ("SemiParametricGPModel", "lapse")
