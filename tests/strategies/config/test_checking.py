"""A configuration is checked as a whole, and every problem is told with its place and what would be right."""

from __future__ import annotations

import subprocess
import sys
import time
from typing import Any

import pytest

from fechner.strategies.config import Component, check
from fechner.strategies.errors import ConfigError, Problem

AUDIOGRAM = """
[common]
parnames = [frequency, level]   # columns in this order
outcome_types = [binary]
strategy_names = [init_strat, opt_strat]
target = 0.5
seed = 7

[frequency]
par_type = continuous
lower_bound = 0.25
upper_bound = 8
log_scale = True

[level]
par_type = continuous
lower_bound = -20
upper_bound = 120
unit = dB HL

[init_strat]
generator = SobolGenerator
min_asks = 10

[opt_strat]
generator = OptimizeAcqfGenerator
model = GPClassificationModel
min_asks = 50

[OptimizeAcqfGenerator]
acqf = EAVC
"""


def replaced(*changes: tuple[str, str]) -> str:
    text = AUDIOGRAM
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    return text


def failure(config: Any, **options: Any) -> ConfigError:
    with pytest.raises(ConfigError) as caught:
        check(config, **options)
    return caught.value


def one_problem(config: Any, **options: Any) -> Problem:
    error = failure(config, **options)
    assert len(error.problems) == 1, [str(problem) for problem in error.problems]
    return error.problems[0]


def places(problems: tuple[Problem, ...]) -> set[tuple[str, str]]:
    return {(problem.section, problem.key) for problem in problems}


def test_a_whole_file():
    """A typical file gives parameters, outcomes and stages with every key filled in."""
    spec = check(AUDIOGRAM)
    assert [(p.name, p.type, p.lower, p.upper, p.scale, p.unit) for p in spec.parameters] == [
        ("frequency", "continuous", 0.25, 8.0, "log", ""),
        ("level", "continuous", -20.0, 120.0, "linear", "dB HL"),
    ]
    assert [(o.name, o.type) for o in spec.outcomes] == [("outcome_1", "binary")]
    first, second = spec.stages
    assert first.generator == Component("SobolGenerator", {"seed": None})
    assert (first.model, first.min_asks, first.min_total_outcome_occurrences) == (None, 10, 1)
    assert second.generator.keys["restarts"] == 10
    assert second.generator.keys["acqf"] == Component(
        "EAVC", {"target": 0.5, "query_set_size": 256, "lookahead_type": "levelset"}
    )
    assert second.model is not None
    assert second.model.name == "GPClassificationModel"
    assert second.model.keys["inducing_size"] == 100
    assert (spec.seed, spec.target, spec.stimuli_per_trial, spec.warnings) == (7, 0.5, 1, ())


def test_every_problem_at_once():
    """Ten mistakes give ten problems, each with section, key, value and what would be right."""
    error = failure(
        replaced(
            ("[binary]", "[binry]"),
            ("target = 0.5", "target = half"),
            ("seed = 7", "seed = -7"),
            ("lower_bound = 0.25", "lower_bound = 9"),
            ("log_scale = True", "log_scale = maybe"),
            ("upper_bound = 120", "upper_bound = inf"),
            ("generator = SobolGenerator", "generator = SobolGenerater"),
            ("min_asks = 10", "min_asks = ten"),
            ("model = GPClassificationModel", "model = GPClasificationModel"),
            ("acqf = EAVC", "acqf = EVAC"),
        )
    )
    assert places(error.problems) == {
        ("common", "outcome_types"),
        ("common", "target"),
        ("common", "seed"),
        ("frequency", "lower_bound"),
        ("frequency", "log_scale"),
        ("level", "upper_bound"),
        ("init_strat", "generator"),
        ("init_strat", "min_asks"),
        ("opt_strat", "model"),
        ("OptimizeAcqfGenerator", "acqf"),
    }
    told = {problem.key: problem for problem in error.problems}
    assert told["outcome_types"].hint == "did you mean 'binary'?"
    assert told["generator"].hint == "did you mean SobolGenerator?"
    assert told["acqf"].hint == "did you mean EAVC?"
    assert told["model"].value == "GPClasificationModel"
    assert error.code == "bad_config"
    assert "10 problems" in error.detail


def test_unknown_keys_and_sections_are_warnings():
    """What has no meaning is told with the nearest name, and stops nothing."""
    spec = check(replaced(("min_asks = 10", "min_asks = 10\nmax_ask = 12")) + "[opt_start]\nx = 1\n[EAVC2]\n")
    warnings = {(w.section, w.key): w for w in spec.warnings}
    assert warnings["init_strat", "max_ask"].hint == "did you mean 'max_asks'?"
    assert warnings["opt_start", ""].hint == "did you mean 'opt_strat'?"
    assert warnings["EAVC2", ""].code == "unknown_section"


def test_a_section_that_no_stage_uses_is_told():
    """A left-over section of a class is a warning, not silence."""
    spec = check(AUDIOGRAM + "[MCLevelSetEstimation]\ntarget = 0.9\n")
    assert [w.code for w in spec.warnings] == ["unused_section"]


