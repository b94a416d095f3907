"""What the sections of models may say."""

from __future__ import annotations

from typing import Any

import pytest
from fechner.strategies.config import check
from fechner.strategies.config.describe import describe
from fechner.strategies.errors import ConfigError

TEXT = """
[common]
parnames = [where, fixation, level]
outcome_types = [binary]
strategy_names = [explore, refine]
target = 0.75
[where]
par_type = continuous
lower_bound = -10
upper_bound = 10
[fixation]
par_type = fixed
value = 0
[level]
par_type = continuous
lower_bound = 0
upper_bound = 100
[explore]
generator = SobolGenerator
min_asks = 5
[refine]
generator = OptimizeAcqfGenerator
model = {model}
min_asks = 5
[OptimizeAcqfGenerator]
acqf = EAVC
[{model}]
{keys}
"""


def model(name: str, *keys: str) -> Any:
    """The model of the second stage."""
    return check(TEXT.format(model=name, keys="\n".join(keys))).stages[1].model


def problem(name: str, *keys: str) -> tuple[str, str, str]:
    """Section, key and detail of the only problem."""
    with pytest.raises(ConfigError) as caught:
        model(name, *keys)
    (one,) = caught.value.problems
    return one.section, one.key, one.detail


@pytest.mark.parametrize(
    ("written", "places"), [("[level]", (1,)), ("[-1, where]", (1, 0)), ("[2]", (1,)), ("0", (0,))]
)
def test_monotone_parameters_by_name_or_place(written: str, places: tuple[int, ...]) -> None:
    """Fixed parameters don't count in the model, but do in the places that a configuration names."""
    found = model("MonotonicProjectionGP", f"monotonic_dims = {written}")
    assert found.keys["monotonic_dims"] == places


@pytest.mark.parametrize(
    ("written", "detail"),
    [
        ("[fixation]", "'fixation' is fixed"),
        ("[loud]", "must be a list of parameters"),
        ("[7]", "must be a list of parameters"),
    ],
)
def test_monotone_parameters_must_be_there(written: str, detail: str) -> None:
    """A name that no parameter has, or that of a fixed one, is a problem at its place."""
    found = problem("MonotonicProjectionGP", f"monotonic_dims = {written}")
    assert found == ("MonotonicProjectionGP", "monotonic_dims", detail)


def test_a_monotone_model_in_words() -> None:
    """`fechner check` says with which parameters the probability grows."""
    text = TEXT.format(model="MonotonicProjectionGP", keys="monotonic_dims = [level]")
    assert "in which the probability grows with level" in describe(check(text))
    assert "grows with level" in describe(check(TEXT.format(model="MonotonicProjectionGP", keys="")))
