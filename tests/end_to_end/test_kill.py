"""Fifty kills under load, at fail-points and at random moments: nothing acknowledged is lost or doubled."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

import pytest

KILLS = 50
OLDER = Path(__file__).parents[1] / "golden" / "record-revision-0001.db"


def test_the_checks_see_what_they_are_for(tools: Any, experiments: Any, killing: Any, tmp_path: Path) -> None:
    """A message that vanishes from the record, or is another than was acknowledged, is found."""
    driver = killing.Driver(tools, experiments, tmp_path, 3)
    try:
        driver.kill()
        assert driver.figures.faults == []
        for statement, kinds in (
            ("UPDATE messages SET reply = '{}' WHERE seq = 2", {"damaged", "different"}),
            ("DELETE FROM messages WHERE seq = 1", {"damaged", "different", "lost"}),
        ):
            with sqlite3.connect(tmp_path / "record.db") as connection:
                connection.execute(statement)
            connection.close()
            driver.check(read_only=True)
            assert set(driver.figures.wrong) == kinds
    finally:
        driver.close()


@pytest.mark.long
def test_nothing_acknowledged_is_lost_or_doubled(
    tools: Any, experiments: Any, killing: Any, tmp_path: Path
) -> None:
    """After each kill the record is sound and the sessions go on as if undisturbed (see killing.py)."""
    for figures in killing.run(tools, experiments, tmp_path, KILLS, 20, OLDER):
        assert figures.faults == []
    assert sum(figures.kills.values()) == KILLS
    assert set(figures.kills) == {*killing.FAIL_POINTS, "in_migration", "random moment"}
    assert figures.acknowledged > KILLS  # work was done meanwhile; how much is the machine's business
    assert figures.resent > 0
