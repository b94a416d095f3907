"""What computed: library versions, threads, processor; on record, so that a difference can be explained."""

from __future__ import annotations

import platform
from functools import lru_cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

#: Libraries whose version may change a computed ask in its last bits.
LIBRARIES = ("fechner", "numpy", "scipy", "torch", "gpytorch", "botorch")


@lru_cache(maxsize=1)
def environment() -> dict[str, Any]:
    """`versions` by library (None where it is not installed), `python`, `threads`, `processor`, `system`."""
    return {
        "versions": {name: _version(name) for name in LIBRARIES},
        "python": platform.python_version(),
        "threads": 1,
        "processor": _processor(),
        "system": f"{platform.system()} {platform.machine()}",
    }


def differences(recorded: dict[str, Any], here: dict[str, Any]) -> list[str]:
    """What differs between two environments, a line each; empty where nothing does."""
    lines = []
    for name in sorted({*recorded, *here}):
        one, other = recorded.get(name), here.get(name)
        if isinstance(one, dict) and isinstance(other, dict):
            lines += differences(one, other)
        elif one != other:
            lines.append(f"{name}: {one} recorded, {other} here")
    return lines


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def _processor() -> str:
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        for line in cpuinfo.read_text(encoding="utf-8", errors="replace").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()
