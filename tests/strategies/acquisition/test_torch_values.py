"""Values in torch, on the processor here, against numpy's."""

import dataclasses

import numpy as np
import pytest
import torch

from fechner.strategies.acquisition import Acquisition, build
from fechner.strategies.acquisition.accelerated import on_device
from fechner.strategies.acquisition.optimise import values_in_chunks
from fechner.strategies.acquisition.torch_values import excess_table, rows, strong_excess
from fechner.strategies.models import Posterior, fit, posterior
from fechner.strategies.numerics.normal import bivariate_excess, ndtr
from fechner.strategies.numerics.normal import excess_table as numpy_table
from fechner.strategies.numerics.sobol import sobol
from fechner.strategies.specification import Component

NAMES = [
    "EAVC",
    "GlobalMI",
    "GlobalSUR",
    "ApproxGlobalSUR",
    "MCLevelSetEstimation",
    "MCPosteriorVariance",
    "BernoulliMCMutualInformation",
    "LocalMI",
    "LocalSUR",
]
SMALL = 1_000_000  # bytes with which a scan falls into several chunks


def fitted(floor: float = 0.0, lapse: float = 0.0, n: int = 30) -> Posterior:
    """A posterior after n trials in three dimensions."""
    random = np.random.default_rng(0)
    x = random.uniform(size=(n, 3))
    p = floor + (1 - floor - lapse) * ndtr(5 * (x[:, 1] + x[:, 2] - 1))
    y = (random.uniform(size=n) < p).astype(float)
    model = Component("GPClassificationModel", {"floor": floor, "lapse": lapse})
    return posterior(model, x, y, fit(model, x, y))


def made(name: str, core: Posterior, pending: np.ndarray | None = None) -> Acquisition:
    keys = {"target": 0.75, "query_set_size": 100, "objective": Component("ProbitObjective")}
    return build(Component(name, keys), core, seed=5, pending=pending)


def agree(acquisition: Acquisition, memory: int | None = None, d: int = 3) -> None:
    points = sobol(9, d, 0, 500)
    found = on_device(acquisition, points, None, "cpu", memory)
    np.testing.assert_allclose(found, values_in_chunks(acquisition, points, None), rtol=0, atol=1e-8)


@pytest.mark.parametrize(("floor", "lapse"), [(0.0, 0.0), (0.5, 0.02)])
@pytest.mark.parametrize("name", NAMES)
def test_values_are_those_of_numpy(name: str, floor: float, lapse: float) -> None:
    """With and without guess rate, with a trial pending, in one chunk and in several."""
    acquisition = made(name, fitted(floor, lapse), np.array([[0.2, 0.5, 0.7]]))
    assert acquisition.parts is not None
    assert rows(acquisition.parts, acquisition.chunk, "cpu", SMALL) < 500
    agree(acquisition)
    agree(acquisition, SMALL)


@pytest.mark.parametrize("name", NAMES)
def test_a_function_that_is_hardly_known(name: str) -> None:
    """Correlations near one, as after few trials of a function that varies much."""
    core = fitted(n=4)
    wide = dataclasses.replace(core.covariance, variance=400.0, constant=50.0, slopes=np.full(3, 20.0))
    n = len(core.x)
    none = np.zeros(n)
    acquisition = made(name, dataclasses.replace(core, covariance=wide, root=none, factor=np.eye(n)))
    agree(acquisition)


def test_no_trial_yet_and_continuous_outcomes() -> None:
    """A posterior without trials, and the variance of f where outcomes are continuous."""
    core = fitted()
    nothing = dataclasses.replace(
        core, x=np.zeros((0, 3)), root=np.zeros(0), factor=np.zeros((0, 0)), weights=np.zeros(0)
    )
    agree(made("EAVC", nothing))
    random = np.random.default_rng(1)
    x, y, model = random.uniform(size=(20, 2)), random.normal(size=20), Component("GPRegressionModel")
    agree(made("MCPosteriorVariance", posterior(model, x, y, fit(model, x, y))), d=2)


def test_chunks_change_nothing_but_rounding() -> None:
    """Also where each row of a table takes another number of nodes."""
    acquisition, points = made("EAVC", fitted()), sobol(9, 3, 0, 500)
    whole, parted = (on_device(acquisition, points, None, "cpu", memory) for memory in (None, SMALL))
    np.testing.assert_allclose(whole, parted, rtol=0, atol=1e-13)


def test_a_poll_comes_before_every_chunk() -> None:
    """So that an ask that nobody wants any more ends soon."""
    acquisition, points, polls = made("EAVC", fitted()), sobol(9, 3, 0, 500), [0]

    def poll() -> None:
        polls[0] += 1

    on_device(acquisition, points, poll, "cpu", SMALL)
    assert acquisition.parts is not None
    assert polls[0] == -(-500 // rows(acquisition.parts, acquisition.chunk, "cpu", SMALL))


@pytest.mark.parametrize("largest", [0.2, 0.6, 0.92, 0.96, 0.999, 1.0])
def test_the_excess_table_is_that_of_numpy(largest: float) -> None:
    """For rows of mixed correlations up to a largest one."""
    random = np.random.default_rng(2)
    h, k = random.normal(scale=2, size=80), random.normal(scale=2, size=(300, 1))
    rho = random.uniform(-1, 1, size=(300, 80)) * np.linspace(0.1, largest, 300)[:, None]
    found = excess_table(*map(torch.tensor, (h, k, rho)), 64).numpy()
    np.testing.assert_allclose(found, numpy_table(h, k, rho), rtol=0, atol=1e-8)
    np.testing.assert_allclose(found, bivariate_excess(h, k, rho), rtol=0, atol=2e-8)


def test_the_excess_of_strong_correlations() -> None:
    """Within 1e-8 beyond .925, for equal, near, far and opposite limits."""
    random = np.random.default_rng(3)
    h = random.normal(scale=3, size=40_000)
    away = random.normal(size=h.shape) * 10 ** random.uniform(-5, 1, size=h.shape)
    sign = random.choice([-1.0, 1.0], size=h.shape)
    rho = sign * (1 - 0.075 * 10 ** -random.uniform(0, 6, size=h.shape))
    for k in (h * sign, (h + away) * sign, away, -h * sign, np.full_like(h, -40.0)):
        found = strong_excess(*map(torch.tensor, (h, k, rho))).numpy()
        np.testing.assert_allclose(found, bivariate_excess(h, k, rho), rtol=0, atol=1e-8)
