"""Shapes of what AEPsych's messages and tables hold."""

from __future__ import annotations

from typing import Any


def config_of(content: Any) -> str | dict[str, Any] | None:
    """The configuration in a setup message, INI text or sections."""
    if isinstance(content, dict):
        for name, kind in (("config_str", str), ("config_dict", dict)):
            if isinstance(content.get(name), kind):
                return content[name]  # type: ignore[no-any-return]
    return None


def looks_like_config(value: Any) -> bool:
    """Whether it is a configuration's text or sections."""
    if isinstance(value, dict):
        return isinstance(value.get("common"), dict) or isinstance(value.get("experiment"), dict)
    return isinstance(value, str) and ("[common]" in value or "[experiment]" in value)


def stimuli(values: dict[str, Any]) -> dict[str, Any]:
    """Values of two stimuli, `name_stimuli0` and `name_stimuli1`, as lists by name."""
    found: dict[str, Any] = {}
    for name, value in values.items():
        base, mark, number = name.rpartition("_stimuli")
        if (
            mark
            and base
            and f"{base}_stimuli0" in values
            and f"{base}_stimuli1" in values
            and number in ("0", "1")
        ):
            found.setdefault(base, [None, None])[int(number)] = value
        else:
            found[name] = value
    return found
