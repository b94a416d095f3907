"""The linear-additive audiometric kernel: its shape, its gradients, and that it learns an audiogram."""

from typing import Any

import numpy as np
import pytest

from fechner.strategies.models import fit, posterior
from fechner.strategies.models.families import gp_classification
from fechner.strategies.models.uncertainty import ensemble
from fechner.strategies.numerics.normal import ndtr
from fechner.strategies.numerics.sobol import sobol
from fechner.strategies.specification import Component


def song(**keys: Any) -> Component:
    """A model with this kernel."""
    factory = Component("SongMeanCovarFactory", {"lengthscale_prior": "lognormal", **keys})
    return Component("GPClassificationModel", {"mean_covar_factory": factory})


def truth(x: np.ndarray) -> np.ndarray:
    """An audiogram: worse at high pitch, one slope."""
    out: np.ndarray = 20 * (x[:, -1] - 0.3 - 0.3 * x[:, 0] ** 2)
    return out


def data(n: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Trials of a listener at Sobol points."""
    x = sobol(seed, 2, 0, n)
    return x, (np.random.default_rng(seed).uniform(size=n) < ndtr(truth(x))).astype(float)


def test_curves_have_one_slope() -> None:
    """Between two intensities f rises by the same amount at every pitch, in the mean and in samples."""
    x, y = data(40)
    core = posterior(song(), x, y, fit(song(), x, y))
    low, high = ([[pitch, level] for pitch in (0.1, 0.5, 0.9)] for level in (0.2, 0.8))
    mean, covariance = core.joint(np.array(low + high))
    rise = np.hstack([-np.eye(3), np.eye(3)])
    assert np.ptp(rise @ mean) < 0.02 * (rise @ mean).mean()
    rises = rise @ covariance @ rise.T
    np.testing.assert_allclose(rises, rises[0, 0], rtol=0.02)


def test_the_intensity_may_be_another_parameter_or_bend() -> None:
    """stim_dim names it; intensity_RBF lets the curve bend."""
    x, y = data(40)
    turned = fit(song(stim_dim=(0,)), x[:, ::-1], y)
    straight, bent = fit(song(), x, y), fit(song(intensity_RBF=True), x, y)
    assert turned["lengthscales"][::-1] == pytest.approx(straight["lengthscales"], rel=0.05)
    assert straight["lengthscales"][1] == pytest.approx(100.0)
    assert bent["lengthscales"][1] < 50
    assert straight["slopes"][0] < 1e-8 < straight["slopes"][1]


def test_gradient_agrees_with_differences_and_what_is_held_stays() -> None:
    """In every hyperparameter that is free; members of an ensemble keep the kernel's form."""
    x, y = data(30)
    h = fit(song(), x, y)
    task, evidence, theta = gp_classification.problem(song(), x, y, h)
    layout = task.layout
    gradient = layout.objective(theta + 0.2, evidence)[1]
    for index, (low, high) in enumerate(layout.bounds()):
        shift = 1e-3 * np.eye(layout.size)[index]
        ends = [layout.objective(theta + 0.2 + sign * shift, evidence)[0] for sign in (1, -1)]
        assert gradient[index] == pytest.approx((ends[0] - ends[1]) / 2e-3, rel=5e-3, abs=5e-3)
        assert low < high or gradient[index] == 0
    for member in ensemble(song(), x, y, h).members:
        assert member.covariance.lengthscales[1] == pytest.approx(100.0)


def test_it_learns_an_audiogram_from_few_trials() -> None:
    """With 25 trials the probability is closer to the truth than by the model without its knowledge."""
    test = sobol(9, 2, 0, 256)
    errors = np.zeros(2)
    for seed in range(5):
        x, y = data(25, seed)
        for place, component in enumerate((song(), Component("GPClassificationModel"))):
            core = posterior(component, x, y, fit(component, x, y))
            errors[place] += np.abs(core.predict(test, "probability")[0] - ndtr(truth(test))).mean() / 5
    assert errors[0] < 0.9 * errors[1]
