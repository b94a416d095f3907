"""Every class of the registry passes the conformance tests of plug-ins; what is wrong is found."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from fechner.strategies import plugins
from fechner.strategies.acquisition import Acquisition, of_moments
from fechner.strategies.config import check
from fechner.strategies.config.tables.registry import CLASSES
from fechner.strategies.models.families import gp_regression
from fechner.strategies.specification import Component
from fechner.strategies.testing import (
    NonconformingError,
    check_acquisition,
    check_generator,
    check_model,
)

MODELS = {
    ("binary", 1): "GPClassificationModel",
    ("continuous", 1): "GPRegressionModel",
    ("ordinal", 1): "OrdinalGPModel",
    ("binary", 2): "PairwiseProbitModel",
}
#: Of those that work with one model alone.
OWN_MODELS = {"IntensityAwareSemiPGenerator": "SemiParametricGPModel"}
NEEDED: dict[str, Any] = {
    "points": [[0.2, 0.3], [0.7, 0.8], [0.4, 0.4]],
    "window": [0.1, 0.1],
    "target": 0.75,
    "beta": 2.0,
    "samples_per_point": 3,
    "ref_point": [0, 0],
    "best_f": 0.5,
    "constraints": [[1, 0, 20]],
}


def named(kind: str) -> list[str]:
    """The supported classes of a kind."""
    return sorted(name for name, entry in CLASSES.items() if entry.kind == kind and entry.supported)


def stage(name: str, outcome: str, stimuli: int) -> Any:
    """A stage that uses a class, its keys at their defaults, and cheap where they cost time."""
    entry = CLASSES[name]
    own = {key: NEEDED[key] for key, one in entry.keys.items() if one.required}
    chosen = "MCPosteriorVariance" if stimuli == 1 else "AnalyticExpectedUtilityOfBestOption"
    config: dict[str, dict[str, Any]] = {
        "common": {
            "parnames": ["a", "b"],
            "outcome_types": [outcome] if " " not in outcome else outcome.split(),
            "stimuli_per_trial": stimuli,
            "strategy_names": ["opt"],
        },
        **{p: {"par_type": "continuous", "lower_bound": 0, "upper_bound": 1} for p in ("a", "b")},
        "opt": {"generator": "OptimizeAcqfGenerator", "min_asks": 2},
        "OptimizeAcqfGenerator": {"samps": 64, "restarts": 2, "acqf": chosen},
    }
    if entry.kind == "generator":
        config["opt"]["generator"] = name
        config.setdefault(name, {}).update(own)
        if "acqf" in entry.keys:
            config[name] |= {"acqf": chosen, "samps": 64}
    else:
        config.setdefault(name, {}).update(own)
        if entry.kind == "acquisition":
            config["OptimizeAcqfGenerator"]["acqf"] = name
    if " " in outcome:
        config["opt"]["model"] = "IndependentGPsModel"
        if entry.kind != "acquisition":
            config["OptimizeAcqfGenerator"] |= {"acqf": "qLogNoisyExpectedImprovement"}
    else:
        usual = OWN_MODELS.get(name) or MODELS[outcome, stimuli]
        config["opt"]["model"] = name if entry.kind == "model" else usual
    return check(config).stages[0]


def kinds(name: str) -> tuple[list[str], int]:
    """The outcomes and stimuli that a class works with; pairs have binary outcomes."""
    entry = CLASSES[name]
    stimuli = entry.stimuli or 1
    every = entry.outcome.split() or ["binary", "continuous", "ordinal"]
    return (every if stimuli == 1 else ["binary"]), stimuli


#: Of what is not known about the hyperparameters, so that a posterior alone isn't enough.
DISAGREEMENT = "qBayesianActiveLearningByDisagreement"


def alone(name: str) -> bool:
    """Whether an acquisition function is one of a point, given a posterior."""
    entry = CLASSES[name]
    return entry.stimuli != 2 and not entry.several and name != DISAGREEMENT


def through_a_generator(name: str) -> bool:
    """Whether an acquisition function has pairs too, several outcomes, or more than a posterior."""
    return CLASSES[name].stimuli != 1 or CLASSES[name].several or name == DISAGREEMENT


@pytest.mark.parametrize("name", named("model"))
def test_our_models_conform(name: str) -> None:
    """Each with the outcomes it is for."""
    if name == "IndependentGPsModel":
        component = Component(name, {"models": (Component("GPRegressionModel"),) * 2, "weights": None})
        check_model(component, outcome="continuous continuous")
        return
    [outcome], stimuli = kinds(name)
    check_model(stage(name, outcome, stimuli).model, outcome=outcome, stimuli=stimuli)


@pytest.mark.parametrize("name", [name for name in named("acquisition") if alone(name)])
def test_our_acquisition_functions_conform(name: str) -> None:
    """With each of the outcomes that they are for."""
    for outcome in kinds(name)[0]:
        check_acquisition(stage(name, outcome, 1).generator.keys["acqf"], outcome=outcome)


@pytest.mark.parametrize("name", [*named("generator"), *filter(through_a_generator, named("acquisition"))])
def test_our_generators_conform(name: str) -> None:
    """Generators, and through theirs the acquisition functions of pairs and of several outcomes."""
    entry = CLASSES[name]
    outcome, stimuli = "binary", 1
    if entry.several:
        outcome = "continuous continuous"
    elif name == "IndependentOptimizeAcqfGenerator":
        outcome = "binary continuous"
    elif entry.kind == "acquisition" and entry.stimuli != 1:
        stimuli = 2
    elif entry.kind == "acquisition" and entry.outcome:
        outcome = entry.outcome.split()[0]
    found = stage(name, outcome, stimuli)
    check_generator(found.generator, model=found.model, outcome=outcome, stimuli=stimuli, n=8)


def regression(**changes: Any) -> plugins.Plugin:
    """A model that conforms, but for what is changed."""

    def fit(component: Any, x: Any, y: Any, start: Any = None, *, poll: Any = None) -> Any:
        return gp_regression.fit(component, x, y, poll=poll) | changes.get("more", dict)()

    return plugins.model(
        "Changed",
        fit=changes.get("fit", fit),
        posterior=changes.get("posterior", gp_regression.posterior),
        outcome="continuous",
    )


def test_a_model_that_conforms_passes() -> None:
    """The pattern of the ones below."""
    check_model(regression())


class Counting:
    """Something else at every call."""

    def __init__(self) -> None:
        self.calls = 0

    def __call__(self) -> dict[str, float]:
        self.calls += 1
        return {"calls": self.calls}


def noisy(component: Any, x: Any, y: Any, start: Any = None, *, poll: Any = None) -> Any:
    np.random.random()
    return gp_regression.fit(component, x, y, poll=poll)


def changing(component: Any, x: Any, y: Any, start: Any = None, *, poll: Any = None) -> Any:
    fitted = gp_regression.fit(component, x, y, poll=poll)
    y += 1
    return fitted


def stubborn(component: Any, x: Any, y: Any, start: Any = None, *, poll: Any = None) -> Any:
    try:
        return gp_regression.fit(component, x, y, poll=poll)
    except BaseException:
        return gp_regression.fit(component, x, y)


def unsure(component: Any, x: Any, y: Any, hyperparameters: Any, *, poll: Any = None) -> Any:
    return gp_regression.posterior(component, x, y, {**hyperparameters, "variance": float("nan")})


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"more": Counting()}, "second time"),
        ({"fit": noisy}, "global random generator"),
        ({"fit": changing}, "changes an array"),
        ({"fit": stubborn}, "goes on after poll raised"),
        ({"posterior": unsure}, "finite"),
    ],
)
def test_what_is_wrong_with_a_model_is_said(changes: dict[str, Any], said: str) -> None:
    """Each fault by its name."""
    with pytest.raises(NonconformingError, match=said):
        check_model(regression(**changes))


def acquisition(build: Any) -> plugins.Plugin:
    return plugins.acquisition("Changed", build=build, outcome="continuous")


def sloped(component: Any, posterior: Any, *, seed: int) -> Acquisition:
    right = of_moments(posterior, lambda mean, variance: mean)
    assert right.gradients is not None
    return Acquisition(right.values, 64, 1e-5, lambda x: (right.values(x), np.zeros_like(x)))


@pytest.mark.parametrize(
    ("build", "said"),
    [
        (sloped, "differ from differences"),
        (lambda c, p, *, seed: Acquisition(lambda x: x, 64, 1e-5), r"\(12, 2\) values"),
        (lambda c, p, *, seed: Acquisition(lambda x: x[:, 0] / 0.0, 64, 1e-5), "not finite"),
        (lambda c, p, *, seed: Acquisition(lambda x: x[:, 0] - x.mean(), 64, 1e-5), "points beside it"),
    ],
)
@pytest.mark.filterwarnings("ignore:divide by zero")
def test_what_is_wrong_with_an_acquisition_function_is_said(build: Any, said: str) -> None:
    """Slopes, shapes, values."""
    check_acquisition(acquisition(lambda c, p, *, seed: of_moments(p, lambda mean, variance: mean)))
    with pytest.raises(NonconformingError, match=said):
        check_acquisition(acquisition(build))


def test_what_is_wrong_with_a_generator_is_said() -> None:
    """Points outside the box are an error of the ask itself; one that draws by itself is found out."""
    middle = plugins.generator("Middle", generate=lambda c, r: np.full((r.n, r.stimuli, r.space.d), 0.5))
    check_generator(middle)
    random = np.random.default_rng(1)
    drawn = plugins.generator("Drawn", generate=lambda c, r: random.uniform(size=(r.n, r.stimuli, r.space.d)))
    with pytest.raises(NonconformingError, match="second time"):
        check_generator(drawn)
