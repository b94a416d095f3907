"""An acquisition function where constraints allow some points only."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from fechner.strategies.acquisition.acquisition import Acquisition
from fechner.strategies.numerics.arrays import Array, Poll
from fechner.strategies.space.region import Flags


def kept_inside(acquisition: Acquisition, allowed: Callable[[Array], Flags]) -> Acquisition:
    """The function with -inf where points (m, d) are not allowed, which no search accepts."""
    gradients, scan = acquisition.gradients, acquisition.scan

    def climbing(x: Array) -> tuple[Array, Array]:
        assert gradients is not None
        values, slopes = gradients(x)
        return np.where(allowed(x), values, -np.inf), slopes

    def scanning(x: Array, poll: Poll | None) -> Array:
        assert scan is not None
        return np.where(allowed(x), scan(x, poll), -np.inf)

    return Acquisition(
        lambda x: np.where(allowed(x), acquisition.values(x), -np.inf),
        acquisition.chunk,
        acquisition.nominal_seconds,
        None if gradients is None else climbing,
        acquisition.parts,
        None if scan is None else scanning,
    )
