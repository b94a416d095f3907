"""How commands speak: tables for people, JSON for programs, faults on standard error."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, NoReturn

import typer

from fechner.strategies._lazy import Lazy

if TYPE_CHECKING:
    from rich import box, console, table, text
else:
    box, console, table, text = map(Lazy, ("rich.box", "rich.console", "rich.table", "rich.text"))

#: Exit codes: yes or done, no or failed, used wrongly.
DONE, FAILED, USAGE = 0, 1, 2

#: Characters that may steer a terminal, of those that JSON leaves as they are.
_STEERING = re.compile("[\x7f-\x9f]")


def fail(why: str, code: int = FAILED) -> NoReturn:
    """Say why on standard error and end."""
    print(f"fechner: {plain(why)}", file=sys.stderr)
    raise typer.Exit(code)


def without_password(db: str) -> str:
    """A record's name or URL as anybody may read it."""
    hidden = re.sub(r"(://[^/:@?]*):[^/?]*@", r"\1:***@", db)
    return re.sub(r"([?&]password=)[^&]*", r"\1***", hidden) if "://" in db else db


def name_record(db: str, as_json: bool) -> None:
    """The first line printed: which record."""
    print(f"record: {without_password(db)}", file=sys.stderr if as_json else sys.stdout)


def show_json(value: Any) -> None:
    """One JSON value on standard output."""
    shown = json.dumps(value, indent=2, ensure_ascii=False, default=_plain)
    print(_STEERING.sub(lambda found: f"\\u{ord(found[0]):04x}", shown))


def show_table(columns: Sequence[str], rows: Iterable[Sequence[Any]], title: str | None = None) -> None:
    """A table for people."""
    heads = (table.Column(text.Text(plain(column))) for column in columns)
    drawn = table.Table(
        *heads,
        title=None if title is None else text.Text(plain(title)),
        title_justify="left",
        box=box.SIMPLE_HEAD,
        pad_edge=False,
    )
    for row in rows:
        drawn.add_row(*(text.Text("" if cell is None else plain(cell)) for cell in row))
    screen().print(drawn)


def screen() -> console.Console:
    """Where people see what is drawn. A pipe has no width: what a program may read isn't cut."""
    return console.Console(width=None if sys.stdout.isatty() else 200, highlight=False)


def plain(value: object) -> str:
    """What a client called something, without what would steer a terminal."""
    return "".join(c if c.isprintable() or c == "\n" else "�" for c in str(value))


def when(time: datetime | None) -> str:
    """A time for people, in UTC."""
    return "" if time is None else f"{time:%Y-%m-%d %H:%M:%S}"


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    raise TypeError(f"{type(value).__name__} is no JSON")
