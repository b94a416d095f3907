"""A configuration in words."""

from __future__ import annotations

from fechner.strategies.config import check
from fechner.strategies.config.describing.describe import describe

CONFIG = {
    "common": {
        "parnames": ["frequency", "level", "ear", "count", "rig"],
        "outcome_types": ["binary"],
        "strategy_names": ["init", "fixed_list"],
        "seed": 3,
    },
    "frequency": {
        "par_type": "continuous",
        "lower_bound": 0.25,
        "upper_bound": 8,
        "log_scale": True,
        "unit": "kHz",
    },
    "level": {"par_type": "continuous", "lower_bound": -20, "upper_bound": 120},
    "ear": {"par_type": "categorical", "choices": ["left", "right"]},
    "count": {"par_type": "integer", "lower_bound": 1, "upper_bound": 4},
    "rig": {"par_type": "fixed", "value": "A"},
    "init": {
        "generator": "SobolGenerator",
        "min_total_tells": 9,
        "min_total_outcome_occurrences": 0,
        "max_asks": 20,
        "seed": 9,
    },
    "fixed_list": {"generator": "ManualGenerator"},
    "ManualGenerator": {"points": [[1, 2, "left", 3], [1, 2, "right", 3]], "shuffle": False},
    "metadata": {"experiment_name": "hearing"},
}


def test_in_words():
    """Everything that will happen is said, in the order in which it will."""
    assert (
        describe(check(CONFIG))
        == """\
Each trial shows one stimulus; 4 parameters varied; outcome outcome_1 (binary).

Parameters:
  frequency: from 0.25 to 8 kHz, on a log scale (of the value + 1)
  level: from -20 to 120
  ear: one of left, right
  count: whole numbers from 1 to 4
  rig: always A

Stages:
  1. init
     Points fill the space evenly (scrambled Sobol sequence).
     It ends when 9 outcomes are in (earlier stages included), at the latest after 20 asks.
     Its own seed is 9.
  2. fixed_list
     2 points of the configuration, in the order given.
     It ends when each binary outcome occurred once, or when its points are used up.

Seed 3, unless setup gives another.
Metadata: experiment_name = hearing."""
    )


def test_a_stage_of_pairs_in_words():
    """Pairs, their model and what both stimuli share are said."""
    config = {
        "common": {
            "parnames": ["p", "q"],
            "outcome_types": ["binary"],
            "stimuli_per_trial": 2,
            "strategy_names": ["opt"],
        },
        "p": {"par_type": "continuous", "lower_bound": 0, "upper_bound": 1},
        "q": {"par_type": "continuous", "lower_bound": 0, "upper_bound": 1},
        "opt": {"min_asks": 3},
        "PairwiseProbitModel": {"mean_covar_factory": "PairwiseMeanCovarFactory"},
        "PairwiseMeanCovarFactory": {"shared_dims": ["q"]},
    }
    text = describe(check(config))
    assert "AnalyticExpectedUtilityOfBestOption: the pair whose better stimulus promises the highest" in text
    assert "PairwiseProbitModel, with the priors of PairwiseMeanCovarFactory, both stimuli sharing q" in text


def test_a_model_stage_in_words():
    """Model, acquisition function, target and refits are said."""
    config = {
        "common": {"parnames": ["p"], "outcome_types": ["binary"], "strategy_names": ["opt"], "target": 0.6},
        "p": {"par_type": "continuous", "lower_bound": 0, "upper_bound": 1},
        "opt": {"model": "GPClassificationModel", "min_asks": 3, "refit_every": 5, "keep_most_recent": 40},
        "GPClassificationModel": {"floor": 0.5, "mean_covar_factory": "DefaultMeanCovarFactory"},
    }
    text = describe(check(config))
    assert "EAVC: where an answer changes most what lies above the probability 0.6" in text
    assert (
        "The model is GPClassificationModel, with guess rate 0.5 and lapse rate 0, with the priors of "
        "DefaultMeanCovarFactory, fitted anew every 5 asks, to the 40 most recent trials." in text
    )


def test_parameters_with_many_digits_and_choices_with_commas():
    """Nothing is rounded away, and a comma in a choice doesn't end it."""
    parameters = {
        "near": {"par_type": "continuous", "lower_bound": 0.5, "upper_bound": 0.500000001},
        "far": {"par_type": "integer", "lower_bound": 0, "upper_bound": 12345678},
        "word": {"par_type": "categorical", "choices": ["yes", "no, never"]},
    }
    common = {"parnames": list(parameters), "outcome_types": ["binary"], "strategy_names": ["init"]}
    text = describe(
        check({"common": common, **parameters, "init": {"min_asks": 3, "generator": "SobolGenerator"}})
    )
    assert "near: from 0.5 to 0.500000001" in text
    assert "far: whole numbers from 0 to 12345678" in text
    assert "word: one of yes, 'no, never'" in text
