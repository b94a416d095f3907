"""Categorical parameters have no order: kernel, gradients, posteriors, and what it is good for."""

from typing import Any

import numpy as np
import pytest
import torch

from fechner.strategies.acquisition import build
from fechner.strategies.models import condition, fit, posterior
from fechner.strategies.models.families.registry import family_of
from fechner.strategies.models.kernels.averages import box_average, box_variance
from fechner.strategies.models.kernels.categories import (
    categorical,
    centred,
    coded,
    counts_of,
    differ,
    without,
)
from fechner.strategies.models.kernels.covariance import Covariance
from fechner.strategies.models.kernels.functionals import Functionals
from fechner.strategies.models.posteriors.pairwise import PairwisePosterior
from fechner.strategies.numerics.normal import ndtr
from fechner.strategies.numerics.sobol import sobol
from fechner.strategies.specification import Component

COUNTS = (0, 3, 0, 2)
LEVELS = np.array([0.0, 1.5, -1.0])
KERNEL = Covariance(
    2.0, np.array([0.4, 0.7, 0.5, 1.2]), 0.5, np.array([1.0, 0.6, 0.2, 0.8]), categories=COUNTS
)


def data(n: int, seed: int = 0) -> np.ndarray:
    """Places whose second and fourth coordinates are categories."""
    x = np.random.default_rng(seed).uniform(size=(n, 4))
    for place in categorical(COUNTS):
        x[:, place] = (np.floor(x[:, place] * COUNTS[place]) + 0.5) / COUNTS[place]
    return x


def truth(x: np.ndarray) -> np.ndarray:
    """f, which depends on the category whatever their order."""
    return 4 * (x[:, 0] - 0.5) + LEVELS[np.floor(x[:, 1] * 3).astype(int)]


def outcomes(x: np.ndarray, kind: str, seed: int = 1) -> np.ndarray:
    """What an observer says."""
    noisy = truth(x) + np.random.default_rng(seed).standard_normal(len(x))
    if kind == "continuous":
        return noisy
    return np.clip(np.floor(noisy + 1.5), 0, 2) if kind == "ordinal" else (noisy > 0).astype(float)


CATEGORIES = {"categories": COUNTS}
MODELS: list[tuple[str, dict[str, Any], str]] = [
    ("GPClassificationModel", {}, "binary"),
    ("GPClassificationModel", {"lapse": "estimate"}, "binary"),
    ("GPClassificationModel", {"constraint_locations": (((0.0, 0.5, 0.5, 0.25), 0.05, 0.1),)}, "binary"),
    (
        "GPClassificationModel",
        {"mean_covar_factory": Component("SongMeanCovarFactory", {"stim_dim": (0,)})},
        "binary",
    ),
    ("MonotonicProjectionGP", {"monotonic_dims": (0,), "monotonic_grid_size": 4}, "binary"),
    ("GPRegressionModel", {}, "continuous"),
    ("OrdinalGPModel", {"n_levels": 3}, "ordinal"),
    ("SemiParametricGPModel", {}, "binary"),
    ("HadamardSemiPModel", {}, "binary"),
]
IDS = [f"{name}-{index}" for index, (name, _, _) in enumerate(MODELS)]


def test_the_kernel_is_what_it_says() -> None:
    """Equal categories are 0 apart, different ones 1; each has a constant of its own, of average zero."""
    a, b = data(7), data(5, 1)
    apart = np.square(a[:, None] - b[None])
    trend = (a[:, None] - 0.5) * (b[None] - 0.5)
    for place in categorical(COUNTS):
        same = a[:, None, place] == b[None, :, place]
        apart[..., place], trend[..., place] = ~same, same - 1.0 / COUNTS[place]
    assert KERNEL.slopes is not None
    wanted = (
        2.0 * np.exp(-0.5 * (apart / np.square(KERNEL.lengthscales)).sum(-1)) + 0.5 + trend @ KERNEL.slopes
    )
    np.testing.assert_allclose(KERNEL(a, b), wanted, rtol=1e-12)
    np.testing.assert_allclose(KERNEL.diagonal(a), np.diag(KERNEL(a, a)), rtol=1e-12)
    np.testing.assert_allclose(differ(a, b, COUNTS), np.moveaxis(apart, 2, 0), atol=1e-12)
    assert np.linalg.eigvalsh(KERNEL(a, a))[0] > -1e-9
    assert coded(a, COUNTS).shape == centred(a, COUNTS).shape == (7, 9)
    assert without(COUNTS, 1) == (0, 0, 2)
    assert without((0, 3), 1) == ()


