"""The generated parts of the documentation, one function for each."""

from __future__ import annotations

import json
import re
import types
import typing
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import fields
from enum import Enum
from pathlib import Path
from typing import Any

import running
import typer
from changes import record_changes
from descriptions import KEYS, KINDS, PARAMETER_TYPE_NOTES, TABLES, VIEWS
from pydantic import BaseModel

from fechner.database import export
from fechner.database.form import tables, views
from fechner.server.cli import app
from fechner.server.cli.serving import option_of
from fechner.server.protocol.errors import CODES
from fechner.server.protocol.kinds import MESSAGES
from fechner.server.protocol.limits import Limits
from fechner.strategies.config import check
from fechner.strategies.config.describing import describe
from fechner.strategies.config.tables.key import Key
from fechner.strategies.config.tables.keys import (
    COMMON_KEYS,
    METADATA_KEYS,
    PARAMETER_TYPES,
    STAGE_KEYS,
)
from fechner.strategies.config.tables.registry import CLASSES, OLDER_CLASSES

ROOT = Path(__file__).parents[1]


def table(titles: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    """A Markdown table."""
    lines = ["| " + " | ".join(titles) + " |", "|" + "---|" * len(titles)]
    return "\n".join(lines + ["| " + " | ".join(map(str, row)) + " |" for row in rows])


def cli() -> str:
    """Every command with its arguments and options."""
    group: Any = typer.main.get_command(app)
    parts = []
    for name, command in group.commands.items():
        arguments = [p for p in command.params if not p.opts[0].startswith("-")]
        usage = [p.metavar if p.required else f"[{p.metavar}]" for p in arguments]
        rows = [(f"`{p.metavar}`", _sentence(p.help), "" if p.required else "none") for p in arguments]
        for option in command.params:
            if option not in arguments:
                value = "" if option.is_flag else f" {_metavar(option)}"
                rows.append((f"`{option.opts[0]}{value}`", _sentence(option.help), _default(option)))
        options = " [options]" if len(rows) > len(arguments) else ""
        parts.append(f"## `fechner {' '.join([name, *usage])}{options}`\n\n{command.help}\n")
        parts.append(table(("argument, option", "meaning", "default"), rows) + "\n")
    return "\n".join(parts).rstrip()


def _sentence(text: str) -> str:
    return re.sub(r"\s*\[default: .*\]", "", text).rstrip(".").replace("|", r"\|")


def _metavar(option: Any) -> str:
    if option.metavar:
        return str(option.metavar)
    return (
        "NAME" if isinstance(option.default, Enum) else "N" if not isinstance(option.default, str) else "TEXT"
    )


def _default(option: Any) -> str:
    if option.required:
        return "required"
    if named := re.search(r"\[default: (.*)\]", option.help):
        return named[1]
    if option.is_flag or option.default is None:
        return "off"
    return f"`{option.default.value if isinstance(option.default, Enum) else option.default}`"


def choices() -> str:
    """The words that options with a choice take."""
    group: Any = typer.main.get_command(app)
    found = [
        (p.opts[0], [one.value for one in type(p.default)])
        for command in group.commands.values()
        for p in command.params
        if isinstance(p.default, Enum)
    ]
    return "\n".join(f"- `{name}`: {', '.join(f'`{word}`' for word in words)}" for name, words in found)


def codes() -> str:
    """Every error code."""
    return table(("code", "raised when"), ((f"`{code}`", meaning) for code, meaning in CODES.items()))


def limits() -> str:
    """Every limit with its value."""
    rows = [
        (f"`{limit.name}`", f"{limit.default:,.0f}", f"`{option_of(limit)}`", limit.metadata["of"])
        for limit in fields(Limits)
    ]
    return table(("limit", "default", "set by", "of what"), rows)


def messages() -> str:
    """The fields of every message."""
    rows = []
    for name, message in MESSAGES.items():
        for field, info in message.model_fields.items():
            default = "required" if info.is_required() else _json(info.get_default(call_default_factory=True))
            rows.append((f"`{name}`", f"`{field}`", _kind(info.annotation), default))
        if not message.model_fields:
            rows.append((f"`{name}`", "", "", ""))
    return table(("type", "field", "takes", "default"), rows)


def _json(value: Any) -> str:
    if value is None:
        return "-"
    return "`{}`" if isinstance(value, dict | BaseModel) else f"`{json.dumps(value)}`"


def _kind(annotation: Any) -> str:
    origin, inside = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is typing.Annotated:
        return _kind(inside[0])
    if origin is typing.Literal:
        return ", ".join(f"`{word}`" for word in inside)
    if origin in (types.UnionType, typing.Union):
        return " or ".join(dict.fromkeys(_kind(one) for one in inside if one is not type(None)))
    if origin is list:
        return "list of objects"
    names = {
        str: "text",
        int: "whole number",
        float: "number",
        bool: "true or false",
        dict: "object",
        Any: "anything",
    }
    return names.get(origin or annotation, "object")


def common_keys() -> str:
    """The keys of `[common]`."""
    return _keys("common", COMMON_KEYS)


def stage_keys() -> str:
    """The keys of a stage."""
    return _keys("stage", STAGE_KEYS)


def _keys(owner: str, keys: Mapping[str, Key]) -> str:
    rows = [
        (f"`{name}`", key.takes.reference(key, KINDS), _shown(key), _meaning(owner, name))
        for name, key in keys.items()
        if key.supported and key.type != "ignored"
    ]
    missing = ", ".join(f"`{name}`" for name, key in keys.items() if not key.supported)
    return table(("key", "takes", "default", "meaning"), rows) + (
        f"\n\nNot supported yet: {missing}." if missing else ""
    )


def _meaning(owner: str, name: str) -> str:
    found = KEYS.get(f"{owner}.{name}") or KEYS.get(name)
    if found is None:
        raise SystemExit(f"docs/descriptions.py: KEYS says nothing about {owner}.{name}")
    return found


def _shown(key: Key) -> str:
    return "required" if key.required else "-" if key.default is None else f"{key.default}"


def parameter_types() -> str:
    """Parameter types and their keys."""
    rows = [
        (f"`{kind}`", ", ".join(f"`{key}`" for key in keys) or "-", PARAMETER_TYPE_NOTES[kind])
        for kind, keys in PARAMETER_TYPES.items()
    ]
    return table(("`par_type`", "keys", "notes"), rows)


def metadata_keys() -> str:
    """The keys of `[metadata]` that have a meaning."""
    return ", ".join(f"`{key}`" for key in METADATA_KEYS)


def classes() -> str:
    """Every supported class with its keys."""
    parts = []
    for kind, title in KINDS.items():
        found = {name: entry for name, entry in CLASSES.items() if entry.kind == kind and entry.supported}
        if not found:
            continue
        parts.append(f"### {title[:1].upper()}{title[1:]}\n")
        plain = [f"`{name}`" for name, entry in found.items() if not _has_keys(entry.keys)]
        for name, entry in found.items():
            about = KEYS.get(name)
            if _has_keys(entry.keys):
                parts.append(f"**`{name}`**{f': {about}' if about else ''}\n\n{_keys(name, entry.keys)}\n")
            elif about:
                parts.append(f"**`{name}`**: {about}\n")
        bare = [one for one in plain if one.strip("`") not in KEYS]
        if bare:
            parts.append(f"{', '.join(bare)}: accepted, without keys of their own.\n")
    return "\n".join(parts).rstrip()


def _has_keys(keys: Mapping[str, Key]) -> bool:
    return any(key.supported and key.type != "ignored" for key in keys.values())


def later() -> str:
    """Names that are known, but not supported yet."""
    rows = [
        (KINDS[kind], ", ".join(f"`{n}`" for n, e in CLASSES.items() if e.kind == kind and not e.supported))
        for kind in KINDS
    ]
    return table(("kind", "not supported yet"), (row for row in rows if row[1]))


def older() -> str:
    """Older names and today's."""
    return table(("older name", "read as"), ((f"`{old}`", f"`{new}`") for old, new in OLDER_CLASSES.items()))


def record_tables() -> str:
    """The tables of the record."""
    return "\n\n".join(
        f"**`{name}`**: {TABLES[name]}\n\n" + ", ".join(f"`{column.name}`" for column in one.columns)
        for name, one in tables.metadata.tables.items()
    )


def record_views() -> str:
    """The views of the record."""
    return "\n\n".join(
        f"**`{name}`**: {VIEWS[name]}\n\n" + ", ".join(f"`{column}`" for column in columns)
        for name, columns in views.COLUMNS.items()
    )


def export_columns() -> str:
    """The columns of an export, in order."""
    before, after = (", ".join(f"`{name}`" for name in names) for names in (export.BEFORE, export.AFTER))
    return f"{before}; one for each parameter; one for each outcome; {after}; `extra.KEY`; `asked.NAME`"


def audiogram_words() -> str:
    """What `fechner check` says about the demo's configuration."""
    words = describe.describe(check((ROOT / "examples" / "audiogram.ini").read_text("utf-8")))
    return f"```text\n{words}\n```"


PARTS: dict[str, Callable[[], str]] = {
    function.__name__.replace("_", "-"): function
    for function in (
        cli, choices, codes, limits, messages, common_keys, stage_keys, parameter_types, metadata_keys,
        classes, later, older, record_tables, record_changes, record_views, export_columns, audiogram_words,
        running.status_frame, running.log_lines, running.log_json, running.metrics,
    )
}  # fmt: skip
