"""Stages: which generator, model and acquisition function they get, and what doesn't go together."""

from __future__ import annotations

from typing import Any

import pytest

from fechner.strategies.config import Specification, check
from fechner.strategies.errors import ConfigError, Problem

P = {"par_type": "continuous", "lower_bound": 0, "upper_bound": 1}


def configuration(
    stage: dict[str, Any], outcome: Any = "binary", **sections: dict[str, Any]
) -> dict[str, Any]:
    return {
        "common": {
            "parnames": ["p", "q"],
            "outcome_types": outcome,
            "strategy_names": ["s"],
            **sections.pop("common", {}),
        },
        "p": P,
        "q": sections.pop("q", {"par_type": "fixed", "value": 3}),
        "s": {"min_asks": 5, **stage},
        **sections,
    }


def read(stage: dict[str, Any], outcome: Any = "binary", **sections: dict[str, Any]) -> Specification:
    return check(configuration(stage, outcome, **sections))


def problem(stage: dict[str, Any], outcome: Any = "binary", **sections: dict[str, Any]) -> Problem:
    with pytest.raises(ConfigError) as caught:
        read(stage, outcome, **sections)
    assert len(caught.value.problems) == 1, [str(found) for found in caught.value.problems]
    return caught.value.problems[0]


def acqf(spec: Specification) -> Any:
    return spec.stages[0].generator.keys["acqf"]


def test_no_generator_named():
    """It is the best for outcome and model; where no model is named, the one for the outcome, and said so."""
    spec = read({})
    assert (acqf(spec).name, spec.stages[0].model.name) == ("EAVC", "GPClassificationModel")
    assert {(w.key, w.code) for w in spec.warnings} == {("model", "chosen")}
    pair = read({}, common={"stimuli_per_trial": 2})
    assert (acqf(pair).name, pair.stages[0].model.name) == (
        "AnalyticExpectedUtilityOfBestOption",
        "PairwiseProbitModel",
    )
    rated = read({}, "ordinal", OrdinalLikelihood={"n_levels": 7})
    assert (acqf(rated).name, rated.stages[0].model.name) == (
        "MCPosteriorVariance",
        "OrdinalGPModel",
    )
    assert rated.stages[0].model.keys["n_levels"] == 7
    words = read({}, "ordinal", common={"stimuli_per_trial": 2})
    assert (words.stages[0].generator.name, words.stages[0].model) == ("SobolGenerator", None)
    spec = read({"generator": "auto", "model": "GPClassificationModel"})
    assert (acqf(spec).name, acqf(spec).keys["target"], spec.warnings) == ("EAVC", 0.75, ())
    spec = read({"model": "GPClassificationModel"}, common={"target": 0.6})
    assert acqf(spec).keys["target"] == 0.6
    spec = read({"model": "GPRegressionModel"}, "continuous")
    assert acqf(spec).name == "qLogNoisyExpectedImprovement"
    spec = read({"model": "GPClassificationModel"}, OptimizeAcqfGenerator={"restarts": 3, "samps": 64})
    assert spec.stages[0].generator.keys["restarts"] == 3


@pytest.mark.parametrize(
    ("outcome", "model"), [("binary", "GPClassificationModel"), ("continuous", "GPRegressionModel")]
)
def test_no_model_named(outcome: str, model: str):
    """A generator that needs a model gets the one for the outcome, with a warning."""
    spec = read({"generator": "OptimizeAcqfGenerator"}, outcome)
    assert spec.stages[0].model is not None
    assert spec.stages[0].model.name == model
    assert {(w.key, w.code) for w in spec.warnings} == {("acqf", "chosen"), ("model", "chosen")}


def test_aliases():
    """A section with `class` is another name for that class, with its own keys."""
    spec = read(
        {"generator": "OptimizeAcqfGenerator", "model": "mine"},
        OptimizeAcqfGenerator={"acqf": "wide"},
        wide={"class": "EAVC", "target": 0.7, "query_set_size": 64},
        mine={"class": "GPClassificationModel", "floor": 0.5, "lapse": 0.02},
    )
    assert acqf(spec).name == "EAVC"
    assert acqf(spec).keys["query_set_size"] == 64
    assert spec.stages[0].model is not None
    assert spec.stages[0].model.keys["floor"] == 0.5
    assert spec.warnings == ()


