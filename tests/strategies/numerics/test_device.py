"""When a GPU pays, what a configuration hears of it, and what is known of this machine without torch."""

import subprocess
import sys

import pytest

from fechner.strategies.config import check
from fechner.strategies.numerics import device as gpu
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
    monkeypatch.setattr(gpu, "lacking", lambda: "there is no driver of a GPU")
    [doubt] = gpu.doubts(specification())
    assert (doubt.section, doubt.key, doubt.code) == ("GPClassificationModel", "use_gpu", "no_gpu")
    assert str(doubt).endswith("no GPU here (there is no driver of a GPU); computed on the processor")
    assert gpu.doubts(specification(use_gpu="False")) == ()
    monkeypatch.setattr(gpu, "lacking", lambda: None)
    assert gpu.doubts(specification()) == ()


@pytest.mark.parametrize("build", ["2.13.0+cpu", None])
def test_what_is_lacking(build: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    """A build of torch for processors, or none at all, has no GPU."""

    def version(_: str) -> str:
        if build is None:
            raise gpu.PackageNotFoundError
        return build

    monkeypatch.setattr(gpu, "version", version)
    assert "PyTorch" in str(gpu.lacking.__wrapped__())


def test_a_driver_is_looked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """With a build for GPUs the driver's library decides."""
    monkeypatch.setattr(gpu, "version", lambda _: "2.13.0")
    monkeypatch.setattr(gpu.platform, "system", lambda: "Linux")
    monkeypatch.setattr(gpu.ctypes, "CDLL", lambda _: None)
    assert gpu.lacking.__wrapped__() is None

    def missing(name: str) -> None:
        raise OSError(name)

    monkeypatch.setattr(gpu.ctypes, "CDLL", missing)
    assert gpu.lacking.__wrapped__() == "there is no driver of a GPU"


def test_nothing_heavy_is_loaded() -> None:
    """The listening process asks without numpy and torch."""
    code = "import sys; from fechner.strategies.numerics import device; device.lacking(); print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not {"torch", "numpy", "scipy"} & set(done.stdout.split())
