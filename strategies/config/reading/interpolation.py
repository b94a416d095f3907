"""``${key}`` and ``${section:key}`` in values, as configparser's extended interpolation, with bounds.

A stranger's file can make every level of references twice as long as the one before, so each value is worked
out once and neither a value nor all of them together may grow beyond a limit.
"""

from __future__ import annotations

import re

from fechner.strategies.config.reading.ini import Raw
from fechner.strategies.config.reading.report import Report
from fechner.strategies.values import clip

COMMON = "common"
DEEPEST = 10  # references through references, as in configparser
LONGEST = 1 << 20  # characters of one value
MOST = 8 << 20  # characters of all values together, common's counted once per section

_REFERENCE = re.compile(r"\$(?:\$|\{([^{}]*)\}|)")


class _Failed(Exception):
    """A reference that leads nowhere; it carries what is wrong."""


def resolve(raw: Raw, report: Report) -> dict[str, dict[str, str]]:
    """Every section's own keys with their references replaced; a key without value becomes an empty text.

    References in common that lead nowhere are noted by `with_common`: they may do so in other sections.
    """
    resolver = _Resolver(raw)
    resolved: dict[str, dict[str, str]] = {}
    for section, keys in raw.items():
        resolved[section] = {}
        for key in keys:
            try:
                resolved[section][key] = resolver.value(section, section, key, 0)
            except _Failed as error:
                resolved[section][key] = ""
                if section != COMMON:
                    _note(report, section, key, raw, error)
    return resolved


def with_common(raw: Raw, resolved: dict[str, dict[str, str]], report: Report) -> dict[str, dict[str, str]]:
    """Every section with common's keys repeated in it, their references resolved from there."""
    shared = resolved.get(COMMON, {})
    full = {section: {**shared, **own} for section, own in resolved.items()}
    resolver = _Resolver(raw)
    for key, text in raw.get(COMMON, {}).items():
        if text is None or "$" not in text:
            continue
        failures: list[_Failed] = []
        for section, own in resolved.items():
            if key not in own or section == COMMON:
                try:
                    full[section][key] = resolver.value(section, COMMON, key, 0)
                except _Failed as error:
                    failures.append(error)
        if len(failures) == sum(key not in own for own in resolved.values()) + 1:  # it leads nowhere at all
            _note(report, COMMON, key, raw, failures[0])
    return full


def _note(report: Report, section: str, key: str, raw: Raw, error: _Failed) -> None:
    hint = "a plain $ is written $$" if "$ that" in str(error) else ""
    report.problem(section, key, raw[section][key], str(error), hint, "bad_reference")


def size(resolved: dict[str, dict[str, str]]) -> int:
    """The characters of all values when common's are repeated in every section."""
    sizes = {name: sum(len(k) + len(v) for k, v in keys.items()) for name, keys in resolved.items()}
    return sum(sizes.values()) + sizes.get(COMMON, 0) * len(resolved)


class _Resolver:
    def __init__(self, raw: Raw) -> None:
        self._raw = raw
        self._common = raw.get(COMMON, {})
        self._known: dict[tuple[str, str, str], str] = {}
        self._spent = 0

    def value(self, seen_from: str, section: str, key: str, depth: int) -> str:
        place = (seen_from, section, key)
        if place in self._known:
            return self._known[place]
        text = self._raw[section][key] or ""
        if "$" in text:
            if depth > DEEPEST:
                raise _Failed(f"refers in a circle, or through more than {DEEPEST} other keys")
            text = self._replaced(text, seen_from, depth)
            self._spent += len(text)
            if len(text) > LONGEST or self._spent > MOST:
                raise _Failed("grows too large with what it refers to")
        self._known[place] = text
        return text

    def _replaced(self, text: str, seen_from: str, depth: int) -> str:
        pieces: list[str] = []
        total = end = 0
        for match in _REFERENCE.finditer(text):
            pieces.append(text[end : match.start()])
            if match[1] is not None:
                pieces.append(self._referred(match[1], seen_from, depth))
            elif match[0] == "$$":
                pieces.append("$")
            else:
                raise _Failed("has a $ that begins no ${section:key}")
            total += len(pieces[-1])
            if total > LONGEST:
                raise _Failed("grows too large with what it refers to")
            end = match.end()
        return "".join([*pieces, text[end:]])

    def _referred(self, reference: str, seen_from: str, depth: int) -> str:
        section, colon, option = reference.partition(":")
        if not colon:
            section, option = seen_from, reference
        option = option.strip().lower()
        section = section.strip() if colon else section
        if section not in self._raw:
            raise _Failed(f"refers to ${{{clip(reference)}}}, but there is no section [{clip(section)}]")
        if option in self._raw[section]:
            return self.value(section, section, option, depth + 1)
        if option in self._common:
            return self.value(section, COMMON, option, depth + 1)
        raise _Failed(f"refers to ${{{clip(reference)}}}, but [{clip(section)}] has no key '{clip(option)}'")
