"""The ensemble over hyperparameters: wider, repeatable, consistent."""

import numpy as np
import pytest

from fechner.strategies.models import fit, uncertainty
from fechner.strategies.models.families import gp_classification
from fechner.strategies.models.posteriors.posterior import root_of
from fechner.strategies.models.uncertainty import ensemble, mixture_quantile
from fechner.strategies.numerics.normal import ndtr
from fechner.strategies.specification import Component

BINARY, CONTINUOUS = Component("GPClassificationModel"), Component("GPRegressionModel")
TEST = np.random.default_rng(9).uniform(size=(40, 2))


def data(component: Component, n: int = 25) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(0)
    x = random.uniform(size=(n, 2))
    y = x[:, 1] + 0.2 * random.standard_normal(n)
    return x, (y > 0.5).astype(float) if component is BINARY else y


@pytest.mark.parametrize("component", [BINARY, CONTINUOUS], ids=lambda c: c.name)
def test_intervals_hold_more_than_those_of_the_fit_alone(component: Component) -> None:
    """With few trials the ensemble's latent intervals are wider on average, around the same estimates."""
    x, y = data(component)
    core = ensemble(component, x, y, fit(component, x, y))
    assert len(core.members) > 8
    assert core.weights.sum() == pytest.approx(1.0)
    mean, sd, lower, upper = core.predict(TEST, "latent", 0.95)
    alone = core.centre.predict(TEST, "latent", 0.95)
    np.testing.assert_array_equal(mean, alone[0])
    assert np.mean(upper - lower) > np.mean(alone[3] - alone[2])
    assert np.all((lower <= mean) & (mean <= upper) & (sd > 0))


def test_the_same_arguments_give_the_same_bits() -> None:
    """Two ensembles of the same data agree exactly, and so do their curves."""
    x, y = data(BINARY)
    found = fit(BINARY, x, y)
    one = ensemble(BINARY, x, y, found)
    uncertainty._last.forget()
    other = ensemble(BINARY, x, y, found)
    assert one is not other
    assert np.array_equal(one.curves(TEST, 3, 200), other.curves(TEST, 3, 200))


def test_the_last_ensemble_is_kept_for_the_next_query() -> None:
    """For the very same arguments only: other outcomes, inputs or hyperparameters give another."""
    x, y = data(BINARY)
    found = fit(BINARY, x, y)
    one = ensemble(BINARY, x, y, found)
    assert ensemble(BINARY, x.copy(), y.copy(), dict(found)) is one
    for other in ((x, 1 - y, found), (x * 0.9, y, found), (x, y, {**found, "mean": found["mean"] + 1e-9})):
        assert ensemble(BINARY, *other) is not one
        assert ensemble(BINARY, x, y, found) is not one
        one = ensemble(BINARY, x, y, found)


def test_the_sites_of_members_are_settled_enough() -> None:
    """Intervals are those of sites that are settled to the last digits, within .005 sd."""
    x, y = data(BINARY, 80)
    found = fit(BINARY, x, y)
    core = ensemble(BINARY, x, y, found)
    settled = []
    task, _, mode = gp_classification.problem(BINARY, x, y, found)
    for member in core.members:
        theta = task.layout.join(task.latent.write(member.covariance, member.mean))
        settled.append(gp_classification.posterior(BINARY, x, y, task.plain(theta)))
    exact = uncertainty.Ensemble(core.centre, tuple(settled), core.weights)
    (_, _, low, high), (_, sd, lower, upper) = (one.predict(TEST, "latent", 0.95) for one in (exact, core))
    assert len(mode) == task.layout.size
    np.testing.assert_array_less(np.abs(low - lower) / sd, 0.005)
    np.testing.assert_array_less(np.abs(high - upper) / sd, 0.005)


def test_curves_have_the_mixtures_moments() -> None:
    """The mean and sd of many curves are those of the prediction."""
    x, y = data(BINARY, 60)
    core = ensemble(BINARY, x, y, fit(BINARY, x, y))
    curves = core.curves(TEST, 1, 4000)
    assert curves.shape == (4000, 40)
    means, variances = core.latent(TEST)
    np.testing.assert_allclose(curves.mean(axis=0), core.weights @ means, atol=0.15)
    _, sd, _, _ = core.predict(TEST, "latent", 0.95)
    np.testing.assert_allclose(curves.std(axis=0), sd, rtol=0.15)
    assert variances.shape == means.shape


def test_quantiles_of_a_mixture() -> None:
    """The distribution function of the mixture at its quantile is the share asked for."""
    weights = np.array([0.2, 0.5, 0.3])
    mean = np.array([[0.0, 1.0], [2.0, 1.0], [-5.0, 1.0]])
    variance = np.array([[1.0, 4.0], [0.1, 4.0], [9.0, 4.0]])
    for share in (0.025, 0.5, 0.9):
        at = mixture_quantile(weights, mean, variance, share)
        np.testing.assert_allclose(weights @ ndtr((at - mean) / np.sqrt(variance)), share, atol=1e-9)


def test_a_singular_covariance_has_a_root() -> None:
    """The covariance of equal values, singular, has a square root all the same."""
    covariance = np.ones((30, 30))
    root = root_of(covariance)
    np.testing.assert_allclose(root @ root.T, covariance, atol=1e-6)


def test_no_data_and_many_data_have_one_member() -> None:
    """Without data, and beyond the limit, the fitted hyperparameters stand alone."""
    nothing = np.zeros((0, 2))
    assert len(ensemble(BINARY, nothing, np.zeros(0), fit(BINARY, nothing, np.zeros(0))).members) == 1
