"""The two types that every computation has in its signature."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

#: Real numbers, float64; a docstring says of which shape.
Array = NDArray[np.float64]

#: Called at least once an evaluation by what takes long; raises to cancel it.
Poll = Callable[[], None]
