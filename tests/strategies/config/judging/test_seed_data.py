"""seed_data_conditions names a section of conditions; what is wrong with it is said."""

from __future__ import annotations

from typing import Any

import pytest

from fechner.strategies.config import check
from fechner.strategies.config.describing.describe import describe
from fechner.strategies.errors import ConfigError, Problem

CONFIG = """
[common]
parnames = [level]
outcome_types = [binary]
strategy_names = [init, opt]
[level]
par_type = continuous
lower_bound = 0
upper_bound = 10
[init]
generator = SobolGenerator
min_asks = 2
[opt]
generator = OptimizeAcqfGenerator
model = GPClassificationModel
min_asks = 4
seed_data_conditions = pilots
[OptimizeAcqfGenerator]
acqf = MCLevelSetEstimation
[MCLevelSetEstimation]
objective = ProbitObjective
"""


def problems(text: str) -> tuple[Problem, ...]:
    with pytest.raises(ConfigError) as caught:
        check(text)
    return caught.value.problems


def test_conditions_are_lists_of_texts() -> None:
    """A bare word is a list of one; any further key is one of the metadata; only that stage has them."""
    text = CONFIG + '[pilots]\nexperiment_name = [pilot, "main, first"]\nParticipant_ID = p01\nlab = [7]\n'
    stages = check(text).stages
    assert stages[0].seed_data_conditions is None
    conditions = stages[1].seed_data_conditions
    assert conditions is not None
    assert conditions.section == "pilots"
    assert conditions.wanted == {
        "experiment_name": ("pilot", "main, first"),
        "participant_id": ("p01",),
        "lab": ("7",),
    }
    assert check(text).warnings == ()


def test_nested_mappings_say_the_same() -> None:
    """Real lists and numbers are taken."""
    text = CONFIG + "[pilots]\nexperiment_name = [a, b]\nlab = 7\n"
    nested: dict[str, Any] = {
        section: dict(keys) for section, keys in check(text).sections.items() if section != "pilots"
    }
    nested["pilots"] = {"experiment_name": ["a", "b"], "lab": 7}
    own = check(nested).stages[1].seed_data_conditions
    assert own == check(text).stages[1].seed_data_conditions


@pytest.mark.parametrize(
    ("more", "detail", "hint"),
    [
        ("[pilot]\nexperiment_name = [a]\n", "no section [pilots]", "did you mean 'pilot'?"),
        ("", "no section [pilots]", "experiment_name"),
        ("[pilots]\nexperiment_name =\n", "every session would match", "experiment_name"),
        ("[pilots]\nexperiment_name = [a\n", "isn't closed", "[a, b]"),
    ],
)
def test_what_is_wrong_is_said_with_its_mend(more: str, detail: str, hint: str) -> None:
    """A section that is missing, empty or unreadable."""
    [problem] = problems(CONFIG + more)
    assert detail in problem.detail
    assert hint in problem.hint


def test_a_section_with_another_role_is_refused() -> None:
    """A parameter's, for instance; but [metadata] means sessions with the same metadata."""
    [problem] = problems(CONFIG.replace("= pilots", "= level"))
    assert "section of something else" in problem.detail
    text = CONFIG.replace("= pilots", "= metadata") + "[metadata]\nexperiment_name = pilot\n"
    conditions = check(text).stages[1].seed_data_conditions
    assert conditions is not None
    assert conditions.wanted == {"experiment_name": ("pilot",)}


def test_a_stage_without_a_model_has_nothing_to_warm() -> None:
    """A warning says so; nothing is read then."""
    text = CONFIG.replace("min_asks = 2", "min_asks = 2\nseed_data_conditions = pilots")
    spec = check(text + "[pilots]\nexperiment_name = pilot\n")
    assert spec.stages[0].seed_data_conditions is None
    [warning] = spec.warnings
    assert (warning.section, warning.code) == ("init", "no_effect")
    assert "no model" in warning.detail


def test_check_explains_them_in_words() -> None:
    """Or inside a list, and between keys."""
    words = describe(check(CONFIG + "[pilots]\nexperiment_name = [pilot, main]\nparticipant_id = [p01]\n"))
    assert (
        "Its model starts with the trials of earlier sessions on the record with experiment_name pilot or "
        "main and participant_id p01, where parameters and outcomes are the same; they don't count as trials."
    ) in words
