"""Changes of examples: of bytes, and of JSON values, so that they still parse."""

from __future__ import annotations

import json
import random
from collections.abc import Sequence
from typing import Any

#: Pieces that parsers have to look at twice.
TOKENS: tuple[bytes, ...] = (
    *(b"{", b"}", b"[", b"]", b'"', b"\\", b":", b",", b" ", b"\n", b"\r\n", b"\0", b"\xff", b"\xc3"),
    *(b"null", b"true", b"false", b"NaN", b"Infinity", b"-Infinity", b"-0", b"-0.0", b"1e400", b"1e-400"),
    *(b"9" * 20, b"9" * 310, b"1" + b"0" * 450, b"0.1", b"01", b"1.", b".5", b"+1", b"1e", b"--1", b"0x10"),
    *(rb"\ud800", rb"\udc00", rb"\ud83d\ude00", rb"\u0000", rb"\u", rb"\x", "é".encode(), "🙂".encode()),
    *(b'"version"', b'"type"', b'"message"', b'"id"', b'"session"', b'"config"', b'"outcome"', b"[[", b"{}"),
    *(b"[common]", b"parnames", b"=", b"%", b"${", b"#", b";", b"lower_bound", b"strategy_names"),
    *(b"\xef\xbb\xbf", b"\xe2\x80"),
)

#: Values that a field doesn't expect.
VALUES: tuple[Any, ...] = (
    *(None, True, False, 0, 1, -1, 2, 0.5, -0.0, 1e308, -1e308, 5e-324, 2**53, 2**63, -(2**63) - 1, 10**30),
    *("", "0", "1", "p", "x" * 70, "x" * 300, "é", "🙂", "\x00", "\n", "NaN", "None", "[1, 2]", "1e999"),
    *([], [[]], [1], [0.5, 0.5], ["a"], [None], [[0.1, 0.2]], [[1], [2]]),
    *({}, {"p": 0.5}, {"p": [0.5]}, {"": 0}, {"a": {"b": {"c": []}}}, [1] * 50, {"outcome": 1}),
)


class Mutator:
    """Makes cases from examples, by a generator of random numbers of its own."""

    def __init__(self, rng: random.Random, examples: Sequence[bytes], values: Sequence[Any] = VALUES) -> None:
        self.rng, self.examples, self.values = rng, examples, values

    def example(self) -> bytes:
        """One of the examples."""
        return self.rng.choice(self.examples)

    def bytes(self, data: bytes) -> bytes:
        """Some changes of bytes."""
        for _ in range(self.rng.choice((1, 1, 1, 2, 3, 6))):
            data = self._change(data)
        return data

    def _change(self, data: bytes) -> bytes:
        rng = self.rng
        n = len(data)
        a = rng.randrange(n + 1)
        b = min(n, a + rng.choice((1, 1, 2, 4, 8, 40, 200)))
        match rng.randrange(11):
            case 0 if n:
                i = rng.randrange(n)
                return data[:i] + bytes([data[i] ^ (1 << rng.randrange(8))]) + data[i + 1 :]
            case 1:
                return data[:a] + rng.randbytes(rng.choice((1, 2, 4))) + data[b:]
            case 2:
                return data[:a] + data[b:]
            case 3:
                return data[:b] + data[a:b] * rng.choice((1, 2, 20)) + data[b:]
            case 4 | 5:
                return data[:a] + rng.choice(TOKENS) + data[a:]
            case 6:
                return data[:a] + rng.choice(TOKENS) + data[b:]
            case 7:
                other = self.example()
                c = rng.randrange(len(other) + 1)
                return data[:a] + other[c : c + rng.choice((4, 30, 1000))] + data[b:]
            case 8:
                return data[:a]
            case 9:
                depth = rng.choice((1, 5, 31, 32, 33, 1000, 20_000))
                opening, closing = rng.choice(((b"[", b"]"), (b'{"a":', b"}"), (b"[[", b"]")))
                return data[:a] + opening * depth + data[a:b] + closing * rng.choice((depth, 0)) + data[b:]
            case _:
                return data + rng.choice((b"", b" ", b"\n")) + self.example()

    def json(self, data: bytes) -> bytes:
        """Some changes of values and keys, if it is JSON."""
        try:
            value = json.loads(data)
        except (ValueError, RecursionError):
            return self.bytes(data)
        for _ in range(self.rng.choice((1, 1, 2, 3))):
            value = self.value(value)
        try:
            return json.dumps(value).encode()
        except RecursionError:
            return data

    def value(self, value: Any) -> Any:
        """A change somewhere in a value."""
        rng = self.rng
        if isinstance(value, dict) and value and rng.random() < 0.85:
            key = rng.choice(list(value))
            roll = rng.random()
            if roll < 0.6:
                return {**value, key: self.value(value[key])}
            if roll < 0.75:
                return {name: item for name, item in value.items() if name != key}
            if roll < 0.85:
                new = rng.choice((key + "x", key[:-1], key.upper(), "", "p", "trial", "config", "x" * 300))
                return {(new if name == key else name): item for name, item in value.items()}
            return {
                **value,
                rng.choice(("extra", "n", "trial", "config", "outcome", "q")): rng.choice(self.values),
            }
        if isinstance(value, list) and value and rng.random() < 0.8:
            i = rng.randrange(len(value))
            roll = rng.random()
            if roll < 0.6:
                return [*value[:i], self.value(value[i]), *value[i + 1 :]]
            return value[:i] + value[i + 1 :] if roll < 0.8 else [*value, value[i]]
        if isinstance(value, str) and value and rng.random() < 0.5:
            return self.bytes(value.encode("utf-8", "replace")).decode("utf-8", "replace")
        if isinstance(value, int | float) and rng.random() < 0.3:
            return rng.choice((-value, value + 1, value * 1000, value / 3, str(value), [value]))
        return rng.choice(self.values)
