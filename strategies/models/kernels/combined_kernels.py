"""Kernels scaled, added and multiplied, and kernels as plain data; notation as in kernels.py."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from fechner.strategies.models.kernels.kernels import Kernel, Leaf
from fechner.strategies.numerics.arrays import Array


@dataclass(frozen=True)
class Combined:
    """A sum or a product of kernels, times a variance for each where `scaled` says so.

    Attributes:
        name: AdditiveKernel or ProductKernel.
        parts: the kernels.
        scaled: which of them have a variance; theirs come last in theta.
        variances: logarithms of these, one for each scaled part.
    """

    name: str
    parts: tuple[Kernel, ...]
    scaled: tuple[bool, ...]
    variances: Array

    @property
    def theta(self) -> Array:
        return np.concatenate([*(part.theta for part in self.parts), self.variances])

    @property
    def kinds(self) -> tuple[str, ...]:
        return (*(kind for part in self.parts for kind in part.kinds), *["variance"] * len(self.variances))

    def at(self, theta: Array) -> Combined:
        parts, begin = [], 0
        for part in self.parts:
            parts.append(part.at(theta[begin : begin + len(part.theta)]))
            begin += len(part.theta)
        return replace(self, parts=tuple(parts), variances=theta[begin:])

    def _amplitudes(self) -> list[float]:
        left = iter(np.exp(self.variances))
        return [float(next(left)) if scaled else 1.0 for scaled in self.scaled]

    def _joined(self, values: Sequence[Array]) -> Array:
        scaled = [amplitude * value for amplitude, value in zip(self._amplitudes(), values, strict=True)]
        whole = scaled[0].copy()
        for one in scaled[1:]:
            whole = whole + one if self.name == "AdditiveKernel" else whole * one
        return whole

    def _shares(self, values: Sequence[Array]) -> list[Array | float]:
        """The derivative of the whole by each part."""
        amplitudes = self._amplitudes()
        if self.name == "AdditiveKernel":
            return list(amplitudes)
        scaled = [amplitude * value for amplitude, value in zip(amplitudes, values, strict=True)]
        shares: list[Array | float] = []
        for place, amplitude in enumerate(amplitudes):
            share: Array | float = amplitude
            for other, value in enumerate(scaled):
                share = share if other == place else share * value
            shares.append(share)
        return shares

    def matrix(self, a: Array, b: Array) -> Array:
        return self._joined([part.matrix(a, b) for part in self.parts])

    def diagonal(self, a: Array) -> Array:
        return self._joined([part.diagonal(a) for part in self.parts])

    def pulled_back(self, a: Array, b: Array, weights: Array) -> Array:
        shares = self._shares([part.matrix(a, b) for part in self.parts])
        pulled = [part.pulled_back(a, b, weights * s) for part, s in zip(self.parts, shares, strict=True)]
        return np.asarray(sum(pulled[1:], pulled[0]))

    def diagonal_slopes(self, a: Array) -> Array:
        out = np.zeros_like(a)
        shares = self._shares([part.diagonal(a) for part in self.parts])
        for part, share in zip(self.parts, shares, strict=True):
            out += np.broadcast_to(share, len(a))[:, None] * part.diagonal_slopes(a)
        return out

    def gradient(self, x: Array, weights: Array) -> Array:
        matrices = [part.matrix(x, x) for part in self.parts]
        shares = self._shares(matrices)
        found = [part.gradient(x, weights * s) for part, s in zip(self.parts, shares, strict=True)]
        by_variance = [
            float((weights * share * matrix).sum())
            for share, matrix, scaled in zip(shares, matrices, self.scaled, strict=True)
            if scaled
        ]
        return np.concatenate([*found, np.array(by_variance)])

    def lengthscales(self, d: int) -> Array:
        out: Array = np.min([part.lengthscales(d) for part in self.parts], axis=0)
        return out

    def plain(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "parts": [part.plain() for part in self.parts],
            "scaled": list(self.scaled),
            "values": [float(v) for v in np.exp(self.variances)],
        }


def from_plain(plain: Mapping[str, Any]) -> Kernel:
    """The inverse of a kernel's `plain`."""
    theta = np.log(np.array(plain["values"], dtype=float))
    if "parts" in plain:
        parts = tuple(from_plain(part) for part in plain["parts"])
        return Combined(str(plain["name"]), parts, tuple(map(bool, plain["scaled"])), theta)
    return Leaf(str(plain["name"]), tuple(map(int, plain["dims"])), theta, float(plain["option"]))


def alike(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Whether two kernels' `plain` differ in nothing but the values of hyperparameters."""
    if [one.get(key) for key in ("name", "dims", "option", "scaled")] != [
        other.get(key) for key in ("name", "dims", "option", "scaled")
    ]:
        return False
    parts, others = one.get("parts", ()), other.get("parts", ())
    return len(parts) == len(others) and all(map(alike, parts, others))
