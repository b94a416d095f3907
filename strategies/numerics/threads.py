"""One thread for the arithmetic, so that a computation gives the same bits wherever it runs.

BLAS libraries split sums differently for another number of threads. A process of ours calls `fix` before
numpy is imported; elsewhere (a notebook, tests) the computations hold `single_thread`.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

#: One thread per process, and reproducible arithmetic whatever the memory's alignment.
ENVIRONMENT = {
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "NUMEXPR_NUM_THREADS": "1",
    "MKL_CBWR": "COMPATIBLE",
}

_fixed = False
_controller: Any = None
_depth = 0  # of `single_thread`
_torch_threads: int | None = None  # as they were before the outermost one that is on


def fix() -> None:
    """Fix this process's thread counts; call it before numpy is imported."""
    global _fixed
    os.environ.update(ENVIRONMENT)
    _fixed = "numpy" not in sys.modules


@contextmanager
def single_thread() -> Iterator[None]:
    """Hold every library that is loaded to one thread; afterwards they are as before."""
    global _controller, _depth, _torch_threads
    if _fixed:
        yield
        return
    if _controller is None:
        import scipy.linalg  # noqa: F401  (its BLAS is loaded before the controller looks for it)
        from threadpoolctl import ThreadpoolController

        _controller = ThreadpoolController()
    _depth += 1
    try:
        if "torch" in sys.modules:
            hold_torch()
        with _controller.limit(limits=1):
            yield
    finally:
        _depth -= 1
        if not _depth and _torch_threads is not None:
            sys.modules["torch"].set_num_threads(_torch_threads)
            _torch_threads = None


def hold_torch() -> None:
    """Hold torch, which may have been imported since, to one thread too while a `single_thread` is on."""
    global _torch_threads
    torch = sys.modules["torch"]
    if _depth and _torch_threads is None:
        _torch_threads = torch.get_num_threads()
    if _fixed or _depth:
        torch.set_num_threads(1)
