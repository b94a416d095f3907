"""`fechner status` and `fechner watch`: a running server at a glance, once or every second."""

from __future__ import annotations

import signal
import sys
import time
from typing import TYPE_CHECKING, Any

import typer

from fechner.server.commands.asking import Address, Line, Unanswered, ask, connect
from fechner.server.commands.output import DONE, fail, screen, show_json
from fechner.strategies._lazy import Lazy

if TYPE_CHECKING:
    from rich import live

    from fechner.server.commands import frames
else:
    live, frames = Lazy("rich.live"), Lazy("fechner.server.commands.frames")

#: Between two looks.
EVERY_SECONDS = 1.0
NOTE = "Ctrl-C ends watching, not the server"


def status(address: Address, as_json: bool) -> None:
    """Show a server's status once."""
    try:
        with connect(address) as line:
            found = ask(line, "status")
    except Unanswered as error:
        fail(str(error))
    if as_json:
        show_json(found)
        return
    _print(found)


def watch(address: Address, once: bool) -> None:
    """Show a server's status every second, until Ctrl-C or until it is gone."""
    if once or not sys.stdout.isatty():
        status(address, False)
        return
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(DONE))  # the terminal is put back first
    signal.signal(signal.SIGINT, signal.default_int_handler)  # also where a script's job ignores it
    seen: list[dict[str, Any]] = []
    try:
        with connect(address) as line:
            seen.append(ask(line, "status"))
            _draw(line, seen)
    except KeyboardInterrupt:
        raise typer.Exit(DONE) from None
    except Unanswered as error:
        if seen:
            _print(seen[-1])
            fail(f"the server is gone: {error}")
        fail(str(error))


def _draw(line: Line, seen: list[dict[str, Any]]) -> None:
    """Draw the last status seen, and see another, until something ends it."""
    rate = None
    with live.Live(frames.Frame(seen[-1], True, NOTE), screen=True, auto_refresh=False) as shown:
        while True:
            shown.update(frames.Frame(seen[-1], True, NOTE, rate), refresh=True)
            time.sleep(EVERY_SECONDS)
            before = seen[-1]
            seen[:] = [now := ask(line, "status")]
            passed = now["uptime_s"] - before["uptime_s"]
            asked = now["counters"]["requests"] - before["counters"]["requests"] - 1  # but for our own
            rate = max(0.0, asked / passed) if passed > 0 else None


def _print(found: dict[str, Any]) -> None:
    screen().print(frames.Frame(found))
