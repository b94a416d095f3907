"""Whatever bytes come: no parser crashes, hangs, or breaks one of its promises."""

from __future__ import annotations

import pytest

from .harness import CORPUS, HANG_SECONDS, broken_off, run
from .parsers import PARSERS

#: Cases in `make test`, and in the longer suites.
CASES = {
    "stream": (500, 20_000),
    "json": (1500, 25_000),
    "native": (500, 15_000),
    "aepsych_08": (500, 15_000),
    "aepsych_01": (500, 15_000),
    "config_ini": (150, 5_000),
    "config_dict": (250, 8_000),
    "dump": (200, 5_000),
    "pickle": (1500, 25_000),
    "aepsych_file": (60, 1_500),
}


def test_every_parser_has_a_corpus() -> None:
    """And every corpus its parser."""
    assert {folder.name for folder in CORPUS.iterdir()} == set(PARSERS) == set(CASES)


@pytest.mark.parametrize("name", PARSERS)
def test_corpus(name: str) -> None:
    """The examples, and every input that once broke something."""
    harness = PARSERS[name]
    with broken_off(HANG_SECONDS):
        for data in harness.corpus().values():
            harness.check(data)


@pytest.mark.parametrize("name", PARSERS)
def test_changed_examples(name: str) -> None:
    """Some changes of the examples, always the same ones."""
    report = run(PARSERS[name], CASES[name][0])
    assert not report.broken


@pytest.mark.long
@pytest.mark.parametrize("name", PARSERS)
def test_many_changed_examples(name: str) -> None:
    """Many more of them: together more than a hundred thousand."""
    report = run(PARSERS[name], CASES[name][1], seed=1)
    assert not report.broken
