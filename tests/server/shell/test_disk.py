"""The warning before the disk is full: now and then, once, and taken back."""

from __future__ import annotations

from pathlib import Path

import pytest

from fechner.server.engine.events import DiskLow
from fechner.server.shell.disk import LEAST_BYTES, LOOK_EVERY, DiskWatch


class Disk:
    """A disk and a clock."""

    def __init__(self) -> None:
        self.total, self.free, self.now, self.looks = 10 * LEAST_BYTES, 5 * LEAST_BYTES, 0.0, 0

    def usage(self, folder: Path) -> tuple[int, int, int]:
        self.looks += 1
        return self.total, self.total - self.free, self.free

    def watch(self, file: Path | None) -> DiskWatch:
        return DiskWatch(file, self.usage, lambda: self.now)


def test_little_room_is_said_once_and_taken_back(tmp_path: Path) -> None:
    """A look holds for ten seconds."""
    disk = Disk()
    watch = disk.watch(tmp_path / "record.db")
    assert watch.look() == []
    disk.free = LEAST_BYTES - 1
    assert watch.look() == []
    disk.now = LOOK_EVERY
    [low] = watch.look()
    assert "200 MB are left" in low.text
    assert str(tmp_path) in low.text
    disk.now = 2 * LOOK_EVERY
    assert watch.look() == []
    disk.free, disk.now = LEAST_BYTES, 3 * LOOK_EVERY
    assert watch.look() == [DiskLow("")]
    assert disk.looks == 4


def test_a_hundredth_of_a_large_disk_is_little(tmp_path: Path) -> None:
    """Also if it is many bytes."""
    disk = Disk()
    disk.total, disk.free = 10**13, 99 * 10**9
    assert disk.watch(tmp_path / "record.db").look()


def test_nothing_is_said_where_there_is_no_file_or_no_answer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A record in memory or on a database server; a folder that can't be asked."""
    disk = Disk()
    disk.free = 0
    assert disk.watch(None).look() == []
    assert DiskWatch(tmp_path / "none" / "record.db").look() == []
