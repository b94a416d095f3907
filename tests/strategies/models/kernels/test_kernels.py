"""Kernels and means by GPyTorch's names: values, derivatives, fits."""

from __future__ import annotations

from typing import Any

import gpytorch
import numpy as np
import pytest
import torch

from fechner.strategies.acquisition import build
from fechner.strategies.models import condition, fit, posterior
from fechner.strategies.models.families.registry import family_of
from fechner.strategies.models.fitting.theta import Layout
from fechner.strategies.models.kernels import combined_kernels
from fechner.strategies.models.kernels.combined_kernels import Combined
from fechner.strategies.models.kernels.kernel_covariance import KernelCovariance
from fechner.strategies.models.kernels.kernels import Kernel, Leaf
from fechner.strategies.models.kernels.named_kernels import kernel_of
from fechner.strategies.models.uncertainty import ensemble
from fechner.strategies.specification import Component


def named(name: str, **keys: Any) -> Component:
    return Component(name, keys)


CASES = {
    "rbf of one": named("RBFKernel", active_dims=(1,)),
    "matern 1/2": named("MaternKernel", nu=0.5),
    "matern 3/2": named("MaternKernel", nu=1.5),
    "matern 5/2": named("MaternKernel", nu=2.5),
    "rq": named("RQKernel"),
    "periodic": named("PeriodicKernel"),
    "cosine": named("CosineKernel", active_dims=(2,)),
    "linear": named("LinearKernel"),
    "polynomial": named("PolynomialKernel", power=3),
    "sum": named(
        "AdditiveKernel",
        kernels=(
            named("ScaleKernel", base_kernel=named("MaternKernel", nu=2.5, active_dims=(0, 2))),
            named("LinearKernel", active_dims=(1,)),
        ),
    ),
    "product": named(
        "ProductKernel",
        kernels=(
            named("CosineKernel", active_dims=(0,)),
            named("ScaleKernel", base_kernel=named("RQKernel"), active_dims=(1, 2)),
            named("RBFKernel"),
        ),
    ),
    "nested": named(
        "AdditiveKernel",
        kernels=(
            named("ProductKernel", kernels=(named("LinearKernel"), named("PeriodicKernel"))),
            named("ScaleKernel", base_kernel=named("ScaleKernel", base_kernel=named("RBFKernel"))),
        ),
    ),
}
A, B = (np.random.default_rng(seed).uniform(size=(6 + seed, 3)) for seed in (0, 1))


def kernel(name: str) -> Kernel:
    """At hyperparameters that are all different."""
    found = kernel_of(CASES[name], 3)
    assert found is not None
    return found.at(np.random.default_rng(5).normal(0.0, 0.4, len(found.theta)))


def theirs(one: Kernel) -> Any:
    """The same kernel of GPyTorch."""
    if isinstance(one, Combined):
        left = iter(np.exp(one.variances))
        parts = []
        for part, scaled in zip(one.parts, one.scaled, strict=True):
            found = theirs(part)
            if scaled:
                found = gpytorch.kernels.ScaleKernel(found)
                found.outputscale = float(next(left))
            parts.append(found)
        return getattr(gpytorch.kernels, one.name)(*parts)
    assert isinstance(one, Leaf)
    values, count = np.exp(one.theta), len(one.dims)
    given: dict[str, Any] = {"active_dims": one.dims}
    if one.name not in ("LinearKernel", "PolynomialKernel", "CosineKernel"):
        given["ard_num_dims"] = count
    if one.name == "MaternKernel":
        given["nu"] = one.option
    if one.name == "PolynomialKernel":
        given["power"] = int(one.option)
    found = getattr(gpytorch.kernels, one.name)(**given).double()
    if one.name == "LinearKernel":
        found.variance = float(values[0])
    elif one.name == "PolynomialKernel":
        found.offset = torch.tensor([values[0]])
    elif one.name == "CosineKernel":
        found.period_length = float(values[0])
    else:
        found.lengthscale = torch.tensor(values[:count])
    if one.name == "PeriodicKernel":
        found.period_length = torch.tensor(values[count:])
    if one.name == "RQKernel":
        found.alpha = float(values[-1])
    return found


@pytest.mark.parametrize("name", CASES)
def test_equals_gpytorch(name: str) -> None:
    """The matrix between places, and its diagonal."""
    one = kernel(name)
    wanted = theirs(one).double()
    with torch.no_grad():
        whole = wanted(torch.tensor(A), torch.tensor(B)).to_dense().numpy()
        diagonal = wanted(torch.tensor(A), diag=True).numpy()
    np.testing.assert_allclose(one.matrix(A, B), whole, rtol=1e-6, atol=1e-7)
    np.testing.assert_allclose(one.diagonal(A), diagonal, rtol=1e-6, atol=1e-7)
    np.testing.assert_allclose(np.diag(one.matrix(A, A)), one.diagonal(A), rtol=1e-12)


