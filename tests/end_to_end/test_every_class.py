"""Every class that a configuration can name: setup, asks, tells, a query over a socket, and the replay."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from fechner.database.record import Record
from fechner.server.session.replay import verify
from fechner.strategies.config.tables.registry import CLASSES, Entry

Config = dict[str, dict[str, Any]]

#: Models by (outcome, stimuli), and an acquisition function that goes with each.
MODELS = {
    ("binary", 1): "GPClassificationModel",
    ("continuous", 1): "GPRegressionModel",
    ("ordinal", 1): "OrdinalGPModel",
    ("binary", 2): "PairwiseProbitModel",
}
CHOSEN_BY = {
    "binary": "MCLevelSetEstimation",
    "continuous": "qLogNoisyExpectedImprovement",
    "ordinal": "BernoulliMCMutualInformation",
}
#: Values of keys that a class can't do without.
NEEDED: dict[str, Any] = {
    "points": [[0.2, 0.3], [0.7, 0.8]],
    "window": [0.1, 0.1],
    "target": 0.75,
    "value": [1.0],
    "floor": 0.5,
    "beta": 2.0,
    "samples_per_point": 3,
    "ref_point": [-1.0, -1.0],
    "weights": [1.0, -1.0],
    "constraints": [[1, 0.2, None]],
    "power": 2,
    "noise": 0.01,
    "base_kernel": "MaternKernel",
    "kernels": ["MaternKernel", "LinearKernel"],
}


def needed(name: str) -> dict[str, Any]:
    """A section with what its class demands."""
    return {key: NEEDED[key] for key, entry in CLASSES[name].keys.items() if entry.required}


def outcome_of(entry: Entry) -> tuple[str, int]:
    """The outcome type and the stimuli that a class works with; binary and one where it takes any."""
    kinds = entry.outcome.split() or ["binary"]
    return kinds[0], entry.stimuli or 1


def configuration(name: str, outcome: str, stimuli: int) -> Config:
    """Two stages whose second uses the class."""
    entry = CLASSES[name]
    model = name if entry.kind == "model" else MODELS[outcome, stimuli]
    generator = name if entry.kind == "generator" else "OptimizeAcqfGenerator"
    acquisition = "AnalyticExpectedUtilityOfBestOption" if stimuli == 2 else CHOSEN_BY[outcome]
    if entry.kind == "acquisition":
        acquisition = name
    config: Config = {
        "common": {
            "parnames": ["a", "b"],
            "outcome_types": [outcome],
            "stimuli_per_trial": stimuli,
            "strategy_names": ["init", "opt"],
        },
        **{p: {"par_type": "continuous", "lower_bound": 0, "upper_bound": 1} for p in ("a", "b")},
        "init": {"generator": "SobolGenerator", "min_asks": 6, "min_total_outcome_occurrences": 0},
        "opt": {"generator": generator, "min_asks": 2, "min_total_outcome_occurrences": 0, "model": model},
        model: needed(model),
        generator: {**needed(generator)},
    }
    if "acqf" in CLASSES[generator].keys:
        config[generator] |= {"acqf": acquisition}
        config.setdefault(acquisition, {}).update(needed(acquisition))
    if "samps" in CLASSES[generator].keys:
        config[generator] |= {"samps": 128}
    if entry.kind == "objective":
        config[acquisition]["objective"] = name
        config.setdefault(name, {}).update(needed(name))
    elif entry.kind == "factory":
        config[model]["mean_covar_factory"] = name
    elif entry.kind == "likelihood":
        config[model]["likelihood"] = name
        config.setdefault(name, {}).update(needed(name))
    elif entry.kind == "allocator":
        config[model]["inducing_point_method"] = name
    elif entry.kind == "kernel":
        factory = "PairwiseMeanCovarFactory" if stimuli == 2 else "DefaultMeanCovarFactory"
        config[model]["mean_covar_factory"] = factory
        config.setdefault(factory, {})["cov_kernel"] = name
        config.setdefault(name, {}).update(needed(name))
        if name == "CosineKernel":  # a covariance of one parameter
            config[name]["active_dims"] = ["b"]
    elif entry.kind == "mean":
        config[model]["mean_module"] = name
    return config


def response(outcome: str, config: dict[str, Any], trial: int) -> float:
    """What somebody answers; both of two values occur."""
    values = config["b"] if isinstance(config["b"], list) else [config["b"]]
    height = float(values[-1]) - (float(values[0]) if len(values) == 2 else 0.0)
    if outcome == "continuous":
        return height
    if outcome == "ordinal":
        return float(min(int(5 * height), 4))
    return float(trial % 2) if trial < 4 else float(height > (0.0 if len(values) == 2 else 0.5))


def of_several(acquired: Config) -> Config:
    """Two stages of two outcomes, the second with these sections."""
    config = configuration("SobolGenerator", "binary", 1)
    config["common"]["outcome_types"] = ["binary", "continuous"]
    config["opt"] = {"model": "IndependentGPsModel", "min_asks": 2, "min_total_outcome_occurrences": 0}
    config["OptimizeAcqfGenerator"] = {"samps": 128}
    config["IndependentGPsModel"] = {"models": ["GPClassificationModel", "GPRegressionModel"]}
    return config | {name: config.get(name, {}) | section for name, section in acquired.items()}


_TURNS = of_several({"opt": {"generator": "IndependentOptimizeAcqfGenerator"}})


def semi_parametric(generator: str, keys: dict[str, Any]) -> Config:
    """Two stages, the second with a semi-parametric model and this generator."""
    config = configuration(generator, "binary", 1)
    config["opt"]["model"] = "SemiParametricGPModel"
    config["SemiParametricGPModel"] = {"stim_dim": ["b"]}
    config[generator] |= keys
    return config


#: Configurations that the general pattern doesn't fit, by class.
SPECIAL: dict[str, Config] = {
    "IndependentGPsModel": _TURNS,
    "IndependentOptimizeAcqfGenerator": _TURNS,
    "AffinePosteriorTransform": of_several(
        {
            "opt": {"generator": "OptimizeAcqfGenerator"},
            "OptimizeAcqfGenerator": {"acqf": "qLogNoisyExpectedImprovement"},
            "qLogNoisyExpectedImprovement": {"objective": "AffinePosteriorTransform"},
            "AffinePosteriorTransform": {"weights": [1, -0.5]},
        }
    ),
    "IntensityAwareSemiPGenerator": semi_parametric("IntensityAwareSemiPGenerator", {}),
    "SemiPThresholdObjective": semi_parametric("OptimizeAcqfGenerator", {"acqf": "MCPosteriorVariance"})
    | {"MCPosteriorVariance": {"objective": "SemiPThresholdObjective"}},
    "LinearBernoulliLikelihood": semi_parametric("OptimizeAcqfGenerator", {"acqf": "MCLevelSetEstimation"})
    | {"SemiParametricGPModel": {"stim_dim": ["b"], "likelihood": "LinearBernoulliLikelihood"}},
    "SemiPProbabilityObjective": semi_parametric(
        "IntensityAwareSemiPGenerator", {"context_objective": "SemiPProbabilityObjective"}
    ),
}

for _name, _entry in CLASSES.items():
    if _entry.several:
        _acquisition = _name if _entry.kind == "acquisition" else "qLogExpectedHypervolumeImprovement"
        SPECIAL[_name] = of_several(
            {
                "opt": {"generator": "OptimizeAcqfGenerator"},
                "OptimizeAcqfGenerator": {"acqf": _acquisition},
                "IndependentGPsModel": {"models": ["GPRegressionModel", "GPRegressionModel"]},
                _acquisition: needed(_acquisition)
                | ({"objective": _name} if _entry.kind == "objective" else {}),
                **({_name: needed(_name)} if _entry.kind == "objective" else {}),
            }
        )
        SPECIAL[_name]["common"]["outcome_types"] = ["continuous", "continuous"]

SPECIAL["CategoricalKernel"] = configuration("MixedMeanCovarFactory", "binary", 1) | {
    "MixedMeanCovarFactory": {"discrete_kernel": "CategoricalKernel"}
}

SUPPORTED = sorted(name for name, entry in CLASSES.items() if entry.supported)


@pytest.fixture(scope="module")
def wire(tools: Any, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """One server for all, and where its record is."""
    server = tools.Served(tmp_path_factory.mktemp("classes"), "--workers", "1")
    yield server
    server.close()


@pytest.mark.parametrize("name", SUPPORTED)
def test_runs_and_replays(wire: Any, name: str) -> None:
    """Eight trials and a prediction, then the same asks computed again from the record."""
    outcome, stimuli = outcome_of(CLASSES[name])
    config = SPECIAL.get(name) or configuration(name, outcome, stimuli)
    client = wire.wire()
    session = client.call("setup", {"config": config, "seed": 5})["session"]
    for trial in range(8):
        handed_out = client.call("ask", {"beyond": True})["trials"]
        assert handed_out
        told = [response(kind, handed_out[0]["config"], trial) for kind in config["common"]["outcome_types"]]
        client.call("tell", {"trial": handed_out[0]["trial"], "outcome": told})
    where = {"x": {"a": [0.5], "b": [0.5]}, "outcome": "outcome_1"}
    predicted = client.call("query", {"query": "prediction", **where})
    assert predicted["lower"][0] <= predicted["y"][0] <= predicted["upper"][0]
    client.close()
    record = Record.open(str(Path(wire.record)), read_only=True)
    try:
        found = verify(record, session)
    finally:
        record.close()
    assert found.identical, found
