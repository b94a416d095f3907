"""Scans on a GPU: when, with the same answer, and what happens without one.

The device of torch is the processor here; `fechner.strategies.acquisition.accelerated.device` is what a
machine with a GPU answers otherwise.
"""

from typing import Any

import numpy as np
import pytest

from fechner.strategies.acquisition import accelerated, build
from fechner.strategies.acquisition.optimise import values_in_chunks
from fechner.strategies.generators.acquisition import generate
from fechner.strategies.generators.request import Generated, Request
from fechner.strategies.models import fit, posterior
from fechner.strategies.numerics import device as gpu
from fechner.strategies.numerics.normal import ndtr
from fechner.strategies.numerics.sobol import sobol
from fechner.strategies.space.parameters import space
from fechner.strategies.specification import Component, Parameter

EAVC = Component("EAVC", {"target": 0.75, "query_set_size": 200})
STRADDLE = Component("MCLevelSetEstimation", {"target": 0.75, "objective": Component("ProbitObjective")})
MODEL = Component("GPClassificationModel", {"floor": 0.5})
SPACE = space(Parameter(name, "continuous", 0.0, 1.0) for name in "ab")


@pytest.fixture
def always(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """A GPU pays for the smallest scan, and torch's processor is that GPU."""
    monkeypatch.setattr(gpu, "LEAST_SECONDS", 0.0)
    monkeypatch.setattr(accelerated, "device", lambda: "cpu")
    return monkeypatch


def data() -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(0)
    x = random.uniform(size=(30, 1, 2))
    p = 0.5 + 0.5 * ndtr(10 * (x[:, 0, 1] - 0.5))
    return x, (random.uniform(size=30) < p).astype(float)


def ask(acqf: Component, use_gpu: bool, n: int = 1, **options: Any) -> Generated:
    x, y = data()
    model = Component(MODEL.name, {**MODEL.keys, "use_gpu": use_gpu})
    generator = Component("OptimizeAcqfGenerator", {"acqf": acqf, "samps": 1500, "restarts": 5})
    given: dict[str, Any] = {"fixed": {}, "seed": 11, "pending": np.zeros((0, 1, 2)), **options}
    request = Request(space=SPACE, n=n, first=0, stimuli=1, x=x, y=y[:, None], **given)
    return generate(generator, model, request)


def same(one: Generated, other: Generated) -> bool:
    moments = one.post_mean == other.post_mean and one.post_sd == other.post_sd
    return moments and np.array_equal(one.points, other.points)


@pytest.mark.parametrize("acqf", [EAVC, STRADDLE], ids=lambda c: c.name)
def test_an_ask_is_the_same_to_the_last_bit(acqf: Component, always: pytest.MonkeyPatch) -> None:
    """With use_gpu and without, two points in one ask; what computed is told."""
    without, with_gpu = (ask(acqf, use_gpu, n=2) for use_gpu in (False, True))
    assert same(without, with_gpu)
    assert without.device is None
    assert with_gpu.device == "cpu"


def test_without_a_gpu_the_processor_computes(always: pytest.MonkeyPatch) -> None:
    """The answer is the same, and says that the processor computed."""
    always.setattr(accelerated, "device", lambda: None)
    without, with_gpu = ask(EAVC, False), ask(EAVC, True)
    assert same(without, with_gpu)
    assert with_gpu.device == gpu.PROCESSOR
    assert with_gpu.warnings == without.warnings


def test_a_gpu_that_fails_costs_no_trial(always: pytest.MonkeyPatch) -> None:
    """The processor takes over where torch raises, as it does when memory runs out."""

    def lost(*_: Any) -> np.ndarray:
        raise RuntimeError("CUDA error: out of memory")

    always.setattr(accelerated, "on_device", lost)
    without, with_gpu = ask(EAVC, False), ask(EAVC, True)
    assert same(without, with_gpu)
    assert with_gpu.device == gpu.PROCESSOR


def test_an_ask_is_cancelled_between_chunks(always: pytest.MonkeyPatch) -> None:
    """What a poll raises comes through: no scan by the processor begins."""

    class Unwanted(BaseException):
        pass

    def poll() -> None:
        raise Unwanted

    function = accelerated.accelerated(scanned(), 1500)
    assert function.scan is not None
    with pytest.raises(Unwanted):
        function.scan(sobol(1, 2, 0, 1500), poll)


def scanned(acqf: Component = EAVC) -> Any:
    x, y = data()
    core = posterior(MODEL, x[:, 0], y, fit(MODEL, x[:, 0], y))
    return build(acqf, core, seed=3)


def test_small_scans_stay_with_the_processor() -> None:
    """Nothing about them changes, and torch is not looked at."""
    function = scanned()
    assert accelerated.accelerated(function, 1024) is function
    assert accelerated.accelerated(function, 100_000).scan is not None
    improvement = scanned(Component("qLogNoisyExpectedImprovement"))
    assert accelerated.accelerated(improvement, 100_000) is improvement


def test_the_best_and_the_median_are_the_processors() -> None:
    """Values that rounding moved are put right where the refinement depends on them."""
    function, points = scanned(), sobol(4, 2, 0, 1001)
    wanted = values_in_chunks(function, points, None)
    moved = wanted + 1e-13 * np.sin(np.arange(1001.0))
    moved[7] = wanted[7] = -np.inf
    found = accelerated.settled(function, points, moved, None)
    finite = np.isfinite(wanted)
    assert found.max() == wanted.max()
    assert np.median(found[finite]) == np.median(wanted[finite])
    nothing = np.full(5, -np.inf)
    assert np.array_equal(accelerated.settled(function, points[:5], nothing, None), nothing)
