"""The kernel that a configuration names, as one of kernels.py."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from fechner.strategies.config.tables.kernels import JOINED, SCALE
from fechner.strategies.models.kernels.combined_kernels import Combined
from fechner.strategies.models.kernels.kernels import Kernel, Leaf
from fechner.strategies.specification import Component


def kernel_of(component: Component, d: int, active: Sequence[int] | None = None) -> Kernel | None:
    """The kernel over d dimensions; None for a squared exponential of all of them, which needs none.

    `active` are the dimensions that it sees where it names none itself; all if None.
    """
    dims = tuple(component.keys.get("active_dims") or active or range(d))
    if component.name == "RBFKernel" and dims == tuple(range(d)):
        return None
    return _of(component, dims)


def _of(component: Component, around: tuple[int, ...]) -> Kernel:
    keys = component.keys
    dims = tuple(keys.get("active_dims") or around)
    if component.name == SCALE:
        part = _of(keys["base_kernel"], dims)
        return Combined("AdditiveKernel", (part,), (True,), np.zeros(1))
    if component.name in JOINED:
        given = keys["kernels"]
        scaled = tuple(part.name == SCALE for part in given)
        inner = [part.keys["base_kernel"] if part.name == SCALE else part for part in given]
        around_each = [tuple(part.keys.get("active_dims") or dims) for part in given]
        parts = tuple(_of(part, own) for part, own in zip(inner, around_each, strict=True))
        return Combined(component.name, parts, scaled, np.zeros(sum(scaled)))
    leaf = Leaf(component.name, dims, np.zeros(0), float(keys.get("nu") or keys.get("power") or 0.0))
    count = {"RBFKernel": len(dims), "MaternKernel": len(dims), "RQKernel": len(dims) + 1}
    count["PeriodicKernel"] = 2 * len(dims)
    return leaf.at(np.zeros(count.get(component.name, 1)))