def test_seeds_do_not_inherit():
    """[common]'s seed ranks last, so neither stage nor generator takes it over; their own are kept."""
    spec = read({"seed": 4, "generator": "SobolGenerator"}, common={"seed": 3}, SobolGenerator={"seed": 5})
    assert (spec.seed, spec.stages[0].seed, spec.stages[0].generator.keys["seed"]) == (3, 4, 5)
    spec = read({}, common={"seed": 3})
    assert (spec.seed, spec.stages[0].seed, spec.stages[0].generator.keys["seed"]) == (3, None, None)


def test_manual_points():
    """Points have one value per parameter; fixed ones may be left out; no other end is needed."""
    stage = {"generator": "ManualGenerator", "min_asks": None}
    for points in ([0.1, 1], [[0.1], [1.0000001]], [[0.1, 3], [1, 3]], "[[.1], [1]]"):
        spec = read(stage, ManualGenerator={"points": points})
        assert spec.stages[0].generator.keys == {
            "points": ((0.1, 3), (1.0, 3)),
            "shuffle": True,
            "seed": None,
        }
    pairs = read(
        stage, common={"stimuli_per_trial": 2}, ManualGenerator={"points": [[[0.1, 0.2]], [[0.3, 1]]]}
    )
    assert pairs.stages[0].generator.keys["points"] == (((0.1, 0.2), 3), ((0.3, 1.0), 3))
    side = {"par_type": "categorical", "choices": ["a", "b, c"]}
    words = read(stage, q=side, ManualGenerator={"points": [[0.1, "b, c"]]})
    assert words.stages[0].generator.keys["points"] == ((0.1, "b, c"),)


@pytest.mark.parametrize(
    ("points", "detail"),
    [
        (None, "is missing"),
        ([], "must be a list of points"),
        ("[[0.1], [2]]", "point 2: 2 is outside the range of 'p'; 'p' runs from 0 to 1"),
        ([[0.1, 3, 4]], "point 1 has 3 values for 1 parameter"),
        ([[0.1, 4]], "point 1: 'q' is fixed at 3, not 4"),
        ([["a"]], "point 1, 'p': must be a number"),
        ([[[0.1, 0.2]]], "point 1, 'p': needs 1 value, one per stimulus"),
        ([[[[0.1]]]], "point 1, 'p': has a list too many"),
        ("[[0.1], [nan]]", "point 2, 'p': must be a number"),
    ],
)
def test_points_that_cannot_be(points: Any, detail: str):
    """A bad point is told with its number, its parameter and the range."""
    found = problem({"generator": "ManualGenerator"}, ManualGenerator={"points": points, "shuffle": False})
    assert (found.section, found.key, found.detail) == ("ManualGenerator", "points", detail)


@pytest.mark.parametrize(
    ("stage", "outcome", "key", "code"),
    [
        ({"model": "GPRegressionModel", "generator": "SobolGenerator"}, "binary", "model", "does_not_fit"),
        (
            {"model": "GPClassificationModel", "generator": "SobolGenerator"},
            "continuous",
            "model",
            "does_not_fit",
        ),
        ({"model": "GPRegressionModel", "acqf": "wide"}, "continuous", "acqf", "does_not_fit"),
        (
            {"model": "GPClassificationModel", "generator": "SobolGenerator"},
            ["binary"] * 2,
            "model",
            "does_not_fit",
        ),
        ({"model": "GPClasificationModel"}, "binary", "model", "unknown_name"),
        ({"model": "SobolGenerator"}, "binary", "model", "wrong_kind"),
        ({"model": "SemiParametricGPModel"}, "continuous", "model", "does_not_fit"),
        ({"generator": "StaircaseGenerator"}, "binary", "generator", "not_supported"),
        ({"model": "OrdinalGPModel", "generator": "SobolGenerator"}, "binary", "model", "does_not_fit"),
        ({"model": "OrdinalGPModel", "acqf": "wide"}, "ordinal", "acqf", "does_not_fit"),
        ({"min_post_range": 0.2, "generator": "SobolGenerator"}, "binary", "min_post_range", "bad_value"),
        ({"refit_every": 0}, "binary", "refit_every", "bad_value"),
        ({"max_asks": 2.5}, "binary", "max_asks", "bad_value"),
    ],
)
def test_what_does_not_go_together(stage: dict[str, Any], outcome: Any, key: str, code: str):
    """Each combination that can't work is one problem, at its key."""
    wide = {"wide": {"class": "EAVC", "target": 0.5}} if stage.get("acqf") else {}
    found = problem(stage, outcome, **wide)
    assert (found.section, found.key, found.code) == ("s", key, code)
    assert found.hint


