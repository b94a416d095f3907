"""What the log says of an exception: where and of which kind, and only for debugging its text.

The text of an exception may quote what it stumbled over: a participant's name, an outcome, a token. Files,
lines, functions and kinds of exceptions quote nothing.
"""

from __future__ import annotations

import errno
import traceback
from dataclasses import dataclass
from pathlib import PurePath

#: Frames shown at each end of a long traceback.
_ENDS = 12
#: Causes of causes shown.
_MOST_CAUSES = 5
#: The folder that holds our packages.
_OURS = PurePath(__file__).parts[:-3]


@dataclass(frozen=True, slots=True)
class Fault:
    """An exception for the log.

    Attributes:
        trace: its kind and frames, innermost last, without a word of its text; those of its causes first.
        detail: the whole traceback, with the texts; for debugging only.
    """

    trace: str = ""
    detail: str = ""


NO_FAULT = Fault()


def fault(error: BaseException) -> Fault:
    """An exception as the log may have it."""
    chain = [error]
    while len(chain) < _MOST_CAUSES:
        last = chain[-1]
        before = last.__cause__ or (None if last.__suppress_context__ else last.__context__)
        if before is None or before in chain:
            break
        chain.append(before)
    trace = "\nand then\n".join(_trace(one) for one in reversed(chain))
    return Fault(trace, "".join(traceback.format_exception(error)))


def kind(error: BaseException) -> str:
    """The kind of an exception, and its code where it has one; of the innermost cause.

    `OperationalError (SQLITE_FULL)`, `OSError (ENOSPC)`, `DiskFull (53100)`.
    """
    for _ in range(_MOST_CAUSES):
        error = error.__cause__ or error
    original = getattr(error, "orig", None)  # SQLAlchemy's: the driver's own error
    if isinstance(original, BaseException):
        error = original
    code = getattr(error, "sqlite_errorname", None) or getattr(error, "sqlstate", None)
    if code is None and isinstance(error, OSError) and error.errno is not None:
        code = errno.errorcode.get(error.errno)
    return type(error).__name__ + (f" ({code})" if code else "")


def _trace(error: BaseException) -> str:
    frames = [
        f"  {_short(frame.f_code.co_filename)}:{line} in {frame.f_code.co_name}"
        for frame, line in traceback.walk_tb(error.__traceback__)
    ]
    if len(frames) > 2 * _ENDS:
        frames = [*frames[:_ENDS], f"  … {len(frames) - 2 * _ENDS} more …", *frames[-_ENDS:]]
    return "\n".join([type(error).__name__, *frames])


def _short(filename: str) -> str:
    """A file as a reader of the log finds it: in our folders, in a library's, or by its last two parts."""
    parts = PurePath(filename).parts
    if parts[: len(_OURS)] == _OURS:
        return "/".join(parts[len(_OURS) :])
    at = [i for i, part in enumerate(parts) if part == "site-packages"]
    return "/".join(parts[at[-1] + 1 :] if at else parts[-2:])
