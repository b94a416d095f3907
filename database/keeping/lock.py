"""One program at a time writes a record: an advisory lock on a file beside it.

Not the `filelock` package: it takes the same lock of the system, but knows nothing of who holds it, which the
one who comes second is told here; and where there is no such lock it falls back on a file that outlives a
killed process.
"""

from __future__ import annotations

import contextlib
import errno
import json
import os
import sys
import weakref
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING

from fechner.database._lazy import Lazy
from fechner.database.errors import RecordError

if TYPE_CHECKING:
    from fechner.database.keeping import postgresql, urls
else:  # SQLAlchemy
    postgresql = Lazy("fechner.database.keeping.postgresql")
    urls = Lazy("fechner.database.keeping.urls")

if sys.platform == "win32":
    import msvcrt

    # Windows locks bytes against reading too, so lock one far behind the text that says who holds the lock.
    _FAR = 1 << 30

    def _take(descriptor: int) -> None:
        os.lseek(descriptor, _FAR, os.SEEK_SET)
        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
else:
    import fcntl

    def _take(descriptor: int) -> None:
        # flock and not lockf: it also keeps out a second taker in the same process.
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)


#: What the system says when somebody else holds the lock.
_HELD = (errno.EWOULDBLOCK, errno.EACCES, errno.EDEADLK)


class RecordLock:
    """The right to write a record, taken when this is made, held until `release` or the process ends.

    The lock lies in ``<file>.lock``, which names its holder and stays behind, empty, when it is released. The
    system frees it when the process ends, however it ends. A record in memory needs none; one on a PostgreSQL
    server has an advisory lock there.

    Args:
        where: the record's file name or URL.
        text: what holds the lock, for the one who comes second, for instance ``"fechner serve, port 5555"``.

    Raises:
        RecordError: somebody else holds it (the text names them), the lock file can't be written, or the
            record has several names.
    """

    def __init__(self, where: str | os.PathLike[str], text: str = "") -> None:
        self._descriptor: int | None = None
        self._advisory: postgresql.AdvisoryLock | None = None
        file = _file(where)
        if file is None:
            self.path: Path | None = None
            self._advisory = _advisory(where, text)
            return
        _refuse_several_names(file)
        self.path = Path(f"{file.resolve()}.lock")
        try:
            descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT, 0o666)
        except OSError as error:
            raise RecordError(f"the record {file} can't be locked: {error}") from error
        try:
            _take(descriptor)
            self._descriptor = descriptor
            _held.add(self)
            os.ftruncate(descriptor, 0)
            os.lseek(descriptor, 0, os.SEEK_SET)
            os.write(descriptor, json.dumps({"pid": os.getpid(), "text": text[:1000]}).encode())
        except OSError as error:
            held = self._descriptor is None and error.errno in _HELD
            who = _holder(descriptor)
            self._descriptor = None
            os.close(descriptor)
            if held:
                raise RecordError(f"the record {file} is in use by {who}") from None
            raise RecordError(f"the record {file} can't be locked: {error}") from error

    def release(self) -> None:
        """Give the lock up; again does nothing."""
        if self._advisory is not None:
            self._advisory.release()
        if self._descriptor is None:
            return
        with contextlib.suppress(OSError):
            os.ftruncate(self._descriptor, 0)
        os.close(self._descriptor)
        self._descriptor = None

    def __enter__(self) -> RecordLock:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.release()

    def _forget(self) -> None:
        """In a forked child: close the descriptor, so that the lock ends with the parent."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None


def _file(where: str | os.PathLike[str]) -> Path | None:
    """The record's file. A plain name needs no SQLAlchemy, so a starting server learns early of another."""
    text = os.fspath(where)
    if "://" not in text:
        return None if text in ("", ":memory:") else Path(text)
    return urls.record_file(urls.record_url(text))


def _refuse_several_names(file: Path) -> None:
    """Hard links: SQLite finds its log by name, so by two names two programs would write past each other."""
    try:
        n_names = file.stat().st_nlink
    except OSError:
        return
    if n_names > 1:
        raise RecordError(
            f"the record {file} has {n_names} names (hard links), and what writes it by one of them isn't "
            "seen by another: remove the others, or copy the file and use the copy"
        )


def _advisory(where: str | os.PathLike[str], text: str) -> postgresql.AdvisoryLock | None:
    """The lock of a record on a PostgreSQL server."""
    if "://" not in os.fspath(where):
        return None
    url = urls.record_url(where)
    if url.get_backend_name() != "postgresql":
        return None
    return postgresql.AdvisoryLock(url, text)


def _holder(descriptor: int) -> str:
    try:
        os.lseek(descriptor, 0, os.SEEK_SET)
        said = json.loads(os.read(descriptor, 4096))
        return f"process {said['pid']}" + (f" ({said['text']})" if said["text"] else "")
    except (OSError, ValueError, KeyError, TypeError):
        return "another program"


_held: weakref.WeakSet[RecordLock] = weakref.WeakSet()


def _after_fork() -> None:
    for lock in list(_held):
        lock._forget()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
