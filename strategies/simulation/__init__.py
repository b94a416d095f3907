"""Simulated observers and benchmark problems: who answers when no participant is there.

An `Observer` gives the probability of outcome 1 for any configuration and draws outcomes from it; the
functions here make the standard observers.
"""

from __future__ import annotations

from fechner.strategies.simulation.bumps import bump_1d, bump_2d, measured, preference
from fechner.strategies.simulation.high_dimensional import (
    contrast_sensitivity,
    discrimination_8d,
    hartmann_6,
    read_responses,
)
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
    "bump_1d",
    "bump_2d",
    "contrast_sensitivity",
    "cumulative_normal",
    "detection",
    "discrimination",
    "discrimination_8d",
    "hartmann_6",
    "hearing_threshold",
    "logistic",
    "measured",
    "preference",
    "read_responses",
    "weibull",
]
