"""A server's status as people see it: a heading and a line for each session in progress."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rich import box
from rich.console import Console, ConsoleOptions, JustifyMethod, RenderResult
from rich.table import Table
from rich.text import Text

from fechner.server.commands.output import plain

#: Width from which dialects are written out.
WIDE = 100
#: Lines of a frame that are no sessions.
HEADING = 6

_NUMBERS = ("asked", "told", "open", "heard")


class Frame:
    """A status, drawn as wide and as high as there is room.

    Args:
        status: the reply to `status`.
        fill: draw no more sessions than fit the height.
        note: a line at the end.
        per_second: requests a second, None where nobody knows.
    """

    def __init__(
        self, status: dict[str, Any], fill: bool = False, note: str = "", per_second: float | None = None
    ) -> None:
        self._status, self._fill, self._note, self._per_second = status, fill, note, per_second

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """The heading, the table, the note."""
        for line in heading(self._status, self._per_second):
            yield Text(line, no_wrap=True, overflow="ellipsis")
        yield Text()
        sessions: Sequence[dict[str, Any]] = self._status["sessions"]
        room = max(1, console.height - HEADING - bool(self._note)) if self._fill else len(sessions)
        n_shown = len(sessions) if len(sessions) <= room else max(0, room - 1)
        if sessions:
            yield table(sessions[:n_shown], options.max_width)
        hidden = self._status["n_visible"] - n_shown
        notes = [f"and {hidden} more"] if hidden else []
        unseen = self._status["n_sessions"] - self._status["n_visible"]
        if unseen > 0:
            notes.append(f"{_counted(unseen, 'session')} of others")
        if not self._status["n_sessions"]:
            notes.append("no session in progress")
        notes += [self._note] if self._note else []
        for note in notes:
            yield Text(note, style="dim", no_wrap=True, overflow="ellipsis")


def heading(status: dict[str, Any], per_second: float | None = None) -> list[str]:
    """Three lines about the server."""
    connections, workers, counters = status["connections"], status.get("workers", {}), status["counters"]
    computations = status.get("computations", {})
    waiting = sum(computations.get("waiting", {}).values())
    read_only = " (read-only)" if status["read_only"] else ""
    rate = "" if per_second is None else f" ({per_second:.1f} a second)"
    errors = _counted(counters["errors"], "error")
    deaths = f", {_counted(workers['deaths'], 'death')}" if workers.get("deaths") else ""
    busy = f"{workers.get('busy', 0)} of {_counted(workers.get('n', 0), 'worker')} busy{deaths}"
    faults = [
        _counted(counters["failed_commits"], "commit") + " failed" if counters["failed_commits"] else "",
        f"{_counted(counters['log_errors'], 'error')} in the log" if counters["log_errors"] else "",
    ]
    who, record = plain(status["server"]), plain(status["record"])
    return [
        f"{who}, up {span(status['uptime_s'])}, record {record}{read_only}",
        f"{_counted(status['n_sessions'], 'session')}, {connections['open']} of "
        f"{_counted(connections['limit'], 'connection')}, {busy}, {_counted(waiting, 'computation')} waiting",
        ", ".join([f"{_counted(counters['requests'], 'request')}{rate}, {errors}", *filter(None, faults)]),
    ]


def table(sessions: Sequence[dict[str, Any]], width: int) -> Table:
    """A line for each session."""
    wide = width >= WIDE
    rows = [[plain(cell).replace("\n", " ") for cell in cells(one, wide)] for one in sessions]
    titles = ("session", "name", "participant", "dialect" if wide else "wire", "stage", *_NUMBERS, "now")
    widths = [max(map(len, column)) for column in zip(titles, *rows, strict=True)]
    widths[-2:] = [max(widths[-2], 6), max(widths[-1], len("computing"))]  # those that change most
    widths[4] = min(widths[4], 12)
    # Names take what is left, the longer one more of it.
    gap = 2 if wide else 1
    room = max(12, width - gap * (len(titles) - 1) - sum(widths[:1] + widths[3:]))
    if sum(widths[1:3]) > room:
        widths[2] = min(widths[2], max(room // 2, room - widths[1]))
        widths[1] = room - widths[2]
    found = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, gap - 1, 0, 0), show_edge=False)
    for title, wanted in zip(titles, widths, strict=True):
        justify: JustifyMethod = "right" if title in _NUMBERS else "left"
        found.add_column(title, justify=justify, no_wrap=True, overflow="ellipsis", width=wanted)
    for row in rows:
        row[1:3] = [shortened(row[1], widths[1]), shortened(row[2], widths[2])]
        found.add_row(*map(Text, row))
    return found


def cells(session: dict[str, Any], wide: bool) -> list[str]:
    """What a session's line says."""
    dialect, trials = session["dialect"] or "", session["trials"]
    if not wide:
        dialect = dialect.removeprefix("aepsych-")
    now = "left" if session["connection"] is None else "ended" if session["ended"] else "idle"
    if session["waiting"]:
        now = "computing" if session["computing"] else "working"
    return [
        session["session"],
        session["name"] or "",
        session["participant"] or "",
        dialect,
        session["stage"],
        str(trials["asked"]),
        str(trials["told"]),
        str(trials["pending"]),
        "" if session["heard_s"] is None else span(session["heard_s"]),
        now,
    ]


def shortened(text: str, width: int) -> str:
    """A name with its middle left out where it is too long: such names differ at their ends."""
    if len(text) <= width:
        return text
    tail = max(1, width // 3)
    return f"{text[: width - tail - 1]}…{text[-tail:]}"


def span(seconds: float) -> str:
    """A time as people say it, in its largest unit."""
    for unit, length in (("d", 86400), ("h", 3600), ("min", 60)):
        if seconds >= length:
            return (
                f"{seconds / length:.0f} {unit}"
                if seconds >= 10 * length
                else f"{seconds / length:.1f} {unit}"
            )
    return f"{seconds:.0f} s"


def _counted(n: int, what: str) -> str:
    return f"{n} {what}" if n == 1 else f"{n} {what}s"
