"""Constraint points and unknown lapse rates: posteriors against long Markov chains, gradients, effects."""

from typing import Any

import numpy as np
import pytest

from fechner.strategies.models import condition, fit, posterior
from fechner.strategies.models.families import constrained
from fechner.strategies.models.families.augmented import by_lapse, rows_of
from fechner.strategies.models.families.augmented_models import LAPSE, LAPSE_SHAPE
from fechner.strategies.models.families.gp_classification import NAME
from fechner.strategies.models.inference.binary_likelihood import tilted
from fechner.strategies.models.uncertainty import ensemble
from fechner.strategies.numerics.normal import ndtr, ndtri
from fechner.strategies.numerics.sobol import sobol
from fechner.strategies.specification import Component

from .sampling import elliptical_slices

PLAIN = Component(NAME)
POINTS = (((0.0,), 0.55, 0.05), ((1.0,), 0.95, 0.09))
LAPSING = Component(NAME, {"lapse": "estimate"})


def data(n: int, d: int = 1, seed: int = 0, lapse: float = 0.0) -> tuple[np.ndarray, np.ndarray]:
    """Trials of an observer who gets better along the last dimension, and lapses."""
    random = np.random.default_rng(seed)
    x = random.uniform(size=(n, d))
    return x, (random.uniform(size=n) < (1 - lapse) * ndtr(12 * (x[:, -1] - 0.4))).astype(float)


@pytest.mark.long
def test_constraint_points_are_in_the_posterior_of_a_long_markov_chain() -> None:
    """Mean and sd of f with six trials and two points, with a guess rate: within .1 sd, and 15 % of it."""
    component = Component(NAME, {"floor": 0.5, "constraint_locations": POINTS})
    x, y = data(6)
    h: dict[str, Any] = {"model": NAME, "lengthscales": [0.4], "variance": 4.0, "constant": 1.0, "mean": 0.0}
    h |= {"slopes": [1.0], "floor": 0.5, "lapse": 0.0}
    core = posterior(component, x, y, h)
    at = np.linspace(0, 1, 5)[:, None]
    task, _, _ = constrained.problem(component, x, y, h)
    assert task.layout.size == 3
    places = np.array([place for place, _, _ in POINTS])
    means = ndtri(2 * np.array([value for _, value, _ in POINTS]) - 1)
    sds = np.sqrt([variance for _, _, variance in POINTS])
    whole = np.vstack([x, places, at])

    def log_likelihood(f: np.ndarray) -> float:
        p = 0.5 + 0.5 * ndtr(f[:6])
        away = (f[6:8] - means) / sds
        return float(np.log(np.where(y > 0.5, p, 1 - p) + 1e-300).sum() - 0.5 * away @ away)

    samples = elliptical_slices(np.zeros(13), core.covariance(whole, whole), log_likelihood, 60_000, 1)[:, 8:]
    mean, variance = core.latent(at)
    sd = samples.std(axis=0)
    assert np.all(np.abs(mean - samples.mean(axis=0)) < 0.1 * sd)
    np.testing.assert_allclose(np.sqrt(variance), sd, rtol=0.15)


def test_constraint_points_hold_what_they_say() -> None:
    """A sure point is where the curve goes; an unsure one hardly matters; rates are taken into account."""
    x, y = data(30)
    place = ((0.7,), 0.2, 1e-4)
    for keys in ({}, {"floor": 0.1, "lapse": 0.05}):
        sure = Component(NAME, {**keys, "constraint_locations": (place,)})
        core = posterior(sure, x, y, fit(sure, x, y))
        assert core.predict(np.array([[0.7]]), "probability")[0][0] == pytest.approx(0.2, abs=0.02)
    unsure = Component(NAME, {"constraint_locations": (((0.7,), 0.2, 1e6),)})
    h = fit(PLAIN, x, y)
    at = sobol(2, 1, 0, 16)
    mean, variance = posterior(unsure, x, y, h).latent(at)
    wanted = posterior(PLAIN, x, y, h).latent(at)
    np.testing.assert_allclose([mean, variance], wanted, rtol=1e-3, atol=1e-3)


def test_without_constraint_points_nothing_changes() -> None:
    """An empty list is the plain model, bit for bit."""
    x, y = data(20, 2)
    none = Component(NAME, {"constraint_locations": (), "floor": 0.0, "lapse": 0.0})
    assert not constrained.concerns(none)
    assert fit(none, x, y) == fit(PLAIN, x, y)


