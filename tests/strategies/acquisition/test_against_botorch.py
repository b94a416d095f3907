"""Functions computed in closed form, or by quadrature, against BoTorch's own on the same model."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from botorch.acquisition import (
    qBayesianActiveLearningByDisagreement,
    qExpectedUtilityOfBestOption,
    qKnowledgeGradient,
    qLowerBoundMaxValueEntropy,
    qMaxValueEntropy,
    qNegIntegratedPosteriorVariance,
)
from botorch.acquisition.analytic import qAnalyticProbabilityOfImprovement
from botorch.acquisition.objective import ScalarizedPosteriorTransform
from botorch.acquisition.preference import PairwiseBayesianActiveLearningByDisagreement
from botorch.models.model import Model
from botorch.posteriors.fully_bayesian import GaussianMixturePosterior
from botorch.sampling.normal import SobolQMCNormalSampler
from gpytorch.distributions import MultivariateNormal

from fechner.strategies.acquisition import build, max_value
from fechner.strategies.acquisition.disagreement import disagreement
from fechner.strategies.models import condition, fit, posterior
from fechner.strategies.models.torch.botorch_model import GaussianModel
from fechner.strategies.models.uncertainty import ensemble
from fechner.strategies.numerics.randomness import key
from fechner.strategies.numerics.sobol import sobol
from fechner.strategies.plugins.resolve import function
from fechner.strategies.specification import Component

MODELS = {
    "binary": Component("GPClassificationModel", {"floor": 0.1, "lapse": 0.02}),
    "continuous": Component("GPRegressionModel"),
    "ordinal": Component("OrdinalGPModel", {"n_levels": 4}),
    "monotone": Component("MonotonicProjectionGP", {"monotonic_dims": (1,)}),
    "semi-parametric": Component("SemiParametricGPModel", {"stim_dim": (1,), "slope_mean": 2.0}),
    "matern": Component(
        "GPRegressionModel",
        {"covar_module": Component("MaternKernel", {"nu": 2.5}), "mean_module": Component("LinearMean")},
    ),
}
POINTS = np.random.default_rng(3).uniform(size=(12, 2))
Fitted = tuple[Any, np.ndarray, np.ndarray, dict[str, Any]]


def trials(kind: str) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(0)
    x = random.uniform(size=(25, 2))
    y = np.sin(3 * x[:, 0]) + x[:, 1] + 0.2 * random.standard_normal(25)
    if kind == "ordinal":
        return x, np.clip(np.floor(2 * y), 0, 3)
    return x, y if kind in ("continuous", "matern") else (y > 1.2).astype(float)


@pytest.fixture(scope="module", params=MODELS)
def fitted(request: pytest.FixtureRequest) -> Fitted:
    x, y = trials(request.param)
    component = MODELS[request.param]
    return component, x, y, fit(component, x, y)


def built(name: str, fitted: Fitted, **keys: Any) -> Any:
    return build(Component(name, keys), posterior(*fitted), seed=7, around=lambda: ensemble(*fitted))


def tensor(values: Any) -> torch.Tensor:
    return torch.tensor(np.asarray(values), dtype=torch.float64)


def sampler(count: int) -> SobolQMCNormalSampler:
    return SobolQMCNormalSampler(torch.Size([count]), seed=1)


def test_integrated_variance(fitted: Fitted) -> None:
    """The same value, to the jitter that BoTorch's matrices need."""
    ours = built("qNegIntegratedPosteriorVariance", fitted, mc_points=64)
    reference = tensor(sobol(key(7, "mc points"), 2, 0, 64))
    theirs = qNegIntegratedPosteriorVariance(condition(*fitted), mc_points=reference, sampler=sampler(1))
    wanted = theirs(tensor(POINTS[:, None])).numpy()
    np.testing.assert_allclose(ours.values(POINTS), wanted, rtol=1e-5)