def test_a_mapping_is_the_same_as_text():
    """Real lists, numbers, truth values and None say the same as their texts."""
    spec = check(
        {
            "common": {
                "parnames": ["x"],
                "outcome_types": ["continuous"],
                "strategy_names": ["only"],
                "seed": 3,
                "target": None,
            },
            "x": {"par_type": "continuous", "lower_bound": 0.1, "upper_bound": 1e3, "log_scale": True},
            "only": {"generator": "ManualGenerator", "min_asks": 2},
            "ManualGenerator": {"points": [[0.1], [500]], "shuffle": False},
        }
    )
    text = check(
        "[common]\nparnames=[x]\noutcome_types=[continuous]\nstrategy_names=[only]\nseed=3\ntarget\n"
        "[x]\npar_type=continuous\nlower_bound=0.1\nupper_bound=1000\nlog_scale=yes\n"
        "[only]\ngenerator=ManualGenerator\nmin_asks=2\n"
        "[ManualGenerator]\npoints=[[.1],[500],]\nshuffle=off\n"
    )
    assert (spec.parameters, spec.stages, spec.seed) == (text.parameters, text.stages, text.seed)
    assert spec.stages[0].generator.keys["points"] == ((0.1,), (500.0,))


def test_the_source_gives_the_same_specification():
    """`source` is the configuration as it was given; checking it again changes nothing."""
    spec = check(AUDIOGRAM)
    assert check(spec.source) == spec
    spec = check(replaced(("seed = 7", "")))
    as_mapping = check({name: dict(keys) for name, keys in spec.sections.items()})
    assert as_mapping.stages == spec.stages
    assert check(as_mapping.source) == as_mapping


def test_sections_repeat_commons_keys():
    """get_config's texts: references resolved, comments gone, common's keys in every section."""
    spec = check(replaced(("min_asks = 50", "min_asks = ${init_strat:min_asks}")))
    assert spec.sections["opt_strat"]["min_asks"] == "10"
    assert spec.sections["opt_strat"]["target"] == "0.5"
    assert spec.sections["common"]["parnames"] == "[frequency, level]"


def test_metadata_is_kept():
    """Every key of [metadata] is kept as text, whatever its name."""
    spec = check(AUDIOGRAM + "[metadata]\nexperiment_name = hearing\nrig = 3\n")
    assert spec.metadata == {"experiment_name": "hearing", "rig": "3"}


@pytest.mark.parametrize(
    ("key", "text"),
    [
        ("stop", "max_trials 30"),
    ],
)
def test_stage_keys_that_come_later(key: str, text: str):
    """A key of a later version is an error that says so."""
    problem = one_problem(replaced(("min_asks = 50", f"min_asks = 50\n{key} = {text}")))
    assert (problem.section, problem.key, problem.code) == ("opt_strat", key, "not_supported")
    assert "not supported yet" in problem.detail


def test_a_range_that_no_probability_spans_is_doubtful():
    """min_post_range of 1 or more would never be reached."""
    spec = check(replaced(("min_asks = 50", "min_asks = 50\nmin_post_range = 2")))
    [warning] = [one for one in spec.warnings if one.key == "min_post_range"]
    assert "never reached" in warning.detail


def test_constraints_are_read():
    """[constraints] of a file are kept as written; the key's own name is theirs."""
    (found,) = check(AUDIOGRAM + "[constraints]\nc1 = 2*frequency + level <= 30\n").constraints
    assert (found.key, found.text) == ("c1", "2*frequency + level <= 30")


def test_no_end_named():
    """A stage without any end is an error in native setups and a warning in AEPsych dialects."""
    text = replaced(("min_asks = 50", ""))
    problem = one_problem(text)
    assert (problem.section, problem.code) == ("opt_strat", "no_end")
    assert "no_end" in [warning.code for warning in check(text, no_end="warning").warnings]
    check(text.replace("[opt_strat]", "[opt_strat]\nrun_indefinitely = True"))


def test_both_ends_are_doubtful():
    """min_asks and min_total_tells together are a warning."""
    spec = check(replaced(("min_asks = 50", "min_asks = 50\nmin_total_tells = 20")))
    assert ("opt_strat", "min_total_tells") in places(spec.warnings)


def test_names():
    """Names of parameters and stages are unique, and no section serves two of them."""
    error = failure(replaced(("[frequency, level]", "[level, level, common]")))
    assert [problem.code for problem in error.problems if problem.key == "parnames"] == ["bad_name"] * 2
    assert failure(replaced(("[init_strat, opt_strat]", "[init_strat, level]"))).problems


def test_missing_sections_and_keys():
    """What is missing is named; a section that differs in case only is pointed at."""
    error = failure("[Common]\nparnames = [x]\n")
    assert error.problems[0].hint == "did you mean 'Common'?"
    error = failure("[common]\nparname = [x]\n")
    missing = {problem.key: problem.hint for problem in error.problems}
    assert set(missing) == {"parnames", "outcome_types", "strategy_names"}
    assert missing["parnames"] == "did you mean 'parname'?"
    error = failure(replaced(("[level]", "[Level]")))
    assert "upper and lower case" in error.problems[0].hint


def test_checking_is_quick():
    """A typical file is checked in a few milliseconds."""
    check(AUDIOGRAM)
    begun = time.process_time()
    for _ in range(20):
        check(AUDIOGRAM)
    assert (time.process_time() - begun) / 20 < 0.02


def test_checking_imports_nothing_heavy():
    """Names are checked against static tables: no torch, scipy or numpy is loaded."""
    code = (
        "import sys; from fechner.strategies.config import check;"
        f"check({AUDIOGRAM!r});"
        "print([m for m in ('torch','botorch','gpytorch','scipy','numpy') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