@pytest.mark.parametrize("name", CASES)
def test_positive_semidefinite(name: str) -> None:
    """At several hyperparameters, on 40 places."""
    x = np.random.default_rng(2).uniform(size=(40, 3))
    for seed in range(5):
        one = kernel(name)
        one = one.at(np.random.default_rng(seed).normal(0.0, 1.0, len(one.theta)))
        matrix = one.matrix(x, x)
        assert np.linalg.eigvalsh(matrix)[0] > -1e-9 * matrix.max()


@pytest.mark.parametrize("name", CASES)
def test_derivatives(name: str) -> None:
    """By places and by hyperparameters, as by differences."""
    one = kernel(name)
    weights = np.random.default_rng(3).standard_normal((len(A), len(B)))
    slopes, step = one.pulled_back(A, B, weights), 1e-6
    steep = one.diagonal_slopes(A)
    for j in range(3):
        up, down = A + step * np.eye(3)[j], A - step * np.eye(3)[j]
        wanted = (weights * (one.matrix(up, B) - one.matrix(down, B))).sum(axis=1) / (2 * step)
        np.testing.assert_allclose(slopes[:, j], wanted, rtol=1e-5, atol=1e-7)
        wanted = (one.diagonal(up) - one.diagonal(down)) / (2 * step)
        np.testing.assert_allclose(steep[:, j], wanted, rtol=1e-5, atol=1e-7)
    square = np.random.default_rng(4).standard_normal((len(A), len(A)))
    square = square + square.T
    found = one.gradient(A, square)
    assert len(found) == len(one.theta) == len(one.kinds)
    for place in range(len(found)):
        shift = step * np.eye(len(found))[place]
        up, down = one.at(one.theta + shift).matrix(A, A), one.at(one.theta - shift).matrix(A, A)
        assert found[place] == pytest.approx(
            float((square * (up - down)).sum()) / (2 * step), rel=1e-4, abs=1e-6
        )


@pytest.mark.parametrize("name", CASES)
def test_plain_data(name: str) -> None:
    """A kernel comes back; at other hyperparameters it is alike, another kernel isn't."""
    one = kernel(name)
    again = combined_kernels.from_plain(one.plain())
    np.testing.assert_allclose(again.matrix(A, B), one.matrix(A, B), rtol=1e-12)
    assert combined_kernels.alike(one.plain(), one.at(one.theta + 1).plain())
    others = [other for other in CASES if other != name]
    assert not any(combined_kernels.alike(one.plain(), kernel(other).plain()) for other in others)


def test_the_models_own_kernel_stays() -> None:
    """A squared exponential of all parameters is computed as ever."""
    assert kernel_of(named("RBFKernel"), 3) is None
    assert kernel_of(named("RBFKernel", active_dims=(0, 1, 2)), 3) is None


MODELS = ("GPClassificationModel", "GPRegressionModel", "OrdinalGPModel")


def trials(model: str) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(0)
    x = random.uniform(size=(30, 3))
    f = 3 * np.sin(2 * np.pi * x[:, 0]) + 2 * x[:, 1] + 0.1 * random.standard_normal(30)
    if model == "GPClassificationModel":
        return x, (f > 1.0).astype(float)
    return x, f if model == "GPRegressionModel" else np.clip(np.floor(f + 2), 0, 3)


