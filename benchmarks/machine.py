"""On which machine, with which versions: what a figure is worth nothing without."""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

OURS = ("fechner", "numpy", "scipy", "torch", "botorch")
PEERS = ("aepsych", "numpy", "scipy", "torch", "botorch", "gpytorch")

_VERSIONS = """
import json, platform, sys
from importlib.metadata import PackageNotFoundError, version
found = {"python": platform.python_version()}
for name in sys.argv[1:]:
    try:
        found[name] = version(name)
    except PackageNotFoundError:
        pass
print(json.dumps(found))
"""


def cpu_model() -> str:
    """The processor's name."""
    try:
        lines = Path("/proc/cpuinfo").read_text("utf-8").splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    named = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(named, platform.machine())


def cores() -> int:
    """The cores that this process may use."""
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # not on Linux
        return os.cpu_count() or 1


def load() -> float:
    """Mean number of running processes over the last minute, other people's included."""
    return round(os.getloadavg()[0], 2)


def versions() -> dict[str, str]:
    """Of this interpreter and what Fechner computes with."""
    found = {"python": platform.python_version()}
    for name in OURS:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def describe(peer_python: str | None = None) -> dict[str, Any]:
    """The machine and the versions, the peer's as well if its interpreter is named."""
    found: dict[str, Any] = {
        "cpu": cpu_model(),
        "cores": cores(),
        "load": load(),
        "system": f"{platform.system()} {platform.release()}",
        "versions": versions(),
    }
    if peer_python is not None:
        said = subprocess.run(
            [peer_python, "-c", _VERSIONS, *PEERS], capture_output=True, text=True, check=True, timeout=60
        )
        found["peer"] = json.loads(said.stdout)
    return found


def sentence(machine: dict[str, Any]) -> str:
    """A description on one line."""
    named = {
        who: ", ".join(f"{k} {v}" for k, v in machine[who].items())
        for who in ("versions", "peer")
        if who in machine
    }
    text = f"{machine['cpu']}, {machine['cores']} cores, load {machine['load']:.1f}; {named['versions']}"
    return text + (f"; peer: {named['peer']}" if "peer" in named else "")


if __name__ == "__main__":
    print(sentence(describe(*sys.argv[1:2])))
