"""Files written for earlier releases of the format run unchanged, with a warning for every older spelling."""

from __future__ import annotations

import pytest

from fechner.strategies.config import check
from fechner.strategies.errors import ConfigError

BOUNDS_ONLY = """
[common]
parnames = [x1, x2]
lb = [-1, 0]
ub = [1, 2.5]
outcome_type = single_probit
strategy_names = [init_strat, opt_strat]

[experiment]
acqf = MonotonicMCLSE
model = GPClassificationModel

[init_strat]
n_trials = 5
generator = SobolGenerator

[opt_strat]
n_trials = 20
generator = MonotonicRejectionGenerator

[MonotonicMCLSE]
beta = 3.98
target = 0.75
objective = ProbitObjective

[GPClassificationModel]
inducing_size = 100
inducing_point_method = auto
mean_covar_factory = default_mean_covar_factory

[default_mean_covar_factory]
fixed_kernel_amplitude = False
lengthscale_prior = gamma
"""

PAIRWISE = """
[common]
parnames = [x]
lb = [0]
ub = [1]
outcome_type = pairwise_probit
strategy_names = [init_strat, opt_strat]

[init_strat]
generator = PairwiseSobolGenerator
n_trials = 5

[opt_strat]
generator = PairwiseOptimizeAcqfGenerator
acqf = PairwiseMCPosteriorVariance
model = PairwiseProbitModel
n_trials = 10

[PairwiseMCPosteriorVariance]
objective = ProbitObjective

[PairwiseProbitModel]
inducing_size = 10
mean_covar_factory = pairwise_mean_covar_factory
"""


def test_a_file_with_bounds_only():
    """lb/ub, outcome_type, n_trials, [experiment] and older class names give today's specification."""
    spec = check(BOUNDS_ONLY)
    assert [(p.type, p.lower, p.upper) for p in spec.parameters] == [
        ("continuous", -1.0, 1.0),
        ("continuous", 0.0, 2.5),
    ]
    assert spec.outcomes[0].type == "binary"
    init, opt = spec.stages
    assert (init.min_asks, opt.min_asks) == (5, 20)
    assert opt.generator.name == "OptimizeAcqfGenerator"
    acqf = opt.generator.keys["acqf"]
    assert (acqf.name, acqf.keys["beta"], acqf.keys["target"]) == ("MCLevelSetEstimation", 3.98, 0.75)
    assert acqf.keys["objective"].name == "ProbitObjective"
    assert opt.model is not None
    factory = opt.model.keys["mean_covar_factory"]
    assert factory.name == "DefaultMeanCovarFactory"
    assert factory.keys["fixed_kernel_amplitude"] is False
    assert factory.keys["lengthscale_prior"] == "gamma"
    assert opt.model.keys["inducing_point_method"].name == "GreedyVarianceReduction"


def test_every_older_spelling_is_told():
    """Each older spelling is a warning that says what to write today; nothing else is doubtful."""
    told = {(w.section, w.key) for w in check(BOUNDS_ONLY).warnings}
    assert told == {
        ("common", "lb"),
        ("common", "ub"),
        ("common", "outcome_type"),
        ("experiment", ""),
        ("experiment", "acqf"),
        ("init_strat", "n_trials"),
        ("opt_strat", "n_trials"),
        ("opt_strat", "generator"),
        ("GPClassificationModel", "inducing_point_method"),
        ("GPClassificationModel", "mean_covar_factory"),
    }


def test_an_older_pairwise_file():
    """pairwise_probit and the pairwise generators mean two stimuli and a binary outcome."""
    spec = check(PAIRWISE)
    assert (spec.stimuli_per_trial, spec.outcomes[0].type) == (2, "binary")
    assert spec.stages[0].generator.name == "SobolGenerator"
    generator, model = spec.stages[1].generator, spec.stages[1].model
    assert (generator.name, generator.keys["acqf"].name) == (
        "OptimizeAcqfGenerator",
        "PairwiseMCPosteriorVariance",
    )
    assert model is not None
    assert (model.name, model.keys["mean_covar_factory"].name) == (
        "PairwiseProbitModel",
        "PairwiseMeanCovarFactory",
    )
    assert {warning.code for warning in spec.warnings} <= {"older_spelling", "older_name"}


def test_acqf_in_the_stage():
    """An acquisition function named in a stage goes to its generator."""
    text = BOUNDS_ONLY.replace("n_trials = 20", "n_trials = 20\nacqf = EAVC\n").replace(
        "[MonotonicMCLSE]", "[EAVC]\ntarget = 0.6\n[MonotonicMCLSE]"
    )
    acqf = check(text).stages[1].generator.keys["acqf"]
    assert (acqf.name, acqf.keys["target"]) == ("EAVC", 0.6)


def test_an_older_monotone_model():
    """MonotonicRejectionGP is today's monotone model, with its own word for the monotone parameters."""
    text = BOUNDS_ONLY.replace("model = GPClassificationModel", "model = MonotonicRejectionGP")
    text += "\n[MonotonicRejectionGP]\nmonotonic_idxs = [0]\n"
    model = check(text).stages[1].model
    assert model is not None
    assert (model.name, model.keys["monotonic_idxs"]) == ("MonotonicProjectionGP", (0,))


def test_common_wins_over_experiment():
    """Where [common] and [experiment] both have a key, [common] counts."""
    text = BOUNDS_ONLY.replace("outcome_type =", "model = GPRegressionModel\noutcome_type =")
    with pytest.raises(ConfigError) as caught:
        check(text)
    assert {problem.value for problem in caught.value.problems} >= {"GPRegressionModel"}
