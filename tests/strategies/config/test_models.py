"""What the sections of models may say."""

from __future__ import annotations

from typing import Any

import pytest

from fechner.strategies.config import check
from fechner.strategies.config.describing.describe import describe
from fechner.strategies.errors import ConfigError

TEXT = """
[common]
parnames = [where, fixation, level]
outcome_types = [binary]
strategy_names = [explore, refine]
target = 0.75
[where]
par_type = continuous
lower_bound = -10
upper_bound = 10
[fixation]
par_type = fixed
value = 0
[level]
par_type = continuous
lower_bound = 0
upper_bound = 100
[explore]
generator = SobolGenerator
min_asks = 5
[refine]
generator = OptimizeAcqfGenerator
model = {model}
min_asks = 5
[OptimizeAcqfGenerator]
acqf = EAVC
[{model}]
{keys}
"""


def model(name: str, *keys: str) -> Any:
    """The model of the second stage."""
    return check(TEXT.format(model=name, keys="\n".join(keys))).stages[1].model


def problem(name: str, *keys: str) -> tuple[str, str, str]:
    """Section, key and detail of the only problem."""
    with pytest.raises(ConfigError) as caught:
        model(name, *keys)
    (one,) = caught.value.problems
    return one.section, one.key, one.detail


@pytest.mark.parametrize(
    ("written", "places"), [("[level]", (1,)), ("[-1, where]", (1, 0)), ("[2]", (1,)), ("0", (0,))]
)
def test_monotone_parameters_by_name_or_place(written: str, places: tuple[int, ...]) -> None:
    """Fixed parameters don't count in the model, but do in the places that a configuration names."""
    found = model("MonotonicProjectionGP", f"monotonic_dims = {written}")
    assert found.keys["monotonic_dims"] == places


@pytest.mark.parametrize(
    ("written", "detail"),
    [
        ("[fixation]", "'fixation' is fixed"),
        ("[loud]", "must be a list of parameters"),
        ("[7]", "must be a list of parameters"),
    ],
)
def test_monotone_parameters_must_be_there(written: str, detail: str) -> None:
    """A name that no parameter has, or that of a fixed one, is a problem at its place."""
    found = problem("MonotonicProjectionGP", f"monotonic_dims = {written}")
    assert found == ("MonotonicProjectionGP", "monotonic_dims", detail)


def test_a_monotone_model_in_words() -> None:
    """`fechner check` says with which parameters the probability grows."""
    text = TEXT.format(model="MonotonicProjectionGP", keys="monotonic_dims = [level]")
    assert "in which the probability grows with level" in describe(check(text))
    assert "grows with level" in describe(check(TEXT.format(model="MonotonicProjectionGP", keys="")))


def test_constraint_points_one_by_one() -> None:
    """Raw places become unit coordinates without fixed parameters; strengths have a default."""
    found = model(
        "GPClassificationModel",
        "constraint_locations = [[-10, 0], [0, 100]]",
        "constraint_values = [0.05, 0.9]",
    )
    assert found.keys["constraint_locations"] == (
        ((0.0, 0.0), 0.05, pytest.approx(0.11**2)),
        ((0.5, 1.0), 0.9, pytest.approx(0.28**2)),
    )
    strong = model(
        "MonotonicProjectionGP",
        "constraint_locations = [[10, 0, 50]]",
        "constraint_values = 0.5",
        "constraint_strengths = 0.01",
    )
    assert strong.keys["constraint_locations"] == (((1.0, 0.5), 0.5, 0.01),)
    assert model("GPClassificationModel").keys["constraint_locations"] == ()


def test_constraint_points_in_boxes() -> None:
    """A grid with the corners in it; sides without width have one point; large boxes are thinned."""
    boxes = "constraint_factory = known\n[known]\n"
    found = model(
        "GPClassificationModel",
        boxes + "constraint_lower = [[-10, 0], [-10, 100]]\nconstraint_upper = [[10, 0], [10, 100]]\n"
        "constraint_values = [0.1, 0.9]\npoints_per_dim = 3",
    ).keys["constraint_locations"]
    assert [place for place, _, _ in found] == [
        *((along, 0.0) for along in (0.0, 0.5, 1.0)),
        *((along, 1.0) for along in (0.0, 0.5, 1.0)),
    ]
    assert [value for _, value, _ in found] == [0.1] * 3 + [0.9] * 3
    whole = model(
        "GPClassificationModel",
        boxes + "constraint_lower = [-10, 0]\nconstraint_upper = [10, 100]\nconstraint_values = 0.5\n"
        "points_per_dim = 90",
    ).keys["constraint_locations"]
    assert len(whole) == 256


