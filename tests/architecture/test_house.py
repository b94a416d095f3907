"""The house keeps its shape: no circles, imports that point down, small files, nothing twice."""

from __future__ import annotations

from collections import defaultdict

import pytest

from .floors import FLOORS, room_of, upward
from .source import FOLDERS, circles, everywhere, functions, imports, modules

#: The longest a file and a function may be, in lines, and the shortest run of equal lines that is a copy.
FILE, FUNCTION, COPY = 320, 60, 12


@pytest.mark.parametrize("package", FOLDERS)
def test_no_module_imports_itself_by_way_of_others(package: str) -> None:
    """Neither at once, nor for types only, nor inside a function, nor lazily."""
    edges = {name: {one.imported for one in imports(name)} for name in modules(package)}
    assert circles(edges) == []


@pytest.mark.parametrize("package", FLOORS)
def test_imports_point_down_the_floors(package: str) -> None:
    """A module imports from its own room and from rooms of lower floors."""
    assert [str(one) for one in upward(package)] == []


@pytest.mark.parametrize("package", FLOORS)
def test_every_module_has_a_room_and_every_room_a_module(package: str) -> None:
    """The floor plan is the whole house."""
    rooms = {room_of(package, name) for name in modules(package)}
    assert {room for _, room in rooms} == {room for floor in FLOORS[package] for room in floor}


def test_files_and_functions_are_small() -> None:
    """A reader sees a file's idea, and a function's, without searching."""
    long = []
    for name, path in everywhere().items():
        lines = len(path.read_text(encoding="utf-8").splitlines())
        if lines > FILE:
            long.append(f"{name}: {lines} lines")
        long += [f"{name}.{one}: {length} lines" for one, length in functions(path) if length > FUNCTION]
    assert long == []


def test_nothing_stands_twice() -> None:
    """No run of twelve equal lines (blank ones don't count) in two places."""
    seen: dict[tuple[str, ...], list[str]] = defaultdict(list)
    for name, path in everywhere().items():
        numbered = [
            (number, line.strip())
            for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
            if line.strip()
        ]
        for first in range(len(numbered) - COPY + 1):
            run = tuple(line for _, line in numbered[first : first + COPY])
            seen[run].append(f"{name}:{numbered[first][0]}")
    assert [places for places in seen.values() if len(places) > 1] == []
