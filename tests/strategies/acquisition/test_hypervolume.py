"""Acquisition functions of several outcomes at once, by BoTorch."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from botorch.acquisition import ConstrainedExpectedImprovement, multi_objective
from botorch.sampling.list_sampler import ListSampler
from botorch.sampling.normal import SobolQMCNormalSampler
from botorch.utils.multi_objective.box_decompositions.non_dominated import FastNondominatedPartitioning

from fechner.strategies.acquisition import build
from fechner.strategies.config import check
from fechner.strategies.config.describing.describe import describe
from fechner.strategies.config.tables.registry import CLASSES
from fechner.strategies.errors import FechnerError
from fechner.strategies.models import condition, fit, posterior
from fechner.strategies.numerics.randomness import key
from fechner.strategies.specification import Component
from fechner.strategies.strategy import Strategy

MODEL = Component("IndependentGPsModel", {"models": (Component("GPRegressionModel"),) * 2})
POINTS = np.random.default_rng(3).uniform(size=(9, 2))
REFERENCE = ("-1", "-1")
CONSTRAINED = "ConstrainedExpectedImprovement"
NAMES = [
    name
    for name, entry in CLASSES.items()
    if entry.kind == "acquisition" and entry.several and name != CONSTRAINED
]


@pytest.fixture(scope="module")
def told() -> tuple[np.ndarray, np.ndarray, dict[str, Any]]:
    random = np.random.default_rng(0)
    x = random.uniform(size=(15, 2))
    y = -np.stack([np.square(x - 0.2).sum(axis=1), np.square(x - 0.8).sum(axis=1)], axis=1)
    y += 0.05 * random.standard_normal(y.shape)
    return x, y, fit(MODEL, x, y)


def tensor(values: Any) -> torch.Tensor:
    return torch.tensor(np.asarray(values, dtype=float), dtype=torch.float64)


def samplers(seed: int, count: int = 64) -> ListSampler:
    shape = torch.Size([count])
    return ListSampler(
        *(SobolQMCNormalSampler(shape, seed=key(seed, "outcome", i) % 2**31) for i in range(2))
    )


@pytest.mark.parametrize("name", NAMES)
def test_equals_botorch(told: Any, name: str) -> None:
    """The values are those of BoTorch's function on the conditioned models."""
    ours = build(
        Component(name, {"ref_point": REFERENCE, "prune_baseline": False}), posterior(MODEL, *told), seed=4
    )
    model = condition(MODEL, *told)
    given: dict[str, Any] = {"model": model, "ref_point": [-1.0, -1.0]}
    if name.startswith("q"):
        given["sampler"] = samplers(4)
    if "Noisy" in name:
        given["X_baseline"] = tensor(np.unique(told[0], axis=0))
    else:
        seen = model.posterior(tensor(np.unique(told[0], axis=0))).mean.detach()
        given["partitioning"] = FastNondominatedPartitioning(tensor([-1, -1]), Y=seen)
    wanted = getattr(multi_objective, name)(**given)(tensor(POINTS[:, None])).detach().numpy()
    np.testing.assert_allclose(ours.values(POINTS), wanted, rtol=1e-6, atol=1e-9)


def test_constrained_improvement_equals_botorch(told: Any) -> None:
    """The best value is the highest mean among trials in bounds."""
    keys = {"objective_index": 0, "constraints": ((1, -0.6, None),)}
    ours = build(Component(CONSTRAINED, keys), posterior(MODEL, *told), seed=4)
    model = condition(MODEL, *told)
    means = model.posterior(tensor(np.unique(told[0], axis=0))).mean.detach()
    best = means[means[:, 1] >= -0.6, 0].max()
    wanted = ConstrainedExpectedImprovement(model, best, 0, {1: (-0.6, None)})
    np.testing.assert_allclose(ours.values(POINTS), wanted(tensor(POINTS[:, None])).detach(), rtol=1e-5)


@pytest.mark.parametrize("name", [*NAMES, CONSTRAINED])
def test_gradients_and_global_state(told: Any, name: str) -> None:
    """Gradients are those of differences; torch's own generator is left as it was; same seed, same bits."""
    keys = {"ref_point": REFERENCE, "prune_baseline": True, "constraints": ((1, -0.6, None),)}
    keys["objective"] = Component("WeightedMCMultiOutputObjective", {"weights": ("1", "2")})
    before = torch.get_rng_state()
    core = posterior(MODEL, *told)
    function, again = (build(Component(name, keys), core, seed=4, pending=POINTS[:2]) for _ in range(2))
    assert torch.equal(torch.get_rng_state(), before)
    np.testing.assert_array_equal(function.values(POINTS), again.values(POINTS))
    assert function.gradients is not None
    value, slopes = function.gradients(POINTS)
    np.testing.assert_allclose(value, function.values(POINTS), rtol=1e-9, atol=1e-12)
    for dimension in range(2):
        step = 1e-6 * np.eye(2)[dimension]
        wanted = (function.values(POINTS + step) - function.values(POINTS - step)) / 2e-6
        np.testing.assert_allclose(slopes[:, dimension], wanted, atol=2e-3 * np.abs(slopes).max() + 1e-6)