@pytest.mark.parametrize("kind", ["integer", "binary", "discrete", "categorical"])
def test_models_over_other_parameters(kind: str):
    """Models take every type of parameter; a stage that names nothing is modelled as well."""
    keys = {
        "integer": {"lower_bound": 1, "upper_bound": 4},
        "discrete": {"values": [1, 2, 5]},
        "categorical": {"choices": ["a", "b"]},
    }
    other = {"par_type": kind, **keys.get(kind, {})}
    for stage in ({"model": "GPClassificationModel"}, {}):
        assert read(stage, q=other).stages[0].generator.name == "OptimizeAcqfGenerator"


@pytest.mark.parametrize("kind", ["integer", "binary", "categorical"])
def test_pairs_over_other_parameters(kind: str):
    """Models of pairs take integers, binaries and categories."""
    other = {"par_type": kind, "lower_bound": 1, "upper_bound": 4, "choices": ["a", "b"]}
    spec = read({}, common={"stimuli_per_trial": 2}, q=other)
    assert spec.stages[0].model is not None


def test_models_and_stimuli_go_together():
    """Models, acquisition functions and factories of pairs want pairs, those of one stimulus one."""
    two = {"stimuli_per_trial": 2}
    found = problem({"model": "GPClassificationModel"}, common=two)
    assert (found.key, found.code, found.hint) == (
        "model",
        "does_not_fit",
        "stimuli_per_trial = 1, or PairwiseProbitModel",
    )
    found = problem({"model": "PairwiseProbitModel", "generator": "SobolGenerator"})
    assert (found.key, found.code) == ("model", "does_not_fit")
    assert found.hint.startswith("stimuli_per_trial = 2, or GPClassificationModel")
    found = problem({"model": "PairwiseProbitModel", "acqf": "EAVC"}, common={**two, "target": 0.75})
    assert (found.key, found.code) == ("acqf", "does_not_fit")
    found = problem({"model": "PairwiseProbitModel"}, "continuous", common=two)
    assert (found.key, found.code) == ("model", "does_not_fit")
    found = problem(
        {"model": "GPClassificationModel"},
        GPClassificationModel={"mean_covar_factory": "PairwiseMeanCovarFactory"},
    )
    assert (found.key, found.code) == ("mean_covar_factory", "does_not_fit")


def test_shared_dimensions():
    """Parameters that both stimuli share are named or counted from 0; one at least is left to differ."""
    q = {"par_type": "continuous", "lower_bound": 0, "upper_bound": 2}

    def pairwise(shared: Any) -> dict[str, Any]:
        return {
            "common": {"stimuli_per_trial": 2},
            "q": q,
            "PairwiseProbitModel": {"mean_covar_factory": "PairwiseMeanCovarFactory"},
            "PairwiseMeanCovarFactory": {"shared_dims": shared},
        }

    stage = {"model": "PairwiseProbitModel"}
    for shared in (["q"], [1]):
        model = read(stage, **pairwise(shared)).stages[0].model
        assert model is not None
        assert model.keys["mean_covar_factory"].keys["shared_dims"] == tuple(map(str, shared))
    assert "no parameter 'r'" in problem(stage, **pairwise(["r"])).detail
    assert "nothing in which" in problem(stage, **pairwise(["p", 1])).detail


