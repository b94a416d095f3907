"""The sections of one configuration while it is checked: who may look where, and what nobody looked for."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from fechner.strategies.config.reading.report import Report
from fechner.strategies.config.tables.entries import Entry
from fechner.strategies.config.tables.key import Key
from fechner.strategies.config.tables.registry import CLASSES

COMMON = "common"
OLDER_COMMON = "experiment"


@dataclass(frozen=True)
class Found:
    """A value and the place where it is written."""

    section: str
    key: str
    text: str


class Sections:
    """The texts by section and key, references resolved; ``[common]`` is seen from every section."""

    def __init__(
        self, texts: Mapping[str, Mapping[str, str]], full: Mapping[str, Mapping[str, str]], report: Report
    ) -> None:
        self.texts = texts
        self._full = full  # with common's keys as each section sees them
        self.report = report
        self.catalogue: Mapping[str, Entry] = CLASSES  # and the plug-ins' that this configuration can name
        self._known: dict[str, set[str]] = {}

    def __contains__(self, section: str) -> bool:
        return section in self.texts

    def find(self, chain: Sequence[str], key: str, inherited: bool = True) -> Found | None:
        """The value of a key in the first section of the chain that has it; None if it has no value."""
        for section in dict.fromkeys([*chain, *([COMMON, OLDER_COMMON] if inherited else [])]):
            text = self.texts.get(section, {}).get(key)
            if text is not None and section == COMMON and chain:
                text = self._full.get(chain[0], self.texts[COMMON])[key]
            if text is not None:
                text = text.strip()
                return Found(section, key, text) if text and text.lower() != "none" else None
        return None

    def know(self, section: str, keys: Iterable[str]) -> None:
        """Say that a section has a role, and which keys belong to it."""
        self._known.setdefault(section, set()).update(keys)

    def is_known(self, section: str) -> bool:
        """Whether a section has a role."""
        return section in self._known

    def unknown_keys(self) -> Iterable[tuple[str, str, str, list[str]]]:
        """Section, key, text and the keys there are, for each key that belongs to no role of its section."""
        for section, keys in self.texts.items():
            known = self._known.get(section)
            if known is not None:
                for key, text in keys.items():
                    if key not in known:
                        yield section, key, text, sorted(known - {"class"})

    def read(self, chain: Sequence[str], name: str, key: Key) -> Any:
        """The value of one key of a table, or its default; components and points are not read here.

        A value that can't be used is noted as a problem, and the default stands in for it.
        """
        found, wanted = self.find(chain, name, key.inherited), key.takes.wanted
        if found is None:
            if key.required:
                self.report.problem(
                    chain[0] if chain else COMMON,
                    name,
                    "",
                    "is missing",
                    wanted(key),
                    "missing_key",
                )
            return key.default
        if key.type == "ignored":
            return key.default
        if not key.supported:
            self.not_supported(found, f"'{name}'")
            return key.default
        if found.text in key.later:
            self.not_supported(found, f"{name} = {found.text}")
            return key.default
        try:
            return key.takes.convert(found.text, key)
        except ValueError as error:
            self.report.problem(found.section, found.key, found.text, _detail(error, found), wanted(key))
            return key.default

    def problem_at(
        self, found: Found | None, name: str, key: str, detail: str, hint: str = "", code: str = "bad_value"
    ) -> None:
        """Note a problem where a value is written, or at a key of the section `name` that has none."""
        section, text = (found.section, found.text) if found else (name, "")
        self.report.problem(section, key, text, detail, hint, code)

    def not_supported(self, found: Found, what: str, hint: str = "") -> None:
        """Note a name or key that Fechner knows but does not have yet (nothing if it is switched off)."""
        if found.text.lower() not in ("false", "no", "off", "[]"):
            self.report.problem(
                found.section, found.key, found.text, f"{what} is not supported yet", hint, "not_supported"
            )


def _detail(error: ValueError, found: Found) -> str:
    if "\n" in found.text:
        return f"{error}; the indented lines below belong to this value"
    return str(error)
