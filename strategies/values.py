"""Texts to values and back: lists, numbers, truth values; what is wrong with a text is a ValueError."""

from __future__ import annotations

import math
import re
from typing import Any

DEEPEST = 8  # lists within lists
LARGEST = 2**53  # beyond this a whole number is no longer exact in arithmetic
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,6})?", re.ASCII)
_ITEM = re.compile(
    r"\s*+(?:(\[)|(\])|(,)|\"((?:[^\"\\]|\\.)*)\"|'((?:[^'\\]|\\.)*)'|([^\s\[\],\"'][^\[\],]*))", re.DOTALL
)
_TRUTH = {
    "1": True,
    "yes": True,
    "true": True,
    "on": True,
    "0": False,
    "no": False,
    "false": False,
    "off": False,
}


def written(number: float) -> str:
    """A number with as many digits as tell it from others: 0.3, 12345678, 0.500000001."""
    short = next((text for text in (f"{number:g}", f"{number:.15g}") if float(text) == number), None)
    return repr(float(number)) if short is None else short


def nested(text: str) -> Any:
    """A text as written, or a list of texts and lists: ``[a, [b, "c, d"],]`` is ``["a", ["b", "c, d"]]``."""
    text = text.strip()
    if not text.startswith("["):
        return _unquoted(text)
    stack: list[list[Any]] = [[]]  # the outermost holds the whole list
    fresh, place = True, 0  # fresh: an item may begin here
    while place < len(text):
        match = _ITEM.match(text, place)
        if not match:
            if not text[place:].strip():
                break
            raise ValueError(f"has something unreadable in the list: '{clip(text[place:], 20)}'")
        opening, closing, comma, double, single, bare = match.groups()
        place = match.end()
        if len(stack) == 1 and stack[0]:
            raise ValueError(f"has something after the list: '{clip(match[0].strip(), 20)}'")
        if closing:
            if len(stack) == 1:
                raise ValueError("has a ] too many")
            stack.pop()
            fresh = False
        elif comma:
            if fresh:
                raise ValueError("has an empty item in the list")
            fresh = True
        elif not fresh:
            raise ValueError(f"has no comma before '{clip(match[0].strip(), 20)}'")
        elif opening:
            if len(stack) > DEEPEST:
                raise ValueError(f"has lists in lists more than {DEEPEST} deep")
            inner: list[Any] = []
            stack[-1].append(inner)
            stack.append(inner)
        else:
            fresh = False
            quoted = double if double is not None else single
            stack[-1].append(bare.strip() if quoted is None else re.sub(r"\\(.)", r"\1", quoted, flags=re.S))
    if len(stack) > 1:
        raise ValueError("the list isn't closed: a ] is missing")
    return stack[0][0]


def texts(text: str) -> list[str]:
    """A list of texts; a bare word is a list of one."""
    found = nested(text)
    if isinstance(found, str):
        if "," in found and not text.strip().startswith(('"', "'")):
            raise ValueError(f"a list needs brackets: [{clip(found, 40)}]")
        return [found]
    if any(isinstance(item, list) for item in found):
        raise ValueError("must be a plain list, without lists in it")
    return [str(item) for item in found]


def number(text: str) -> float:
    """A finite number."""
    text = text.strip()
    if len(text) > 1000 or not _NUMBER.fullmatch(text):
        raise ValueError("must be a number")
    found = float(text)
    if not math.isfinite(found):
        raise ValueError("is too large for a number")
    return found


def whole(text: str) -> int:
    """A whole number that arithmetic can hold exactly."""
    try:
        found = number(text)
    except ValueError:
        raise ValueError("must be a whole number") from None
    if not found.is_integer():
        raise ValueError("must be a whole number")
    if abs(found) > LARGEST:
        raise ValueError("is too large for a whole number (at most 9007199254740992)")
    return int(found)


def seed(text: str) -> int:
    """A whole number from 0 to 2^63 - 1."""
    text = text.strip()
    if not re.fullmatch(r"\+?\d{1,30}", text, re.ASCII) or int(text) >= 2**63:
        raise ValueError("must be a whole number from 0 to 9223372036854775807")
    return int(text)


def truth(text: str) -> bool:
    """True or False, in any of configparser's spellings."""
    found = _TRUTH.get(text.strip().lower())
    if found is None:
        raise ValueError("must be True or False")
    return found


def _unquoted(text: str) -> str:
    match = _ITEM.fullmatch(text) if text[:1] in ('"', "'") else None
    if match and (match[4] is not None or match[5] is not None):
        quoted = match[4] if match[4] is not None else match[5]
        return re.sub(r"\\(.)", r"\1", quoted, flags=re.S)
    return text


def clip(text: str, length: int = 80) -> str:
    """The text on one line, shortened."""
    head = text[: 4 * length]  # a value may be a megabyte, and be told about a thousand times
    line = head
    if not head.isprintable():  # line ends, and what would command a terminal
        line = "".join(char if char.isprintable() else "?" for char in " ".join(head.split()))
    return line if len(line) <= length else line[: length - 1] + "…"
