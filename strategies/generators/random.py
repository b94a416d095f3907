"""Uniformly random points."""

from __future__ import annotations

from fechner.strategies.numerics.arrays import Array
from fechner.strategies.numerics.randomness import rng


def uniform(seed: int, d: int, first: int, n: int) -> Array:
    """`n` uniform points, `n x d`; `first` says how many were handed out before."""
    return rng(seed, "random", first).random((n, d))
