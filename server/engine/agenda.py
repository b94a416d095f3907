"""What to go on with: lanes that may begin their next job, connections that may bring theirs to a lane.

Whoever finishes a job or brings one to a lane notes here who can go on by that; only the engine goes on with
them (engine.py). What was noted last comes first, so that what a job leads to is done before what was next
anyway; and whoever is being gone on with stays until nothing more can be done there, so that of thousands of
jobs that are done at once none is begun inside of another.
"""

from __future__ import annotations

from fechner.server.engine.lanes import Connection, Lane


class Agenda:
    """Lanes and connections, each once; those that are being gone on with are marked."""

    def __init__(self) -> None:
        self._noted: dict[Lane | Connection, bool] = {}

    def __len__(self) -> int:
        return len(self._noted)

    def note(self, one: Lane | Connection) -> None:
        """Go on with this one next, unless that is being done already."""
        if not self._noted.get(one, False):
            self._noted.pop(one, None)
            self._noted[one] = False

    def next(self) -> Lane | Connection | None:
        """The one to go on with now, until it is struck off; None if there is none."""
        one = next(reversed(self._noted), None)
        if one is not None:
            self._noted[one] = True
        return one

    def strike(self, one: Lane | Connection) -> None:
        """Nothing more can be done there for now."""
        self._noted.pop(one, None)

    def clear(self) -> None:
        """Leave everything."""
        self._noted.clear()
