"""Incremental splitter of a byte stream of JSON values (docs/reference/wire.md, Transport).

Values may come in pieces or glued together, with or without white space between them. The splitter is a
pushdown automaton over JSON's tokens, so a stream that can't become JSON any more is recognised at its
first wrong byte, however it is cut, and no byte is looked at twice. `ijson` makes events of the values, and
where it finds a fault and how it words it depends on the cut; `json.JSONDecoder.raw_decode` begins anew with
each piece, and can't tell what is cut from what is wrong.
"""

from __future__ import annotations

import re

from fechner.server.protocol.errors import FechnerError
from fechner.server.protocol.limits import Limits, StrangersLimits, exceeded, too_many_values

_SPACE = re.compile(rb"[ \t\r\n]*")
_IN_STRING = re.compile(rb'["\\\x00-\x1f]')
_SCALAR = re.compile(rb"[^ \t\r\n{}\[\],:\"]*")
_WHOLE_SCALAR = re.compile(rb"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?|true|false|null")
_BEGUN_SCALAR = re.compile(
    rb"-?(?:(?:0|[1-9][0-9]*)(?:\.[0-9]*)?)?|-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?[eE][+-]?[0-9]*"
    rb"|t(?:r(?:ue?)?)?|f(?:a(?:l(?:se?)?)?)?|n(?:u(?:ll?)?)?"
)
_QUOTE, _BACKSLASH, _OPEN_OBJECT, _OPEN_LIST = b'"'[0], b"\\"[0], b"{"[0], b"["[0]
_CLOSE_OBJECT, _CLOSE_LIST, _COMMA, _COLON = b"}"[0], b"]"[0], b","[0], b":"[0]

# What may come next inside a value.
_VALUE, _VALUE_OR_END, _KEY, _KEY_OR_END, _COLON_NEXT, _COMMA_OR_END = range(6)

#: A scalar longer than this is no number that anybody means.
_LONGEST_SCALAR = 400


def too_long(limits: Limits) -> FechnerError:
    """The error of a message that is too long, in any transport."""
    text = f"a message is longer than {limits.message_bytes} bytes"
    if isinstance(limits, StrangersLimits):
        return exceeded("message_bytes", f"before a token is shown, {text}", hint="send auth first")
    return exceeded("message_bytes", text, hint="send several smaller messages")


