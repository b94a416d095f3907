"""Checks of `fechner doctor` about programs: versions, libraries, torch, a worker's start."""

from __future__ import annotations

import json
import platform
import queue
import re
import subprocess
import sys
import time
from collections.abc import Callable
from importlib import metadata
from typing import Any

from fechner.server.commands.finding import Finding, judge
from fechner.server.engine.effects import Compute
from fechner.server.engine.events import ComputeFailed, Emitted
from fechner.server.session.handlers.results import Priority
from fechner.server.shell.execution import Result
from fechner.server.shell.pool import Pool
from fechner.server.version import __version__

#: Python that the package asks for.
PYTHON = (3, 11)
#: Longest that a child process may take.
CHILD_SECONDS = 120.0
#: A worker, and torch, that take longer are slow.
SLOW_SECONDS = 20.0
#: Libraries whose versions the table names; --json has all.
SHOWN = ("numpy", "torch", "botorch", "sqlalchemy")

TORCH = """
import json, time
begun = time.perf_counter()
import torch
seconds = time.perf_counter() - begun
torch.linalg.cholesky(torch.eye(3, dtype=torch.float64))
text = torch.__config__.show()
words = text.replace(",", " ").split()
blas = next((word.split("=")[1] for word in words if word.startswith("BLAS_INFO=")), "unknown")
cuda = torch.cuda.is_available()
print(json.dumps({
    "version": torch.__version__, "cuda": torch.cuda.get_device_name(0) if cuda else None,
    "built_for_cuda": torch.version.cuda, "threads": torch.get_num_threads(), "blas": blas,
    "seconds": seconds,
}))
"""


def versions() -> Finding:
    """Fechner's version and Python's."""
    value = (
        f"fechner {__version__}, Python {platform.python_version()}, {platform.system()} {platform.machine()}"
    )
    if sys.version_info < PYTHON:
        return Finding("versions", "bad", value, f"Python {PYTHON[0]}.{PYTHON[1]} or newer is needed")
    return Finding("versions", "ok", value)


def libraries(requirements: list[str] | None = None) -> list[Finding]:
    """Every dependency against its lower bound; a line for each that is missing or too old."""
    if requirements is None:
        try:
            requirements = metadata.requires("fechner") or []
        except metadata.PackageNotFoundError:
            advice = "pip install -e . in its folder, or pip install fechner"
            return [Finding("libraries", "bad", "fechner itself is not installed", advice)]
    fit: dict[str, str] = {}
    faults = []
    for requirement in requirements:
        found = re.match(r"([\w.-]+)(?:\[[^\]]*\])?\s*(?:>=\s*([\w.]+))?", requirement)
        if found is None or "extra ==" in requirement:
            continue
        name, least = found[1], found[2] or "0"
        try:
            here = metadata.version(name)
        except metadata.PackageNotFoundError:
            faults.append(Finding(f"library {name}", "bad", "missing", f"pip install '{name}>={least}'"))
            continue
        if _numbers(here) < _numbers(least):
            advice = f"pip install '{name}>={least}'"
            faults.append(Finding(f"library {name}", "bad", f"{here}, {least} is needed", advice))
        else:
            fit[name] = here
    shown = ", ".join(f"{name} {fit[name]}" for name in SHOWN if name in fit)
    whole = Finding("libraries", "ok", f"{len(fit)} as new as needed: {shown}", details={"versions": fit})
    return [whole, *faults] if fit else faults


def _numbers(version: str) -> tuple[int, ...]:
    """The release of a version as numbers."""
    found = re.match(r"\d+(?:\.\d+)*", version)
    return tuple(map(int, found[0].split("."))) if found else ()


def torch(program: str = TORCH) -> Finding:
    """torch, imported by another process: one that is broken may end it without a word."""
    try:
        done = subprocess.run(
            [sys.executable, "-c", program],
            capture_output=True,
            text=True,
            timeout=CHILD_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        value = f"no import within {CHILD_SECONDS:.0f} s"
        return Finding(
            "torch", "bad", value, "a slow or hanging disk? import it by hand: python -c 'import torch'"
        )
    if done.returncode:
        lines = done.stderr.strip().splitlines() or [""]
        died = f"killed by signal {-done.returncode}" if done.returncode < 0 else lines[-1][:200]
        return Finding("torch", "bad", f"can't be imported: {died}", "install it again: pip install torch")
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    build = f"CUDA ({found['cuda']})" if found["cuda"] else "CPU"
    if found["built_for_cuda"] and not found["cuda"]:
        build = f"built for CUDA {found['built_for_cuda']}, no GPU"
    threads = f"{found['threads']} thread{'s' * (found['threads'] != 1)}"
    value = (
        f"{found['version']}, {build}, {threads}, BLAS {found['blas']}, imported in {found['seconds']:.1f} s"
    )
    slow = judge(found["seconds"], SLOW_SECONDS)
    return Finding("torch", slow, value, "" if slow == "ok" else "put Python on a faster disk", found)


def worker() -> Finding:
    """How long a worker takes until it answers."""
    posted: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
    results: list[Result | Emitted] = []
    begun = time.perf_counter()
    try:
        pool = Pool(1, posted.put, results.append)
    except OSError as error:
        return Finding(
            "worker", "bad", f"can't be started: {error}", "more processes: ulimit -u; more memory"
        )
    try:
        pool.submit(Compute(1, Priority.REAL, "propose", (None, 1, {})))  # answered with an error at once
        while not results:
            posted.get(timeout=CHILD_SECONDS)()
    except queue.Empty:
        value = f"no answer within {CHILD_SECONDS:.0f} s"
        return Finding(
            "worker", "bad", value, "run `python -m fechner.server.shell.worker` by hand: what does it say?"
        )
    finally:
        pool.close()
    seconds = time.perf_counter() - begun
    (result,) = results
    if isinstance(result, ComputeFailed) and "died" in result.fault.trace:
        return Finding("worker", "bad", "dies when it begins", "the finding on torch, or too little memory?")
    slow = judge(seconds, SLOW_SECONDS)
    advice = "" if slow == "ok" else "asks wait so long after a start: put Python on a faster disk"
    return Finding("worker", slow, f"answers after {seconds:.1f} s", advice, {"seconds": seconds})
