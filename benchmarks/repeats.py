"""What the repeats of benchmarks/quality.py come to: means with standard errors, and paired differences."""

from __future__ import annotations

import json
import math
import sys

import numpy as np
from methods import METHODS
from published import peer_on_sobol, published
from results import Line

METRICS = ("brier", "threshold_rmse", "threshold_max")

Cell = tuple[str, str, str, int, str]  # problem, method, settings, trials, metric


def figures(lines: list[Line], *, by_settings: bool = True) -> dict[Cell, dict[int, float]]:
    """Each repeat's figure of each cell."""
    found: dict[Cell, dict[int, float]] = {}
    settled: dict[tuple[str, str], str] = {}
    for line in lines:
        if line.get("kind") != "repeat":
            continue
        chosen = json.dumps(line["settings"], sort_keys=True)
        if not by_settings:
            if settled.setdefault((line["problem"], line["method"]), chosen) != chosen:
                sys.exit(f"{line['method']} has several settings in one file: which is to be compared?")
            chosen = ""
        for n, metrics in line["at"].items():
            for metric, value in metrics.items():
                cell = (line["problem"], line["method"], chosen, int(n), metric)
                found.setdefault(cell, {})[line["repeat"]] = value
    order = list(METHODS)
    return dict(
        sorted(
            found.items(),
            key=lambda one: (
                one[0][0],
                METRICS.index(one[0][4]),
                order.index(one[0][1]),
                one[0][2],
                one[0][3],
            ),
        )
    )


def mean_and_error(values: list[float]) -> tuple[float, float]:
    """Mean and its standard error (nan for one value)."""
    error = float(np.std(values, ddof=1)) / math.sqrt(len(values)) if len(values) > 1 else math.nan
    return float(np.mean(values)), error


def named(chosen: str) -> str:
    """Settings for people."""
    found = json.loads(chosen) if chosen else {}
    keys = [f"{k}={v}" for section in found.get("sections", {}).values() for k, v in section.items()]
    keys = ["exact"] if found.get("exact") else keys
    first = [f"{name} {found[name]}" for name in ("initial", "refit_every") if name in found]
    return ", ".join([*first, *keys])


def summary(lines: list[Line]) -> list[Line]:
    """Mean and standard error of each cell, with what is published."""
    out = []
    for (problem, method, chosen, trials, metric), values in figures(lines).items():
        mean, error = mean_and_error(list(values.values()))
        out.append(
            {
                "problem": problem,
                "method": method,
                "settings": named(chosen),
                "trials": trials,
                "metric": metric,
                "repeats": len(values),
                "mean": mean,
                "error": None if math.isnan(error) else error,
                "published": published(metric, problem, method, trials),
                "peer": peer_on_sobol(metric, problem, method, trials),
            }
        )
    return out


def compare(first: list[Line], second: list[Line]) -> list[Line]:
    """Paired differences, first minus second, over the repeats that both have."""
    ours, theirs = figures(first, by_settings=False), figures(second, by_settings=False)
    out = []
    for cell in ours:
        both = sorted(ours[cell].keys() & theirs.get(cell, {}).keys())
        if not both:
            continue
        a, b = ([one[cell][seed] for seed in both] for one in (ours, theirs))
        mean, error = mean_and_error([x - y for x, y in zip(a, b, strict=True)])
        problem, method, _, trials, metric = cell
        out.append(
            {
                "problem": problem,
                "method": method,
                "trials": trials,
                "metric": metric,
                "repeats": len(both),
                "first": float(np.mean(a)),
                "second": float(np.mean(b)),
                "difference": mean,
                "error": None if math.isnan(error) else error,
            }
        )
    return out
