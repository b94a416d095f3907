"""The splitter of a byte stream, and JSON text."""

from __future__ import annotations

import json
import math
import random
import zlib
from typing import Any

from fechner.server.protocol import jsontext
from fechner.server.protocol.errors import FechnerError
from fechner.server.protocol.framing import Splitter
from fechner.server.protocol.limits import Limits

from .harness import Harness
from .mutate import Mutator

CODES = ("bad_json", "too_deep", "too_large")
REFUSED = object()
SMALL = Limits(message_bytes=400, depth=6, string_bytes=60, config_bytes=100)
LARGE = Limits()


def split(pieces: list[bytes], limits: Limits) -> tuple[list[bytes], tuple[str, ...] | None]:
    """The values of a stream that comes in pieces, and its fault."""
    splitter = Splitter(limits)
    values: list[bytes] = []
    for piece in pieces:
        values += splitter.feed(piece)
        if splitter.fault is not None:
            break
    values += splitter.end()
    fault = splitter.fault
    return values, None if fault is None else (fault.code, fault.detail, fault.where, fault.hint)


def parsed(data: bytes, limits: Limits) -> Any:
    """The value, or `REFUSED` with one of the documented codes."""
    try:
        return jsontext.parse(data, limits)
    except FechnerError as error:
        if error.code not in CODES:
            raise
        return REFUSED


def stream(data: bytes) -> None:
    """However it is cut, a stream has the same values and the same fault."""
    rng = random.Random(zlib.crc32(data))
    limits = rng.choice((SMALL, LARGE))
    values, fault = split([data], limits)
    assert fault is None or fault[0] in CODES, fault
    for _ in range(2):
        n = rng.choice((1, 2, 5, 40, len(data)))
        places = sorted(rng.randrange(len(data) + 1) for _ in range(min(n, 3000)))
        pieces = [data[a:b] for a, b in zip([0, *places], [*places, len(data)], strict=True)]
        assert split(pieces, limits) == (values, fault), "a cut makes a difference"
    for value in values:
        again, wrong = split([value], limits)
        assert (again, wrong) == ([value], None), "a value is not itself"
        assert len(value) <= limits.message_bytes
        parsed(value, limits)
    if fault is None:
        rest = data
        for value in values:
            before, _, rest = rest.partition(value)
            assert not before.strip(b" \t\r\n"), "bytes between values are lost"
        assert not rest.strip(b" \t\r\n"), "bytes at the end are lost"


class _TwiceError(ValueError):
    pass


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len(dict(pairs)) != len(pairs):
        raise _TwiceError
    return dict(pairs)


def _refuse(name: str) -> Any:
    raise ValueError(name)


def _short(number: str) -> str:
    if len(number) > 290:  # a limit of its own
        raise ValueError(number)
    return number


def text(data: bytes) -> None:
    """Python's json module and ours agree, but for what strict JSON forbids and the limits."""
    for limits in (LARGE, SMALL):
        value = parsed(data, limits)
        if value is REFUSED:
            assert limits is SMALL or not _strict(data), "refused, though it is strict JSON"
            continue
        again = json.loads(data.decode())
        assert repr(again) == repr(value), "it is another value"
        rendered = jsontext.render(value)
        rendered.encode()
        assert repr(jsontext.parse(rendered, LARGE)) == repr(value), "rendered and parsed it is another"


def _strict(data: bytes) -> bool:
    """Whether the bytes are strict JSON within every limit."""
    if len(data) > 20_000:
        return False  # limits of lengths come in; the smaller ones say enough
    try:
        value = json.loads(
            data.decode("utf-8"),
            object_pairs_hook=_once,
            parse_constant=_refuse,
            parse_float=lambda text: float(_short(text)),
            parse_int=lambda text: int(_short(text)),
        )
    except (ValueError, RecursionError):
        return False
    return _within(value, 1)


def _within(value: Any, depth: int) -> bool:
    if isinstance(value, str):
        return not any("\ud800" <= mark <= "\udfff" for mark in value)
    if isinstance(value, float):
        return math.isfinite(value)
    if isinstance(value, dict):
        keys = all(len(key) <= 256 and _within(key, 0) for key in value)
        return depth <= LARGE.depth and keys and all(_within(item, depth + 1) for item in value.values())
    if isinstance(value, list):
        return depth <= LARGE.depth and all(_within(item, depth + 1) for item in value)
    return True


def either(mutator: Mutator, data: bytes) -> bytes:
    """Mostly values, so that what comes out still parses; else bytes."""
    return mutator.json(data) if mutator.rng.random() < 0.7 else mutator.bytes(data)


STREAM = Harness("stream", stream)
TEXT = Harness("json", text, lambda m, data: either(m, data) if m.rng.random() < 0.5 else m.bytes(data))
