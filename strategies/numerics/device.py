"""Where `use_gpu` pays, and whether a GPU can be there; imports neither numpy nor torch.

What a GPU takes over is the scan of candidates (acquisition/accelerated.py). Whether it does so follows from
the work alone, never from a clock, so that one machine always computes one ask in one way.

Notation: m candidates, k reference points (0 where values depend on the posterior at the candidate alone),
n training inputs.
"""

from __future__ import annotations

import ctypes
import platform
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from fechner.strategies.errors import Problem
from fechner.strategies.specification import Component, Specification, Stage

LOOK_AHEAD = frozenset({"EAVC", "GlobalMI", "GlobalSUR", "ApproxGlobalSUR"})
AT_A_POINT = frozenset(
    {
        "MCLevelSetEstimation",
        "MCPosteriorVariance",
        "BernoulliMCMutualInformation",
        "LocalMI",
        "LocalSUR",
    }
)
OF_LATENT = "MCLevelSetEstimation"  # what alone can do so with ordinal outcomes, whose levels it ignores
ON_THE_PROCESSOR = frozenset({"MonotonicProjectionGP", "SemiParametricGPModel", "HadamardSemiPModel"})

#: Where the processor takes less for the scan, at the nominal rates of `seconds`, it computes: beginning with
#: a GPU takes a worker some seconds, once, which a second an ask is worth.
LEAST_SECONDS = 1.0
MOST_INPUTS = 1000  # of a posterior (models/inference/inducing.py)
PROCESSOR = "processor"
CODE = "no_gpu"


def seconds(m: int, k: int, n: int) -> float:
    """What a scan takes one core, nominally."""
    return m * (k * (1e-7 + 1e-10 * n) + 2e-8 * n + 7e-11 * n * n)


def pays(m: int, k: int, n: int) -> bool:
    """Whether the scan is large enough for a GPU."""
    return seconds(m, k, n) >= LEAST_SECONDS


def without_effect(stage: Stage, stimuli: int) -> str | None:
    """Why `use_gpu` has no effect in a stage, whatever the machine; None if it may have one."""
    acqf = stage.generator.keys.get("acqf")
    if not isinstance(acqf, Component):
        return "has no effect: only scans of an acquisition function's candidates run on a GPU"
    ordinal = stage.model is not None and stage.model.name == "OrdinalGPModel"
    if stimuli != 1 or acqf.name not in ({OF_LATENT} if ordinal else LOOK_AHEAD | AT_A_POINT):
        return f"has no effect: {acqf.name} is computed on the processor"
    if stage.model is not None and stage.model.name in ON_THE_PROCESSOR:
        return f"has no effect: {stage.model.name} is computed on the processor"
    keys = {} if stage.model is None else stage.model.keys
    if keys.get("constraint_locations") or keys.get("lapse") == "estimate":
        return "has no effect with constraint points or an unknown lapse rate: the processor computes these"
    factory = keys.get("mean_covar_factory")
    named = [
        keys.get("covar_module"),
        *(factory.keys.get(key) for key in ("cov_kernel", "active_dims") if factory),
    ]
    if any(one is not None and getattr(one, "name", "") != "RBFKernel" for one in named):
        return "has no effect with this kernel: the processor computes it"
    if keys.get("categories"):
        return "has no effect with categorical parameters: the processor computes these"
    if acqf.keys.get("lookahead_type") == "posterior":
        return "has no effect: look-ahead at outcomes is computed on the processor"
    candidates = int(stage.generator.keys.get("samps") or 1024)
    reference = int(acqf.keys.get("query_set_size") or 256) if acqf.name in LOOK_AHEAD else 0
    if pays(candidates, reference, MOST_INPUTS):
        return None
    over = f" and query_set_size = {reference}" if reference else ""
    return f"has no effect: a scan with samps = {candidates}{over} is too small to gain by a GPU"


@cache
def lacking() -> str | None:
    """Why there can be no GPU for torch here, as far as is known without loading torch; None if there can."""
    try:
        build = version("torch")
    except PackageNotFoundError:
        return "PyTorch is not installed"
    if build.endswith("+cpu") or platform.system() == "Darwin":
        return "PyTorch's build here is the one without CUDA"
    if "+rocm" in build:
        return None if Path("/dev/kfd").exists() else "there is no driver of a GPU"
    try:
        ctypes.CDLL("nvcuda.dll" if platform.system() == "Windows" else "libcuda.so.1")
    except OSError:
        return "there is no driver of a GPU"
    return None


def doubts(specification: Specification) -> tuple[Problem, ...]:
    """A warning where a stage would use a GPU and this machine can't have one."""
    stimuli = specification.stimuli_per_trial
    models = [stage.model for stage in specification.stages if not without_effect(stage, stimuli)]
    wanting = [model.name for model in models if model is not None and model.keys.get("use_gpu")]
    reason = lacking() if wanting else None
    if reason is None:
        return ()
    detail = f"no GPU here ({reason}); computed on the processor"
    return (Problem(wanting[0], "use_gpu", "True", detail, code=CODE),)
