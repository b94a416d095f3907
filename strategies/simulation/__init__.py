"""Simulated observers and benchmark problems: who answers when no participant is there.

An `Observer` gives the probability of outcome 1 for any configuration and draws outcomes from it; the
functions here make the standard observers.
"""

from __future__ import annotations

from fechner.strategies.simulation.listeners import (
    FREQUENCIES_KHZ,
    THRESHOLDS_DB,
    audiogram,
    hearing_threshold,
)
from fechner.strategies.simulation.observers import Observer
from fechner.strategies.simulation.problems import (
    cumulative_normal,
    detection,
    discrimination,
    logistic,
    weibull,
)

__all__ = [
    "FREQUENCIES_KHZ",
    "THRESHOLDS_DB",
    "Observer",
    "audiogram",
    "cumulative_normal",
    "detection",
    "discrimination",
    "hearing_threshold",
    "logistic",
    "weibull",
]
