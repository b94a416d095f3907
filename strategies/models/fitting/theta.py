"""Theta, the vector that fits search: blocks of hyperparameters, and their posterior density.

Notation: theta (p,) holds the values of the blocks one after the other, most of them logarithms; t (k,) those
of one block.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np

from fechner.strategies.numerics.arrays import Array

SCALE = 0.3  # of a first step, in units of the gradient

#: The values t of every block by its name.
Parts = Mapping[str, Array]


class LogEvidence(NamedTuple):
    """log P(y | theta).

    Attributes:
        value: itself.
        gradients: its derivatives by every block, (k,), by name; of blocks that a layout lacks too.
    """

    value: float
    gradients: Mapping[str, Array | float]


#: The log evidence as a function of the blocks.
Evidence = Callable[[Parts], LogEvidence]

#: Adds a block's log prior density at t to a number, and its derivatives to others (k,).
Weigh = Callable[[Array, float, Array | float], tuple[float, Array | float]]


def weighed_by(log_density: Callable[[Array], tuple[float, Array]]) -> Weigh:
    """With a prior, from its log density and the gradient (k,) of it at t."""

    def weigh(t: Array, value: float, gradient: Array | float) -> tuple[float, Array | float]:
        log_prior, slope = log_density(t)
        return value + log_prior, gradient + slope

    return weigh


def weigh_nothing(t: Array, value: float, gradient: Array | float) -> tuple[float, Array | float]:
    """With a flat prior."""
    return value, gradient


@dataclass(frozen=True)
class Block:
    """Hyperparameters that sit next to each other in theta.

    Attributes:
        name: of the block.
        typical: (k,) where a cold fit begins.
        ranges: k pairs, the ends of each; where they are equal it is held there.
        weigh: adds the log prior density.
        aside: how far from `typical` a second search begins, where there often are two maxima.
        others: (k,) each, places that are tried too, where there are many.
    """

    name: str
    typical: Array
    ranges: tuple[tuple[float, float], ...]
    weigh: Weigh
    aside: float | None = None
    others: tuple[Array, ...] = ()

    @property
    def size(self) -> int:
        return len(self.ranges)


def joined(name: str, blocks: tuple[Block, ...]) -> Block:
    """Blocks as a single one, whose log prior density is their sum."""
    ends = np.cumsum([block.size for block in blocks])
    places = [slice(int(end) - block.size, int(end)) for block, end in zip(blocks, ends, strict=True)]

    def weigh(t: Array, value: float, gradient: Array | float) -> tuple[float, Array | float]:
        total, out = 0.0, np.array(np.broadcast_to(gradient, len(t)))
        for block, place in zip(blocks, places, strict=True):
            total, out[place] = block.weigh(t[place], total, out[place])
        return value + total, out

    typical = np.concatenate([block.typical for block in blocks])
    return Block(name, typical, tuple(pair for block in blocks for pair in block.ranges), weigh)


@dataclass(frozen=True)
class Layout:
    """Where each block sits in theta.

    Attributes:
        blocks: in their order in theta.
        weighed: names of blocks in the order in which their log densities are summed, on which the last bits
            of the sum depend; theta's own if empty.
    """

    blocks: tuple[Block, ...]
    weighed: tuple[str, ...] = ()

    @cached_property
    def places(self) -> dict[str, slice]:
        """Where in theta each block is, by name."""
        out, begin = {}, 0
        for block in self.blocks:
            out[block.name] = slice(begin, begin + block.size)
            begin += block.size
        return out

    @cached_property
    def size(self) -> int:
        """p."""
        return sum(block.size for block in self.blocks)

    def bounds(self) -> list[tuple[float, float]]:
        """The ends of every hyperparameter's range."""
        return [pair for block in self.blocks for pair in block.ranges]

    @cached_property
    def _ends(self) -> tuple[Array, Array]:
        lower, upper = np.array(self.bounds()).T
        return lower, upper

    @cached_property
    def _held(self) -> Array | None:
        """Which hyperparameters (p,) have no range; None if all have one."""
        held = np.equal(*self._ends)
        return held if held.any() else None

    @cached_property
    def _summed(self) -> tuple[tuple[Block, slice], ...]:
        by_name = {block.name: block for block in self.blocks}
        return tuple((by_name[name], self.places[name]) for name in self.weighed or by_name)

    def split(self, theta: Array) -> Parts:
        """The values of every block."""
        return {name: theta[place] for name, place in self.places.items()}

    def join(self, parts: Parts) -> Array:
        """The inverse of `split`, inside the bounds; `parts` may hold more."""
        return self.inside(np.concatenate([parts[block.name] for block in self.blocks]))

    def inside(self, theta: Array) -> Array:
        """theta moved inside the bounds."""
        out: Array = np.clip(theta, *self._ends)
        return out

    def typical(self) -> Array:
        """Where a cold fit begins."""
        return self.join({block.name: block.typical for block in self.blocks})

    def cold(self) -> list[Array]:
        """Where fits without an earlier one begin: typical values, and those aside of them."""
        begins = [self.typical()]
        for block in self.blocks:
            if block.aside is not None:
                moved = begins[0].copy()
                moved[self.places[block.name]] += block.aside
                begins.append(self.inside(moved))
        return begins

    def waves(self) -> list[Array]:
        """Typical values but for one block, where it is worth trying others too."""
        begins = []
        for block in self.blocks:
            for other in block.others:
                begins.append(self.typical())
                begins[-1][self.places[block.name]] = other
        return begins

    def scales(self) -> Array:
        """The inverse Hessian (p, p) that a cold fit begins with: data tell more than a vague prior."""
        return SCALE**2 * np.eye(self.size)

    def objective(self, theta: Array, evidence: Evidence) -> tuple[float, Array]:
        """Minus the log posterior density of theta, and its gradient (p,)."""
        if self._held is not None:
            theta = self.inside(theta)
        value, gradients = evidence(self.split(theta))
        out = np.empty(self.size)
        for block, place in self._summed:
            value, out[place] = block.weigh(theta[place], value, gradients[block.name])
        out = -out
        if self._held is not None:
            out[self._held] = 0.0
        return -value, out

    def log_prior(self, theta: Array) -> float:
        """The log prior density of theta, up to a constant."""
        nothing = {block.name: np.zeros(block.size) for block in self.blocks}
        return -self.objective(theta, lambda _: LogEvidence(0.0, nothing))[0]
