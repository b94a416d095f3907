"""docs/explanation/architecture.md is true: its floor plan is the house, what it says to touch is there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from .architecture.floors import FLOORS

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "explanation" / "architecture.md").read_text("utf-8")

#: What the page says how to add.
ADDED = (
    "a message",
    "a dialect",
    "a transport",
    "a command",
    "a model",
    "an acquisition function",
    "a generator",
    "a query",
    "an export column",
)


def section(title: str) -> str:
    """The text under a heading, up to the next one."""
    found = re.search(rf"^#+ {re.escape(title)}\n(.*?)(?=^#|\Z)", PAGE, re.M | re.S)
    assert found, title
    return found[1]


def rows(text: str) -> list[list[str]]:
    """The rows of a section's table, cell by cell, without its head."""
    lines = [line for line in text.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]


@pytest.mark.parametrize("package", FLOORS)
def test_the_floor_plan_is_the_house(package: str) -> None:
    """Every room stands on its floor, with what lives there, and no other does."""
    shown: dict[int, set[str]] = {}
    for floor, room, lives in rows(section(f"`{package}`")):
        assert lives, room
        shown.setdefault(int(floor), set()).add("" if room == "the front door" else room.strip("`"))
    assert shown == {number: set(rooms) for number, rooms in enumerate(FLOORS[package], 1)}


def test_the_engine_says_its_own_floors() -> None:
    """The package's docstring names every module of the engine, on the floor on which it stands."""
    from fechner.server import engine

    assert engine.__doc__ is not None
    listed = re.findall(r"^(\d+)\. ((?:`\w+`(?:, )?)+)", engine.__doc__, re.M)
    said = {int(number): set(re.findall(r"`(\w+)`", names)) for number, names in listed}
    floors = FLOORS["fechner.server.engine"]
    assert said == {number: set(rooms) for number, rooms in enumerate(floors, 1) if rooms != ("",)}


def test_how_to_add_something_names_files_that_are_there() -> None:
    """Nine things, each with where its new file goes and the files to touch, at most two of the product."""
    table = {what: (new, touch) for what, new, touch in rows(section("To add something"))}
    assert tuple(table) == ADDED
    for what, (new, touch) in table.items():
        if new != "none":
            folder = re.fullmatch(r"`([\w/]+)/NAME\.py`", new)
            assert folder, what
            assert (ROOT / folder[1]).is_dir(), what
        named = re.findall(r"`([\w/]+\.py)`", touch)
        folders = [ROOT, *((ROOT / one).parent for one in named)]  # a bare name is beside one in full
        assert all(any((folder / one).is_file() for folder in folders) for one in named), what


def test_every_module_that_the_page_names_is_there() -> None:
    """Dotted names and paths alike."""
    for dotted in re.findall(r"`(fechner(?:\.\w+)+)`", PAGE):
        folder = ROOT.joinpath(*dotted.split(".")[1:])
        assert folder.is_dir() or folder.with_suffix(".py").is_file(), dotted
    for path in re.findall(r"`((?:server|strategies|database|tests)/[\w/.]+)`", PAGE):
        assert (ROOT / path.replace("/NAME.py", "")).exists(), path