class Splitter:
    """Feed bytes, get the complete values' texts.

    A fault is raised once; the values before it were returned by then, because `feed` returns them first
    and keeps the fault for `fault`. After a fault the stream can't be resynchronised.
    """

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._buffer = bytearray()
        self._at = 0  # next byte to look at
        self._begin = 0  # where the current value begins
        self._scalar_begin = 0  # where the current number or literal begins
        self._stack: list[int] = []  # open brackets
        self._opened = 0  # brackets in the current value
        self._next = _VALUE
        self._token = ""  # "", "string", "key" or "scalar": the token that the last piece cut
        self._value = False  # inside a value
        self.fault: FechnerError | None = None

    def allow(self, limits: Limits) -> None:
        """Go on with other limits."""
        self._limits = limits

    @property
    def begun(self) -> bool:
        """Whether a value has begun and not ended."""
        return self._value

    def feed(self, data: bytes) -> list[bytes]:
        """The values that `data` completes; look at `fault` afterwards."""
        values: list[bytes] = []
        at = 0
        while at < len(data) and self.fault is None:
            # Never look beyond a value's limit, so that the fault doesn't depend on how the bytes came.
            room = self._limits.message_bytes + 1 - (len(self._buffer) - self._begin)
            self._buffer += data[at : at + room]
            at += room
            try:
                self._scan(values)
                if self._value and len(self._buffer) - self._begin > self._limits.message_bytes:
                    raise self._too_large()
            except FechnerError as error:
                self.fault = error
            if self._begin:
                del self._buffer[: self._begin]
                self._at -= self._begin
                self._scalar_begin -= self._begin
                self._begin = 0
        return values

    def end(self) -> list[bytes]:
        """The value that the end of the stream completes (a bare token); look at `fault` afterwards."""
        if self.fault is not None or not self._value:
            return []
        values: list[bytes] = []
        if self._token == "scalar" and not self._stack and _WHOLE_SCALAR.fullmatch(self._buffer, self._begin):
            self._end_scalar(values)
        else:
            self.fault = FechnerError("bad_json", "the stream ended inside a value")
        return values

    def _scan(self, values: list[bytes]) -> None:
        buffer = self._buffer
        while True:
            if self._token == "":
                match = _SPACE.match(buffer, self._at)
                assert match is not None
                self._at = match.end()
                if not self._value:
                    self._begin = self._at
                if self._at == len(buffer):
                    return
                self._start_token(buffer[self._at], values)
            elif self._token == "scalar":
                match = _SCALAR.match(buffer, self._at)
                assert match is not None
                self._at = match.end()
                if self._at == len(buffer):
                    text = bytes(buffer[self._scalar_begin :])
                    if len(text) > _LONGEST_SCALAR or not _BEGUN_SCALAR.fullmatch(text):
                        raise self._broken_scalar(text)
                    return
                self._end_scalar(values)
            else:
                if not self._scan_string(values):
                    return

    def _start_token(self, byte: int, values: list[bytes]) -> None:
        expected = self._next
        self._value = True
        if byte == _QUOTE:
            if expected in (_VALUE, _VALUE_OR_END):
                self._token = "string"
            elif expected in (_KEY, _KEY_OR_END):
                self._token = "key"
            else:
                raise self._broken(self._at)
            self._at += 1
        elif byte in (_OPEN_OBJECT, _OPEN_LIST):
            if expected not in (_VALUE, _VALUE_OR_END):
                raise self._broken(self._at)
            self._stack.append(byte)
            if len(self._stack) > self._limits.depth:
                text = f"nested deeper than {self._limits.depth} levels"
                raise exceeded("depth", text, hint="flatten the message")
            self._opened += 1
            if self._opened > self._limits.containers:
                raise too_many_values(self._limits)
            self._next = _KEY_OR_END if byte == _OPEN_OBJECT else _VALUE_OR_END
            self._at += 1
        elif byte in (_CLOSE_OBJECT, _CLOSE_LIST):
            opening, empty = (
                (_OPEN_OBJECT, _KEY_OR_END) if byte == _CLOSE_OBJECT else (_OPEN_LIST, _VALUE_OR_END)
            )
            if not self._stack or self._stack[-1] != opening or expected not in (_COMMA_OR_END, empty):
                raise self._broken(self._at)
            self._stack.pop()
            self._at += 1
            self._end_value(values)
        elif byte == _COMMA:
            if expected != _COMMA_OR_END or not self._stack:
                raise self._broken(self._at)
            self._next = _KEY if self._stack[-1] == _OPEN_OBJECT else _VALUE
            self._at += 1
        elif byte == _COLON:
            if expected != _COLON_NEXT:
                raise self._broken(self._at)
            self._next = _VALUE
            self._at += 1
        else:
            if expected not in (_VALUE, _VALUE_OR_END):
                raise self._broken(self._at)
            self._token = "scalar"
            self._scalar_begin = self._at

    def _scan_string(self, values: list[bytes]) -> bool:
        """Go on in a string; False if more bytes are needed."""
        buffer = self._buffer
        while True:
            match = _IN_STRING.search(buffer, self._at)
            if match is None:
                self._at = len(buffer)
                return False
            byte = buffer[match.start()]
            if byte == _BACKSLASH:
                if match.start() + 2 > len(buffer):
                    self._at = match.start()
                    return False
                self._at = match.start() + 2
            elif byte == _QUOTE:
                self._at = match.end()
                key, self._token = self._token == "key", ""
                if key:
                    self._next = _COLON_NEXT
                else:
                    self._end_value(values)
                return True
            else:
                raise self._broken(match.start())

    def _end_scalar(self, values: list[bytes]) -> None:
        text = bytes(self._buffer[self._scalar_begin : self._at])
        if len(text) > _LONGEST_SCALAR or not _WHOLE_SCALAR.fullmatch(text):
            raise self._broken_scalar(text)
        self._token = ""
        self._end_value(values)

    def _end_value(self, values: list[bytes]) -> None:
        if self._stack:
            self._next = _COMMA_OR_END
            return
        if self._at - self._begin > self._limits.message_bytes:
            raise self._too_large()
        values.append(bytes(self._buffer[self._begin : self._at]))
        self._begin = self._at
        self._next = _VALUE
        self._value = False
        self._opened = 0

    def _too_large(self) -> FechnerError:
        return too_long(self._limits)

    def _broken_scalar(self, text: bytes) -> FechnerError:
        """Of a number or literal, the first character that no value goes on with is the wrong one."""
        good = 0
        while good < min(len(text), _LONGEST_SCALAR) and _BEGUN_SCALAR.fullmatch(text[: good + 1]):
            good += 1
        return self._broken(self._scalar_begin + good)

    def _broken(self, at: int) -> FechnerError:
        begin = max(self._begin, at - 30)  # nothing after `at`: the text must not depend on how bytes came
        upto = bytes(self._buffer[begin : at + 1]).decode("utf-8", "replace")
        return FechnerError(
            "bad_json",
            f"not JSON: wrong at the last character of {upto!r}",
            hint="send one JSON object per request, UTF-8, with no NaN or Infinity",
        )
