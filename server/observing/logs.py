"""The server's log: lines for people or JSON for programs, on standard error or in files that rotate.

What a line says is a `Log`, which quotes no message. Lines of libraries are shown without their
arguments, and exceptions without their texts, unless the level is `debug`.
"""

from __future__ import annotations

import json
import logging
import sys
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime

from fechner.server.observing.faults import Fault, fault, kind

log = logging.getLogger("fechner")

#: Characters of a session's id that the log and `status` show: enough to tell sessions apart.
PREFIX = 8


@dataclass(frozen=True, slots=True)
class Log:
    """A line for the server's log.

    Nothing in it but `fault.detail`, which is for debugging only, may quote a message: no name, no outcome,
    no token, no configuration.

    Attributes:
        level: debug, info, warning or error.
        text: what happened.
        connection: the number of the connection that it is about.
        session: the id of the session that it is about; the log shows its beginning.
        incident: the id that a client was told.
        fault: the exception behind it.
    """

    level: str
    text: str
    connection: int | None = None
    session: str | None = None
    incident: str | None = None
    fault: Fault | None = None


def emit(line: Log) -> None:
    """Write a line to the log."""
    level = logging.getLevelNamesMapping()[line.level.upper()]
    if log.isEnabledFor(level):
        log.log(level, "%s", line.text, extra={"line": line})


def configure(
    level: str, form: str = "text", file: str | None = None, file_bytes: int = 10_000_000, files: int = 5
) -> None:
    """Send this process's log where it belongs.

    Args:
        level: the least that is logged.
        form: `text` or `json` (one object a line).
        file: a file, for its owner only, instead of standard error.
        file_bytes: size at which a new file is begun; the old one is kept as `FILE.1` and so on.
        files: how many old files are kept.

    Raises:
        OSError: the file can't be written.
    """
    handler: logging.Handler = logging.StreamHandler(sys.stderr)
    if file is not None:
        from fechner.server.observing.log_files import OwnersFile  # its library isn't wanted by most

        handler = OwnersFile(file, maxBytes=file_bytes, backupCount=files, encoding="utf-8")
    debugging = level == "debug"
    handler.setFormatter(JsonLines(debugging) if form == "json" else TextLines(debugging))
    handler.handleError = _not_written  # type: ignore[method-assign]
    root = logging.getLogger()
    for old in root.handlers[:]:
        root.removeHandler(old)
        old.close()
    root.addHandler(handler)
    root.setLevel(level.upper())


def _not_written(record: logging.LogRecord) -> None:
    """A full disk, say: what logging would print then quotes arguments."""
    with suppress(Exception):
        print(f"fechner: a line can't be logged: {kind(sys.exc_info()[1] or OSError())}", file=sys.stderr)


class TextLines(logging.Formatter):
    """`2026-05-06T12:00:00.123456Z INFO connection closed connection=3 session=6f1d2c3b`, then traces."""

    def __init__(self, debugging: bool = False) -> None:
        super().__init__()
        self._debugging = debugging

    def format(self, record: logging.LogRecord) -> str:
        """A line, and indented below it what an exception says."""
        found = fields(record, self._debugging)
        if str(found.get("incident")) in str(found["event"]):
            del found["incident"]
        head = f"{found.pop('time')} {str(found.pop('level')).upper()} {_one_line(str(found.pop('event')))}"
        below = [str(found.pop(name)) for name in ("trace", "detail") if name in found]
        also = "".join(f" {name}={_one_line(str(value))}" for name, value in found.items())
        indented = "".join(f"\n    {_one_line(line)}" for text in below for line in text.splitlines())
        return f"{head}{also}{indented}"


class JsonLines(logging.Formatter):
    """One JSON object a line."""

    def __init__(self, debugging: bool = False) -> None:
        super().__init__()
        self._debugging = debugging

    def format(self, record: logging.LogRecord) -> str:
        """A line."""
        return json.dumps(fields(record, self._debugging))


def fields(record: logging.LogRecord, debugging: bool) -> dict[str, object]:
    """What is logged: time (UTC), level, event; connection, session, incident, trace, detail where known."""
    time = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="microseconds")
    found: dict[str, object] = {"time": time.replace("+00:00", "Z"), "level": record.levelname.lower()}
    line: Log | None = getattr(record, "line", None)
    if line is None:
        # Somebody else's: its arguments may be data.
        found["event"] = record.getMessage() if debugging else str(record.msg)
        found["logger"] = record.name
        error = record.exc_info[1] if record.exc_info else None
        said = None if error is None else fault(error)
    else:
        found["event"] = line.text
        if line.connection is not None:
            found["connection"] = line.connection
        if line.session is not None:
            found["session"] = line.session[:PREFIX]
        if line.incident is not None:
            found["incident"] = line.incident
        said = line.fault
    if said is not None and said.trace:
        found["trace"] = said.trace
    if said is not None and said.detail and debugging:
        found["detail"] = said.detail
    return found


def _one_line(text: str) -> str:
    return text if text.isprintable() else "".join(c if c.isprintable() else repr(c)[1:-1] for c in text)
