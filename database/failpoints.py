"""Named points where a test may make this process fail, to prove what survives.

``FECHNER_FAIL_POINT`` names a point and what happens there; without it a point is an empty function.

- ``before_commit``: the process kills itself (SIGKILL) the first time it passes; ``before_commit:7`` the
  seventh time;
- ``before_commit:raise``: an `OSError` each time;
- ``slow_commit:200``: each time 200 ms pass (at ``slow_commit`` only).

The points: ``during_group`` (between the statements of a transaction), ``before_commit``, ``slow_commit``,
``after_commit``, ``before_reply``, ``in_migration`` (after a migration, before its commit).
"""

from __future__ import annotations

import errno
import os
import signal
import time
from collections.abc import Callable

#: The points that there are.
POINTS = ("during_group", "before_commit", "slow_commit", "after_commit", "before_reply", "in_migration")


def _nothing(name: str) -> None:
    """Nobody wants a fault."""


def arm(wanted: str) -> Callable[[str], None]:
    """The function that every point calls where ``FECHNER_FAIL_POINT`` is `wanted`.

    Raises:
        ValueError: there is no such point, or what should happen there isn't known.
    """
    point, _, how = wanted.partition(":")
    if point not in POINTS:
        raise ValueError(f"FECHNER_FAIL_POINT: there is no point {point!r}; there are {', '.join(POINTS)}")
    if how != "raise" and not ((how.isdecimal() and int(how) > 0) or how == ""):
        raise ValueError(f"FECHNER_FAIL_POINT: {how!r} is neither a number nor 'raise'")
    passes = 0

    def fail(name: str) -> None:
        nonlocal passes
        if name != point:
            return
        if how == "raise":
            raise OSError(errno.EIO, f"the fail-point {point}")
        passes += 1
        if point == "slow_commit":
            time.sleep(int(how or 200) / 1e3)
        elif passes == int(how or 1):
            os.kill(os.getpid(), getattr(signal, "SIGKILL", signal.SIGTERM))

    return fail


#: Call this with the point's name.
fail_point: Callable[[str], None] = (
    arm(os.environ["FECHNER_FAIL_POINT"]) if os.environ.get("FECHNER_FAIL_POINT") else _nothing
)
