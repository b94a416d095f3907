"""Plain data out of a pickle that somebody else wrote, without executing anything from it.

A pickle is a program for a small stack machine. Here its instructions are read one by one and only those that
make plain data are carried out: containers, numbers, texts, bytes, dates. A name of a class or function is
never imported; it is looked up in a table of the few that plain data need, and refused by name if it isn't
there. So is everything that would build an object. Python's own unpickler takes no part: with its documented
hook, `Unpickler.find_class`, one can refuse names, but what is let through is called with whatever arguments
the pickle has, and neither memory, nor depth, nor the number of instructions is bounded. SECURITY.md ("What
is promised") says that nothing that comes in is executed.
"""

from __future__ import annotations

import io
import pickletools
from collections.abc import Callable, Sized
from typing import Any

from fechner.database.aepsych.pickled_values import (
    CALLS,
    DEEPEST,
    LARGEST,
    Name,
    RefusedPickleError,
    key_of,
    measure,
    name_of,
)

__all__ = ["RefusedPickleError", "read"]

#: How large a pickle may be, how many instructions it may have, and how large its numbers may be.
MOST_BYTES = 16 * 1024 * 1024
MOST_INSTRUCTIONS = 500_000
MOST_BITS = 4096

_MARK: Any = object()


def read(data: bytes) -> Any:
    """The plain value of a pickle (any protocol).

    OrderedDict and defaultdict come back as dict.

    Raises:
        RefusedPickleError: it is damaged, too large or too deep, or asks for anything but plain data.
    """
    if len(data) > MOST_BYTES:
        raise RefusedPickleError(f"a pickle of {len(data)} bytes; at most {MOST_BYTES} are read")
    try:
        value = _Machine().run(data)
    except RefusedPickleError:
        raise
    except RecursionError:
        raise RefusedPickleError(f"its values lie deeper than {DEEPEST}") from None
    except (ValueError, TypeError, IndexError, KeyError, OverflowError, AttributeError, MemoryError) as error:
        raise RefusedPickleError(f"the pickle is damaged: {error}") from None
    measure(value, LARGEST)
    return value