@pytest.mark.parametrize(
    ("keys", "key", "detail"),
    [
        ("constraint_locations = [[0, 1]]", "constraint_values", "is missing"),
        (
            "constraint_locations = [[0, 1]]\nconstraint_values = [0.1, 0.2]",
            "constraint_values",
            "has 2 numbers for 1 places",
        ),
        ("constraint_locations = [[0, 1]]\nconstraint_values = 2", "constraint_values", "is out of range"),
        (
            "constraint_locations = [[0, 1]]\nconstraint_values = 1\nconstraint_strengths = 0",
            "constraint_strengths",
            "is out of range",
        ),
        (
            "constraint_locations = [[0, 1, 2, 3]]\nconstraint_values = 1",
            "constraint_locations",
            "point 1 has 4 values for 2 parameters",
        ),
        ("constraint_factory = known", "constraint_factory", "there is no such section"),
        (
            "constraint_factory = known\n[known]\nconstraint_lower = [0, 0]\nconstraint_values = 0.1",
            "constraint_upper",
            "is missing",
        ),
        (
            "constraint_factory = known\n[known]\nconstraint_lower = [0, 5]\nconstraint_upper = [0, 1]\n"
            "constraint_values = 0.1",
            "constraint_upper",
            "lies below constraint_lower",
        ),
    ],
)
def test_constraint_points_that_cannot_be(keys: str, key: str, detail: str) -> None:
    """Each is one problem at its place."""
    assert problem("GPClassificationModel", keys)[1:] == (key, detail)


def test_rates_and_constraint_points_in_words() -> None:
    """`fechner check` says what is known beforehand and what is to be found out."""
    keys = "lapse = estimate\nfloor = 0.5\nconstraint_locations = [[0, 1]]\nconstraint_values = 0.5"
    said = describe(check(TEXT.format(model="GPClassificationModel", keys=keys)))
    assert "with guess rate 0.5 and an unknown lapse rate" in said
    assert "told the probability at one place beforehand" in said
    assert model("GPClassificationModel", "lapse = 0.02").keys["lapse"] == 0.02


def test_objectives_with_a_floor() -> None:
    """Their guess rate is their own; a target below it can't be reached."""
    text = TEXT.replace("acqf = EAVC", "acqf = MCLevelSetEstimation\n[MCLevelSetEstimation]\n{more}")
    objective = "objective = FloorLogitObjective\n[FloorLogitObjective]\nfloor = {floor}"
    for floor, fits in ((0.25, True), (0.8, False)):
        more = objective.format(floor=floor)
        whole = text.format(model="GPClassificationModel", keys="", more=more)
        if fits:
            spec = check(whole)
            acqf = spec.stages[1].generator.keys["acqf"]
            assert acqf.keys["objective"].keys == {"floor": 0.25}
            assert "FloorLogitObjective with guess rate 0.25" in describe(spec)
        else:
            with pytest.raises(ConfigError) as caught:
                check(whole)
            assert caught.value.problems[0].key == "target"


def test_models_are_told_which_parameters_are_categorical() -> None:
    """Numbers of choices, 0 for numbers; nothing where there is none, and every part of a model is told."""
    config: dict[str, Any] = {
        "common": {"parnames": ["a", "f", "b"], "outcome_types": ["binary"], "strategy_names": ["opt"]},
        "a": {"par_type": "continuous", "lower_bound": 0, "upper_bound": 1},
        "f": {"par_type": "fixed", "value": "x"},
        "b": {"par_type": "categorical", "choices": ["x", "y", "z"]},
        "opt": {"min_asks": 5, "model": "GPClassificationModel", "generator": "OptimizeAcqfGenerator"},
    }
    model = check(config).stages[0].model
    assert model is not None
    assert model.keys["categories"] == (0, 3)
    several = {
        **config,
        "common": {**config["common"], "outcome_types": ["binary", "continuous"]},
        "opt": {"min_asks": 5},
    }
    both = check(several).stages[0].model
    assert both is not None
    assert [part.keys["categories"] for part in both.keys["models"]] == [(0, 3), (0, 3)]
    numbers = (
        check({**config, "b": {"par_type": "integer", "lower_bound": 1, "upper_bound": 3}}).stages[0].model
    )
    assert numbers is not None
    assert "categories" not in numbers.keys


@pytest.mark.parametrize(
    ("sections", "key"),
    [
        ({"opt": {"min_asks": 5, "model": "MonotonicProjectionGP"}}, "monotonic_dims"),
        (
            {
                "opt": {"min_asks": 5, "model": "GPClassificationModel"},
                "GPClassificationModel": {"mean_covar_factory": "SongMeanCovarFactory"},
            },
            "stim_dim",
        ),
        (
            {
                "opt": {"min_asks": 5, "model": "GPClassificationModel"},
                "GPClassificationModel": {"mean_covar_factory": "MixedMeanCovarFactory"},
                "MixedMeanCovarFactory": {"discrete_kernel": "RBFKernel"},
            },
            "discrete_kernel",
        ),
    ],
)
def test_what_needs_an_order_and_what_needs_none(sections: dict[str, Any], key: str) -> None:
    """Categories can't be grown with, nor be an intensity; kernels are of numbers or of categories."""
    config: dict[str, Any] = {
        "common": {"parnames": ["a", "b"], "outcome_types": ["binary"], "strategy_names": ["opt"]},
        "a": {"par_type": "continuous", "lower_bound": 0, "upper_bound": 1},
        "b": {"par_type": "categorical", "choices": ["x", "y", "z"]},
        **sections,
    }
    with pytest.raises(ConfigError) as caught:
        check(config)
    assert [one.key for one in caught.value.problems] == [key]
