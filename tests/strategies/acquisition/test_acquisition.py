"""Acquisition functions against brute force, and their optimisation."""

import numpy as np
import pytest

from fechner.strategies.acquisition import Acquisition, build, maximise
from fechner.strategies.acquisition.level_set import expected
from fechner.strategies.models import Posterior, fit, posterior
from fechner.strategies.numerics.normal import ndtr, ndtri
from fechner.strategies.numerics.randomness import key
from fechner.strategies.numerics.sobol import sobol
from fechner.strategies.specification import Component

BINARY, CONTINUOUS = Component("GPClassificationModel"), Component("GPRegressionModel")
PROBIT = Component("ProbitObjective")


def fitted(floor: float = 0.0) -> Posterior:
    """A posterior after 25 trials in two dimensions."""
    random = np.random.default_rng(0)
    x = random.uniform(size=(25, 2))
    p = floor + (1 - floor) * ndtr(6 * (x[:, 1] - 0.5))
    y = (random.uniform(size=25) < p).astype(float)
    model = Component("GPClassificationModel", {"floor": floor})
    return posterior(model, x, y, fit(model, x, y))


def test_straddle_in_probability_and_latent_space() -> None:
    """The straddle is sqrt(beta) sd - |mean - target| in the space that the objective names."""
    core = fitted()
    points = sobol(3, 2, 0, 16)
    samples = np.random.default_rng(1).standard_normal(400_000)
    on_p = build(Component("MCLevelSetEstimation", {"target": 0.7, "objective": PROBIT}), core, seed=1)
    on_f = build(Component("MCLevelSetEstimation", {"target": 0.4, "beta": 4.0}), core, seed=1)
    mean, variance = core.latent(points)
    for index in range(4):
        p = ndtr(mean[index] + np.sqrt(variance[index]) * samples)
        wanted = np.sqrt(3.84) * p.std() - abs(p.mean() - 0.7)
        assert on_p.values(points)[index] == pytest.approx(wanted, abs=3e-3)
    np.testing.assert_allclose(on_f.values(points), 2 * np.sqrt(variance) - np.abs(mean - 0.4))


def entropy(p: np.ndarray) -> np.ndarray:
    p = np.clip(p, 1e-12, 1 - 1e-12)
    out: np.ndarray = -p * np.log(p) - (1 - p) * np.log(1 - p)
    return out


def in_doubt(p: np.ndarray) -> np.ndarray:
    return np.minimum(p, 1 - p)


@pytest.mark.parametrize("floor", [0.0, 0.5])
@pytest.mark.parametrize("name", ["EAVC", "GlobalMI", "GlobalSUR"])
def test_look_ahead_agrees_with_simulation(name: str, floor: float) -> None:
    """The closed forms equal what follows from joint samples weighted by the outcome's likelihood."""
    core = fitted(floor)
    function = build(Component(name, {"target": 0.75, "query_set_size": 64}), core, seed=7)
    reference = sobol(key(7, "query set"), 2, 0, 64)
    gamma = core.latent_of(0.75)
    random = np.random.default_rng(3)
    for point in np.array([[0.3, 0.5], [0.8, 0.7]]):
        mean, covariance = core.joint(np.vstack([point, reference]))
        draws = random.multivariate_normal(mean, covariance + 1e-9 * np.eye(65), size=40_000)
        p = core.probability(draws[:, 0])
        below = draws[:, 1:] <= gamma
        now = below.mean(axis=0)
        if_yes = (p[:, None] * below).mean(axis=0) / p.mean()
        if_no = ((1 - p)[:, None] * below).mean(axis=0) / (1 - p).mean()
        yes, no = p.mean(), 1 - p.mean()
        if name == "EAVC":
            wanted = yes * abs((if_yes - now).mean()) + no * abs((if_no - now).mean())
        else:
            doubt = entropy if name == "GlobalMI" else in_doubt
            wanted = (doubt(now) - yes * doubt(if_yes) - no * doubt(if_no)).mean()
        assert function.values(point[None, :])[0] == pytest.approx(wanted, abs=2e-3)


@pytest.mark.parametrize("name", ["LocalMI", "LocalSUR"])
def test_local_look_ahead_agrees_with_quadrature(name: str) -> None:
    """The same with the point as its own reference, by quadrature over f there."""
    core = fitted(0.5)
    function = build(Component(name, {"target": 0.75}), core, seed=7)
    gamma = core.latent_of(0.75)
    doubt = entropy if name == "LocalMI" else in_doubt
    points = np.array([[0.3, 0.5], [0.8, 0.7]])
    for value, mean, variance in zip(function.values(points), *core.latent(points), strict=True):
        f = mean + np.sqrt(variance) * ndtri((np.arange(400_000) + 0.5) / 400_000)
        p, below = core.probability(f), f <= gamma
        now, yes = below.mean(), p.mean()
        if_yes, if_no = (p * below).mean() / yes, ((1 - p) * below).mean() / (1 - yes)
        wanted = doubt(now) - yes * doubt(if_yes) - (1 - yes) * doubt(if_no)
        assert value == pytest.approx(float(wanted), abs=1e-5)


