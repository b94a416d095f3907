"""How a computation that factorises a prior covariance is brought to an end where rounding makes it singular.

Notation: K (n, n) a prior covariance; a *start* is whatever a computation may begin from (sites of
expectation propagation, a mode).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import numpy as np

from fechner.strategies.numerics.arrays import Array

JITTER = 1e-8  # of the prior variances, on the diagonal of every covariance matrix
JITTERS = (JITTER, 1e-6, 1e-4)

Start = TypeVar("Start")
End = TypeVar("End")


def settle(
    matrix: Array, variances: Array | float, run: Callable[[Array, Start | None], End], start: Start | None
) -> tuple[Array, End]:
    """K with the least of `JITTERS` with which `run` comes to an end, and that end.

    Args:
        matrix: K without jitter.
        variances: (n,), or one for all, in units of which jitter is.
        run: of a prior covariance (n, n) and a start.
        start: of the first try; later ones begin from nothing.

    Raises:
        numpy.linalg.LinAlgError: there is none; what went wrong with the most jitter.
    """
    error: np.linalg.LinAlgError | None = None
    for jitter in JITTERS:
        prior = matrix.copy()
        prior.flat[:: len(matrix) + 1] += jitter * variances
        try:
            return prior, run(prior, start)
        except np.linalg.LinAlgError as fault:
            error, start = fault, None
    raise np.linalg.LinAlgError(str(error))


def restart(run: Callable[[Start | None], End], start: Start | None) -> End:
    """The end of `run` from `start`, or else from nothing.

    Raises:
        numpy.linalg.LinAlgError: from nothing neither.
    """
    try:
        return run(start)
    except np.linalg.LinAlgError:
        if start is None:
            raise
    return run(None)
