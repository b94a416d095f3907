"""Scrambled Sobol points, the space-filling default.

The sequence is Sobol's with the direction numbers of Joe & Kuo (2008), in Gray-code order (Antonov & Saleev
1979), scrambled by a random lower triangular matrix over GF(2) per dimension and a digital shift (Matoušek
1998, *On the L2-discrepancy for anchored boxes*, J. Complexity 14). It is written here, and not taken from
scipy, because importing scipy.stats.qmc takes .54 s of processor time and 42 MB (beside numpy and
scipy.linalg, SciPy 1.17.1), longer than the first trial may and more memory than the rest of the listening
process; this module takes 6 ms and 0.7 MB. The tests compare it with scipy's.

Notation: d dimensions, B = 32 bits; V is `d x B`, column b the direction number of bit b as an integer with
B bits, most significant first.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from fechner.strategies.numerics._directions import DIRECTIONS
from fechner.strategies.numerics.arrays import Array
from fechner.strategies.numerics.randomness import rng

BITS = 32
#: Dimensions that the table holds; beyond them points are uniformly random.
MOST_DIMENSIONS = len(DIRECTIONS) + 1


def direction_numbers(d: int) -> NDArray[np.uint64]:
    """V for the first `d` dimensions, unscrambled, `d x B`."""
    v = np.zeros((d, BITS), dtype=np.uint64)
    v[0] = [1 << (BITS - 1 - b) for b in range(BITS)]
    for j in range(1, d):
        polynomial, initial = DIRECTIONS[j - 1]
        degree = len(initial)
        m = list(initial)
        for b in range(degree, BITS):
            new = m[b - degree] ^ (m[b - degree] << degree)
            for k in range(1, degree):
                if polynomial >> (degree - k) & 1:
                    new ^= m[b - k] << k
            m.append(new)
        v[j] = [m[b] << (BITS - 1 - b) for b in range(BITS)]
    return v


def _scrambled(v: NDArray[np.uint64], random: np.random.Generator) -> NDArray[np.uint64]:
    """V multiplied by a random lower triangular matrix with unit diagonal per dimension, `d x B`."""
    d = len(v)
    shifts = np.arange(BITS - 1, -1, -1, dtype=np.uint64)
    bits = (v[:, :, None] >> shifts) & np.uint64(1)  # d x B x B: bit i of direction number b
    lower = np.tril(random.integers(0, 2, (d, BITS, BITS), dtype=np.uint64), -1)
    lower += np.eye(BITS, dtype=np.uint64)
    mixed = np.einsum("dij,dbj->dbi", lower, bits) & np.uint64(1)
    scrambled: NDArray[np.uint64] = (mixed << shifts).sum(axis=2, dtype=np.uint64)
    return scrambled


@lru_cache(maxsize=64)
def _block(seed: int, d: int, log2_n: int) -> Array:
    """The first 2**log2_n points of the sequence of `seed`, `2**log2_n x d`; prefixes agree."""
    random = rng(seed, "sobol", d)
    v = _scrambled(direction_numbers(d), random)
    integers = np.empty((1 << log2_n, d), dtype=np.uint64)
    integers[0] = random.integers(0, 1 << BITS, d, dtype=np.uint64)
    for b in range(log2_n):  # Gray code: the second half of a block is the first, reversed, plus V's column b
        size = 1 << b
        integers[size : 2 * size] = integers[size - 1 :: -1] ^ v[:, b]
    points = (integers.astype(np.float64) + 0.5) / (1 << BITS)
    points.flags.writeable = False
    return points


def sobol(seed: int, d: int, first: int, n: int) -> Array:
    """Points `first` to `first + n` of the scrambled Sobol sequence of `seed`, `n x d`, inside (0, 1)."""
    if d == 0:
        return np.empty((n, 0))
    points = _block(seed, min(d, MOST_DIMENSIONS), max(6, (first + n - 1).bit_length()))[first : first + n]
    if d <= MOST_DIMENSIONS:
        return points
    more = np.stack(
        [rng(seed, "beyond sobol", i).random(d - MOST_DIMENSIONS) for i in range(first, first + n)]
    )
    return np.hstack([points, more])