def test_where_no_outcome_changes_a_decision_the_least_known_point_is_best() -> None:
    """LocalSUR is flat where even a surprise leaves the point on its side: variance decides there."""
    core = fitted(0.0)
    far = build(Component("LocalSUR", {"target": 1 - 1e-12}), core, seed=1)
    points = sobol(3, 2, 0, 64)
    _, variance = core.latent(points)
    values = far.values(points)
    assert values.max() < 1e-6
    assert int(np.argmax(values)) == int(np.argmax(variance))


@pytest.mark.parametrize("floor", [0.0, 0.5])
def test_variance_and_information_agree_with_quadrature(floor: float) -> None:
    """BALV is the variance of p, BALD the information of an outcome about f, for narrow and wide f."""
    core = fitted(floor)
    points = np.vstack([sobol(3, 2, 0, 6), core.x[:2]])
    variances = build(Component("MCPosteriorVariance"), core, seed=1).values(points)
    bits = build(Component("BernoulliMCMutualInformation"), core, seed=1).values(points)
    for row, (mean, variance) in enumerate(zip(*core.latent(points), strict=True)):
        p = core.probability(mean + np.sqrt(variance) * ndtri((np.arange(200_000) + 0.5) / 200_000))
        assert variances[row] == pytest.approx(p.var(), abs=1e-5)
        assert bits[row] == pytest.approx(float(entropy(p.mean()) - entropy(p).mean()), abs=1e-5)


def test_expectations_are_accurate_for_narrow_and_wide_functions() -> None:
    """The expected entropy agrees with quadrature to 1e-8, whatever mean, spread and guess rate."""
    for floor in (0.0, 0.3):
        for mean in (-3.0, 0.0, 1.7):
            for sd in (0.05, 0.69, 0.71, 2.0, 6.0):

                def of(f: np.ndarray) -> np.ndarray:
                    return entropy(floor + (0.95 - floor) * ndtr(f))  # noqa: B023

                found = expected(of, np.array([mean]), np.array([sd**2]))[0]
                nodes = np.linspace(-10, 10, 20_001)
                wanted = np.sum(of(mean + sd * nodes) * np.exp(-0.5 * nodes**2)) / np.sum(
                    np.exp(-0.5 * nodes**2)
                )
                assert found == pytest.approx(wanted, abs=1e-8)


def test_approximate_sur_counts_the_doubt_that_an_outcome_removes() -> None:
    """It is never negative, never more than the doubt there is, and falls away from it."""
    core = fitted()
    function = build(Component("ApproxGlobalSUR", {"target": 0.75, "query_set_size": 64}), core, seed=7)
    mean, variance = core.latent(sobol(key(7, "query set"), 2, 0, 64))
    doubt = ndtr(-np.abs(core.latent_of(0.75) - mean) / np.sqrt(variance)).mean()
    values = function.values(sobol(1, 2, 0, 200))
    assert values.min() >= 0.0
    assert values.max() < doubt
    edge, corner = function.values(np.array([[0.5, 0.6], [0.5, 0.0]]))
    assert edge > corner


def test_noisy_expected_improvement_is_botorchs() -> None:
    """The values differ from botorch's qLogNoisyExpectedImprovement by its sampling error only."""
    import torch
    from botorch.acquisition.logei import qLogNoisyExpectedImprovement
    from botorch.sampling.normal import SobolQMCNormalSampler

    from fechner.strategies.models.torch.botorch_model import GaussianModel

    random = np.random.default_rng(0)
    x = random.uniform(size=(15, 2))
    y = np.sin(4 * x).sum(axis=1) + 0.2 * random.standard_normal(15)
    core = posterior(CONTINUOUS, x, y, fit(CONTINUOUS, x, y))
    ours = build(Component("qLogNoisyExpectedImprovement"), core, seed=4)
    theirs = qLogNoisyExpectedImprovement(
        model=GaussianModel(core, y),
        X_baseline=torch.tensor(x),
        sampler=SobolQMCNormalSampler(torch.Size([8192]), seed=1),
        prune_baseline=False,
        cache_root=False,
    )
    points = sobol(2, 2, 0, 40)
    with torch.no_grad():
        wanted = theirs(torch.tensor(points).unsqueeze(-2)).numpy()
    found = ours.values(points)
    likely = wanted > -6
    assert likely.sum() > 7
    np.testing.assert_allclose(found[likely], wanted[likely], atol=0.05)


