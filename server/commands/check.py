"""`fechner check FILE`: everything wrong or doubtful, then what the configuration will do, in words."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from fechner.server.commands.output import FAILED, fail, show_json
from fechner.server.protocol.errors import FechnerError
from fechner.server.protocol.jsontext import parse
from fechner.server.protocol.limits import Limits
from fechner.strategies._lazy import Lazy
from fechner.strategies.errors import ConfigError

if TYPE_CHECKING:
    from fechner.strategies import config
    from fechner.strategies.config.describing import describe as words
    from fechner.strategies.config.judging import gpu
else:
    config = Lazy("fechner.strategies.config")
    words = Lazy("fechner.strategies.config.describing.describe")
    gpu = Lazy("fechner.strategies.config.judging.gpu")


def read(file: str) -> str:
    """A file's text, or a fault."""
    try:
        return Path(file).read_text(encoding="utf-8-sig")
    except OSError as error:
        fail(f"can't read {file}: {error.strerror}")
    except UnicodeDecodeError as error:
        fail(f"{file} is not UTF-8 at byte {error.start}")


def read_config(file: str) -> str | dict[str, Any]:
    """A file's configuration: sections of keys where its name ends in `.json`, else INI text."""
    text = read(file)
    if not file.lower().endswith(".json"):
        return text
    try:
        sections = parse(text, Limits())
    except FechnerError as error:
        fail(f"{file}: {error}")
    if not isinstance(sections, dict):
        fail(f"{file} holds no object of sections")
    return sections


def check_file(file: str, as_json: bool) -> None:
    """Check one file."""
    try:
        specification = config.check(read_config(file))
    except ConfigError as error:
        if as_json:
            problems, warnings = map(list, (error.problems, error.warnings))
            show_json(
                {
                    "ok": False,
                    "problems": [asdict(p) for p in problems],
                    "warnings": [asdict(w) for w in warnings],
                }
            )
        else:
            count = len(error.problems)
            print(f"{file}: {count} problem{'s' * (count != 1)}")
            for problem in error.problems:
                print(f"  error    {problem}")
            for warning in error.warnings:
                print(f"  warning  {warning}")
        raise typer.Exit(FAILED) from None
    warnings = [*specification.warnings, *gpu.doubts(specification)]
    if as_json:
        show_json(
            {"ok": True, "warnings": [asdict(w) for w in warnings], "words": words.describe(specification)}
        )
        return
    count = len(warnings)
    print(f"{file}: ready to use" + (f", {count} warning{'s' * (count != 1)}" if count else ""))
    for warning in warnings:
        print(f"  warning  {warning}")
    print()
    print(words.describe(specification))
