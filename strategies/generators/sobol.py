"""Scrambled Sobol points (Owen 1998), the space-filling default."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from fechner.strategies.random import rng
from fechner.strategies.state import Array


@lru_cache(maxsize=64)
def _block(seed: int, d: int, log2_n: int) -> Array:
    """The first 2**log2_n points of the sequence of `seed`, `2**log2_n x d`; prefixes agree."""
    from scipy.stats import qmc

    points = qmc.Sobol(d, scramble=True, rng=rng(seed, "sobol", d)).random_base2(log2_n)
    points.flags.writeable = False
    return points


def sobol(seed: int, d: int, first: int, n: int) -> Array:
    """Points `first` to `first + n` of the scrambled Sobol sequence of `seed`, `n x d`."""
    if d == 0:
        return np.empty((n, 0))
    return _block(seed, d, max(6, (first + n - 1).bit_length()))[first : first + n]
