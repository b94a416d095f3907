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

#: Where the processor takes less for the scan, at the nominal rates of `seconds`, it computes: beginning with
#: a GPU takes a worker some seconds, once, which a second an ask is worth.
LEAST_SECONDS = 1.0
PROCESSOR = "processor"


def seconds(m: int, k: int, n: int) -> float:
    """What a scan takes one core, nominally."""
    return m * (k * (1e-7 + 1e-10 * n) + 2e-8 * n + 7e-11 * n * n)


def pays(m: int, k: int, n: int) -> bool:
    """Whether the scan is large enough for a GPU."""
    return seconds(m, k, n) >= LEAST_SECONDS


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
