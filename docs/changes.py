"""The fields of every change on record, from the types that have them."""

from __future__ import annotations

import re
import typing
from collections.abc import Iterator
from typing import Any

from fechner.database.form.changes import CHANGES


def record_changes() -> str:
    """Every change with its fields, and below it what the fields are made of."""
    return "\n\n".join(
        f"**{called}**: {sentence(hint)}\n\n| field | holds |\n|---|---|\n"
        + "\n".join(f"| `{name}` | {text} |" for name, text in meanings(hint).items())
        for kind, change in CHANGES.items()
        for called, hint in [(f"`{kind}`", change), *within(change, kind)]
    )


def within(hint: Any, where: str) -> Iterator[tuple[str, Any]]:
    """The types of a change's parts, each once, with the fields that hold it."""
    places: dict[Any, list[str]] = {}
    for name, one in hint.__annotations__.items():
        if (part := part_of(one)) is not None:
            places.setdefault(part, []).append(f"`{where}.{name}`")
    for part, names in places.items():
        yield " and ".join(names), part


def part_of(hint: Any) -> Any:
    """The type with fields that a field holds, alone or many of it; None without one."""
    if typing.is_typeddict(hint):
        return hint
    return next((found for one in typing.get_args(hint) if (found := part_of(one)) is not None), None)


def sentence(hint: Any) -> str:
    """What a type stands for."""
    text = (hint.__doc__ or "").partition("\n\n")[0]
    words = " ".join(text.split())
    return words[:1].lower() + words[1:]


def meanings(hint: Any) -> dict[str, str]:
    """What each field holds, as the type's docstring says it."""
    listed = (hint.__doc__ or "").partition("Attributes:\n")[2]
    found = re.findall(r"^ {8}(\w+): (.*(?:\n {12}.*)*)", listed, re.M)
    return {name: " ".join(text.split()).rstrip(".") for name, text in found}
