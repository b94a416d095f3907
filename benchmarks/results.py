"""What a benchmark keeps and shows: one JSON object a line, so that it can be stopped and go on; tables."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from fechner.server.commands.output import show_table

Line = dict[str, Any]


def read(path: Path | None) -> list[Line]:
    """The lines of a file that may not be there; a last line that was cut off doesn't count."""
    if path is None or not path.exists():
        return []
    found = []
    for line in path.read_text("utf-8").splitlines():
        try:
            found.append(json.loads(line))
        except ValueError:
            continue
    return found


class Store:
    """The lines so far, and where new ones go.

    Args:
        path: the file, or None to keep nothing.
    """

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self.lines = read(path)
        if path is not None and path.exists() and not path.read_bytes().endswith(b"\n"):
            with path.open("ab") as file:  # the line that was cut off stays by itself
                file.write(b"\n")

    def add(self, line: Line) -> None:
        """Keep a line."""
        self.lines.append(line)
        if self._path is not None:
            with self._path.open("a", encoding="utf-8") as file:
                file.write(json.dumps(line) + "\n")

    def of(self, kind: str) -> list[Line]:
        """The lines of a kind."""
        return [line for line in self.lines if line.get("kind") == kind]


def spread(values: Sequence[float]) -> dict[str, float]:
    """Number, mean, median, quartiles and 95th percentile."""
    first, middle, third, most = np.quantile(values, [0.25, 0.5, 0.75, 0.95])
    return {
        "n": len(values),
        "mean": float(np.mean(values)),
        "median": float(middle),
        "q25": float(first),
        "q75": float(third),
        "p95": float(most),
    }


def digits(value: float) -> str:
    """A figure with three digits, never in powers of ten."""
    return f"{value:.{0 if abs(value) >= 100 else 1 if abs(value) >= 10 else 2}f}"


def show(columns: Sequence[str], rows: Iterable[Sequence[Any]], note: str, *, markdown: bool = False) -> None:
    """A table for people, or its Markdown, and a note below it."""
    if markdown:
        print("| " + " | ".join(columns) + " |")
        print("|" + "---|" * len(columns))
        for row in rows:
            print("| " + " | ".join("" if cell is None else str(cell) for cell in row) + " |")
        print(f"\n{note}")
    else:
        show_table(columns, rows)
        print(note)