def component(model: str, name: str, mean: str | None = None) -> Component:
    keys: dict[str, Any] = {"covar_module": named("ScaleKernel", base_kernel=CASES[name]), "n_levels": 4}
    if mean is not None:
        keys["mean_module"] = named(mean)
    return Component(model, keys)


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("name", CASES)
def test_evidence_and_posterior(model: str, name: str) -> None:
    """The gradient of a fit is that of differences; a fit improves, and is where the next one begins."""
    x, y = trials(model)
    one = component(model, name)
    found = fit(one, x, y)
    assert "warnings" not in found
    task, evidence, theta = family_of(one).problem(one, x, y, found)
    layout = task.layout
    assert isinstance(layout, Layout)
    assert layout.objective(theta, evidence)[0] <= layout.objective(layout.typical(), evidence)[0] + 1e-6
    gradient = layout.objective(theta + 0.05, evidence)[1]
    for place in range(layout.size):
        shift = 1e-4 * np.eye(layout.size)[place]
        up, down = (layout.objective(theta + 0.05 + sign * shift, evidence)[0] for sign in (1, -1))
        assert gradient[place] == pytest.approx((up - down) / 2e-4, rel=0.02, abs=0.02)
    again = fit(one, x, y, found)
    assert again["evaluations"] <= found["evaluations"]
    core = posterior(one, x, y, found)
    assert isinstance(core.covariance, KernelCovariance)
    mean, covariance = core.joint(A)
    theirs = condition(one, x, y, found).posterior(torch.tensor(A))
    np.testing.assert_allclose(theirs.mean[:, 0].numpy(), mean, atol=1e-6)
    np.testing.assert_allclose(
        theirs.distribution.covariance_matrix.numpy(), covariance, atol=1e-6 * (1 + covariance.max())
    )


@pytest.mark.parametrize("name", [name for name in CASES if name != "matern 1/2"])
def test_acquisition_functions_climb(name: str) -> None:
    """Slopes of functions of moments and of covariances are those of differences."""
    x, y = trials("GPClassificationModel")
    one = component("GPClassificationModel", name)
    core = posterior(one, x, y, fit(one, x, y))
    for function in ("EAVC", "qLogNoisyExpectedImprovement"):
        acquisition = build(Component(function, {"target": 0.75}), core, seed=1)
        assert acquisition.gradients is not None
        _, slopes = acquisition.gradients(A)
        for j in range(3):
            step = 1e-6 * np.eye(3)[j]
            wanted = (acquisition.values(A + step) - acquisition.values(A - step)) / 2e-6
            np.testing.assert_allclose(slopes[:, j], wanted, atol=1e-3 * np.abs(slopes).max() + 1e-7)


def test_a_fit_finds_the_period() -> None:
    """A wave of outcomes: its period is found, and predictions go on beyond the trials."""
    random = np.random.default_rng(1)
    x = 0.6 * random.uniform(size=(40, 1))
    y = np.sin(2 * np.pi * x[:, 0] / 0.3) + 0.05 * random.standard_normal(40)
    one = Component("GPRegressionModel", {"covar_module": named("PeriodicKernel")})
    found = fit(one, x, y)
    core = posterior(one, x, y, found)
    assert found["kernel"]["values"][1] == pytest.approx(0.3, rel=0.03)
    far = np.linspace(0.7, 1.0, 20)[:, None]
    np.testing.assert_allclose(core.latent(far)[0], np.sin(2 * np.pi * far[:, 0] / 0.3), atol=0.2)


def test_means() -> None:
    """Zero, a fitted constant, and a line: what is predicted far from all trials."""
    random = np.random.default_rng(1)
    x = 0.5 * random.uniform(size=(40, 1))
    y = 20 + 5 * x[:, 0] + 0.02 * random.standard_normal(40)
    found = {}
    for mean in ("ZeroMean", "ConstantMean", "LinearMean"):
        one = Component("GPRegressionModel", {"mean_module": named(mean)})
        fitted = fit(one, x, y)
        found[mean] = float(posterior(one, x, y, fitted).latent(np.array([[1.0]]))[0][0])
    assert found["LinearMean"] == pytest.approx(25.0, abs=1.0)
    assert abs(found["LinearMean"] - 25) < min(abs(found[one] - 25) for one in ("ZeroMean", "ConstantMean"))


@pytest.mark.parametrize("model", MODELS)
def test_hyperparameters_of_another_kernel_are_not_begun_from(model: str) -> None:
    """A fit of one kernel begins anew after that of another, and ensembles hold the kernel."""
    x, y = trials(model)
    first = fit(component(model, "rq"), x, y)
    second = component(model, "linear", "LinearMean")
    assert fit(second, x, y, first) == fit(second, x, y)
    members = ensemble(second, x, y, fit(second, x, y)).members
    assert all(isinstance(member.covariance, KernelCovariance) for member in members)


@pytest.mark.parametrize("maxfun", [1, 5, 12])
def test_a_small_budget(maxfun: int) -> None:
    """A fit with few evaluations gives what it has, also of a kernel whose fits look at many periods."""
    x, y = trials("GPRegressionModel")
    one = component("GPRegressionModel", "periodic")
    found = fit(Component(one.name, {**one.keys, "maxfun": maxfun}), x, y)
    assert found["evaluations"] <= maxfun
    assert np.isfinite(posterior(one, x, y, found).latent(A)[0]).all()
