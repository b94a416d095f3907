"""The binary model: gradients, fits, posteriors, degenerate data."""

import json
from typing import Any

import numpy as np
import pytest

from fechner.strategies.models import fit, posterior
from fechner.strategies.models.families.gp_classification import _evidence
from fechner.strategies.models.fitting.latent import LatentPrior
from fechner.strategies.models.fitting.plain import from_plain
from fechner.strategies.models.fitting.priors import classification_priors
from fechner.strategies.models.fitting.theta import Layout
from fechner.strategies.numerics.normal import ndtr
from fechner.strategies.specification import Component

MODEL = Component("GPClassificationModel")
FACTORY = Component("DefaultMeanCovarFactory")
PEER = Component("GPClassificationModel", {"mean_covar_factory": FACTORY})


def data(n: int, d: int = 2, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Trials of an observer who gets better along the last dimension."""
    random = np.random.default_rng(seed)
    x = random.uniform(size=(n, d))
    return x, (random.uniform(size=n) < ndtr(8 * (x[:, -1] - 0.3 - 0.3 * x[:, 0]))).astype(float)


@pytest.mark.parametrize(
    "component",
    [
        MODEL,
        PEER,
        Component(
            "GPClassificationModel",
            {
                "mean_covar_factory": Component(
                    "DefaultMeanCovarFactory",
                    {
                        "lengthscale_prior": "gamma",
                        "fixed_kernel_amplitude": False,
                        "outputscale_prior": "gamma",
                    },
                )
            },
        ),
    ],
)
def test_gradient_of_the_evidence_agrees_with_differences(component: Component) -> None:
    """The analytic gradient of the log posterior density is right to three digits in every hyperparameter."""
    x, y = data(40)
    latent = LatentPrior(classification_priors(component, 2), 2)
    layout = Layout(latent.blocks())

    def objective(theta: np.ndarray) -> tuple[float, np.ndarray]:
        return layout.objective(theta, _evidence(latent, x, y, 0.0, 0.0, None))

    theta = layout.typical() + 0.3
    gradient = objective(theta)[1]
    step = 1e-3
    for index in range(layout.size):
        shift = np.eye(layout.size)[index] * step
        difference = (objective(theta + shift)[0] - objective(theta - shift)[0]) / (2 * step)
        assert gradient[index] == pytest.approx(difference, rel=2e-3, abs=2e-3)


def test_predictions_follow_the_observer() -> None:
    """With 150 trials the predicted probability is within .12 of the truth nearly everywhere."""
    x, y = data(150)
    core = posterior(MODEL, x, y, fit(MODEL, x, y))
    test = np.random.default_rng(5).uniform(size=(300, 2))
    mean, _, _, _ = core.predict(test, "probability")
    truth = ndtr(8 * (test[:, 1] - 0.3 - 0.3 * test[:, 0]))
    assert np.mean(np.abs(mean - truth)) < 0.05
    assert np.quantile(np.abs(mean - truth), 0.95) < 0.2


def test_hyperparameters_are_plain_data_and_survive_json() -> None:
    """Hyperparameters that went through JSON give the same posterior, bit for bit."""
    x, y = data(30)
    found = fit(MODEL, x[:, None, :], y)
    again = json.loads(json.dumps(found))
    assert again == found
    one = posterior(MODEL, x, y, found).latent(x)
    other = posterior(MODEL, x[:, None, :], y, again).latent(x)
    assert np.array_equal(one[0], other[0])
    assert np.array_equal(one[1], other[1])


def test_fits_are_reproducible_and_warm_starts_agree() -> None:
    """Equal arguments give equal bits; a warm start ends where the cold one does, in fewer evaluations."""
    x, y = data(60)
    cold = fit(MODEL, x, y)
    assert fit(MODEL, x, y) == cold
    warm = fit(MODEL, x, y, cold)
    assert warm["log_posterior"] == pytest.approx(cold["log_posterior"], abs=0.02)
    assert warm["evaluations"] < cold["evaluations"]


@pytest.mark.parametrize("outcomes", [[1.0], [0.0, 0.0, 0.0], [1.0] * 30])
def test_one_sided_outcomes_still_fit(outcomes: list[float]) -> None:
    """Data of a single kind, as every session begins, give finite predictions on their side."""
    x = np.random.default_rng(0).uniform(size=(len(outcomes), 2))
    y = np.array(outcomes)
    core = posterior(MODEL, x, y, fit(MODEL, x, y))
    mean, sd, lower, upper = core.predict(x, "probability")
    assert np.all(np.isfinite([mean, sd, lower, upper]))
    assert np.all((mean > 0.5) == (y > 0.5))


def test_no_data_gives_the_prior() -> None:
    """Without trials the prediction is one half with a wide interval."""
    x = np.zeros((0, 1, 3))
    core = posterior(MODEL, x, np.zeros(0), fit(MODEL, x, np.zeros(0)))
    mean, _, lower, upper = core.predict(np.full((1, 3), 0.5), "probability")
    assert mean[0] == pytest.approx(0.5)
    assert lower[0] < 0.05
    assert upper[0] > 0.95


def test_repeated_points_are_no_trouble() -> None:
    """Forty trials at two places, duplicates and all, predict their shares."""
    x = np.repeat([[0.2, 0.2], [0.8, 0.8]], 20, axis=0)
    y = np.tile([0.0, 0.0, 0.0, 1.0] * 5, 2)
    y[20:] = 1.0 - y[20:]
    core = posterior(MODEL, x, y, fit(MODEL, x, y))
    mean, _, _, _ = core.predict(x[[0, -1]], "probability")
    np.testing.assert_allclose(mean, [0.25, 0.75], atol=0.1)


def test_guess_and_lapse_bound_the_probability() -> None:
    """With a guess rate of one half no prediction falls below it, and outcomes at chance mean a low f."""
    component = Component("GPClassificationModel", {"floor": 0.5, "lapse": 0.02})
    random = np.random.default_rng(3)
    x = random.uniform(size=(150, 1))
    y = (random.uniform(size=150) < 0.5 + 0.48 * ndtr(12 * (x[:, 0] - 0.5))).astype(float)
    core = posterior(component, x, y, fit(component, x, y))
    mean, _, lower, upper = core.predict(np.array([[0.05], [0.95]]), "probability")
    assert 0.5 <= lower[0] <= mean[0] < 0.65
    assert 0.85 < mean[1] <= upper[1] <= 0.98


def test_a_fit_with_a_guess_rate_finds_the_summit() -> None:
    """With guess and lapse rate the fitted hyperparameters are no worse than any nearby ones."""
    component = Component("GPClassificationModel", {"floor": 0.25, "lapse": 0.02})
    x, y = data(80)
    found = fit(component, x, y)
    latent = LatentPrior(classification_priors(component, 2), 2)
    layout = Layout(latent.blocks())
    theta = layout.join(latent.write(*from_plain(found)))
    for shift in 0.5 * np.vstack([np.eye(layout.size), -np.eye(layout.size)]):
        value = -layout.objective(theta + shift, _evidence(latent, x, y, 0.25, 0.02, None))[0]
        assert value < found["log_posterior"] + 0.1


def test_the_named_factory_gives_the_peers_priors() -> None:
    """A DefaultMeanCovarFactory keeps the output scale at one and fits a constant mean."""
    x, y = data(40)
    found = fit(PEER, x, y)
    assert found["variance"] == 1.0
    assert found["constant"] == 0.0
    assert "slopes" not in found
    assert found["mean"] != 0.0


def test_a_time_limit_is_a_number_of_evaluations() -> None:
    """max_fit_time bounds the evaluations at a nominal rate, so every machine fits alike."""
    x, y = data(60)
    limited = fit(Component("GPClassificationModel", {"max_fit_time": 1e-6}), x, y)
    assert limited["evaluations"] <= 3


def test_a_numerical_failure_keeps_the_last_hyperparameters(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the evidence can't be had, the last hyperparameters stay and a warning says so."""
    x, y = data(20)
    last = fit(MODEL, x, y)

    def broken(*_: Any, **__: Any) -> None:
        raise np.linalg.LinAlgError("not positive definite")

    monkeypatch.setattr("fechner.strategies.models.families.gp_classification.propagate", broken)
    found = fit(MODEL, x, y, last)
    np.testing.assert_allclose(found["lengthscales"], last["lengthscales"])
    assert "not positive definite" in found["warnings"][0]


def test_a_window_of_constant_size_is_looked_at_anew_now_and_then() -> None:
    """A session that keeps its most recent trials can't stay in an early local maximum for ever."""
    random = np.random.default_rng(4)
    x = random.random((12, 1))
    y = (random.random(12) < ndtr(4 * x[:, 0] - 2)).astype(float)
    found, ages = None, []
    for _ in range(26):
        found = fit(MODEL, x, y, found)
        ages.append(found["compared_ago"])
    assert ages == [*range(12), *range(12), 0, 1]


def test_polling_can_cancel_a_fit() -> None:
    """An exception raised by poll ends the fit."""
    x, y = data(30)
    calls = []

    def poll() -> None:
        calls.append(1)
        if len(calls) > 5:
            raise InterruptedError

    with pytest.raises(InterruptedError):
        fit(MODEL, x, y, poll=poll)


def test_expected_outcomes_reduce_variance_and_keep_the_mean() -> None:
    """Pending points lower the variance around them and leave the mean unchanged."""
    x, y = data(30)
    core = posterior(MODEL, x, y, fit(MODEL, x, y))
    pending = np.array([[0.5, 0.5], [0.1, 0.9]])
    later = core.expecting(pending)
    before, after = core.latent(pending), later.latent(pending)
    np.testing.assert_allclose(before[0], after[0], rtol=1e-9)
    assert np.all(after[1] < before[1])
