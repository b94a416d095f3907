"""The methods of benchmarks/quality.py: what chooses the trials, with which settings."""

from __future__ import annotations

import contextlib
import functools
import importlib
from collections.abc import Callable, Iterator
from typing import Any
from unittest import mock

from fechner.strategies.config.tables.registry import CLASSES
from fechner.strategies.simulation import Observer

#: Acquisition functions by the names of methods; None: no model chooses.
METHODS: dict[str, str | None] = {
    "Sobol": None,
    "straddle": "MCLevelSetEstimation",
    "BALD": "BernoulliMCMutualInformation",
    "BALV": "MCPosteriorVariance",
    **{name: name for name in ("EAVC", "GlobalMI", "GlobalSUR", "ApproxGlobalSUR", "LocalMI", "LocalSUR")},
}
MODEL = "GPClassificationModel"

#: The slow settings by which every shortcut is judged; of these, the keys that there are.
EXACT: dict[str, dict[str, Any]] = {
    "OptimizeAcqfGenerator": {"restarts": 20, "samps": 2048},
    MODEL: {"ftol": 1e-12, "gtol": 1e-6, "maxiter": 1000, "maxfun": 5000, "maxls": 50},
    "acquisition": {"query_set_size": 512},
}
#: Shortcuts that no key turns off, by module: what the slow settings have instead.
EXACT_CONSTANTS: dict[str, dict[str, Any]] = {
    "fechner.strategies.acquisition.optimise": {"ITERATIONS": 200, "TOLERANCE": 1e-9, "HOPELESS": None},
    "fechner.strategies.models.fitting.plain": {"FIT_LIMIT": 1_000_000},
    "fechner.strategies.models.inference.expectation_propagation": {"MAX_SWEEPS": 500},
    "fechner.strategies.models.inference.marginals": {"LOW_RANK_FROM": 1_000_000},
}
#: Of expectation propagation, in posterior standard deviations.
EXACT_TOLERANCE = 1e-8


@contextlib.contextmanager
def no_shortcuts() -> Iterator[None]:
    """Compute without them, in this process; one that isn't there any more is an AttributeError."""
    from fechner.strategies.models.families import gp_classification
    from fechner.strategies.models.posteriors import settled

    tight = functools.partial(_tightly, gp_classification.propagate)
    with contextlib.ExitStack() as stack:
        for module in (gp_classification, settled):
            stack.enter_context(mock.patch.object(module, "propagate", tight))
        for name, constants in EXACT_CONSTANTS.items():
            stack.enter_context(mock.patch.multiple(importlib.import_module(name), **constants))
        yield


def _tightly(propagate: Callable[..., Any], *arguments: Any, **named: Any) -> Any:
    """Expectation propagation to a tolerance that counts for nothing."""
    return propagate(*arguments, **{**named, "tolerance": EXACT_TOLERANCE})


def exact(method: str) -> dict[str, dict[str, Any]]:
    """The slow settings of the sections that a method has."""
    acquisition = METHODS[method]
    out = {}
    for section, keys in EXACT.items():
        name = acquisition if section == "acquisition" else section
        if name is not None and name in CLASSES:
            out[name] = {key: value for key, value in keys.items() if key in CLASSES[name].keys}
    return out


def configuration(observer: Observer, method: str, chosen: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Sobol trials, then the method's."""
    acquisition = METHODS[method]
    found: dict[str, dict[str, Any]] = {
        "common": {
            "parnames": list(observer.bounds),
            "outcome_types": ["binary"],
            "strategy_names": ["init"] if acquisition is None else ["init", "opt"],
        }
    }
    for name, (low, high) in observer.bounds.items():
        found[name] = {"par_type": "continuous", "lower_bound": low, "upper_bound": high}
    found["init"] = {"generator": "SobolGenerator", "min_total_outcome_occurrences": 0}
    if acquisition is None:
        found["init"] |= {"model": MODEL, "min_asks": 1_000_000}
    else:
        found["init"]["min_asks"] = chosen["initial"]
        found["opt"] = {"generator": "OptimizeAcqfGenerator", "model": MODEL, "min_asks": 1_000_000}
        found["opt"]["refit_every"] = chosen["refit_every"]
        found["OptimizeAcqfGenerator"] = {"acqf": acquisition}
        found[acquisition] = {"target": observer.target}
        if "objective" in CLASSES[acquisition].keys:  # the target is a probability
            found[acquisition]["objective"] = "ProbitObjective"
    for section, keys in chosen["sections"].items():
        found.setdefault(section, {}).update(keys)
    return found
