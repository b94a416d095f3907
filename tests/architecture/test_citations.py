"""What docstrings and comments cite is there: a page of the documentation, and a section of it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FOLDERS = ("server", "strategies", "database", "clients", "tests", "benchmarks", "docs", "examples")
SOURCES = [path for folder in FOLDERS for path in sorted((ROOT / folder).rglob("*.py"))]

#: A page with the section that is meant, or a number of a section, which no page has.
CITED = re.compile(r"([\w/-]+\.md), ([A-Z][A-Za-z]+(?: [a-z]+)*)|([\w/-]+\.md) (\d+(?:\.\d+)*)")


def sections(page: Path) -> list[str]:
    """The headings of a page."""
    return re.findall(r"^#+ (.*?)\s*$", page.read_text("utf-8"), re.M)


@pytest.mark.parametrize("folder", FOLDERS)
def test_citations_lead_somewhere(folder: str) -> None:
    """To a page in the repository, and to a section that it has."""
    lost = []
    for path in (one for one in SOURCES if one.is_relative_to(ROOT / folder)):
        for found in CITED.finditer(path.read_text("utf-8")):
            page, section = found[1] or found[3], found[2] or found[4]
            file = ROOT / page
            titles = sections(file) if file.is_file() else []
            if not any(section == title or section.startswith(f"{title} ") for title in titles):
                lost.append(f"{path.relative_to(ROOT)}: {found[0]}")
    assert lost == []
