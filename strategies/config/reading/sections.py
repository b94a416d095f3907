"""The sections of one configuration while it is checked: who may look where, and what nobody looked for."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from fechner.strategies import values
from fechner.strategies.config.reading.report import Report
from fechner.strategies.config.tables.entries import Entry
from fechner.strategies.config.tables.keys import Key
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
        found = self.find(chain, name, key.inherited)
        if found is None:
            if key.required:
                self.report.problem(
                    chain[0] if chain else COMMON, name, "", "is missing", _wanted(key), "missing_key"
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
            return convert(found.text, key)
        except ValueError as error:
            self.report.problem(found.section, found.key, found.text, _detail(error, found), _wanted(key))
            return key.default

    def not_supported(self, found: Found, what: str, hint: str = "") -> None:
        """Note a name or key that Fechner knows but does not have yet (nothing if it is switched off)."""
        if found.text.lower() not in ("false", "no", "off", "[]"):
            self.report.problem(
                found.section, found.key, found.text, f"{what} is not supported yet", hint, "not_supported"
            )


def convert(text: str, key: Key) -> Any:
    """A text as the value that a key takes; ValueError says what is wrong."""
    if key.type == "whole":
        return _in_range(values.whole(text), key)
    if key.type == "number" and text.lower() in key.choices:
        return text.lower()
    if key.type == "number":
        return _in_range(values.number(text), key)
    if key.type == "bounds":
        return _bounds(values.nested(text))
    if key.type == "seed":
        return values.seed(text)
    if key.type == "truth":
        return values.truth(text)
    if key.type == "texts":
        return tuple(values.texts(text))
    if key.type == "one_of":
        if text.lower() not in key.choices:
            raise ValueError("is not one of the words for this key")
        return text.lower()
    return text


def _bounds(given: Any) -> tuple[tuple[int, float | None, float | None], ...]:
    """[[place, lower, upper], …], None for no bound."""
    if not isinstance(given, list) or not given or not all(isinstance(one, list) for one in given):
        raise ValueError("must be a list of lists")
    found: list[tuple[int, float | None, float | None]] = []
    for one in given:
        if len(one) != 3 or any(isinstance(part, list) for part in one):
            raise ValueError("must have three values in each list")
        place = values.whole(one[0])
        low, high = (None if end.lower() in ("none", "null") else values.number(end) for end in one[1:])
        if place < 0 or (low is None and high is None) or (None not in (low, high) and not low < high):  # type: ignore[operator]
            raise ValueError("must have a place from 0 and a lower bound below an upper one")
        found.append((place, low, high))
    if len({place for place, _, _ in found}) < len(found):
        raise ValueError("has an outcome twice")
    return tuple(found)


def _in_range(number: Any, key: Key) -> Any:
    if (
        (key.low is not None and number < key.low)
        or (key.high is not None and number > key.high)
        or (key.above is not None and number <= key.above)
        or (key.below is not None and number >= key.below)
    ):
        raise ValueError("is out of range")
    return number


def _detail(error: ValueError, found: Found) -> str:
    if "\n" in found.text:
        return f"{error}; the indented lines below belong to this value"
    return str(error)


def _wanted(key: Key) -> str:
    """What would be right, in words."""
    if key.type == "one_of":
        return "one of " + ", ".join(word for word in key.choices if word not in key.later)
    if key.type in ("whole", "number"):
        limits = []
        for sign, bound in (
            ("at least", key.low),
            ("above", key.above),
            ("at most", key.high),
            ("below", key.below),
        ):
            if bound is not None:
                limits.append(f"{sign} {bound:.15g}")
        return " and ".join(limits) or ("a whole number" if key.type == "whole" else "a number")
    bounds = "a list of [place of an outcome, lower bound, upper bound]: [[1, None, 0.5]]"
    words = {"texts": "a list: [a, b]", "truth": "True or False", "bounds": bounds}
    return words.get(key.type, "a whole number, for instance 7" if key.type == "seed" else "")
