"""The texts of constraints to comparisons: linear inequalities, read by hand, never evaluated.

    par1 + 2*par2 <= 3
    par1 > 0.5 and par2 < 0.1

Parts joined by ``and`` hold together, comparisons may be chained (``0 <= a + b <= 3``). What is wrong with a
text is a ValueError: what, and after a line's end a hint where there is one.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from fechner.strategies.specification import Comparison, Parameter
from fechner.strategies.values import clip, number

LONGEST = 1000

_NUMBER = re.compile(r"(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,6})?", re.ASCII)
_SIGN = re.compile(r"<=|>=|==|!=|<|>|=|[-+*/]")
_QUOTED = re.compile(r"\"([^\"]*)\"|'([^']*)'")
_WORD = re.compile(r"[^\W\d][\w.]*")
_COMPARED = ("<=", ">=", "==", "!=", "<", ">")
_MIRRORED = {"<=": ">=", ">=": "<=", "<": ">", ">": "<", "==": "==", "!=": "!="}


@dataclass(frozen=True)
class _Token:
    """A piece of a text: number, sign, and, parameter, text or end; `place` counts characters from 1."""

    kind: str
    text: str
    place: int


@dataclass(frozen=True)
class _Side:
    """One side of a comparison: a sum of multiples of parameters and a number, or a text."""

    terms: dict[str, float]
    constant: float = 0.0
    text: str | None = None


def comparisons(text: str, parameters: Sequence[Parameter]) -> tuple[Comparison, ...]:
    """The comparisons of a constraint's text, all of which hold together."""
    if len(text) > LONGEST:
        raise ValueError(f"has more than {LONGEST} characters")
    tokens = _tokens(text, [parameter.name for parameter in parameters])
    return _Reader(tokens, {parameter.name: parameter for parameter in parameters}).conjunction()


def _tokens(text: str, names: Sequence[str]) -> list[_Token]:
    """The pieces of a text; a parameter is known by its whole name, the longest first."""
    longest = sorted((name for name in names if not _NUMBER.match(name)), key=len, reverse=True)
    found: list[_Token] = []
    place = 0
    while place < len(text):
        if text[place].isspace():
            place += 1
            continue
        token = _token(text, place, longest, names)
        found.append(token)
        place = token.place - 1 + len(token.text)
        if token.kind in ("parameter", "text") and text[token.place - 1] in "\"'":
            found[-1] = _Token(token.kind, token.text[1:-1], token.place)
    return [*found, _Token("end", "", len(text) + 1)]


def _token(text: str, place: int, longest: Sequence[str], names: Sequence[str]) -> _Token:
    """The piece that begins at `place`, as it is written."""
    quoted = _QUOTED.match(text, place)
    if quoted:
        inside = quoted[0][1:-1]
        return _Token("parameter" if inside in names else "text", quoted[0], place + 1)
    word = _WORD.match(text, place)
    if word and word[0].lower() == "and":
        return _Token("and", word[0], place + 1)
    for name in longest:
        after = text[place + len(name) : place + len(name) + 1]
        within = (name[-1].isalnum() or name[-1] == "_") and (after.isalnum() or after == "_")
        if text.startswith(name, place) and not within:
            return _Token("parameter", name, place + 1)
    for kind, pattern in (("number", _NUMBER), ("sign", _SIGN)):
        match = pattern.match(text, place)
        if match:
            return _Token(kind, match[0], place + 1)
    if word:
        return _Token("text", word[0], place + 1)
    raise ValueError(f"has something unreadable at character {place + 1}: '{clip(text[place:], 20)}'")


