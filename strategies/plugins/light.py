"""Declarations are light: what is heavy is refused while they are loaded, and faults are told in a line."""

from __future__ import annotations

import sys
import threading
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.abc import MetaPathFinder
from typing import Any

#: What a declaration must not import: the process that checks configurations answers within milliseconds.
HEAVY = ("torch", "botorch", "gpytorch")


def fault(error: BaseException, path: str = "") -> str:
    """What was raised, and in which line of a file."""
    lines = [one.lineno for one in traceback.extract_tb(error.__traceback__) if one.filename == path]
    where = f" in line {lines[-1]}" if lines else ""
    return f"{type(error).__name__}{where}: {error}"


class _Light(MetaPathFinder):
    """Refuses what is heavy to one thread."""

    def __init__(self) -> None:
        self.thread = threading.get_ident()

    def find_spec(self, fullname: str, path: Any = None, target: Any = None) -> None:
        if fullname.partition(".")[0] in HEAVY and threading.get_ident() == self.thread:
            raise ImportError(f"{fullname} must be imported inside the functions that compute with it")


@contextmanager
def light() -> Iterator[None]:
    """While declarations are loaded by this thread: nothing heavy is imported."""
    finder = _Light()
    sys.meta_path = [finder, *sys.meta_path]  # a new list: other threads may be going through the old one
    try:
        yield
    finally:
        sys.meta_path = [one for one in sys.meta_path if one is not finder]
