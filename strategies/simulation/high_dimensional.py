"""Benchmark problems in six and eight dimensions, and contrast sensitivity from real responses.

B. Letham, P. Guan, C. Tymms, E. Bakshy & M. Shvartsman (2022), Look-ahead acquisition functions for
Bernoulli level set estimation, AISTATS, arXiv 2203.09751: discrimination in eight dimensions, the binary
Hartmann-6 function (its constants after X. Lyu, M. Binois & M. Ludkovski 2021, Statistics and Computing 31),
and contrast sensitivity in six dimensions, a Gaussian process fitted to the responses of a participant.

Notation: x the parameters, f the latent function, p = Phi(f); Hartmann: C (4,), A (4, 6), P (4, 6).
"""

from __future__ import annotations

import csv
from collections.abc import Mapping
from os import PathLike
from typing import Any

import numpy as np

from fechner.strategies.numerics.arrays import Array
from fechner.strategies.numerics.normal import ndtr, ndtri
from fechner.strategies.simulation.observers import Observer

DISCRIMINATION_8D_BOUNDS = {
    "amp": (-1.0, 1.0),
    "freq": (-1.0, 1.0),
    "vscale": (0.5, 1.5),
    "vshift": (0.05, 0.15),
    "variance": (0.05, 0.2),
    "asym": (0.0, 0.9),
    "phase": (0.0, 1.57),
    "period": (0.5, 2.0),
}
HARTMANN_C = np.array([0.2, 0.22, 0.28, 0.3])
HARTMANN_A = np.array(
    [
        [8.0, 3.0, 10.0, 3.5, 1.7, 6.0],
        [0.5, 8.0, 10.0, 1.0, 6.0, 9.0],
        [3.0, 3.5, 1.7, 8.0, 10.0, 6.0],
        [10.0, 6.0, 0.5, 8.0, 1.0, 9.0],
    ]
)
HARTMANN_P = 1e-4 * np.array(
    [
        [1312.0, 1696.0, 5569.0, 124.0, 8283.0, 5886.0],
        [2329.0, 4135.0, 8307.0, 3736.0, 1004.0, 9991.0],
        [2348.0, 1451.0, 3522.0, 2883.0, 3047.0, 6650.0],
        [4047.0, 8828.0, 8732.0, 5743.0, 1091.0, 381.0],
    ]
)
CONTRAST_BOUNDS = {
    "contrast": (-1.5, 0.0),
    "pedestal": (-1.5, 0.0),
    "temporal_frequency": (0.0, 20.0),
    "spatial_frequency": (0.5, 7.0),
    "size": (1.0, 10.0),
    "eccentricity": (0.0, 10.0),
}


def _discrimination_8d(config: Mapping[str, Any]) -> float:
    """f at a configuration; p = .5 + .5 Phi(z) is clamped to [.5, 1 - 1e-5]."""
    amp, freq, vscale, vshift, variance, asym, phase, period = (
        float(config[name]) for name in DISCRIMINATION_8D_BOUNDS
    )
    first = -0.5 * vscale * np.cos(0.6 * np.pi * period * freq + phase) + vscale / 2 + vshift
    second = -asym * np.sin(0.3 * np.pi * period * freq + phase) + 2 - asym
    c = first * second - 1
    z = (amp - c) / (variance * (2 + c))
    return float(ndtri(min(max(0.5 + 0.5 * float(ndtr(z)), 0.5), 1 - 1e-5)))


def discrimination_8d(*, target: float = 0.75) -> Observer:
    """Discrimination in eight dimensions: chance level .5, p at most 1 - 1e-5."""
    return Observer("discrimination, 8-d", DISCRIMINATION_8D_BOUNDS, _discrimination_8d, target)


def hartmann_6(*, target: float = 0.5) -> Observer:
    """f = 3 h - 2 on [0, 1]^6, h = -10 (sum_i C_i exp(-sum_j A_ij (x_j - P_ij)^2) - .1)."""
    names = tuple(f"x{j}" for j in range(1, 7))

    def latent(config: Mapping[str, Any]) -> float:
        x = np.array([float(config[name]) for name in names])
        h = -10.0 * (float(HARTMANN_C @ np.exp(-(HARTMANN_A * (x - HARTMANN_P) ** 2).sum(axis=1))) - 0.1)
        return 3.0 * h - 2.0

    return Observer("Hartmann-6", dict.fromkeys(names, (0.0, 1.0)), latent, target)


def read_responses(path: str | PathLike[str]) -> tuple[Array, Array]:
    """Stimuli (n, 6) in the order of `CONTRAST_BOUNDS`, raw units, and responses (n,), 0 or 1, of a CSV file.

    Args:
        path: a file with the columns ``response`` and those of `CONTRAST_BOUNDS`.
    """
    with open(path, encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    stimuli = np.array([[float(row[name]) for name in CONTRAST_BOUNDS] for row in rows])
    return stimuli, np.array([float(row["response"]) for row in rows])


def contrast_sensitivity(stimuli: Array, responses: Array, *, target: float = 0.75) -> Observer:
    """f: the posterior mean of a Gaussian process fitted to responses, at least 0.

    Args:
        stimuli: (n, 6), raw units, columns in the order of `CONTRAST_BOUNDS`.
        responses: (n,), 0 or 1.
        target: probability of detection sought.
    """
    from fechner.strategies.models import fit, posterior
    from fechner.strategies.specification import Component

    lower, upper = np.array(list(CONTRAST_BOUNDS.values())).T
    model = Component("GPClassificationModel")
    unit = np.clip((stimuli - lower) / (upper - lower), 0.0, 1.0)
    core = posterior(model, unit, responses, fit(model, unit, responses))

    def latent(config: Mapping[str, Any]) -> float:
        x = np.array([float(config[name]) for name in CONTRAST_BOUNDS])
        mean, _ = core.latent(((x - lower) / (upper - lower))[None, :])
        return max(0.0, float(mean[0]))

    return Observer("contrast sensitivity", CONTRAST_BOUNDS, latent, target)
