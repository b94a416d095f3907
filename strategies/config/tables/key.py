"""What a key takes: its type with how a text is read, its default, its range, and the words for all that.

A type is one row of `TYPES`: a new one needs no other place. What is read from the text alone is read by
`convert`; components and points need the rest of the configuration, and are read by a `Reader`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from fechner.strategies import values


class Reader(Protocol):
    """Reads the keys of a class; a key is looked for in the sections `chain` (judging/classes.py)."""

    def text(self, chain: Sequence[str], name: str, key: Key) -> Any:
        """A value that follows from its text alone."""

    def component(self, chain: Sequence[str], name: str, key: Key) -> Any:
        """A class with its keys."""

    def components(self, chain: Sequence[str], name: str, key: Key) -> Any:
        """A list of them."""

    def points(self, chain: Sequence[str], name: str, key: Key) -> Any:
        """A list of points."""

    def coordinates(self, chain: Sequence[str], name: str, key: Key) -> Any:
        """Places of parameters, by name or number."""

    def constraint_points(self, chain: Sequence[str], name: str, key: Key) -> Any:
        """Places at which a probability is known."""


@dataclass(frozen=True)
class Key:
    """What a key takes.

    Attributes:
        type: one of `TYPES`.
        default: its value where it is not given.
        required: whether it must be given.
        low, high: the least and greatest value; ``above`` and ``below`` exclude the bound itself.
        choices: what a one_of key takes, and words that a number may be.
        kind: of the class, or classes, that a component key names.
        later: texts that are known, but not supported yet.
        supported: False if the whole key is known, but not supported yet.
        inherited: whether ``[common]`` gives it where the section doesn't.
    """

    type: str
    default: Any = None
    required: bool = False
    low: float | None = None
    high: float | None = None
    above: float | None = None
    below: float | None = None
    choices: tuple[str, ...] = ()
    kind: str = ""
    later: tuple[str, ...] = ()
    supported: bool = True
    inherited: bool = True

    @property
    def takes(self) -> Type:
        """How its text is read, and the words for that."""
        return TYPES.get(self.type, TYPES["text"])


@dataclass(frozen=True)
class Type:
    """How the texts of a type of key are read, and the words for it.

    Attributes:
        convert: text and key to the value; ValueError says what is wrong.
        wanted: what would be right, for a hint.
        reference: what it takes, for the reference; of a class, by the words for kinds of classes.
        read: reads it where a class has it; None where it is without effect, or read with another key.
    """

    convert: Callable[[str, Key], Any] = lambda text, _: text
    wanted: Callable[[Key], str] = lambda _: ""
    reference: Callable[[Key, Mapping[str, str]], str] = lambda key, _: _bounded(key.type, key)
    read: Callable[[Reader, Sequence[str], str, Key], Any] | None = lambda reader, chain, name, key: (
        reader.text(chain, name, key)
    )


def _bounded(noun: str, key: Key) -> str:
    """A noun with its range, and the words that may stand for it."""
    ends = ((key.low, "from"), (key.above, "above"), (key.high, "to"), (key.below, "below"))
    span = " ".join(
        f"{word} {int(end) if end == int(end) else end:,}" for end, word in ends if end is not None
    )
    words = "".join(f", or `{one}`" for one in key.choices)
    return f"{noun} {span}".strip() + words


def _limits(noun: str, key: Key) -> str:
    """The range that is wanted, or the noun where there is none."""
    ends = (("at least", key.low), ("above", key.above), ("at most", key.high), ("below", key.below))
    return " and ".join(f"{word} {end:.15g}" for word, end in ends if end is not None) or noun


def _in_range(number: Any, key: Key) -> Any:
    if (
        (key.low is not None and number < key.low)
        or (key.high is not None and number > key.high)
        or (key.above is not None and number <= key.above)
        or (key.below is not None and number >= key.below)
    ):
        raise ValueError("is out of range")
    return number


def _number(text: str, key: Key) -> Any:
    return text.lower() if text.lower() in key.choices else _in_range(values.number(text), key)


def _one_of(text: str, key: Key) -> str:
    if text.lower() not in key.choices:
        raise ValueError("is not one of the words for this key")
    return text.lower()


def _bounds(text: str, _: Key) -> tuple[tuple[int, float | None, float | None], ...]:
    """[[place, lower, upper], …], None for no bound."""
    given = values.nested(text)
    if not isinstance(given, list) or not given or not all(isinstance(one, list) for one in given):
        raise ValueError("must be a list of lists")
    found: list[tuple[int, float | None, float | None]] = []
    for one in given:
        if len(one) != 3 or any(isinstance(part, list) for part in one):
            raise ValueError("must have three values in each list")
        place = values.whole(one[0])
        low, high = (None if end.lower() in ("none", "null") else values.number(end) for end in one[1:])
        if place < 0 or (low is None and high is None) or (None not in (low, high) and not low < high):  # type: ignore[operator]
            raise ValueError("must have a place from 0 and a lower bound below an upper one")
        found.append((place, low, high))
    if len({place for place, _, _ in found}) < len(found):
        raise ValueError("has an outcome twice")
    return tuple(found)


#: What keys take.
TYPES: dict[str, Type] = {
    "whole": Type(
        lambda text, key: _in_range(values.whole(text), key),
        lambda key: _limits("a whole number", key),
        lambda key, _: _bounded("whole number", key),
    ),
    "seed": Type(
        lambda text, _: values.seed(text),
        lambda _: "a whole number, for instance 7",
        lambda key, _: _bounded("whole number", key),
    ),
    "number": Type(_number, lambda key: _limits("a number", key)),
    "truth": Type(
        lambda text, _: values.truth(text),
        lambda _: "True or False",
        lambda key, _: _bounded("True or False", key),
    ),
    "text": Type(),
    "section": Type(),
    "one_of": Type(
        _one_of,
        lambda key: "one of " + ", ".join(_now(key)),
        lambda key, _: " or ".join(f"`{one}`" for one in _now(key)),
    ),
    "texts": Type(
        lambda text, _: tuple(values.texts(text)),
        lambda _: "a list: [a, b]",
        lambda key, _: _bounded("list", key),
    ),
    # [place of an outcome, lower, upper bound], None for no bound
    "bounds": Type(
        _bounds,
        lambda _: "a list of [place of an outcome, lower bound, upper bound]: [[1, None, 0.5]]",
        lambda key, _: _bounded("list", key),
    ),
    "component": Type(
        reference=lambda key, kinds: kinds[key.kind],
        read=lambda reader, chain, name, key: reader.component(chain, name, key),
    ),
    "components": Type(
        reference=lambda key, kinds: f"list of {kinds[key.kind]}s",
        read=lambda reader, chain, name, key: reader.components(chain, name, key),
    ),
    "points": Type(read=lambda reader, chain, name, key: reader.points(chain, name, key)),
    # names of parameters, or their places
    "coordinates": Type(
        reference=lambda key, _: _bounded("list", key),
        read=lambda reader, chain, name, key: reader.coordinates(chain, name, key),
    ),
    # the key that all of these are read into; the others are read with it
    "constraint points": Type(
        reference=lambda *_: "list",
        read=lambda reader, chain, name, key: reader.constraint_points(chain, name, key),
    ),
    "constraint part": Type(reference=lambda *_: "list", read=None),
    "constraint section": Type(reference=lambda *_: "section", read=None),
    "ignored": Type(read=None),
}


def _now(key: Key) -> list[str]:
    """The words that are supported today."""
    return [word for word in key.choices if word not in key.later]


def number(
    default: float | None = None,
    *,
    required: bool = False,
    low: float | None = None,
    high: float | None = None,
    above: float | None = None,
    below: float | None = None,
) -> Key:
    """A key that takes a finite number."""
    return Key("number", default, required, low, high, above, below)


def whole(default: int | None = None, *, low: int | None = None, high: int | None = None) -> Key:
    """A key that takes a whole number."""
    return Key("whole", default, low=low, high=high)


def one_of(default: str, choices: tuple[str, ...], later: tuple[str, ...] = ()) -> Key:
    """A key that takes one of some words."""
    return Key("one_of", default, choices=choices, later=later)
