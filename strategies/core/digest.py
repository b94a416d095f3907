"""The digest of a state and an ask's arguments, by which an answer computed ahead is known again."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import fields
from hashlib import blake2b
from operator import attrgetter
from typing import Any

import numpy as np

from fechner.strategies.core.state import Rows, State
from fechner.strategies.numerics.arrays import Array
from fechner.strategies.specification import Specification

#: Fields of a state that follow from others.
LEFT_OUT = frozenset({"space"})

_VALUES = attrgetter(*(one.name for one in fields(State) if one.name not in LEFT_OUT))


def digest(arguments: tuple[State, int, Mapping[str, Any]]) -> bytes:
    """Of what `propose` is given, a state, n and fixed values: equal digests, equal answers."""
    state, n, fixed = arguments
    arrays: list[Array] = []

    def plain(value: Any) -> Any:
        if isinstance(value, Rows):
            value = value.array
        if isinstance(value, np.ndarray):
            arrays.append(value)
            return value.shape
        if isinstance(value, Specification):
            return _source(value)
        return dict(value) if isinstance(value, Mapping) else float(value)

    text = json.dumps((*_VALUES(state), n, fixed), sort_keys=True, default=plain)
    hashed = blake2b(text.encode(), digest_size=32)
    for array in arrays:
        hashed.update(array.tobytes())
    return hashed.digest()


def _source(specification: Specification) -> str:
    """What a specification was made from, as a short text; found once for each."""
    known: str | None = specification.__dict__.get("_source")
    if known is None:
        from_ = [specification.source, [one.sha256 for one in specification.extensions]]
        text = json.dumps(from_, sort_keys=True, default=dict)
        known = blake2b(text.encode(), digest_size=32).hexdigest()
        object.__setattr__(specification, "_source", known)
    return known
