"""Models and acquisition functions of one binary stimulus over a socket: asks, tells, queries, replay."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

CONFIG = """
[common]
parnames = [where, level]
outcome_types = [binary]
strategy_names = [explore, refine]
target = 0.75
[where]
par_type = continuous
lower_bound = -1
upper_bound = 1
[level]
par_type = continuous
lower_bound = 0
upper_bound = 10
[explore]
generator = SobolGenerator
min_asks = 4
min_total_outcome_occurrences = 0
[refine]
generator = OptimizeAcqfGenerator
model = {model}
min_asks = 4
[OptimizeAcqfGenerator]
acqf = {acqf}
restarts = 3
samps = 256
[{model}]
{keys}
[{acqf}]
{more}
"""

#: What seeks the highest probability, or looks at the ends of the box, not at the threshold.
SEEKING = re.compile("Mean|Regret|Bound|Improvement|Deviation")

CASES = [
    ("MonotonicProjectionGP", "monotonic_dims = [level]\nmin_f_val = -3", "EAVC", ""),
    (
        "GPClassificationModel",
        "lapse = estimate\nconstraint_locations = [[-1, 0], [1, 0]]\nconstraint_values = 0.05",
        "GlobalMI",
        "",
    ),
    (
        "GPClassificationModel",
        "constraint_factory = known\n[known]\nconstraint_lower = [-1, 10]\nconstraint_upper = [1, 10]\n"
        "constraint_values = 0.95\npoints_per_dim = 3",
        "MCLevelSetEstimation",
        "objective = FloorGumbelObjective\n[FloorGumbelObjective]\nfloor = 0.1",
    ),
    ("GPClassificationModel", "", "SMOCU", "k = 10"),
    (
        "GPClassificationModel",
        "mean_covar_factory = SongMeanCovarFactory\n[SongMeanCovarFactory]\nstim_dim = [level]",
        "EAVC",
        "",
    ),
    ("MonotonicProjectionGP", "", "EAVC", "lookahead_type = posterior"),
    ("SemiParametricGPModel", "stim_dim = [level]\nfloor = 0.01", "EAVC", ""),
    ("HadamardSemiPModel", "stim_dim = 1\nslope_mean = 8", "GlobalMI", ""),
    (
        "SemiParametricGPModel",
        "stim_dim = level",
        "MCLevelSetEstimation",
        "objective = SemiPProbabilityObjective",
    ),
    (
        "GPClassificationModel",
        "covar_module = ScaleKernel\nmean_module = LinearMean\n[ScaleKernel]\nbase_kernel = MaternKernel\n"
        "[MaternKernel]\nnu = 1.5",
        "EAVC",
        "",
    ),
    (
        "GPClassificationModel",
        "mean_covar_factory = DefaultMeanCovarFactory\n[DefaultMeanCovarFactory]\n"
        "cov_kernel = AdditiveKernel\nfixed_kernel_amplitude = False\n[AdditiveKernel]\n"
        "kernels = [LinearKernel, bent]\n"
        "[bent]\nclass = RQKernel\nactive_dims = [level]",
        "MCLevelSetEstimation",
        "objective = ProbitObjective",
    ),
    *(
        pytest.param("GPClassificationModel", "", acqf, more, marks=pytest.mark.long)
        for acqf, more in (
            *((name, "") for name in ("MOCU", "BEMPS", "PosteriorMean", "qSimpleRegret")),
            *((name, "") for name in ("PosteriorStandardDeviation", "qPosteriorStandardDeviation")),
            *(
                (name, "lookahead_type = posterior")
                for name in ("GlobalMI", "GlobalSUR", "LocalMI", "LocalSUR")
            ),
            *((f"{q}UpperConfidenceBound", "beta = 2") for q in ("", "q")),
            ("qLowerConfidenceBound", "beta = 2"),
            *((f"{q}{log}ExpectedImprovement", "best_f = 1") for q in ("", "q") for log in ("", "Log")),
            *((f"{q}ProbabilityOfImprovement", "") for q in ("", "q")),
            *((f"{log}NoisyExpectedImprovement", "") for log in ("", "Log")),
        )
    ),
    *(
        pytest.param("GPClassificationModel", "", acqf, f"objective = {objective}", marks=pytest.mark.long)
        for acqf in ("MCPosteriorVariance", "BernoulliMCMutualInformation")
        for objective in ("FloorProbitObjective", "FloorLogitObjective", "FloorGumbelObjective")
    ),
]


@pytest.mark.parametrize(("model", "keys", "acqf", "more"), CASES)
def test_a_session(serve: Any, fechner: Any, model: str, keys: str, acqf: str, more: str) -> None:
    """Asks lie in the box, a prediction is a probability, and the record replays identically."""
    server = serve("--workers", "1")
    wire = server.wire()
    config = CONFIG.format(model=model, keys=keys, acqf=acqf, more=more)
    session = wire.call("setup", {"config": config, "seed": 5})["session"]
    for _ in range(8):
        trial = wire.call("ask")["trials"][0]
        assert 0 <= trial["config"]["level"] <= 10
        heard = trial["config"]["level"] > 4 + trial["config"]["where"]
        wire.call("tell", {"trial": trial["trial"], "outcome": int(heard)})
    at = {"where": [0, 0], "level": [1, 9]}
    seen = wire.call("query", {"query": "prediction", "x": at})
    assert 0 <= seen["lower"][0] <= seen["y"][0] < seen["y"][1] <= seen["upper"][1] <= 1
    found = wire.call("query", {"query": "threshold", "parameter": "level", "y": 0.75, "x": {"where": [0]}})
    if not SEEKING.search(acqf):
        assert seen["y"][0] < 0.5 < seen["y"][1]
        assert 2 < found["y"][0] < 7
    assert server.stop() == 0
    done = fechner("replay", session, "--verify", "--db", str(server.record), "--json")
    assert done.returncode == 0, done.stdout + done.stderr
    assert json.loads(done.stdout)["identical"] is True
