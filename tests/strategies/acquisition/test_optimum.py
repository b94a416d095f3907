"""Confidence bounds and improvements against BoTorch's own, on the same posterior."""

from typing import Any

import botorch.acquisition as botorch
import numpy as np
import pytest
import torch
from botorch.sampling.normal import SobolQMCNormalSampler

from fechner.strategies.acquisition import build
from fechner.strategies.acquisition.optimum import best_of
from fechner.strategies.config.tables.registry import CLASSES
from fechner.strategies.models import condition, fit, posterior
from fechner.strategies.numerics.normal import ndtr
from fechner.strategies.numerics.sobol import sobol
from fechner.strategies.specification import Component

RANDOM = np.random.default_rng(1)
X = RANDOM.uniform(size=(20, 2))
CONTINUOUS = 5 + 3 * np.sin(5 * X).sum(axis=1) + 0.3 * RANDOM.standard_normal(20)
BINARY = (RANDOM.uniform(size=20) < ndtr(6 * (X[:, 1] - 0.5))).astype(float)
AT = 0.05 + 0.9 * sobol(5, 2, 0, 12)
#: Ours of mean and variance at a point, for a highest f.
FUNCTIONS = [
    name
    for name, entry in CLASSES.items()
    if str(entry.functions.get("build", "")).startswith("fechner.strategies.acquisition.optimum:")
]
KEYS: dict[str, dict[str, Any]] = {
    name: {"beta": 2.5} if "Bound" in name else {"best_f": 1.0} if "Improvement" in name else {}
    for name in FUNCTIONS
}


@pytest.mark.parametrize("outcome", ["binary", "continuous"])
@pytest.mark.parametrize("name", FUNCTIONS)
def test_values_are_botorchs(name: str, outcome: str) -> None:
    """Within what sampling leaves for functions with a q; gradients agree with differences."""
    model = Component("GPClassificationModel" if outcome == "binary" else "GPRegressionModel")
    y = BINARY if outcome == "binary" else CONTINUOUS
    found = fit(model, X, y)
    core = posterior(model, X, y, found)
    keys = dict(KEYS[name])
    if "best_f" in keys:
        keys["best_f"] = best_of(core, 1.0)
    function = build(Component(name, keys), core, seed=1)
    assert function.gradients is not None
    values, slopes = function.gradients(AT)
    np.testing.assert_allclose(values, function.values(AT), rtol=1e-6, atol=1e-9)
    for j in range(2):
        shift = 1e-5 * np.eye(2)[j]
        wanted = (function.values(AT + shift) - function.values(AT - shift)) / 2e-5
        np.testing.assert_allclose(slopes[:, j], wanted, rtol=1e-3, atol=1e-4 * np.abs(slopes).max())
    if not hasattr(botorch, name):
        pytest.skip(f"this botorch has no {name}")
    if name == "qProbabilityOfImprovement":
        keys["tau"] = 1e-4
    if name.startswith("q") and "Analytic" not in name:
        keys["sampler"] = SobolQMCNormalSampler(torch.Size([2**14]), seed=1)
    theirs = getattr(botorch, name)(condition(model, X, y, found), **keys)
    with torch.no_grad():
        wanted = theirs(torch.tensor(AT).unsqueeze(-2)).numpy()
    # BoTorch sees f with a noise of 1e-9 of its variance; and samples of improvements that hardly ever occur
    loose, count = (0.02, 2) if name.startswith("q") else (1e-5, 6)
    near = np.argsort(-wanted)[:count]
    np.testing.assert_allclose(values[near], wanted[near], rtol=loose, atol=loose * np.ptp(wanted[near]))


@pytest.mark.parametrize("name", ["UpperConfidenceBound", "ExpectedImprovement", "PosteriorMean"])
def test_the_lowest(name: str) -> None:
    """With maximize = False a function of f is that of -f."""
    model = Component("GPRegressionModel")
    core = posterior(model, X, CONTINUOUS, fit(model, X, CONTINUOUS))
    other = posterior(model, X, -CONTINUOUS, fit(model, X, -CONTINUOUS))
    keys = {"beta": 2.0} if "Bound" in name else {}
    low = build(Component(name, {**keys, "maximize": False}), core, seed=1).values(AT)
    np.testing.assert_allclose(
        low, build(Component(name, keys), other, seed=1).values(AT), rtol=1e-3, atol=1e-3
    )