def test_derivatives_along_categories_are_none() -> None:
    """And those along numbers agree with differences, of values and of derivatives."""
    a, b = data(3), data(5, 1)
    weights = np.random.default_rng(2).standard_normal((3, 5))
    rows = np.hstack([b, np.array([[0.0], [1.0], [3.0], [0.0], [1.0]])])
    of_rows = Functionals(2.0, KERNEL.lengthscales, 0.5, KERNEL.slopes, 0.1, categories=COUNTS)
    for kernel, other in ((KERNEL, b), (of_rows, rows)):
        found = kernel.pulled_back(a, other, kernel.exponential(a, other), weights)
        assert np.all(found[:, [1, 3]] == 0)
        for j in (0, 2):
            shift = 1e-6 * np.eye(4)[j]
            difference = (kernel(a + shift, other) - kernel(a - shift, other)) / 2e-6
            np.testing.assert_allclose(found[:, j], (weights * difference).sum(axis=1), rtol=1e-5, atol=1e-7)
    assert np.all(KERNEL.diagonal_slopes(a)[:, [1, 3]] == 0)


@pytest.mark.parametrize(("name", "keys", "kind"), MODELS, ids=IDS)
def test_the_gradient_of_the_evidence(name: str, keys: dict[str, Any], kind: str) -> None:
    """Agrees with differences, for every model of one stimulus."""
    component = Component(name, {**keys, **CATEGORIES})
    module = family_of(component)
    x = data(20)
    y = outcomes(x, kind)
    task, evidence, theta = module.problem(component, x, y, fit(component, x, y))
    layout = task.layout
    theta = layout.inside(theta + 0.1 * np.random.default_rng(1).standard_normal(layout.size))
    _, gradient = layout.objective(theta, evidence)
    lower, upper = np.array(layout.bounds()).T
    for j in np.flatnonzero(upper > lower):
        shift = 1e-3 * np.eye(layout.size)[j]
        more, less = (layout.objective(theta + sign * shift, evidence)[0] for sign in (1, -1))
        assert gradient[j] == pytest.approx((more - less) / 2e-3, rel=5e-3, abs=5e-3)


#: Those that aren't told anything at certain categories.
ALIKE = [one for one in MODELS if one[0] != "MonotonicProjectionGP" and "constraint_locations" not in one[1]]


@pytest.mark.parametrize(("name", "keys", "kind"), ALIKE, ids=lambda one: one if isinstance(one, str) else "")
def test_the_order_of_choices_does_not_matter(name: str, keys: dict[str, Any], kind: str) -> None:
    """Written in another order the same choices give the same predictions."""
    component = Component(name, {**keys, **CATEGORIES, "maxfun": 20})
    x = data(20)
    y, other = outcomes(x, kind), x.copy()
    other[:, 1] = (np.array([2, 0, 1])[np.floor(x[:, 1] * 3).astype(int)] + 0.5) / 3
    hyperparameters = fit(component, x, y)
    one, two = posterior(component, x, y, hyperparameters), posterior(component, other, y, hyperparameters)
    for a, b in zip(one.latent(x), two.latent(other), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-6)
    assert fit(component, other, y)["log_posterior"] == pytest.approx(
        hyperparameters["log_posterior"], abs=0.02
    )


@pytest.mark.parametrize("name", ["GPClassificationModel", "MonotonicProjectionGP", "SemiParametricGPModel"])
def test_acquisition_functions_climb_along_numbers(name: str) -> None:
    """Slopes are none along categories; a GPU's scan, which knows no categories, has no part in it."""
    component = Component(name, {**CATEGORIES, "monotonic_dims": (0,)})
    x = data(20)
    y = outcomes(x, "binary")
    core = posterior(component, x, y, fit(component, x, y))
    function = build(Component("EAVC", {"target": 0.75, "query_set_size": 64}), core, seed=1, pending=x[:2])
    assert function.gradients is not None
    assert function.parts is None
    at = data(6, 5)
    values, slopes = function.gradients(at)
    np.testing.assert_allclose(values, function.values(at), rtol=1e-6, atol=1e-9)
    assert np.all(slopes[:, [1, 3]] == 0)
    for j in (0, 2):
        shift = 1e-5 * np.eye(4)[j]
        wanted = (function.values(at + shift) - function.values(at - shift)) / 2e-5
        np.testing.assert_allclose(slopes[:, j], wanted, rtol=1e-3, atol=1e-3 * np.abs(slopes).max())


