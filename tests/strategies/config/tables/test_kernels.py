"""Kernels, means and likelihoods by name: what a configuration may ask for."""

from __future__ import annotations

from typing import Any

import pytest

from fechner.strategies.config import check
from fechner.strategies.config.describing.describe import describe
from fechner.strategies.errors import FechnerError


def config(model: str, keys: dict[str, Any], outcome: str = "binary", **sections: Any) -> dict[str, Any]:
    stimuli = 2 if model == "PairwiseProbitModel" else 1
    return {
        "common": {
            "parnames": ["a", "b", "f"],
            "outcome_types": [outcome],
            "strategy_names": ["s"],
            "stimuli_per_trial": stimuli,
        },
        **{p: {"par_type": "continuous", "lower_bound": 0, "upper_bound": 1} for p in ("a", "b")},
        "f": {"par_type": "fixed", "value": 3},
        "s": {"min_asks": 5, "model": model},
        model: keys,
        **sections,
    }


def problems(*args: Any, **sections: Any) -> str:
    with pytest.raises(FechnerError) as raised:
        check(config(*args, **sections))
    return str(raised.value.problems)


def test_a_tree_of_kernels() -> None:
    """Parts are classes or aliases, each with the parameters that it sees, by name or place."""
    spec = check(
        config(
            "GPClassificationModel",
            {"covar_module": "AdditiveKernel", "mean_module": "ZeroMean"},
            AdditiveKernel={"kernels": ["one", "wave"]},
            one={"class": "ScaleKernel", "base_kernel": "MaternKernel"},
            MaternKernel={"nu": 1.5},
            wave={"class": "CosineKernel", "active_dims": ["b"]},
        )
    )
    model = spec.stages[0].model
    assert model is not None
    scaled, wave = model.keys["covar_module"].keys["kernels"]
    assert scaled.keys["base_kernel"].keys["nu"] == 1.5
    assert wave.keys["active_dims"] == (1,)
    words = " ".join(describe(spec).split())
    assert "the kernel AdditiveKernel of ScaleKernel of MaternKernel (1.5) and CosineKernel" in words
    assert "with a ZeroMean" in words


@pytest.mark.parametrize(
    ("model", "keys", "said"),
    [
        ("MonotonicProjectionGP", {"covar_module": "MaternKernel"}, "not for MonotonicProjectionGP"),
        ("MonotonicProjectionGP", {"mean_module": "ZeroMean"}, "not for MonotonicProjectionGP"),
        ("PairwiseProbitModel", {"covar_module": "RQKernel"}, "not for PairwiseProbitModel"),
        ("GPClassificationModel", {"covar_module": "RQKernel", "lapse": "estimate"}, "lapse rate"),
        (
            "GPClassificationModel",
            {"covar_module": "RQKernel", "constraint_locations": [[0, 0]], "constraint_values": 0.1},
            "constraint points",
        ),
        (
            "GPClassificationModel",
            {"covar_module": "RQKernel", "mean_covar_factory": "DefaultMeanCovarFactory"},
            "names one too",
        ),
        (
            "GPClassificationModel",
            {"mean_covar_factory": "SongMeanCovarFactory"},
            "SongMeanCovarFactory, which",
        ),
        ("GPClassificationModel", {"covar_module": "CosineKernel"}, "of one parameter only"),
        ("GPClassificationModel", {"covar_module": "ScaleKernel"}, "base_kernel"),
        ("GPClassificationModel", {"covar_module": "AdditiveKernel"}, "kernels"),
        ("GPClassificationModel", {"covar_module": "PolynomialKernel"}, "power"),
        ("GPClassificationModel", {"covar_module": "MaternKernel"}, "0.5, 1.5 or 2.5"),
        ("GPClassificationModel", {"covar_module": "ConstantMean"}, "is a mean"),
        (
            "GPClassificationModel",
            {"likelihood": "LinearBernoulliLikelihood"},
            "that of SemiParametricGPModel",
        ),
        ("GPClassificationModel", {"likelihood": "FixedNoiseGaussianLikelihood"}, "continuous outcomes"),
    ],
)
def test_what_is_refused(model: str, keys: dict[str, Any], said: str) -> None:
    """Each problem says what it doesn't go with, or what is missing."""
    more = {
        "MaternKernel": {"nu": 2},
        "SongMeanCovarFactory": {"cov_kernel": "LinearKernel"},
        "FixedNoiseGaussianLikelihood": {"noise": 1},
    }
    assert said in problems(model, keys, **more)


def test_noise_of_known_variance() -> None:
    """It needs its variance; a Student's t is refused with what to use."""
    assert "noise" in problems(
        "GPRegressionModel", {"likelihood": "FixedNoiseGaussianLikelihood"}, "continuous"
    )
    keys = {"likelihood": "StudentTLikelihood"}
    assert "use GaussianLikelihood" in problems("GPRegressionModel", keys, "continuous")
    keys = {"likelihood": "FixedNoiseGaussianLikelihood"}
    spec = check(
        config("GPRegressionModel", keys, "continuous", FixedNoiseGaussianLikelihood={"noise": 0.25})
    )
    assert "with noise of variance 0.25" in " ".join(describe(spec).split())


def test_a_factory_s_kernel() -> None:
    """cov_kernel and active_dims of a factory; the squared exponential of all parameters changes nothing."""
    factory = {"mean_covar_factory": "DefaultMeanCovarFactory"}
    for named in ({"cov_kernel": "PeriodicKernel"}, {"active_dims": [0]}, {"cov_kernel": "RBFKernel"}):
        check(config("GPClassificationModel", factory, DefaultMeanCovarFactory=named))
    assert "active_dims" in problems(
        "MonotonicProjectionGP", factory, DefaultMeanCovarFactory={"active_dims": [0]}
    )
    check(config("MonotonicProjectionGP", factory, DefaultMeanCovarFactory={"cov_kernel": "RBFKernel"}))


def test_each_outcome_its_own() -> None:
    """Models of several outcomes have their kernels, and are described with them."""
    both = config("IndependentGPsModel", {"models": ["GPClassificationModel", "mine"]}, "binary")
    both["common"]["outcome_types"] = ["binary", "continuous"]
    both["mine"] = {"class": "GPRegressionModel", "covar_module": "RQKernel", "mean_module": "ZeroMean"}
    words = " ".join(describe(check(both)).split())
    assert "GPRegressionModel for outcome_2 (with the kernel RQKernel and with a ZeroMean)" in words
    both["mine"]["lapse"] = 0.1
    both["GPClassificationModel"] = {"lapse": "estimate", "covar_module": "RQKernel"}
    with pytest.raises(FechnerError) as raised:
        check(both)
    assert "a model that estimates the lapse rate" in str(raised.value.problems)