def test_knowledge_gradient(fitted: Fitted) -> None:
    """BoTorch's value where each fantasy's best place is the best of ours (its one-shot form)."""
    count, fantasies = 128, 512
    ours = built("qKnowledgeGradient", fitted, candidate_set=count, num_fantasies=fantasies)
    core, model = posterior(*fitted), condition(*fitted)
    sobol_points = sobol(key(7, "candidates"), 2, 0, count)
    reference = np.vstack([sobol_points, np.unique(core.places, axis=0)])
    now = float(core.latent(reference)[0].max())
    drawn = sampler(fantasies)
    theirs = qKnowledgeGradient(model, None, sampler=drawn, current_value=tensor(now))
    wanted = []
    for point in POINTS:
        fantasy = model.fantasize(tensor(point[None]), drawn)
        places = np.vstack([reference, point])
        best = fantasy.posterior(tensor(places)).mean.squeeze(-1).argmax(dim=-1)
        whole = torch.cat([tensor(point[None]), tensor(places)[best]])
        wanted.append(float(theirs(whole)))
    # the samples' average is not quite zero, also where nothing is to be gained (a monotone f's corner)
    np.testing.assert_allclose(ours.values(POINTS), wanted, rtol=0.02, atol=0.01 * max(wanted) + 1e-4)


@pytest.mark.parametrize("maximize", [True, False])
def test_max_value_entropies(fitted: Fitted, monkeypatch: pytest.MonkeyPatch, maximize: bool) -> None:
    """With the same sampled maxima: the lower bound to rounding, the information to BoTorch's samples."""
    core, model = posterior(*fitted), condition(*fitted)
    sign = 1.0 if maximize else -1.0
    mean, variance = core.latent(POINTS)  # so that samples of y meet the maxima
    best = (sign * mean).max() + float(np.sqrt(variance.mean())) * np.array([0.0, 0.5, 1.0])
    monkeypatch.setattr(max_value, "highest", lambda *_: best)
    candidates = tensor(sobol(1, 2, 0, 16))
    for name, class_, tolerance, more in (
        ("qLowerBoundMaxValueEntropy", qLowerBoundMaxValueEntropy, 1e-4, {}),
        ("qMaxValueEntropy", qMaxValueEntropy, 0.02, {"num_y_samples": 4096}),
    ):
        theirs = class_(model, candidates, maximize=maximize, **more)
        theirs.posterior_max_values = tensor(best[:, None])
        if more:
            theirs.sampler = sampler(4096)
        wanted = theirs(tensor(POINTS[:, None])).detach().numpy()
        got = built(name, fitted, maximize=maximize).values(POINTS)
        np.testing.assert_allclose(got, wanted, rtol=tolerance, atol=tolerance * wanted.max())


@pytest.mark.parametrize("gumbel", [True, False])
def test_sampled_maxima(fitted: Fitted, gumbel: bool) -> None:
    """They have the quartiles of the maximum of joint samples, roughly; Gumbel's lie somewhat higher."""
    core = posterior(*fitted)
    found = max_value.highest(core, 1.0, 128, 4000, gumbel, 5)
    points = np.vstack([sobol(key(5, "candidates"), 2, 0, 128), np.unique(core.places, axis=0)])
    mean, covariance = core.joint(points)
    values, vectors = np.linalg.eigh(covariance)
    normal = np.random.default_rng(0).standard_normal((4000, len(points)))
    drawn = (mean + (normal * np.sqrt(np.maximum(values, 0))) @ vectors.T).max(axis=1)
    spread = float(drawn.std())
    assert np.median(found) - np.median(drawn) == pytest.approx(
        0.0, abs=1.6 * spread if gumbel else 0.1 * spread
    )


