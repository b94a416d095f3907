"""What to go on with: lanes that may begin their next job, connections that may bring theirs to a lane.

Whoever finishes a job or brings one to a lane notes here who can go on by that; only the engine goes on with
them (engine.py). What was noted last comes first, so that what a job leads to is done before what was next
anyway; and whoever is being gone on with stays until nothing more can be done there, so that of thousands of
jobs that are done at once none is begun inside of another.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from fechner.server.engine.lanes import Connection, Lane

State = TypeVar("State")


class Agenda:
    """Lanes and connections, each once; those that are being gone on with are marked."""

    def __init__(self) -> None:
        self._noted: dict[Lane | Connection, bool] = {}

    def __len__(self) -> int:
        return len(self._noted)

    def note(self, one: Lane | Connection) -> None:
        """Go on with this one next, unless that is being done already."""
        noted = self._noted
        if one not in noted:
            noted[one] = False
        elif not noted[one]:  # it waits: it comes first now
            del noted[one]
            noted[one] = False

    def go_on(self, state: State, steps: Mapping[type, Callable[[State, Any], bool]]) -> None:
        """Go on with all there are, until nothing more can be done anywhere.

        Args:
            state: what the steps change.
            steps: how to go on with a lane, and with a connection: do what can be done next; False: nothing
                can, for now.
        """
        noted = self._noted
        while noted:
            one = next(reversed(noted))
            noted[one] = True
            if not steps[type(one)](state, one):
                noted.pop(one, None)

    def clear(self) -> None:
        """Leave everything."""
        self._noted.clear()
