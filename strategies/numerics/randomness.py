"""Keyed randomness: every stream is a function of the seed and what it is for.

See docs/explanation/architecture.md, Randomness and time.
"""

from __future__ import annotations

import hashlib

import numpy as np


def key(seed: int, *parts: str | int) -> int:
    """A 63-bit integer that depends on `seed` and every one of `parts`, the same on every machine."""
    text = "\x1f".join([str(int(seed)), *(f"{type(part).__name__}:{part}" for part in parts)])
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") >> 1


def rng(seed: int, *parts: str | int) -> np.random.Generator:
    """A fresh generator for one purpose; equal arguments give an equal stream."""
    return np.random.Generator(np.random.PCG64(key(seed, *parts)))
