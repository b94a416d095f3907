"""What a restricted pickle may hold: the few calls that plain data need, and how large values may become."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from datetime import date, datetime, time, timedelta, timezone
from typing import Any

#: How deep values may lie, and how large they may become once repeated parts are written out (each value
#: counts 16, a text its length too).
DEEPEST = 64
LARGEST = 32 * 1024 * 1024
LARGEST_KEY = 100 * 16
#: Keys that are numbers stay below what Python's hash of a number tells apart, so that no two can collide.
KEY_BITS = 60


class RefusedPickleError(Exception):
    """A pickle that isn't plain data: the text says by name what it asks for."""


class Name:
    """A class or function that the pickle names; it is never imported."""

    def __init__(self, name: str) -> None:
        self.name = name


def key_of(value: Any) -> Hashable:
    """A value that may be a key or a member of a set: small, because it is hashed part by part each time."""
    kind = type(value)
    if kind in _SIMPLE or (kind is int and value.bit_length() <= KEY_BITS):
        return value  # type: ignore[no-any-return]
    measure(value, LARGEST_KEY)
    _check_numbers(value)
    hash(value)
    return value  # type: ignore[no-any-return]


_SIMPLE = (str, bytes, bool, float, type(None))


def _check_numbers(value: Any) -> None:
    if isinstance(value, complex) or (isinstance(value, int) and value.bit_length() > KEY_BITS):
        raise RefusedPickleError(f"it has a number as a key that is complex or of more than {KEY_BITS} bits")
    if isinstance(value, tuple | frozenset):
        for item in value:
            _check_numbers(item)


def measure(value: Any, left: int) -> None:
    """Refuse a value that is too deep (as one that holds itself is) or, written out, too large."""
    budget = [left]

    def walk(one: Any, depth: int) -> None:
        budget[0] -= 16 + (len(one) if isinstance(one, str | bytes | bytearray) else 0)
        if budget[0] < 0:
            raise RefusedPickleError("written out, its values are too many or too large")
        if depth > DEEPEST:
            raise RefusedPickleError(f"its values lie deeper than {DEEPEST}")
        if isinstance(one, Name):
            raise RefusedPickleError(f"it holds {one.name}")
        if isinstance(one, dict):
            for key, item in one.items():
                walk(key, depth + 1)
                walk(item, depth + 1)
        elif isinstance(one, list | tuple | set | frozenset):
            for item in one:
                walk(item, depth + 1)

    walk(value, 0)


def name_of(value: Any) -> str:
    """What a value is, for a refusal."""
    return value.name if isinstance(value, Name) else type(value).__name__


def _raw(state: Any) -> bytes:
    """The bytes of a date's state; Python 2 wrote them as a text."""
    return state.encode("latin-1") if isinstance(state, str) else state


def _date_from_bytes(kind: Callable[..., Any], size: int, *, zone: bool) -> Callable[..., Any]:
    def make(*arguments: Any) -> Any:
        if not arguments or len(arguments) > 1 + zone:
            return NotImplemented
        state, *more = arguments
        if not isinstance(state, str | bytes) or len(_raw(state)) != size:
            return NotImplemented
        if more and not isinstance(more[0], timezone):
            return NotImplemented
        return kind(_raw(state), *more)

    return make


def _timedelta(*arguments: Any) -> Any:
    if len(arguments) > 3 or not all(type(argument) is int for argument in arguments):
        return NotImplemented
    return timedelta(*arguments)


def _timezone(*arguments: Any) -> Any:
    if (
        not arguments
        or not isinstance(arguments[0], timedelta)
        or not all(type(a) is str for a in arguments[1:])
    ):
        return NotImplemented
    return timezone(*arguments)


def _encode(*arguments: Any) -> Any:
    """How protocols 0 to 2 write bytes."""
    match arguments:
        case [str(text), "latin1" | "latin-1"]:
            return text.encode("latin-1")
    return NotImplemented


def _bytes(*arguments: Any) -> Any:
    return b"" if not arguments else NotImplemented


def _bytearray(*arguments: Any) -> Any:
    match arguments:
        case []:
            return bytearray()
        case [bytes(data)]:
            return bytearray(data)
        case [str(text), "latin-1" | "latin1"]:
            return bytearray(text.encode("latin-1"))
    return NotImplemented


def _complex(*arguments: Any) -> Any:
    plain = len(arguments) == 2 and all(type(part) is float for part in arguments)
    return complex(*arguments) if plain else NotImplemented


def _set_of(kind: type[set[Any]] | type[frozenset[Any]]) -> Callable[..., Any]:
    def make(*arguments: Any) -> Any:
        match arguments:
            case []:
                return kind()
            case [list(items) | tuple(items)]:
                return kind(map(key_of, items))
        return NotImplemented

    return make


def _dict_from_pairs(*arguments: Any) -> Any:
    match arguments:
        case []:
            return {}
        case [list(items)] if all(isinstance(item, list | tuple) and len(item) == 2 for item in items):
            return {key_of(key): value for key, value in items}
    return NotImplemented


def _default(*arguments: Any) -> Any:
    plain = len(arguments) <= 1 and all(a is None or isinstance(a, Name) for a in arguments)
    return {} if plain else NotImplemented


def _never(*arguments: Any) -> Any:
    """What may stand as a defaultdict's factory, which is left out, or before the class to be named."""
    return NotImplemented


#: By name: what a call makes, NotImplemented if plain data don't have such arguments.
CALLS: dict[str, Callable[..., Any]] = {
    "_codecs.encode": _encode,
    "builtins.bytes": _bytes,
    "builtins.bytearray": _bytearray,
    "builtins.complex": _complex,
    "builtins.set": _set_of(set),
    "builtins.frozenset": _set_of(frozenset),
    "builtins.list": _never,
    "builtins.dict": _never,
    "builtins.int": _never,
    "builtins.float": _never,
    "builtins.str": _never,
    "builtins.long": _never,
    "builtins.unicode": _never,
    "copyreg._reconstructor": _never,
    "collections.OrderedDict": _dict_from_pairs,
    "collections.defaultdict": _default,
    "datetime.datetime": _date_from_bytes(datetime, 10, zone=True),
    "datetime.date": _date_from_bytes(date, 4, zone=False),
    "datetime.time": _date_from_bytes(time, 6, zone=True),
    "datetime.timedelta": _timedelta,
    "datetime.timezone": _timezone,
}