class _Reader:
    """Reads the tokens of one constraint from left to right."""

    def __init__(self, tokens: list[_Token], parameters: dict[str, Parameter]) -> None:
        self._tokens = tokens
        self._parameters = parameters
        self._next = 0

    def conjunction(self) -> tuple[Comparison, ...]:
        found = self._chain()
        while self._take("and"):
            found += self._chain()
        if self._now.kind != "end":
            raise self._unexpected("'and' or the end")
        return tuple(found)

    @property
    def _now(self) -> _Token:
        return self._tokens[self._next]

    def _take(self, kind: str, *texts: str) -> _Token | None:
        now = self._now
        if now.kind != kind or (texts and now.text not in texts):
            return None
        self._next += 1
        return now

    def _unexpected(self, wanted: str) -> ValueError:
        now = self._now
        shown = "it ends" if now.kind == "end" else f"stands '{clip(now.text, 30)}'"
        return ValueError(f"at character {now.place} {shown}, where {wanted} is needed")

    def _chain(self) -> list[Comparison]:
        left, found = self._side(), []
        while sign := self._take("sign", *_COMPARED, "="):
            right = self._side()
            found.append(self._comparison(left, sign.text if sign.text != "=" else "==", right))
            left = right
        if not found:
            raise self._unexpected("a comparison (<=, >=, <, >, ==, !=)")
        return found

    def _side(self) -> _Side:
        text = self._take("text")
        if text is not None:
            return _Side({}, text=text.text)
        terms: dict[str, float] = {}
        constant = 0.0
        sign = self._sign()
        while True:
            name, factor = self._term()
            if name is None:
                constant += sign * factor
            else:
                terms[name] = terms.get(name, 0.0) + sign * factor
            following = self._take("sign", "+", "-")
            if following is None:
                return _Side(terms, constant)
            sign = (-1.0 if following.text == "-" else 1.0) * self._sign()

    def _sign(self) -> float:
        taken = self._take("sign", "+", "-")
        return -1.0 if taken is not None and taken.text == "-" else 1.0

    def _term(self) -> tuple[str | None, float]:
        """A product of numbers and at most one parameter."""
        name, factor = self._factor()
        while sign := self._take("sign", "*", "/"):
            negative = self._sign()
            place = self._now.place
            other, value = self._factor()
            if other is not None and (name is not None or sign.text == "/"):
                what = "a product of parameters" if sign.text == "*" else "a division by a parameter"
                raise ValueError(f"has {what} at character {place}; constraints are linear")
            if sign.text == "/" and value == 0:
                raise ValueError(f"divides by 0 at character {place}")
            factor = negative * (factor * value if sign.text == "*" else factor / value)
            name = name or other
        return name, factor

    def _factor(self) -> tuple[str | None, float]:
        digits = self._take("number")
        if digits is not None:
            return None, number(digits.text)
        named = self._take("parameter")
        if named is not None:
            return named.text, 1.0
        if self._now.kind == "text":
            raise self._unknown(self._now.text)
        raise self._unexpected("a parameter or a number")

    def _unknown(self, text: str) -> ValueError:
        names = ", ".join(self._parameters)
        return ValueError(f"there is no parameter '{clip(text, 40)}'\nthe parameters are {clip(names, 200)}")

    def _comparison(self, left: _Side, sign: str, right: _Side) -> Comparison:
        if left.text is not None or right.text is not None or self._textual(left) or self._textual(right):
            return self._of_text(left, sign, right)
        terms = dict(left.terms)
        for name, factor in right.terms.items():
            terms[name] = terms.get(name, 0.0) - factor
        terms = {name: factor for name, factor in terms.items() if factor}
        constant = right.constant - left.constant
        for name in [name for name in terms if self._parameters[name].type == "fixed"]:
            constant -= terms.pop(name) * float(self._parameters[name].value)
        if not terms:
            raise ValueError("compares no parameter that varies")
        if sign in ("==", "!=") and any(self._parameters[name].type == "continuous" for name in terms):
            raise ValueError(f"'{sign}' is not for continuous parameters\nuse <= and >=")
        return Comparison(tuple(terms.items()), sign, constant)

    def _textual(self, side: _Side) -> bool:
        named = [self._parameters[name] for name in side.terms]
        return any(one.type == "categorical" or isinstance(one.value, str) for one in named)

    def _of_text(self, left: _Side, sign: str, right: _Side) -> Comparison:
        """A choice of a categorical parameter."""
        if left.text is not None:
            left, right, sign = right, left, _MIRRORED[sign]
        if left.text is not None:
            raise self._unknown(left.text)
        ((name, factor),) = left.terms.items() if len(left.terms) == 1 else ((None, 0.0),)
        if name is None or factor != 1.0 or left.constant or not self._textual(left):
            unknown = right.text
            if unknown is not None:
                raise self._unknown(unknown)
            raise ValueError("a categorical parameter stands alone: ear == left")
        parameter = self._parameters[name]
        if sign not in ("==", "!="):
            raise ValueError(f"'{name}' is categorical, so its values have no order\nuse == or !=")
        choices = parameter.choices or (parameter.value,)
        given = right.text
        if given is None and not right.terms:
            given = f"{right.constant:g}"
        if given is None or given not in choices:
            shown = given if given is not None else "a parameter"
            detail = f"'{clip(shown, 40)}' is not a value of '{name}'"
            raise ValueError(f"{detail}\none of {clip(', '.join(map(str, choices)), 200)}")
        if parameter.type == "fixed":
            raise ValueError("compares no parameter that varies")
        return Comparison(((name, 1.0),), sign, given)
