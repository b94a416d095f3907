"""Strict JSON: what comes in is checked against the limits, what goes out is always finite.

It is the standard library's parser with hooks. `msgspec` is some four times faster, on the few microseconds
of a usual message, but takes the last of two equal keys, bounds depth only by the interpreter's stack, and
has no hook by which to see either.
"""

from __future__ import annotations

import json
import math
from typing import Any

from fechner.server.protocol.errors import FechnerError
from fechner.server.protocol.limits import Limits, exceeded, too_many_values

#: What to do about text that is no JSON.
BAD_JSON_HINT = "send one JSON object per request, UTF-8, with no NaN or Infinity"

_LONGEST_INTEGER = 300
_LONGEST_NUMBER = 400  # as framing.py has it
_PIECE = 65_536


def _pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) != len(pairs):
        seen: set[str] = set()
        twice = next(key for key, _ in pairs if key in seen or seen.add(key))  # type: ignore[func-returns-value]
        shown = twice[:60].encode("utf-8", "replace").decode()
        raise FechnerError("bad_json", f"the key '{shown}' stands twice in one object", where=shown)
    return result


def _constant(name: str) -> Any:
    raise FechnerError("bad_json", f"{name} is not JSON", hint="use null")


def _float(text: str) -> float:
    if len(text) > _LONGEST_NUMBER:
        raise FechnerError("bad_json", "a number has too many characters")
    number = float(text)
    if not math.isfinite(number):
        raise FechnerError("bad_json", f"the number {text[:40]} is too large")
    return number


def _int(text: str) -> int:
    if len(text) > _LONGEST_INTEGER:
        raise FechnerError("bad_json", "a whole number has too many digits")
    return int(text)


def parse(data: bytes | str, limits: Limits) -> Any:
    """The JSON value in `data`.

    Raises:
        FechnerError: bad_json, too_deep or too_large.
    """
    try:
        if _is_crowded(data, limits.containers):
            raise too_many_values(limits)
        text = data.decode("utf-8") if isinstance(data, bytes) else data
        value = json.loads(
            text, object_pairs_hook=_pairs, parse_constant=_constant, parse_float=_float, parse_int=_int
        )
    except FechnerError:
        raise
    except RecursionError:
        raise _too_deep(limits, "") from None
    except UnicodeDecodeError as error:
        raise FechnerError("bad_json", f"not UTF-8 at byte {error.start}") from None
    except ValueError as error:
        raise FechnerError("bad_json", f"not JSON: {error}", hint=BAD_JSON_HINT) from None
    surrogates = "\\u" in text and ("\\ud" in text or "\\uD" in text)
    _check(value, limits, surrogates)
    return value


def _is_crowded(data: bytes | str, most: int) -> bool:
    """Whether more objects and lists begin in it, or seem to; looked at by pieces, to be found out early."""
    found = 0
    for start in range(0, len(data) if len(data) > most else 0, _PIECE):
        for bracket in "{[":
            sought: Any = bracket.encode() if isinstance(data, bytes) else bracket
            found += data.count(sought, start, start + _PIECE)
        if found > most:
            return True
    return False


def _check(value: Any, limits: Limits, surrogates: bool) -> None:
    """Depth, lengths of texts, and texts that are no Unicode (half of a surrogate pair)."""
    level: list[tuple[Any, str]] = [(value, "")]
    depth = 0
    while level:
        depth += 1
        inner: list[tuple[Any, str]] = []
        for item, where in level:
            if isinstance(item, str):
                _check_text(item, where, limits, surrogates)
            elif isinstance(item, dict):
                if depth > limits.depth:
                    raise _too_deep(limits, where)
                for key, inside in item.items():
                    if len(key) > 256:
                        raise FechnerError("too_large", "a key is longer than 256 characters", where=where)
                    if surrogates:
                        _check_text(key, where, limits, surrogates)
                    if isinstance(inside, str | dict | list):
                        inner.append((inside, f"{where}.{key}" if where else key))
            elif isinstance(item, list):
                if depth > limits.depth:
                    raise _too_deep(limits, where)
                inner.extend((inside, where) for inside in item if isinstance(inside, str | dict | list))
        level = inner


#: Where setup's configuration stands, in any dialect.
_CONFIGS = ("message.config", "message.config_str")


def _too_deep(limits: Limits, where: str) -> FechnerError:
    return exceeded("depth", f"nested deeper than {limits.depth} levels", where, "flatten the message")


def _check_text(text: str, where: str, limits: Limits, surrogates: bool) -> None:
    most = limits.config_bytes if where in _CONFIGS else limits.string_bytes
    if len(text) > most or (4 * len(text) > most and len(text.encode("utf-8", "replace")) > most):
        limit = "config_bytes" if where in _CONFIGS else "string_bytes"
        detail = f"a text is longer than {most} bytes"
        raise exceeded(limit, detail, where, "shorten it, or have the server started with a larger limit")
    if surrogates:
        try:
            text.encode("utf-8")
        except UnicodeEncodeError:
            raise FechnerError("bad_json", "half of a surrogate pair is no character", where=where) from None


def finite(value: Any) -> Any:
    """`value` with every number that is not finite replaced by None."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {key: finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [finite(item) for item in value]
    return value


def render(value: Any) -> str:
    """Compact JSON text of `value`; numbers that are not finite become null."""
    try:
        return json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    except ValueError:
        return json.dumps(finite(value), ensure_ascii=False, allow_nan=False, separators=(",", ":"))


def dumps_strict(value: Any, limits: Limits | None = None) -> str:
    """JSON text of a request made in this process.

    Raises:
        FechnerError: bad_json: it holds what JSON can't say; too_deep.
    """
    try:
        return json.dumps(value, allow_nan=False)
    except RecursionError:
        raise _too_deep(limits or Limits(), "") from None
    except (TypeError, ValueError) as error:
        raise FechnerError("bad_json", f"not JSON: {error}") from None


def parse_reply(data: bytes) -> Any:
    """The value of a reply that this server rendered; a bare word of an older dialect is a text."""
    try:
        return json.loads(data)
    except ValueError:
        return data.decode()
