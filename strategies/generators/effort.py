"""How much work goes into finding one point."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fechner.strategies.tiers import PREVIOUS_FIT, QUICK_SCAN, SCAN

GRADIENT = 4  # what a gradient costs, in values


def effort(
    keys: Mapping[str, Any], budget: float | None, nominal_seconds: float, n: int, tier: str | None = None
) -> tuple[int, int, int | None]:
    """Scanned points, starts and gradient evaluations for one point.

    A time limit buys evaluations at a nominal rate, not at this machine's, so that every machine chooses the
    same point: half of them go to the scan.
    """
    scan, starts = int(keys.get("samps") or 1024), int(keys.get("restarts") or 10)
    if tier in (SCAN, PREVIOUS_FIT):
        scan, starts = min(scan, QUICK_SCAN), 0
    limits = [float(v) for v in (keys.get("max_gen_time"), budget) if v is not None]
    if not limits:
        return scan, starts, None
    affordable = int(min(limits) / n / nominal_seconds)
    return min(scan, max(64, affordable // 2)), starts, max(4, affordable // 2 // GRADIENT)
