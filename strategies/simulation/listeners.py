"""Simulated listeners: audiograms of four phenotypes of hearing.

Thresholds: J. R. Dubno, M. A. Eckert, F.-S. Lee, L. J. Matthews & R. A. Schmiedt (2013), Classifying human
audiometric phenotypes of age-related hearing loss from animal models, JARO 14:687-701, doi
10.1007/s10162-013-0396-x, figure 2. Psychometric function: X. D. Song et al. (2017), Psychometric function
estimation by probabilistic classification, JASA 141:2513-2525: P(heard) = Phi((level - threshold(frequency))
/ beta).
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

import numpy as np
from scipy.interpolate import CubicSpline

from fechner.strategies.simulation.observers import Observer

FREQUENCIES_KHZ = (0.25, 0.5, 1.0, 2.0, 3.0, 4.0, 6.0, 8.0)
THRESHOLDS_DB = {
    "older-normal": (6.82, 5.49, 3.51, 5.91, 6.70, 10.09, 13.47, 12.97),
    "sensory": (5.52, 4.19, 5.62, 19.84, 42.00, 53.33, 62.05, 66.09),
    "metabolic": (21.23, 22.01, 24.24, 33.93, 41.36, 47.17, 54.12, 58.31),
    "metabolic+sensory": (20.26, 20.71, 21.97, 37.49, 53.18, 64.02, 75.01, 76.61),
}


@cache
def _curve(phenotype: str) -> CubicSpline:
    return CubicSpline(np.log2(FREQUENCIES_KHZ), THRESHOLDS_DB[phenotype], bc_type="natural")


def hearing_threshold(phenotype: str, log2_khz: float) -> float:
    """The threshold in dB HL: a natural cubic spline between the eight frequencies, linear outside."""
    curve = _curve(phenotype)
    inside = min(max(log2_khz, float(curve.x[0])), float(curve.x[-1]))
    return float(curve(inside) + curve(inside, 1) * (log2_khz - inside))


def audiogram(
    phenotype: str = "metabolic+sensory",
    *,
    beta_db: float = 5.0,
    target: float = 0.5,
    in_khz: bool = False,
) -> Observer:
    """A listener who hears a tone with probability Phi((level - threshold(frequency)) / beta_db).

    Args:
        phenotype: a key of `THRESHOLDS_DB`.
        beta_db: spread of the psychometric function, in dB.
        target: probability of hearing sought.
        in_khz: whether ``frequency`` is in kHz, .25 to 8, on a log scale; else log2 kHz, -2 to 3.
    """
    if phenotype not in THRESHOLDS_DB:
        raise ValueError(f"no phenotype {phenotype!r}; there are {', '.join(THRESHOLDS_DB)}")

    def latent(config: Mapping[str, Any]) -> float:
        frequency = float(config["frequency"])
        octave = float(np.log2(frequency)) if in_khz else frequency
        return (float(config["level"]) - hearing_threshold(phenotype, octave)) / beta_db

    frequency_range = (0.25, 8.0) if in_khz else (-2.0, 3.0)
    return Observer(
        name=f"audiogram ({phenotype})",
        bounds={"frequency": frequency_range, "level": (-20.0, 120.0)},
        latent=latent,
        target=target,
        scales={"frequency": "log"} if in_khz else {},
    )