@pytest.mark.parametrize(
    ("acquisition", "key"),
    [
        ({"class": "EAVC"}, "target"),
        ({"class": "EAVC", "target": 1}, "target"),
        ({"class": "ApproxGlobalSUR", "target": 0.4, "lookahead_type": "posterior"}, "lookahead_type"),
        ({"class": "EAVC", "target": 0.7, "lookahead_type": "posteriori"}, "lookahead_type"),
        ({"class": "MCLevelSetEstimation", "beta": -1, "objective": "ProbitObjective"}, "beta"),
        ({"class": "MCLevelSetEstimation", "objective": "GaussianLikelihood"}, "objective"),
        ({"class": "MCLevelSetEstimation", "objective": "ProbitObjective", "target": 1.2}, "target"),
        ({"class": "qMultiFidelityKnowledgeGradient"}, "class"),
        ({"class": "UpperConfidenceBound"}, "beta"),
    ],
)
def test_acquisition_functions_that_cannot_be(acquisition: dict[str, Any], key: str):
    """Targets that are no probability, missing targets and later parts are told at their key."""
    found = problem({"model": "GPClassificationModel", "acqf": "mine"}, mine=acquisition)
    assert found.key == key


def test_targets_respect_guessing():
    """A target below the guess rate is never crossed."""
    model = {"class": "GPClassificationModel", "floor": 0.5}
    found = problem({"model": "m", "acqf": "a"}, m=model, a={"class": "EAVC", "target": 0.4})
    assert "between 0.5 and 1" in found.hint
    assert problem({"model": "m"}, m={**model, "lapse": 0.6}, common={"target": 0.45}).key == "lapse"


def test_a_target_on_the_latent_scale_is_doubtful():
    """MCLevelSetEstimation without objective means the latent function: said as a warning."""
    spec = read({"model": "GPClassificationModel", "acqf": "a"}, a={"class": "MCLevelSetEstimation"})
    assert acqf(spec).keys == {"target": 0.75, "beta": 3.84, "objective": None}
    assert "latent_target" in [warning.code for warning in spec.warnings]


def test_doubtful_ends():
    """A stage that never ends before others, and a limit below what is needed, are warnings."""
    config = configuration({"run_indefinitely": True, "generator": "SobolGenerator"})
    config["common"]["strategy_names"] = ["s", "t"]
    config["t"] = {"min_asks": 10, "max_asks": 5, "generator": "SobolGenerator"}
    assert {(w.section, w.key) for w in check(config).warnings} == {
        ("s", "run_indefinitely"),
        ("t", "max_asks"),
    }


def test_outcomes():
    """Names and types of several outcomes; ordinal ones have levels."""
    spec = read(
        {},
        ["binary", "ordinal"],
        common={"outcome_names": ["seen", "rating"]},
        OrdinalLikelihood={"n_levels": 4},
    )
    assert [(o.name, o.type, o.n_levels) for o in spec.outcomes] == [
        ("seen", "binary", 0),
        ("rating", "ordinal", 4),
    ]
    assert problem({}, common={"outcome_names": ["a", "b"]}).key == "outcome_names"
    assert problem({}, ["binary"] * 2, common={"outcome_names": ["a", "a"]}).key == "outcome_names"
    assert problem({}, "binry").hint == "did you mean 'binary'?"
    assert problem({}, None).code == "missing_key"
    assert read({"outcome_types": "continuous"}, None).outcomes[0].type == "continuous"


def test_occurrences():
    """Each of two binary outcomes must have occurred once, unless the file says otherwise."""
    assert read({}).stages[0].min_total_outcome_occurrences == 1
    assert read({}, "continuous").stages[0].min_total_outcome_occurrences == 0
    assert read({"min_total_outcome_occurrences": 0}).stages[0].min_total_outcome_occurrences == 0


@pytest.mark.parametrize("name", ["AcqfGridSearchGenerator", "EpsilonGreedyGenerator"])
def test_generators_of_one_outcome(name: str):
    """Those that choose by one acquisition function are refused where there are several outcomes."""
    found = problem({"generator": name, "acqf": "MCPosteriorVariance"}, ["binary", "binary"])
    assert (found.key, found.code) == ("generator", "does_not_fit")


def test_the_mixed_generator_is_the_usual_one():
    """MixedOptimizeAcqfGenerator reads its own section and does what OptimizeAcqfGenerator does."""
    stage = read(
        {"generator": "MixedOptimizeAcqfGenerator"},
        MixedOptimizeAcqfGenerator={"acqf": "BernoulliMCMutualInformation", "samps": 99},
    ).stages[0]
    assert (stage.generator.name, stage.generator.keys["samps"]) == ("OptimizeAcqfGenerator", 99)