def test_disagreement_about_hyperparameters(fitted: Fitted) -> None:
    """For continuous outcomes: BoTorch's function of the same mixture, where its members weigh the same."""
    around = ensemble(*fitted)
    ours = built("qBayesianActiveLearningByDisagreement", fitted)
    values = ours.values(POINTS)
    assert np.all(values > -1e-9)
    assert values.max() > 0
    if fitted[0].name != "GPRegressionModel":
        return

    class Mixture(GaussianModel):
        _is_fully_bayesian = _is_ensemble = True

        def posterior(self, X: torch.Tensor, *_: Any, **options: Any) -> Any:
            each = [GaussianModel(m, fitted[2]).posterior(X, observation_noise=True) for m in around.members]
            return GaussianMixturePosterior(
                MultivariateNormal(
                    torch.stack([one.mean.squeeze(-1) for one in each], dim=-2),
                    torch.stack([one.distribution.covariance_matrix for one in each], dim=-3),
                )
            )

    even = replace(around, weights=np.full(len(around.members), 1 / len(around.members)))
    theirs = qBayesianActiveLearningByDisagreement(Mixture(around.centre, fitted[2]), sampler=sampler(2048))
    wanted = theirs(tensor(POINTS[:, None])).detach().numpy()
    got = disagreement(even, np.zeros((0, 2)))(POINTS)
    np.testing.assert_allclose(got, wanted.reshape(len(POINTS), -1).mean(axis=1), atol=0.03 * wanted.max())


def test_probability_of_improvement(fitted: Fitted) -> None:
    """BoTorch's of one point, at a given best value."""
    theirs = qAnalyticProbabilityOfImprovement(condition(*fitted), best_f=0.4)
    wanted = theirs(tensor(POINTS[:, None])).detach().numpy()
    got = built("qAnalyticProbabilityOfImprovement", fitted, best_f=0.4).values(POINTS)
    np.testing.assert_allclose(got, wanted, atol=1e-6)


@pytest.mark.parametrize(
    "name",
    [
        "qNegIntegratedPosteriorVariance",
        "qKnowledgeGradient",
        "qMaxValueEntropy",
        "qLowerBoundMaxValueEntropy",
    ],
)
def test_gradients(fitted: Fitted, name: str) -> None:
    """Values with gradients are the values, and the gradients those of differences."""
    function = built(name, fitted)
    value, slopes = function.gradients(POINTS)
    np.testing.assert_allclose(value, function.values(POINTS), rtol=1e-9, atol=1e-12)
    for dimension in range(2):
        step = 1e-5 * np.eye(2)[dimension]
        wanted = (function.values(POINTS + step) - function.values(POINTS - step)) / 2e-5
        scale = np.abs(slopes).max()
        np.testing.assert_allclose(slopes[:, dimension], wanted, atol=2e-3 * scale)


def test_pairs() -> None:
    """BoTorch's sampled functions of a pair, against EUBO's closed form and BALD's quadrature."""
    random = np.random.default_rng(1)
    x = random.uniform(size=(20, 2, 2))
    y = (x[:, 1].sum(axis=1) > x[:, 0].sum(axis=1)).astype(float)
    component = Component("PairwiseProbitModel")
    found = fit(component, x, y)
    core, model = posterior(component, x, y, found), condition(component, x, y, found)
    pairs = random.uniform(size=(10, 2, 2))
    theirs: Any = qExpectedUtilityOfBestOption(model, sampler=sampler(4096))
    wanted = theirs(tensor(pairs)).detach().numpy()
    got = function(Component("qExpectedUtilityOfBestOption"), "pairs")(core).values(pairs)
    # the botorch model's utility is less its average over the box
    np.testing.assert_allclose(got - got.mean(), wanted - wanted.mean(), atol=2e-3)

    class Difference(Model):
        """BoTorch's function gives the difference of utilities noise of variance 1; its models of pairs 2."""

        def posterior(self, X: torch.Tensor, *_: Any, **options: Any) -> Any:
            half = ScalarizedPosteriorTransform(tensor([np.sqrt(0.5)]))
            return model.posterior(X, posterior_transform=half)

        num_outputs, batch_shape = 1, torch.Size()

    torch.manual_seed(0)
    theirs = PairwiseBayesianActiveLearningByDisagreement(Difference(), num_samples=40_000)
    wanted = theirs(tensor(pairs)).detach().numpy() / np.log(2)  # ours is in bits
    got = function(Component("PairwiseBayesianActiveLearningByDisagreement"), "pairs")(core).values(pairs)
    np.testing.assert_allclose(got, wanted, atol=5e-3)
