"""The continuous model: exact, scale-free, gradients."""

import numpy as np
import pytest

from fechner.strategies.models import fit, posterior
from fechner.strategies.models.families.gp_regression import NAME, _evidence, problem
from fechner.strategies.models.fitting.latent import LatentPrior
from fechner.strategies.models.fitting.priors import regression_priors
from fechner.strategies.models.fitting.theta import Layout
from fechner.strategies.specification import Component

MODEL = Component("GPRegressionModel")


def data(n: int = 40) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(2)
    x = random.uniform(size=(n, 2))
    return x, np.sin(5 * x[:, 0]) + x[:, 1] + 0.1 * random.standard_normal(n)


def test_gradient_of_the_evidence_agrees_with_differences() -> None:
    """The analytic gradient of the log posterior density is right in every hyperparameter."""
    x, y = data()
    latent = LatentPrior(regression_priors(MODEL, 2), 2)
    layout, evidence = Layout(latent.blocks()), _evidence(latent, x, y, None)
    theta = layout.typical() + 0.2
    gradient = layout.objective(theta, evidence)[1]
    for index in range(layout.size):
        shift = np.eye(layout.size)[index] * 1e-5
        high, low = (layout.objective(theta + s, evidence)[0] for s in (shift, -shift))
        assert gradient[index] == pytest.approx((high - low) / 2e-5, rel=1e-4, abs=1e-4)


def test_posterior_is_the_textbook_one() -> None:
    """Mean and covariance agree with K* (K + noise)^-1 y written out."""
    x, y = data(15)
    found = fit(MODEL, x, y)
    core = posterior(MODEL, x, y, found)
    test = np.random.default_rng(1).uniform(size=(6, 2))
    inverse = np.linalg.inv(core.covariance(x, x) + found["noise"] * np.eye(15))
    cross = core.covariance(test, x)
    mean, covariance = core.joint(test)
    np.testing.assert_allclose(mean, found["mean"] + cross @ inverse @ (y - found["mean"]), atol=1e-7)
    np.testing.assert_allclose(covariance, core.covariance(test, test) - cross @ inverse @ cross.T, atol=1e-7)


def test_units_do_not_matter() -> None:
    """Outcomes in other units give the same predictions in those units."""
    x, y = data()
    test = np.random.default_rng(1).uniform(size=(6, 2))
    one = posterior(MODEL, x, y, fit(MODEL, x, y)).predict(test, "outcome")
    scaled = 1e4 * y - 3e5
    other = posterior(MODEL, x, scaled, fit(MODEL, x, scaled)).predict(test, "outcome")
    np.testing.assert_allclose((other[0] + 3e5) / 1e4, one[0], rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(other[1] / 1e4, one[1], rtol=1e-3)


@pytest.mark.parametrize("unit", [1e-20, 1e-13, 1e13, 1e100])
def test_nor_do_very_small_or_large_ones(unit: float) -> None:
    """Outcomes of 1e-13, say of a current in ampere, are no constant."""
    x, y = data()
    test = np.random.default_rng(1).uniform(size=(6, 2))
    one = posterior(MODEL, x, y, fit(MODEL, x, y)).predict(test, "outcome")
    other = posterior(MODEL, x, unit * y, fit(MODEL, x, unit * y)).predict(test, "outcome")
    np.testing.assert_allclose(other[0] / unit, one[0], rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(other[1] / unit, one[1], rtol=1e-3)


def test_noise_is_found() -> None:
    """The noise sd of .1 is found within a third of it with 150 trials."""
    x, y = data(150)
    assert fit(MODEL, x, y)["noise"] ** 0.5 == pytest.approx(0.1, rel=0.35)


@pytest.mark.parametrize("outcomes", [[3.0], [2.0, 2.0, 2.0], [1e-200, 2e-200, 0.0], [1e8, 1e8 + 1e-7, 1e8]])
def test_constant_outcomes_are_no_trouble(outcomes: list[float]) -> None:
    """One outcome, or several equal ones, give finite predictions."""
    x = np.random.default_rng(0).uniform(size=(len(outcomes), 1))
    core = posterior(MODEL, x, np.array(outcomes), fit(MODEL, x, np.array(outcomes)))
    assert np.all(np.isfinite(core.predict(x, "outcome")))


def test_a_warm_start_ends_where_the_cold_one_does() -> None:
    """Fits from earlier hyperparameters agree with cold ones although the outcomes' scale has changed."""
    x, y = data()
    cold = fit(MODEL, x, y)
    warm = fit(MODEL, x, y, fit(MODEL, x[:20], y[:20]))
    assert warm["log_posterior"] == pytest.approx(cold["log_posterior"], abs=0.05)


@pytest.mark.parametrize("factory", [None, Component("DefaultMeanCovarFactory", {})])
def test_a_known_noise(factory: Component | None) -> None:
    """FixedNoiseGaussianLikelihood: the noise is as given, in the outcome's units; all else is fitted."""
    random = np.random.default_rng(0)
    x = random.uniform(size=(30, 1))
    y = 100 + 10 * np.sin(6 * x[:, 0]) + 2 * random.standard_normal(30)
    likelihood = Component("FixedNoiseGaussianLikelihood", {"noise": 4.0})
    component = Component(NAME, {"likelihood": likelihood, "mean_covar_factory": factory})
    found = fit(component, x, y)
    assert found["noise"] == 4.0
    task, evidence, theta = problem(component, x, y, found)
    layout = task.layout
    _, slopes = layout.objective(theta, evidence)
    assert np.abs(slopes).max() < 0.1
    for place in range(layout.size):
        shift = 1e-5 * np.eye(layout.size)[place]
        up, down = (layout.objective(theta + 0.1 + sign * shift, evidence)[0] for sign in (1, -1))
        assert layout.objective(theta + 0.1, evidence)[1][place] == pytest.approx(
            (up - down) / 2e-5, rel=1e-3, abs=1e-3
        )
    assert task.plain(theta)["noise"] == 4.0
    mean, _ = posterior(component, x, y, found).latent(x)
    assert np.sqrt(np.mean(np.square(mean - 100 - 10 * np.sin(6 * x[:, 0])))) < 1.5
