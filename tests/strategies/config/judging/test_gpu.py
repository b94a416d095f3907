"""When a GPU pays, and what a configuration hears of it."""

import pytest

from fechner.strategies.config import check
from fechner.strategies.config.judging import gpu
from fechner.strategies.numerics import device
from fechner.strategies.specification import Specification

CONFIG = """
[common]
parnames = [p]
outcome_types = [{outcome}]
strategy_names = [a]
target = 0.75
[p]
par_type = continuous
lower_bound = 0
upper_bound = 1
[a]
generator = {generator}
model = {model}
min_asks = 5
[{model}]
use_gpu = {use_gpu}
[OptimizeAcqfGenerator]
acqf = {acqf}
samps = {samps}
"""


def specification(acqf: str = "EAVC", samps: int = 100_000, **given: str) -> Specification:
    keys = {
        "outcome": "binary",
        "model": "GPClassificationModel",
        "generator": "OptimizeAcqfGenerator",
        "use_gpu": "True",
    }
    return check(CONFIG.format(acqf=acqf, samps=samps, **{**keys, **given}))


def said(found: Specification) -> list[tuple[str, str]]:
    return [(one.code, one.detail) for one in found.warnings if one.key == "use_gpu"]


def test_a_large_scan_is_worth_a_gpu() -> None:
    """No warning where the key has an effect."""
    assert said(specification()) == []
    assert said(specification("MCLevelSetEstimation")) == []
    assert said(specification(samps=1024, use_gpu="False")) == []


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"samps": 1024}, "samps = 1024 and query_set_size = 256"),
        ({"acqf": "MCLevelSetEstimation", "samps": 5000}, "samps = 5000 is too small"),
        (
            {"acqf": "qLogNoisyExpectedImprovement", "outcome": "continuous", "model": "GPRegressionModel"},
            "qLogNoisyExpectedImprovement is computed on the processor",
        ),
        ({"generator": "SobolGenerator"}, "only scans"),
    ],
)
def test_where_the_key_has_no_effect(given: dict[str, str], words: str) -> None:
    """The check says so, and nothing is said of this machine."""
    found = specification(**given)  # type: ignore[arg-type]
    [(code, detail)] = said(found)
    assert code == "no_effect"
    assert words in detail
    assert gpu.doubts(found) == ()


def test_a_machine_without_gpu_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """Once, with the reason, where a stage would use it; nothing where there may be one."""
    monkeypatch.setattr(device, "lacking", lambda: "there is no driver of a GPU")
    [doubt] = gpu.doubts(specification())
    assert (doubt.section, doubt.key, doubt.code) == ("GPClassificationModel", "use_gpu", "no_gpu")
    assert str(doubt).endswith("no GPU here (there is no driver of a GPU); computed on the processor")
    assert gpu.doubts(specification(use_gpu="False")) == ()
    monkeypatch.setattr(device, "lacking", lambda: None)
    assert gpu.doubts(specification()) == ()
