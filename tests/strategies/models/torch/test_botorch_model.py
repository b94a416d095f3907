"""The models as botorch models."""

import numpy as np
import pytest
import torch
from botorch.acquisition import qUpperConfidenceBound
from botorch.acquisition.logei import qLogNoisyExpectedImprovement
from botorch.acquisition.objective import ScalarizedPosteriorTransform
from botorch.models.model import Model
from botorch.sampling.normal import SobolQMCNormalSampler

from fechner.strategies.models import condition, fit, posterior
from fechner.strategies.models.torch.botorch_model import GaussianModel
from fechner.strategies.specification import Component

BINARY, CONTINUOUS = Component("GPClassificationModel"), Component("GPRegressionModel")


def made(component: Component) -> tuple[GaussianModel, np.ndarray, np.ndarray, dict]:
    random = np.random.default_rng(0)
    x = random.uniform(size=(20, 1, 2))
    y = x[:, 0, 1] + 0.1 * random.standard_normal(20)
    if component is BINARY:
        y = (y > 0.5).astype(float)
    found = fit(component, x, y)
    return condition(component, x, y, found), x, y, found


@pytest.mark.parametrize("component", [BINARY, CONTINUOUS], ids=["binary", "continuous"])
def test_agrees_with_the_numpy_posterior(component: Component) -> None:
    """Mean and covariance over batches equal those of the numpy posterior."""
    model, x, y, found = made(component)
    assert isinstance(model, Model)
    points = torch.rand(3, 4, 2, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    got = model.posterior(points)
    assert got.mean.shape == (3, 4, 1)
    core = posterior(component, x, y, found)
    for index in range(3):
        mean, covariance = core.joint(points[index].numpy())
        np.testing.assert_allclose(got.mean[index, :, 0].numpy(), mean, atol=1e-8)
        found_covariance = got.distribution.covariance_matrix[index].numpy()
        np.testing.assert_allclose(found_covariance, covariance, atol=1e-6 * (1 + covariance.max()))


def test_gradients_flow() -> None:
    """The gradient of the posterior mean and variance agrees with differences."""
    model, *_ = made(BINARY)
    point = torch.tensor([[0.3, 0.6]], dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(
        lambda p: (model.posterior(p).mean, model.posterior(p).variance), (point,)
    )


def test_observation_noise_and_transform() -> None:
    """Observation noise adds the noise variance; a posterior transform is applied."""
    model, _, _, found = made(CONTINUOUS)
    point = torch.full((1, 2), 0.5, dtype=torch.float64)
    plain, noisy = model.posterior(point), model.posterior(point, observation_noise=True)
    assert float(noisy.variance - plain.variance) == pytest.approx(found["noise"], rel=1e-6)
    twice = ScalarizedPosteriorTransform(torch.tensor([2.0], dtype=torch.float64))
    doubled = model.posterior(point, posterior_transform=twice)
    assert float(doubled.mean) == pytest.approx(2 * float(plain.mean))


@pytest.mark.parametrize("component", [BINARY, CONTINUOUS], ids=["binary", "continuous"])
def test_botorch_acquisition_functions_accept_it(component: Component) -> None:
    """Noisy expected improvement (with its defaults) and an upper confidence bound give values and slopes."""
    model, x, _, _ = made(component)
    points = torch.rand(5, 1, 2, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    points.requires_grad_(True)
    sampler = SobolQMCNormalSampler(torch.Size([32]), seed=1)
    functions = [
        qLogNoisyExpectedImprovement(model, X_baseline=torch.tensor(x[:, 0]), sampler=sampler),
        qUpperConfidenceBound(model, beta=2.0, sampler=SobolQMCNormalSampler(torch.Size([32]), seed=1)),
    ]
    for function in functions:
        values = function(points)
        assert values.shape == (5,)
        (slope,) = torch.autograd.grad(values.sum(), points)
        assert torch.isfinite(slope).all()


BOX = [
    Component("GPClassificationModel", {"floor": 0.5, "lapse": 0.02}),
    Component("GPClassificationModel", {"mean_covar_factory": Component("SongMeanCovarFactory", {})}),
    Component("MonotonicProjectionGP"),
    Component("OrdinalGPModel", {"n_levels": 3}),
    Component("SemiParametricGPModel"),
    Component("HadamardSemiPModel"),
]


@pytest.mark.parametrize("component", BOX, ids=lambda one: f"{one.name}-{'-'.join(one.keys)}")
def test_every_model_is_one_of_botorchs(component: Component) -> None:
    """Batches of any shape; acquisition functions with their defaults give finite values and slopes."""
    random = np.random.default_rng(0)
    x = random.uniform(size=(24, 2))
    y = (
        np.floor(3 * x[:, 1])
        if component.name == "OrdinalGPModel"
        else (x[:, 1] > random.random(24)).astype(float)
    )
    found = fit(component, x, y)
    model = condition(component, x, y, found)
    assert isinstance(model, Model)
    points = torch.rand(2, 3, 4, 2, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    got = model.posterior(points)
    assert got.mean.shape == got.variance.shape == (2, 3, 4, 1)
    assert bool((got.variance > 0).all())
    sampler = SobolQMCNormalSampler(torch.Size([16]), seed=1)
    assert sampler(got).shape == (16, 2, 3, 4, 1)
    flat = points.reshape(6, 4, 2)[:, :2].clone().requires_grad_(True)
    for function in (
        qLogNoisyExpectedImprovement(model, X_baseline=torch.tensor(x), sampler=sampler),
        qUpperConfidenceBound(model, beta=2.0, sampler=SobolQMCNormalSampler(torch.Size([16]), seed=1)),
    ):
        values = function(flat)
        assert values.shape == (6,)
        (slope,) = torch.autograd.grad(values.sum(), flat)
        assert torch.isfinite(values).all()
        assert torch.isfinite(slope).all()
