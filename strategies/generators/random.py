"""Uniformly random points."""

from __future__ import annotations

from fechner.strategies.random import rng
from fechner.strategies.state import Array


def uniform(seed: int, d: int, first: int, n: int) -> Array:
    """`n` uniform points, `n x d`; `first` says how many were handed out before."""
    return rng(seed, "random", first).random((n, d))
