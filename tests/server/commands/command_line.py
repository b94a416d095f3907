"""What runs the command line in a test."""

from __future__ import annotations

from typing import Protocol

from typer.testing import Result


class Run(Protocol):
    """Runs `fechner …` with these arguments, in an empty folder."""

    def __call__(self, *arguments: object) -> Result: ...
