"""Whether a record's files are still the ones that were opened: what is written to a removed file is lost."""

from __future__ import annotations

import os
from pathlib import Path

from fechner.database.errors import RecordError

Identity = tuple[int, int]


class FileWatch:
    """The file of an open record, with its log and the log's index, by device and inode.

    A program that has a file open may write to it long after somebody removed it, and every write seems to
    succeed. So a writer checks before a commit, and after it too.

    Args:
        file: None for a record that is in no file.
    """

    def __init__(self, file: Path | None) -> None:
        self._file = file
        self._known: dict[str, Identity] = {}
        self._paths = [] if file is None else [f"{file.absolute()}{end}" for end in ("", "-wal", "-shm")]
        for path in self._paths:
            self._look(path)

    def check(self) -> None:
        """Three system calls.

        Raises:
            RecordError: a file is gone, or another is in its place.
        """
        for path in self._paths:
            known = self._known.get(path)
            found = self._look(path)
            if known is None or found == known:
                continue
            if found is None:
                raise RecordError(f"the record's file is gone ({path}): put it back where it was")
            raise RecordError(f"another file is in the place of the record's ({path}): put its own back")

    def _look(self, path: str) -> Identity | None:
        try:
            status = os.stat(path)
        except OSError:
            return None
        found = (status.st_dev, status.st_ino)
        self._known.setdefault(path, found)
        return found
