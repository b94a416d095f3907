"""The scan of an acquisition function's candidates on a GPU, where the model's `use_gpu` asks for it and it
pays (numerics/device.py).

The answer is to be the processor's to the last bit. The device's values differ from it by rounding (and by
some 1e-10 where |rho| > .925), so they only rank the candidates; what the refinement computes with, the best
value and the median, is computed again by the processor, in the same chunks as without a GPU. Asks can
therefore differ only where candidates among the best are as near to each other as that.
"""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np

from fechner.strategies.acquisition.acquisition import Acquisition
from fechner.strategies.acquisition.optimise import values_in_chunks
from fechner.strategies.models.posteriors.ordinal import OrdinalPosterior
from fechner.strategies.numerics import device as gpu
from fechner.strategies.numerics.arrays import Array, Poll
from fechner.strategies.plugins.resolve import entry


@cache
def device() -> str | None:
    """torch's name of the GPU, or None if there is none; loads torch where there may be one."""
    if gpu.lacking() is not None:
        return None
    import torch

    return "cuda" if torch.cuda.is_available() else None


def device_name(on: str) -> str:
    """What to call a device of torch on record."""
    import torch

    return torch.cuda.get_device_name() if on == "cuda" else on


class Scan:
    """The values of a scan on a GPU if there is one; `computed_on` says what computed the last."""

    def __init__(self, acquisition: Acquisition) -> None:
        self._acquisition = acquisition
        self.computed_on = gpu.PROCESSOR

    def __call__(self, points: Array, poll: Poll | None) -> Array:
        """The values (m,) of (m, d) points, -inf where one is not finite, with polls between chunks."""
        on, self.computed_on = device(), gpu.PROCESSOR
        if on is not None:
            try:
                values = on_device(self._acquisition, points, poll, on)
            except RuntimeError:  # torch's: no memory left, a device that is lost; an ask is worth more
                pass
            else:
                self.computed_on = device_name(on)
                return settled(self._acquisition, points, values, poll)
        return values_in_chunks(self._acquisition, points, poll)


def accelerated(acquisition: Acquisition, candidates: int) -> Acquisition:
    """The function with a `Scan` of so many candidates if a GPU pays for it, else as it is."""
    parts = acquisition.parts
    if parts is None:
        return acquisition
    if isinstance(parts.posterior, OrdinalPosterior) and not entry(parts.component).of_latent:
        return acquisition
    if not gpu.pays(candidates, parts.count, len(parts.posterior.x)):
        return acquisition
    if parts.posterior.places is not parts.posterior.x:  # the device knows values of f alone
        return acquisition
    return replace(acquisition, scan=Scan(acquisition))


def on_device(
    acquisition: Acquisition,
    points: Array,
    poll: Poll | None,
    on: str,
    memory: int | None = None,
) -> Array:
    """The values (m,) of (m, d) points from a device of torch.

    Args:
        acquisition: a function with parts.
        points: the candidates.
        poll: called before every chunk; may raise to cancel.
        on: torch's name of the device.
        memory: bytes that may be used; None for what the device has to spare.
    """
    from fechner.strategies.acquisition import torch_values

    assert acquisition.parts is not None
    function = torch_values.function(acquisition.parts, acquisition.chunk, on)
    rows = torch_values.rows(acquisition.parts, acquisition.chunk, on, memory)
    out = np.empty(len(points))
    for begin in range(0, len(points), rows):
        if poll is not None:
            poll()
        part = function(points[begin : begin + rows])
        out[begin : begin + rows] = np.where(np.isfinite(part), part, -np.inf)
    return out


def settled(acquisition: Acquisition, points: Array, values: Array, poll: Poll | None) -> Array:
    """The values (m,) with the best and the median ones as the processor computes them."""
    finite = np.flatnonzero(np.isfinite(values))
    if not len(finite):
        return values
    ranked = finite[np.argsort(values[finite], kind="stable")]
    out, size = values.copy(), acquisition.chunk
    for row in (ranked[-1], ranked[(len(ranked) - 1) // 2], ranked[len(ranked) // 2]):
        # a row's last bits depend on the chunk that it is computed in
        begin = int(row) // size * size
        part = values_in_chunks(acquisition, points[begin : begin + size], poll)
        out[row] = part[int(row) - begin]
    return out
