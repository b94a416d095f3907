"""What the conformance tests share: data that somebody could have told, and what may not change."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from fechner.strategies.numerics.arrays import Array, Poll
from fechner.strategies.numerics.randomness import rng
from fechner.strategies.numerics.sobol import sobol
from fechner.strategies.plugins.declare import Plugin
from fechner.strategies.plugins.resolve import component
from fechner.strategies.specification import Component

LEVELS = 5


class NonconformingError(AssertionError):
    """A class doesn't do what every one of its kind must."""


class Stop(BaseException):
    """Raised by a `poll` that wants a computation to end; nothing may catch it."""


def require(holds: bool, name: str, text: str) -> None:
    """Raise `NonconformingError` unless something holds."""
    if not holds:
        raise NonconformingError(f"{name}: {text}")


def as_component(given: Plugin | Component) -> Component:
    """A plug-in with its keys at their defaults, or the component itself."""
    return component(given) if isinstance(given, Plugin) else given


def data(outcomes: tuple[str, ...], n: int, stimuli: int, d: int, seed: int) -> tuple[Array, Array]:
    """n trials of somebody who prefers large coordinates: x (n, s, d) in unit space and y (n, m)."""
    x = sobol(seed, stimuli * d, 0, n).reshape(n, stimuli, d)
    height = 4.0 * (x.mean(axis=2) - 0.5)
    height = height[:, -1] - (height[:, 0] if stimuli == 2 else 0.0)
    noisy = height + 0.5 * rng(seed, "noise").standard_normal(n)
    columns = {
        "binary": (noisy > 0).astype(np.float64),
        "continuous": 10.0 + 3.0 * noisy,
        "ordinal": np.clip(np.round(noisy + (LEVELS - 1) / 2), 0, LEVELS - 1),
    }
    return x, np.stack([columns[kind] for kind in outcomes], axis=1)


def round_trip(value: Any, name: str, what: str) -> Any:
    """A value through JSON and back, which must leave it as it is."""
    try:
        again = json.loads(json.dumps(value, allow_nan=False))
    except (TypeError, ValueError) as error:
        raise NonconformingError(f"{name}: {what} is no finite plain data: {error}") from error
    require(again == value, name, f"{what} is another one after JSON and back")
    return again


@contextmanager
def untouched(name: str, *arrays: Array) -> Iterator[None]:
    """Neither arguments nor global random numbers are changed within."""
    before = [np.array(array) for array in arrays]
    drawn = str(np.random.get_state()), random.getstate()
    yield
    require(
        (str(np.random.get_state()), random.getstate()) == drawn,
        name,
        "draws from a global random generator; take a seed and fechner.strategies.numerics.randomness.rng",
    )
    for array, copy in zip(arrays, before, strict=True):
        require(np.array_equal(array, copy), name, "changes an array that it was given")


def polls(name: str, compute: Callable[[Poll], Any], required: bool) -> None:
    """`poll` is called (if `required`), and what it raises ends the computation."""
    calls = 0

    def count() -> None:
        nonlocal calls
        calls += 1

    compute(count)
    require(calls > 0 or not required, name, "never calls poll: nobody could cancel it")
    if not calls:
        return
    for last in {1, (calls + 1) // 2, calls}:
        left = last

        def stop() -> None:
            nonlocal left
            left -= 1
            if left == 0:
                raise Stop

        try:
            compute(stop)
        except Stop:
            continue
        # where something is kept, fewer calls may be needed the second time
        require(left > 0, name, "goes on after poll raised")