@pytest.mark.parametrize(("name", "keys", "kind"), MODELS, ids=IDS)
def test_botorch_sees_the_same_posterior(name: str, keys: dict[str, Any], kind: str) -> None:
    """Mean and covariance, in batches."""
    component = Component(name, {**keys, **CATEGORIES, "maxfun": 5})
    x = data(12)
    y = outcomes(x, kind)
    found = fit(component, x, y)
    core, model = posterior(component, x, y, found), condition(component, x, y, found)
    at = data(6, 3)
    mean, covariance = core.joint(at)
    seen = model.posterior(torch.tensor(at.reshape(2, 3, 4)))
    np.testing.assert_allclose(seen.mean.detach().numpy().ravel(), mean, rtol=1e-8, atol=1e-8)
    first = seen.distribution.covariance_matrix[0].detach().numpy()
    np.testing.assert_allclose(first, covariance[:3, :3], rtol=1e-6, atol=1e-6)


def pairs(n: int) -> tuple[np.ndarray, np.ndarray]:
    """Comparisons."""
    x = np.stack([data(n), data(n, 9)], axis=1)
    noise = np.random.default_rng(3).standard_normal(n)
    return x, (truth(x[:, 1]) - truth(x[:, 0]) + noise > 0).astype(float)


def test_comparisons_of_categories() -> None:
    """Gradient of the evidence, slopes of moments, averages over the box, and botorch."""
    component = Component("PairwiseProbitModel", CATEGORIES)
    x, y = pairs(25)
    found = fit(component, x, y)
    task, evidence, theta = family_of(component).problem(component, x, y, found)
    layout = task.layout
    _, gradient = layout.objective(theta + 0.1, evidence)
    for j in range(layout.size):
        shift = 1e-3 * np.eye(layout.size)[j]
        more, less = (layout.objective(theta + 0.1 + sign * shift, evidence)[0] for sign in (1, -1))
        assert gradient[j] == pytest.approx((more - less) / 2e-3, rel=5e-3, abs=5e-3)
    core: Any = posterior(component, x, y, found)
    assert isinstance(core, PairwisePosterior)
    at = np.stack([data(4, 5), data(4, 6)], axis=1)
    moments, slopes = core.pair_slopes(at)
    for j in range(4):
        shift = np.zeros((2, 4))
        shift[0, j] = 1e-6
        more, less = core.pair_moments(at + shift), core.pair_moments(at - shift)
        if j in (1, 3):
            assert np.all(slopes.mean[..., j] == 0)
            continue
        np.testing.assert_allclose(slopes.mean[:, 0, j], (more.mean - less.mean)[:, 0] / 2e-6, atol=1e-5)
        wanted = (more.covariance - less.covariance) / 2e-6
        np.testing.assert_allclose(slopes.covariance[:, 0, j], wanted, atol=1e-5)
    assert moments.mean.shape == (4, 2)
    everywhere = sobol(1, 4, 0, 2**14)
    plain = Covariance(2.0, KERNEL.lengthscales, categories=COUNTS)
    np.testing.assert_allclose(
        box_average(plain, at[:, 0]), plain(at[:, 0], everywhere).mean(axis=1), rtol=0.01
    )
    assert box_variance(plain) == pytest.approx(float(box_average(plain, everywhere).mean()), rel=0.01)
    model = condition(component, x, y, found)
    mean, covariance = core.joint(at[:, 0])
    seen = model.posterior(torch.tensor(at[:, 0]))
    np.testing.assert_allclose(seen.mean.detach().numpy().ravel(), mean, rtol=1e-7, atol=1e-7)
    np.testing.assert_allclose(
        seen.distribution.covariance_matrix.detach().numpy(), covariance, rtol=1e-5, atol=1e-6
    )


def test_six_categories_without_an_order_are_learned_faster() -> None:
    """Than levels in an order that means nothing: the probability's error is about half."""
    heights = np.array([1.2, -1.5, 0.8, -0.9, 1.6, -1.2])
    errors = {}
    for counts in ((0, 6), ()):
        component = Component("GPClassificationModel", {"categories": counts})
        assert counts_of(component) == counts
        error = []
        for seed in range(8):
            random = np.random.default_rng(seed)
            x = random.uniform(size=(60, 2))
            x[:, 1] = (np.floor(6 * x[:, 1]) + 0.5) / 6

            def f(x: np.ndarray) -> np.ndarray:
                return 5 * (x[:, 0] - 0.5) + heights[np.floor(6 * x[:, 1]).astype(int)]

            y = (random.uniform(size=60) < ndtr(f(x))).astype(float)
            core = posterior(component, x, y, fit(component, x, y))
            at = np.array(sobol(3, 2, 0, 256))
            at[:, 1] = (np.floor(6 * at[:, 1]) + 0.5) / 6
            error.append(np.abs(core.moments(at, "probability")[0] - ndtr(f(at))).mean())
        errors[counts] = np.mean(error)
    assert errors[0, 6] < 0.6 * errors[()]