@pytest.mark.parametrize(
    "component",
    [
        Component("EAVC", {"target": 0.75}),
        Component("MCLevelSetEstimation", {"target": 0.75, "objective": PROBIT}),
    ],
    ids=lambda c: c.name,
)
def test_pending_points_lower_the_value_there(component: Component) -> None:
    """A pending point makes another trial at the same place worth less."""
    core = fitted()
    point, _ = maximise(build(component, core, seed=1), core.covariance.lengthscales, seed=1)
    alone = build(component, core, seed=1).values(point[None, :])[0]
    crowded = build(component, core, seed=1, pending=np.repeat(point[None, :], 5, axis=0)).values(
        point[None, :]
    )[0]
    assert crowded < alone


def test_noisy_expected_improvement_finds_the_maximum() -> None:
    """On a smooth function with little noise the next point is near the maximum, and repeatably so."""
    random = np.random.default_rng(0)
    x = random.uniform(size=(25, 2))
    y = -np.sum((x - 0.3) ** 2, axis=1) + 0.001 * random.standard_normal(25)
    core = posterior(CONTINUOUS, x, y, fit(CONTINUOUS, x, y))
    component = Component("qLogNoisyExpectedImprovement")

    def best() -> np.ndarray:
        function = build(component, core, seed=4)
        return maximise(function, core.covariance.lengthscales, seed=4, scan=256, starts=3)[0]

    point = best()
    np.testing.assert_allclose(point, [0.3, 0.3], atol=0.1)
    assert np.array_equal(point, best())


def bump(x: np.ndarray) -> np.ndarray:
    return np.exp(-20 * np.sum((x - [0.31, 0.77]) ** 2, axis=1))


def test_refinement_beats_the_scan_and_stays_in_the_box() -> None:
    """The refined maximum is right to three digits, also on the edge of the box."""
    scale = np.array([0.2, 0.2])
    point, value = maximise(Acquisition(bump, 64, 1e-5), scale, seed=1, scan=64, starts=3)
    np.testing.assert_allclose(point, [0.31, 0.77], atol=2e-3)
    assert value == pytest.approx(bump(point[None, :])[0])
    edge, _ = maximise(Acquisition(lambda x: x.sum(axis=1), 64, 1e-5), scale, seed=1, scan=64, starts=3)
    np.testing.assert_allclose(edge, [1.0, 1.0])


def test_fixed_dimensions_stay_fixed() -> None:
    """A fixed dimension keeps exactly its value, the others are optimised."""
    point, _ = maximise(Acquisition(bump, 64, 1e-5), np.array([0.2, 0.2]), seed=1, scan=64, fixed={0: 0.9})
    assert point[0] == 0.9
    assert point[1] == pytest.approx(0.77, abs=5e-3)


def test_never_worse_than_the_scan() -> None:
    """Where refinement can't help, for the function is noise, the scan's best is the answer."""

    def rough(x: np.ndarray) -> np.ndarray:
        return np.sin(1e5 * x[:, 0]) * np.cos(3e4 * x[:, 1])

    scanned = rough(sobol(key_of_scan(1), 2, 0, 128)).max()
    _, value = maximise(Acquisition(rough, 64, 1e-5), np.array([0.3, 0.3]), seed=1, scan=128)
    assert value >= scanned


def key_of_scan(seed: int) -> int:
    from fechner.strategies.numerics.randomness import key

    return key(seed, "scan")


def test_polls_between_chunks() -> None:
    """The scan polls once a chunk."""
    calls: list[int] = []
    maximise(
        Acquisition(bump, 32, 1e-5),
        np.array([0.2, 0.2]),
        seed=1,
        scan=128,
        starts=0,
        poll=lambda: calls.append(1),
    )
    assert len(calls) == 4


@pytest.mark.parametrize("name", ["EAVC", "GlobalMI", "GlobalSUR", "ApproxGlobalSUR"])
def test_more_reference_points_cost_more(name: str) -> None:
    """They make chunks smaller, so that polls stay near together, and a time limit buys fewer points."""
    core = fitted()
    usual, small, large = (
        build(Component(name, {"target": 0.75} | keys), core, seed=1)
        for keys in ({}, {"query_set_size": 16}, {"query_set_size": 2560})
    )
    assert (small.chunk, small.nominal_seconds) == (usual.chunk, usual.nominal_seconds)
    assert large.chunk * 8 == usual.chunk
    assert large.nominal_seconds == pytest.approx(10 * usual.nominal_seconds)