@pytest.mark.parametrize(
    "name", ["ExpectedHypervolumeImprovement", "qLogNoisyExpectedHypervolumeImprovement"]
)
def test_nothing_beyond_the_reference_point_yet(told: Any, name: str) -> None:
    """Values are finite where no trial is better than the reference point."""
    function = build(Component(name, {"ref_point": ("1", "1")}), posterior(MODEL, *told), seed=4)
    assert np.isfinite(function.values(POINTS)).all()


def config(**sections: Any) -> dict[str, Any]:
    return {
        "common": {
            "parnames": ["a", "n", "c"],
            "outcome_types": ["continuous"] * 2,
            "strategy_names": ["i", "o"],
        },
        "a": {"par_type": "continuous", "lower_bound": 0, "upper_bound": 1},
        "n": {"par_type": "integer", "lower_bound": 0, "upper_bound": 5},
        "c": {"par_type": "categorical", "choices": ["x", "y"]},
        "constraints": {"c1": "a + 0.1*n <= 1.2"},
        "i": {"generator": "SobolGenerator", "min_asks": 6},
        "o": {"generator": "OptimizeAcqfGenerator", "model": "IndependentGPsModel", "min_asks": 20},
        "OptimizeAcqfGenerator": {"acqf": "qLogExpectedHypervolumeImprovement", "samps": 128, "restarts": 2},
        "qLogExpectedHypervolumeImprovement": {"ref_point": [-2, -2], "mc_samples": 32},
        **sections,
    }


def test_levels_constraints_and_fixed_values() -> None:
    """Asks keep the parameters' levels, the constraints and fixed values; several at once differ."""
    strategy = Strategy(config(), seed=1)
    for _ in range(6):
        point = strategy.ask()
        strategy.tell(point, [-point["a"], point["a"] - 1 - point["n"] / 5])
    points = strategy.ask(3, fixed={"n": 4})
    assert all(point["n"] == 4 and point["c"] in ("x", "y") and point["a"] <= 0.8 + 1e-9 for point in points)
    assert len({(point["a"], point["c"]) for point in points}) == 3
    assert strategy.ask()["n"] in range(6)


@pytest.mark.parametrize(
    ("sections", "said"),
    [
        ({"qLogExpectedHypervolumeImprovement": {}}, "ref_point"),
        ({"qLogExpectedHypervolumeImprovement": {"ref_point": [1]}}, "1 number for 2 outcomes"),
        ({"qLogExpectedHypervolumeImprovement": {"ref_point": ["a", 1]}}, "number"),
        (
            {"qLogExpectedHypervolumeImprovement": {"ref_point": [0, 0], "objective": "ProbitObjective"}},
            "WeightedMCMultiOutputObjective",
        ),
        (
            {
                "qLogExpectedHypervolumeImprovement": {
                    "ref_point": [0, 0],
                    "objective": "WeightedMCMultiOutputObjective",
                },
                "WeightedMCMultiOutputObjective": {"weights": [1]},
            },
            "1 weights for 2 outcomes",
        ),
        (
            {
                "OptimizeAcqfGenerator": {"acqf": "ConstrainedExpectedImprovement"},
                "ConstrainedExpectedImprovement": {"constraints": [[2, 0, None]]},
            },
            "no such outcome",
        ),
        (
            {
                "OptimizeAcqfGenerator": {"acqf": "ConstrainedExpectedImprovement"},
                "ConstrainedExpectedImprovement": {"constraints": [[0, 0, None]]},
            },
            "to be improved",
        ),
        (
            {
                "OptimizeAcqfGenerator": {"acqf": "ConstrainedExpectedImprovement"},
                "ConstrainedExpectedImprovement": {"constraints": [[1, 2, 1]]},
            },
            "lower bound",
        ),
        ({"OptimizeAcqfGenerator": {"acqf": "qMultiFidelityKnowledgeGradient"}}, "use qKnowledgeGradient"),
    ],
)
def test_what_check_refuses(sections: dict[str, Any], said: str) -> None:
    """Each problem names the key and what would be right."""
    with pytest.raises(FechnerError) as raised:
        check(config(**sections))
    assert said in str(raised.value.problems), raised.value.problems


def test_other_outcomes_are_refused() -> None:
    """One outcome, or one that is not continuous."""
    binary = config()
    binary["common"]["outcome_types"] = ["continuous", "binary"]
    with pytest.raises(FechnerError) as raised:
        check(binary)
    assert "is for continuous outcomes; outcome_2 is binary" in str(raised.value.problems)
    alone = config()
    alone["common"]["outcome_types"] = ["continuous"]
    alone["o"]["model"] = "GPRegressionModel"
    with pytest.raises(FechnerError) as raised:
        check(alone)
    assert "is for several outcomes at once" in str(raised.value.problems)


def test_described_in_words() -> None:
    """`fechner check` says what is sought, beyond what, and with which weights."""
    words = describe(
        check(
            config(
                qLogExpectedHypervolumeImprovement={
                    "ref_point": [-2, 1],
                    "objective": "WeightedMCMultiOutputObjective",
                },
                WeightedMCMultiOutputObjective={"weights": [1, -1]},
            )
        )
    )
    assert "may be better together than any so far, beyond (-2, 1), weighted by 1, -1" in words
