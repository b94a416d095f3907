"""What the search finds, against all points of a dense grid."""

from __future__ import annotations

import numpy as np
import pytest

from fechner.strategies.acquisition import build, maximise
from fechner.strategies.acquisition.optimise import values_in_chunks
from fechner.strategies.models import Posterior, fit, posterior
from fechner.strategies.numerics.normal import ndtr
from fechner.strategies.specification import Component

GRID = 101
LEVEL = {"target": 0.75, "query_set_size": 128}
OF_LEVELS = (
    *("MCPosteriorVariance", "BernoulliMCMutualInformation", "LocalMI", "LocalSUR"),
    *("EAVC", "GlobalMI", "GlobalSUR", "MOCU", "SMOCU", "BEMPS"),
)
OF_BINARY = [
    Component("MCLevelSetEstimation", {"target": 0.75, "objective": Component("ProbitObjective")}),
    Component("MCLevelSetEstimation", {"target": 0.7, "beta": 1.0}),
    Component("ApproxGlobalSUR", LEVEL),
    *(Component(name, LEVEL) for name in OF_LEVELS),
    *(Component(name, {**LEVEL, "lookahead_type": "posterior"}) for name in ("EAVC", "GlobalMI", "LocalMI")),
]
OF_MEASURED = [
    Component("qLogNoisyExpectedImprovement"),
    Component("MCPosteriorVariance"),
    Component("UpperConfidenceBound", {"beta": 4.0, "maximize": True}),
    Component("LogExpectedImprovement", {"maximize": True}),
]


@pytest.fixture(scope="module")
def cores() -> dict[str, Posterior]:
    """Posteriors after 40 trials in two dimensions, of a curved threshold and of a measured hill."""
    random = np.random.default_rng(5)
    x = random.random((40, 2))
    height = 5 * (x[:, 1] - 0.4 - 0.25 * np.sin(5 * x[:, 0]))
    outcomes = {
        "GPClassificationModel": (random.random(40) < ndtr(height)).astype(float),
        "GPRegressionModel": np.exp(-8 * np.sum((x - 0.6) ** 2, axis=1)) + 0.05 * random.standard_normal(40),
    }
    return {
        name: posterior(Component(name), x, y, fit(Component(name), x, y)) for name, y in outcomes.items()
    }


@pytest.mark.parametrize(
    ("model", "acqf"),
    [
        *(("GPClassificationModel", one) for one in OF_BINARY),
        *(("GPRegressionModel", one) for one in OF_MEASURED),
    ],
    ids=lambda one: one if isinstance(one, str) else f"{one.name}-{one.keys.get('lookahead_type', '')}",
)
def test_no_point_of_a_dense_grid_is_better(cores: dict[str, Posterior], model: str, acqf: Component) -> None:
    """With the default effort the maximum found is at least the grid's, but for a hair of its range."""
    core = cores[model]
    function = build(acqf, core, seed=3)
    _, best = maximise(function, core.covariance.lengthscales, seed=11, scan=1024, starts=10)
    axis = np.linspace(0, 1, GRID)
    points = np.stack(np.meshgrid(axis, axis), axis=-1).reshape(-1, 2)
    values = values_in_chunks(function, points, None)
    assert best >= values.max() - 1e-3 * (values.max() - np.median(values))
