"""From values to bytes and back: what a request looks like on the wire, and replies out of a byte stream."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any


def plain(value: Any, where: str = "message") -> Any:
    """The value as JSON has it; numpy's scalars and arrays become numbers and lists without importing numpy.

    Raises ValueError naming the place for a number that is not finite, TypeError for what JSON can't say.
    """
    if value is None or isinstance(value, (str, bool, int)):
        return value
    if isinstance(value, float):
        if not math.isfinite(value):
            raise ValueError(f"{where} is {value}: only finite numbers can be sent")
        return float(value)
    if isinstance(value, Mapping):
        return {_key(key, where): plain(item, f"{where}.{key}") for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item, f"{where}[{index}]") for index, item in enumerate(value)]
    if callable(getattr(value, "tolist", None)):
        return plain(value.tolist(), where)
    raise TypeError(f"{where} is a {type(value).__name__}, which can't be sent as JSON: {value!r}")


def outcome_of(value: Any) -> Any:
    """An outcome as the server takes it: true and false (of Python or numpy) become 1 and 0."""
    value = plain(value, "outcome")
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, dict):
        return {name: outcome_of(item) for name, item in value.items()}
    if isinstance(value, list):
        return [outcome_of(item) for item in value]
    return value


def encode(request: Mapping[str, Any]) -> bytes:
    """One request (plain values) as it goes out: compact JSON in UTF-8, without line ending."""
    return json.dumps(request, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode("utf-8")


class BadReply(Exception):
    """What came is no JSON."""


class ReplyReader:
    """Splits what arrives into replies, however it was cut.

    A version 1 reply ends with a newline and holds none. A rest without newline is tried when it could be
    complete, so that a program that speaks something else is told from one that is still writing.
    """

    def __init__(self) -> None:
        self._waiting = bytearray()

    def feed(self, data: bytes) -> list[Any]:
        """The replies completed by these bytes; raises BadReply for what can never become one."""
        scanned = len(self._waiting)
        self._waiting += data
        replies = []
        begin = 0
        end = self._waiting.find(b"\n", scanned)
        while end >= 0:
            line = bytes(self._waiting[begin:end])
            if line.strip():
                replies.append(_parsed(line))
            begin = end + 1
            end = self._waiting.find(b"\n", begin)
        del self._waiting[:begin]
        if self._waiting.endswith(b"}"):
            try:
                value = _parsed(bytes(self._waiting))
            except BadReply:
                return replies
            replies.append(value)
            self._waiting.clear()
        return replies


def _parsed(line: bytes) -> Any:
    try:
        return json.loads(line)
    except (ValueError, RecursionError):
        raise BadReply(f"{line[:80]!r}{' …' if len(line) > 80 else ''}") from None


def _key(key: Any, where: str) -> str:
    if not isinstance(key, str):
        raise TypeError(f"{where} has the key {key!r}: keys are text")
    return key
