"""Random numbers with a purpose: the name under which plug-ins know `numerics.randomness`."""

from fechner.strategies.numerics.randomness import key, rng

__all__ = ["key", "rng"]
