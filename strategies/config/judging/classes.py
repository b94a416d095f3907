"""Names of classes to components: aliases and older names resolved, keys read, defaults filled in."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from fechner.strategies import values
from fechner.strategies.config.judging.pseudo import ConstraintPoint, constraint_points
from fechner.strategies.config.reading.sections import Found, Sections
from fechner.strategies.config.tables import registry
from fechner.strategies.config.tables.key import Key
from fechner.strategies.specification import Component, Parameter

_A = {"acquisition": "an acquisition function", "objective": "an objective", "allocator": "an allocator"}


class Classes:
    """Resolves the names of one configuration; what is wrong is noted in its `report`."""

    def __init__(self, sections: Sections, points: PointReader) -> None:
        self._sections = sections
        self.report = sections.report
        self._points = points
        self._done: dict[tuple[str, str], Component | None] = {}
        self._open: set[tuple[str, str]] = set()

    def named(self, found: Found, kind: str) -> Component | None:
        """The component that a value names; None, with a problem noted, if there is no such thing."""
        name = found.text
        if (name, kind) in self._done:
            known = self._done[name, kind]
            if known is None and self._entry(found, kind) is None:
                return None
            return known
        target = self._entry(found, kind)
        known = None
        if (name, kind) in self._open:
            detail = "can't be a part of itself"
            self.report.problem(found.section, found.key, name, detail, f"another {_noun(kind)}")
            return None
        self._open.add((name, kind))
        if target is not None:
            entry = self._sections.catalogue[target]
            known = Component(target, self._keys((name, target), entry.keys), entry.plugin)
        self._open.discard((name, kind))
        self._done[name, kind] = known
        return known

    def default(self, name: str) -> Component:
        """A component that nobody named, with the keys of its section if there is one."""
        entry = self._sections.catalogue[name]
        return Component(name, self._keys((name,), entry.keys), entry.plugin)

    def _entry(self, found: Found, kind: str) -> str | None:
        """The registered, supported name that a value stands for."""
        report, name, place = self.report, found.text, found
        alias = self._sections.find([name], "class", inherited=False)
        if alias:
            name, place = alias.text, alias
            self._sections.know(found.text, ["class"])
        older = registry.OLDER_CLASSES.get(name)
        if kind == "allocator":
            older = older or registry.OLDER_ALLOCATORS.get(name)
        if older:
            report.warn(
                place.section, place.key, name, f"is an older name of {older}", f"write {older}", "older_name"
            )
            if place.text in self._sections:
                self._sections.know(place.text, registry.CLASSES[older].keys)
        target = older or name
        entry = self._sections.catalogue.get(target)
        for section in (found.text, name, target):
            if section in self._sections and (entry is None or not entry.supported):
                self._sections.know(section, self._sections.texts[section])  # not ours to judge
        if entry is None:
            near = report.nearest(name, self._names(kind), 3)
            hint = f"did you mean {' or '.join(near)}?" if near else f"one of {', '.join(self._names(kind))}"
            report.problem(
                place.section,
                place.key,
                name,
                f"there is no {_noun(kind)} of this name",
                hint,
                "unknown_name",
            )
            return None
        if entry.kind != kind:
            detail = f"{target} is {_article(entry.kind)}; {_article(kind)} is needed here"
            hint = f"one of {', '.join(self._names(kind))}"
            report.problem(place.section, place.key, name, detail, hint, "wrong_kind")
            return None
        if entry.fault:
            detail = f"the plug-in can't be used: {entry.fault}"
            report.problem(place.section, place.key, name, detail, "mend or remove it", "plugin_refused")
            return None
        if not entry.supported:
            hint = (
                f"use {entry.instead}"
                if entry.instead
                else f"this version has {', '.join(self._names(kind))}"
            )
            self._sections.not_supported(Found(place.section, place.key, name), target, hint)
            return None
        return target

    def _names(self, kind: str) -> list[str]:
        classes = self._sections.catalogue
        return [name for name, entry in classes.items() if entry.kind == kind and entry.supported]

    def _keys(self, chain: Sequence[str], table: Any) -> dict[str, Any]:
        for section in dict.fromkeys(chain):
            if section in self._sections:
                self._sections.know(section, [*table, "class"])
        read: dict[str, Any] = {}
        for name, key in table.items():
            read_one = key.takes.read
            if read_one is None or not key.supported:
                self._sections.read(chain, name, key)
            else:
                read[name] = read_one(self, chain, name, key)
        return read

    def text(self, chain: Sequence[str], name: str, key: Key) -> Any:
        """A value that follows from its text alone."""
        return self._sections.read(chain, name, key)

    def points(self, chain: Sequence[str], name: str, key: Key) -> tuple[tuple[Any, ...], ...]:
        """A list of points in raw space."""
        return self._points.read(self._sections, chain, name)

    def coordinates(self, chain: Sequence[str], name: str, key: Key) -> tuple[int, ...] | None:
        """Places of parameters; None if there is no list."""
        return self._points.coordinates(self._sections, chain, name)

    def constraint_points(self, chain: Sequence[str], name: str, key: Key) -> tuple[ConstraintPoint, ...]:
        """Places at which a probability is known."""
        return self._points.constraint_points(self._sections, chain)

    def component(self, chain: Sequence[str], name: str, key: Key) -> Component | None:
        """The component that a key names."""
        found = self._sections.find(chain, name, key.inherited)
        if found is None and key.required:
            self._missing(chain, name, f"the name of a {_noun(key.kind)}")
        return self.named(found, key.kind) if found else None

    def _missing(self, chain: Sequence[str], name: str, hint: str) -> None:
        self.report.problem(chain[0], name, "", "is missing", hint, "missing_key")

    def components(self, chain: Sequence[str], name: str, key: Key) -> tuple[Component, ...] | None:
        """The components that a list names; None where there is no list."""
        found = self._sections.find(chain, name, key.inherited)
        if found is None:
            if key.required:
                self._missing(chain, name, f"a list of {_noun(key.kind)}s: [a, b]")
            return None
        try:
            texts = values.texts(found.text)
        except ValueError as error:
            self.report.problem(found.section, name, found.text, str(error), "a list: [a, b]")
            return None
        named = [self.named(Found(found.section, found.key, text), key.kind) for text in texts]
        return None if None in named else tuple(one for one in named if one is not None)


class PointReader:
    """Reads lists of points in raw space: one value per parameter, in the order of ``parnames``."""

    MOST = 100_000

    def __init__(self, parameters: Sequence[Parameter], stimuli: int) -> None:
        self._parameters = parameters
        self._stimuli = stimuli

    def read(self, sections: Sections, chain: Sequence[str], name: str) -> tuple[tuple[Any, ...], ...]:
        """The points as clean values, fixed parameters filled in."""
        found = sections.find(chain, name, inherited=False)
        if found is None:
            hint = "a list with one list per point: [[0.1, 2], [0.5, 3]]"
            sections.report.problem(chain[0], name, "", "is missing", hint, "missing_key")
            return ()
        try:
            return self._points(values.nested(found.text))
        except ValueError as error:
            names = ", ".join(parameter.name for parameter in self._parameters[:10])
            hint = f"a list with one list per point: [[{names or 'a, b'}], …]"
            sections.report.problem(found.section, name, found.text, str(error), hint)
            return ()

    def constraint_points(self, sections: Sections, chain: Sequence[str]) -> tuple[ConstraintPoint, ...]:
        """Places at which a probability is known, in unit coordinates."""
        return constraint_points(sections, chain, self._parameters, self._points)

    def coordinates(self, sections: Sections, chain: Sequence[str], name: str) -> tuple[int, ...] | None:
        """Places among the parameters that are not fixed, of those that a list names; None if not given."""
        found = sections.find(chain, name, inherited=False)
        if found is None or not self._parameters:
            return None
        names = [parameter.name for parameter in self._parameters]
        free = [parameter.name for parameter in self._parameters if parameter.type != "fixed"]
        hint = f"names or places (from 0; -1 is the last) of {', '.join(names)}"
        places: list[int] = []
        try:
            for text in values.texts(found.text):
                one = text if text in names else names[values.whole(text)]
                if one not in free:
                    raise ValueError(f"'{one}' is fixed")
                places.append(free.index(one))
        except (ValueError, IndexError) as error:
            detail = str(error) if "fixed" in str(error) else "must be a list of parameters"
            sections.report.problem(found.section, name, found.text, detail, hint)
        return tuple(places) or None

    def _points(self, given: Any) -> tuple[tuple[Any, ...], ...]:
        from fechner.strategies.space.axes import Axis

        if not isinstance(given, list) or not given:
            raise ValueError("must be a list of points")
        if len(given) > self.MOST:
            raise ValueError(f"has more than {self.MOST} points")
        if not self._parameters:  # they have problems of their own
            return ()
        axes = [Axis(parameter) for parameter in self._parameters]
        return tuple(self._point(axes, index, point) for index, point in enumerate(given, start=1))

    def _point(self, axes: Sequence[Any], index: int, point: Any) -> tuple[Any, ...]:
        from fechner.strategies.errors import FechnerError

        items = point if isinstance(point, list) else [point]
        free = [axis for axis in axes if not axis.fixed]
        if len(items) not in (len(axes), len(free)):
            raise ValueError(f"point {index} has {len(items)} values for {_counted(len(free), 'parameter')}")
        given = dict(
            zip([a.parameter.name for a in (axes if len(items) == len(axes) else free)], items, strict=True)
        )
        clean: list[Any] = []
        for axis in axes:
            name = axis.parameter.name
            try:
                clean.append(self._value(axis, given[name]) if name in given else axis.parameter.value)
            except FechnerError as error:
                raise ValueError(
                    f"point {index}: {error.detail}{f'; {error.hint}' if error.hint else ''}"
                ) from None
            except ValueError as error:
                raise ValueError(f"point {index}, '{name}': {error}") from None
        return tuple(clean)

    def _value(self, axis: Any, item: Any) -> Any:
        items = item if isinstance(item, list) else [item]
        if axis.fixed and len(items) == 1:
            return _clean(axis, items[0])
        if len(items) != self._stimuli:
            raise ValueError(
                f"needs {self._stimuli} value{'s' if self._stimuli > 1 else ''}, one per stimulus"
            )
        found = tuple(_clean(axis, one) for one in items)
        return found[0] if self._stimuli == 1 or axis.fixed else found


def _clean(axis: Any, item: Any) -> Any:
    if isinstance(item, list):
        raise ValueError("has a list too many")
    textual = axis.kind == "categorical" or isinstance(axis.parameter.value, str)
    return axis.clean(item if textual else values.number(item), "")


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}{'' if count == 1 else 's'}"


def _noun(kind: str) -> str:
    return {"acquisition": "acquisition function"}.get(kind, kind)


def _article(kind: str) -> str:
    return _A.get(kind, f"a {kind}")