@pytest.mark.parametrize(
    "keys", [{"lapse": "estimate"}, {"constraint_locations": (((0.1, 0.3), 0.4, 0.05),)}]
)
def test_gradient_of_the_evidence_agrees_with_differences(keys: dict[str, Any]) -> None:
    """In every hyperparameter, the lapse rate among them, where no outcome contradicts the others."""
    component = Component(NAME, keys)
    x = sobol(1, 2, 0, 20)
    y = (x[:, 1] > 0.45).astype(float)
    task, evidence, theta = constrained.problem(component, x, y, fit(component, x[:10], y[:10]))
    layout = task.layout
    theta = theta - 0.2
    gradient = layout.objective(theta, evidence)[1]
    for index in range(layout.size):
        shift = 1e-3 * np.eye(layout.size)[index]
        ends = [layout.objective(theta + sign * shift, evidence)[0] for sign in (1, -1)]
        assert gradient[index] == pytest.approx((ends[0] - ends[1]) / 2e-3, rel=5e-3, abs=5e-3)


def test_derivative_by_the_lapse_rate() -> None:
    """Of the sum of log Z at given cavities, against differences."""
    y = np.array([1.0, 0.0, 1.0, 0.0])
    cavity = np.array([-1.0, 2.0, 3.0, 0.1]), np.array([0.5, 1.0, 0.1, 2.0])
    ends = [tilted(*cavity, y, 0.2, 0.05 + step)[0].sum() for step in (1e-6, -1e-6)]
    assert by_lapse(y, 0.2, 0.05, cavity) == pytest.approx((ends[0] - ends[1]) / 2e-6, rel=1e-6)


def test_lapses_are_found() -> None:
    """Without data the rate is the prior's; that of many trials is small without lapses, else is not."""
    a, b = LAPSE_SHAPE
    assert fit(LAPSING, np.zeros((0, 1)), np.zeros(0))["lapse"] == pytest.approx(a / (a + b))
    none, some = (
        [fit(LAPSING, *data(300, 1, seed, lapse))["lapse"] for seed in range(4)] for lapse in (0, 0.08)
    )
    assert max(none) < 0.02
    assert min(some) > 1.5 * max(none)


def test_a_lapse_among_easy_trials_bends_the_curve_less() -> None:
    """A single 0 far above threshold: with an unknown lapse rate the curve stays up beside it."""
    x = np.linspace(0.02, 0.98, 40)[:, None]
    y = (x[:, 0] > 0.5).astype(float)
    y[-5] = 0.0
    at = x[-5:-4]
    with_lapses = posterior(LAPSING, x, y, fit(LAPSING, x, y)).latent(at)[0]
    assert with_lapses[0] > posterior(PLAIN, x, y, fit(PLAIN, x, y)).latent(at)[0][0] + 0.3


def test_members_of_the_ensemble_have_lapse_rates_of_their_own() -> None:
    """Intervals of high probabilities hold what is not known about the rate; curves are the centre's."""
    x, y = data(60, 1, 3, 0.1)
    h = fit(LAPSING, x, y)
    core = ensemble(LAPSING, x, y, h)
    assert len({member.lapse for member in core.members}) > 5
    at = np.array([[0.95]])
    middle, sd, lower, upper = (float(one[0]) for one in core.predict(at, "probability", 0.95))
    assert lower < middle < upper < 1.0
    assert upper > 1.0 - core.centre.lapse - 0.05
    drawn = core.centre.probability(core.curves(at, 1, 4000)[:, 0])
    assert np.quantile(drawn, 0.025) == pytest.approx(lower, abs=0.02)
    assert np.std(drawn) == pytest.approx(sd, rel=0.25)


def test_warm_starts_and_botorch() -> None:
    """The rate is carried from fit to fit; botorch sees the same posterior."""
    torch = pytest.importorskip("torch")
    x, y = data(50, 2, 1, 0.1)
    component = Component(NAME, {"lapse": "estimate", "constraint_locations": (((0.5, 0.0), 0.05, 0.01),)})
    cold = fit(component, x, y)
    assert fit(component, x, y) == cold
    warm = fit(component, x, y, cold)
    assert warm["log_posterior"] == pytest.approx(cold["log_posterior"], abs=0.02)
    assert warm["evaluations"] < cold["evaluations"]
    at = sobol(4, 2, 0, 6)
    mean, covariance = posterior(component, x, y, cold).joint(at)
    seen = condition(component, x, y, cold).posterior(torch.tensor(at)).distribution
    np.testing.assert_allclose(seen.mean.numpy(), mean, rtol=1e-8, atol=1e-8)
    np.testing.assert_allclose(seen.covariance_matrix.numpy(), covariance, rtol=1e-6, atol=1e-6)


def test_theta_ends_in_the_rate() -> None:
    """Its prior is part of the objective, and its place is the last."""
    task, _, theta = constrained.problem(LAPSING, *data(5), fit(LAPSING, *data(5)))
    layout = task.layout
    assert layout.blocks[-1].name == LAPSE
    assert len(theta) == layout.size == len(layout.bounds())
    moved = task.plain(theta + np.eye(layout.size)[-1])
    assert moved["lapse"] == pytest.approx(np.exp(theta[-1] + 1.0))
    x = data(5)[0]
    assert len(rows_of(x, task.pseudo)) == 5