class _Machine:
    """The stack, and the memo of values that are used again."""

    def __init__(self) -> None:
        self.stack: list[Any] = []
        self.memo: dict[int, Any] = {}
        self.made = 0

    def run(self, data: bytes) -> Any:
        for count, (opcode, argument, _) in enumerate(pickletools.genops(io.BytesIO(data))):
            if count >= MOST_INSTRUCTIONS:
                raise RefusedPickleError(f"a pickle of more than {MOST_INSTRUCTIONS} instructions")
            if opcode.name == "STOP":
                break
            self.step(opcode.name, argument)
        value = self.pop()
        if self.stack or isinstance(value, Name):
            raise RefusedPickleError(
                f"it is {value.name}"
                if isinstance(value, Name)
                else "the pickle is damaged: it leaves a rest"
            )
        return value

    def step(self, name: str, argument: Any) -> None:
        if name in _LITERALS:
            if isinstance(argument, int) and argument.bit_length() > MOST_BITS:
                raise RefusedPickleError(f"a number of more than {MOST_BITS} bits")
            self.stack.append(bytearray(argument) if name == "BYTEARRAY8" else argument)
        elif name in _FIXED:
            self.stack.append(_FIXED[name]())
        elif name in _NAMED:
            raise RefusedPickleError(f"it asks for {_NAMED[name].format(argument)}")
        else:
            step = getattr(self, f"_{name.lower()}", None)
            if step is None:
                raise RefusedPickleError(f"it uses the instruction {name}, which plain data don't need")
            step(argument)

    def pop(self) -> Any:
        value = self.stack.pop()
        if value is _MARK:
            raise ValueError("a value is missing")
        return value

    def plain(self) -> Any:
        value = self.pop()
        if isinstance(value, Name):
            raise RefusedPickleError(f"it holds {value.name}")
        return value

    def above_mark(self) -> list[Any]:
        at = len(self.stack) - 1
        while self.stack[at] is not _MARK:
            at -= 1
            if at < 0:
                raise ValueError("a mark is missing")
        found = self.stack[at + 1 :]
        del self.stack[at:]
        return found

    def top(self, kind: type) -> Any:
        """The container on top, into which something goes."""
        value = self.stack[-1]
        if type(value) is not kind:
            raise RefusedPickleError(f"it would change a {name_of(value)} as if it were a {kind.__name__}")
        return value

    def _proto(self, version: int) -> None:
        if version > 5:
            raise RefusedPickleError(f"a pickle of protocol {version}; known up to 5")

    def _frame(self, size: int) -> None:
        """Only tells a reader how much to read at a time."""

    def _mark(self, _: None) -> None:
        self.stack.append(_MARK)

    def _pop(self, _: None) -> None:
        self.stack.pop()

    def _pop_mark(self, _: None) -> None:
        self.above_mark()

    def _dup(self, _: None) -> None:
        value = self.pop()
        self.stack += [value, value]

    def _put(self, key: int) -> None:
        value = self.stack[-1]
        if value is _MARK:
            raise ValueError("a value is missing")
        self.memo[key] = value

    _binput = _long_binput = _put

    def _memoize(self, _: None) -> None:
        self._put(len(self.memo))

    def _get(self, key: int) -> None:
        self.stack.append(self.memo[key])

    _binget = _long_binget = _get

    def _append(self, _: None) -> None:
        value = self.plain()
        self.top(list).append(value)

    def _appends(self, _: None) -> None:
        values = self.above_mark()
        self.top(list).extend(values)

    def _setitem(self, _: None) -> None:
        value, key = self.plain(), self.plain()
        self.top(dict)[key_of(key)] = value

    def _setitems(self, _: None) -> None:
        values = self.above_mark()
        self.top(dict).update(_pairs(values))

    def _additems(self, _: None) -> None:
        values = self.above_mark()
        self.top(set).update(map(key_of, values))

    def _list(self, _: None) -> None:
        self.stack.append(self.above_mark())

    def _tuple(self, _: None) -> None:
        self.stack.append(tuple(self.above_mark()))

    def _dict(self, _: None) -> None:
        self.stack.append(_pairs(self.above_mark()))

    def _frozenset(self, _: None) -> None:
        self.stack.append(frozenset(map(key_of, self.above_mark())))

    def _tuple1(self, _: None) -> None:
        # Not `plain`: a class may stand among the arguments of a call, as in `defaultdict(list)`.
        self.stack.append((self.pop(),))

    def _tuple2(self, _: None) -> None:
        values = [self.plain(), self.plain()]
        self.stack.append(tuple(reversed(values)))

    def _tuple3(self, _: None) -> None:
        values = [self.plain(), self.plain(), self.plain()]
        self.stack.append(tuple(reversed(values)))

    def _global(self, argument: str) -> None:
        self.stack.append(_look_up(argument.replace(" ", ".", 1)))

    def _stack_global(self, _: None) -> None:
        name, module = self.plain(), self.plain()
        if not isinstance(name, str) or not isinstance(module, str):
            raise ValueError("a name is no text")
        self.stack.append(_look_up(f"{module}.{name}"))

    def _reduce(self, _: None) -> None:
        arguments, what = self.pop(), self.pop()
        if not isinstance(what, Name):
            raise RefusedPickleError(f"it calls a {name_of(what)}")
        if not isinstance(arguments, tuple):
            raise ValueError("arguments are no tuple")
        # The same argument can be used again and again, and each time something as large is made of it.
        self.made += sum(
            len(one) * (1 if isinstance(one, str | bytes) else 16)
            for one in arguments
            if isinstance(one, Sized)
        )
        if self.made > LARGEST:
            raise RefusedPickleError("written out, its values are too many or too large")
        value = CALLS[what.name](*arguments)
        if value is NotImplemented:
            raise RefusedPickleError(f"it calls {what.name} with arguments that plain data don't have")
        self.stack.append(value)


_LITERALS = frozenset(
    [
        "INT",
        "BININT",
        "BININT1",
        "BININT2",
        "LONG",
        "LONG1",
        "LONG4",
        "FLOAT",
        "BINFLOAT",
        "STRING",
        "BINSTRING",
        "SHORT_BINSTRING",
        "BINBYTES",
        "SHORT_BINBYTES",
        "BINBYTES8",
        "BYTEARRAY8",
        "UNICODE",
        "SHORT_BINUNICODE",
        "BINUNICODE",
        "BINUNICODE8",
    ]
)
_FIXED: dict[str, Callable[[], Any]] = {
    "NONE": lambda: None,
    "NEWTRUE": lambda: True,
    "NEWFALSE": lambda: False,
    "EMPTY_LIST": list,
    "EMPTY_TUPLE": tuple,
    "EMPTY_DICT": dict,
    "EMPTY_SET": set,
}
_NAMED = {
    "INST": "an object of {}",
    "PERSID": "the outside object {}",
    "BINPERSID": "an outside object",
    "EXT1": "the registered extension {}",
    "EXT2": "the registered extension {}",
    "EXT4": "the registered extension {}",
}

_TODAY = {"__builtin__": "builtins", "copy_reg": "copyreg"}


def _look_up(name: str) -> Name:
    """A name that plain data need.

    `__builtin__` and `copy_reg` are what Python 2, and protocols 0 to 2, call `builtins` and `copyreg`.
    """
    module, _, rest = name.partition(".")
    plain = f"{_TODAY.get(module, module)}.{rest}"
    if plain not in CALLS:
        raise RefusedPickleError(f"it asks for {plain[:200]}")
    return Name(plain)


def _pairs(values: list[Any]) -> dict[Any, Any]:
    if len(values) % 2:
        raise ValueError("a key without a value")
    return {key_of(key): value for key, value in zip(values[::2], values[1::2], strict=True)}
