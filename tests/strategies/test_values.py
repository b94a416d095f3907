"""Texts to values: lists, numbers, truth values."""

from __future__ import annotations

import re
from typing import Any

import pytest

from fechner.strategies import values


@pytest.mark.parametrize(
    ("text", "items"),
    [
        ("[a, b]", ["a", "b"]),
        ("[a, b,]", ["a", "b"]),
        ("a", ["a"]),
        ("a word", ["a word"]),
        ("[]", []),
        ("['x, y', \"it's\"]", ["x, y", "it's"]),
        ("[don't, b]", ["don't", "b"]),
        ("[a,\nb]", ["a", "b"]),
        ('"a, b"', ["a, b"]),
    ],
)
def test_lists(text: str, items: list[str]):
    """Trailing commas, bare words and quoted items are fine."""
    assert values.texts(text) == items


def test_nested_lists():
    """Lists of points keep their shape."""
    assert values.nested("[[1, 2], [3, [4]],]") == [["1", "2"], ["3", ["4"]]]


@pytest.mark.parametrize(
    ("text", "detail"),
    [
        ("[a, b", "isn't closed"),
        ("[a,, b]", "empty item"),
        ("[a] b", "after the list"),
        ("[[a] b]", "no comma before 'b'"),
        ("[a]]", "after the list"),
        ("a, b", "needs brackets: [a, b]"),
        ("[[a]]", "without lists in it"),
        ("[" * 20 + "]" * 20, "deep"),
        ("['a]", "unreadable"),
    ],
)
def test_broken_lists(text: str, detail: str):
    """A broken list says what is wrong with it."""
    with pytest.raises(ValueError, match=re.escape(detail)):
        values.texts(text)


@pytest.mark.parametrize(("text", "number"), [("1", 1.0), ("-.5", -0.5), ("+3.", 3.0), (" 1e3 ", 1000.0)])
def test_numbers(text: str, number: float):
    """Numbers in the usual spellings."""
    assert values.number(text) == number


@pytest.mark.parametrize(
    "text", ["", "nan", "inf", "1e999", "1_000", "0x1", "１", "1,5", "--1", "9" * 2000, "1 2"]
)
def test_what_is_no_number(text: str):
    """Neither infinite nor odd spellings pass."""
    with pytest.raises(ValueError, match="number"):
        values.number(text)


@pytest.mark.parametrize("text", ["1.5", "1e16", "nan", "x", "-9007199254740994"])
def test_what_is_no_whole_number(text: str):
    """Fractions, and what arithmetic can't hold exactly, are refused."""
    with pytest.raises(ValueError, match="whole number"):
        values.whole(text)


@pytest.mark.parametrize(("text", "value"), [("0", 0), ("9223372036854775807", 2**63 - 1)])
def test_seeds(text: str, value: int):
    """Seeds are exact up to 2^63 - 1."""
    assert values.seed(text) == value


@pytest.mark.parametrize("text", ["-1", "1.0", "9223372036854775808", "9" * 5000])
def test_what_is_no_seed(text: str):
    """Anything else is refused."""
    with pytest.raises(ValueError, match="whole number"):
        values.seed(text)


@pytest.mark.parametrize(("text", "value"), [("Yes", True), ("on", True), ("0", False), ("False", False)])
def test_truth_values(text: str, value: Any):
    """configparser's spellings of True and False."""
    assert values.truth(text) is value
    with pytest.raises(ValueError, match="True or False"):
        values.truth(text + "x")


@pytest.mark.parametrize(
    ("number", "text"),
    [(0.3, "0.3"), (3.0, "3"), (12_345_678, "12345678"), (0.500000001, "0.500000001"), (1e-9, "1e-09")],
)
def test_numbers_are_written_with_the_digits_that_they_need(number: float, text: str):
    """Whole ones without a point, others as short as they can be."""
    assert values.written(number) == text
