"""A state as bytes and back: an npz archive of arrays, with one JSON text in it, versioned.

Symbols: n modelled trials of s stimuli in d free parameters, m outcomes (state.py).
"""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from dataclasses import fields
from typing import Any

import numpy as np

from fechner.strategies.config.checking import check
from fechner.strategies.core.state import Rows, State, counted, initial
from fechner.strategies.errors import ConfigError
from fechner.strategies.numerics.arrays import Array
from fechner.strategies.specification import Specification

DUMP_VERSION = 2

#: Fields of a state that are arrays of the archive, or that follow from others.
_ARRAYS = ("x", "y", "pending", "queue")
_LEFT_OUT = ("space",)
#: Those that the JSON text has in another form.
_SHAPED = ("specification", "hyperparameters", "seed_data")
#: Those that stand in it as they are, and of these the numbers from 0 on.
_FIELDS = tuple(one.name for one in fields(State) if one.name not in (*_ARRAYS, *_LEFT_OUT, *_SHAPED))
_COUNTS = tuple(one.name for one in fields(State) if one.type == "int")


def dump(state: State) -> bytes:
    """The state as bytes (npz with one JSON text in it), versioned, readable without torch."""
    source = state.specification.source
    plain = {
        "version": DUMP_VERSION,
        "source": source if isinstance(source, str) else dict(source),
        **{name: getattr(state, name) for name in _FIELDS},
        "hyperparameters": None if state.hyperparameters is None else dict(state.hyperparameters),
        "seeded": list(state.seed_data),
    }
    text = json.dumps(plain, allow_nan=False).encode()
    buffer = io.BytesIO()
    seeds: dict[str, Any] = {}
    for i, (x, y) in enumerate(state.seed_data.values()):
        seeds |= {f"seed_x_{i}": x, f"seed_y_{i}": y}
    np.savez(
        buffer,
        state=np.frombuffer(text, dtype=np.uint8),
        x=state.x.array,
        y=state.y.array,
        pending=_stacked(state.pending, state),
        queue=_stacked(state.queue, state),
        **seeds,
    )
    return buffer.getvalue()


def _stacked(points: tuple[Array, ...], state: State) -> Array:
    return np.array(points).reshape(len(points), *state.x.array.shape[1:])


def load(data: bytes) -> State:
    """The state that `dump` wrote.

    Raises:
        ValueError: not a dump, a damaged one, or one of a newer version.
        ConfigError: its configuration can't be used here (an extension is gone, say).
    """
    try:
        with np.load(io.BytesIO(data), allow_pickle=False) as archive:
            arrays = dict(archive)
        plain = json.loads(arrays.pop("state").tobytes())
        json.dumps(plain, allow_nan=False)  # 1e999 is read as infinity
        version = plain.pop("version")
        if type(version) is not int or version < 1:
            raise ValueError("no version")
        newer = version > DUMP_VERSION
        state = None if newer else _state(plain, arrays)
    except ConfigError:
        raise
    except Exception as error:
        raise ValueError(f"not the dump of a state: {error}") from error
    if state is None:
        raise ValueError("this dump was written by a newer version of Fechner; upgrade to read it")
    return state


def _state(plain: dict[str, Any], arrays: dict[str, Array]) -> State:
    """The state of what was dumped; raises whatever shows that it doesn't fit together."""
    no_end = plain.pop("no_end")
    _require(no_end in ("error", "warning"), "no_end")
    specification = check(plain.pop("source"), no_end=no_end)
    empty = initial(specification, 0)
    stages = [stage.name for stage in specification.stages]
    point, outcomes = empty.x.array.shape[1:], empty.y.array.shape[1:]
    x, y = _rows(arrays, "x", point), _rows(arrays, "y", outcomes, len(arrays["x"]))
    seed_data = {}
    for i, stage in enumerate(plain.pop("seeded", [])):
        _require(stage in stages, "seeded")
        seeds = _rows(arrays, f"seed_x_{i}", point)
        seed_data[stage] = seeds, _rows(arrays, f"seed_y_{i}", outcomes, len(seeds))
    for name in _COUNTS:
        _require(type(plain[name]) is int and 0 <= plain[name] < 2**63, name)
    _require(plain["stage"] < len(stages), "stage")
    _require(type(plain["finish_sent"]) is bool, "finish_sent")
    left, post_range = plain["hyperparameters"], plain["post_range"]
    _require(left is None or isinstance(left, Mapping), "hyperparameters")
    _require(post_range is None or (type(post_range) in (int, float) and post_range >= 0), "post_range")
    _levels(specification, y)
    counts = counted(empty.counts, y)
    _require([list(levels) for levels in counts] == plain.pop("counts"), "counts")
    return State(
        specification=specification,
        no_end=no_end,
        x=Rows(x),
        y=Rows(y),
        pending=tuple(_rows(arrays, "pending", point)),
        queue=tuple(_rows(arrays, "queue", point)),
        counts=counts,
        seed_data=seed_data,
        **plain,
    )


def _levels(specification: Specification, y: Array) -> None:
    """Outcomes with levels have whole ones that there are."""
    for column, outcome in zip(y.T, specification.outcomes, strict=True):
        levels = 2 if outcome.type == "binary" else outcome.n_levels
        _require(not levels or bool(np.isin(column, range(levels)).all()), "y")


def _rows(arrays: dict[str, Array], name: str, shape: tuple[int, ...], n: int | None = None) -> Array:
    """A table of finite numbers whose rows have this shape, and of which there are `n`."""
    array = arrays[name]
    _require(array.dtype == np.float64 and array.shape[1:] == shape and array.ndim == 1 + len(shape), name)
    _require((n is None or len(array) == n) and bool(np.isfinite(array).all()), name)
    return array


def _require(holds: bool, what: str) -> None:
    if not holds:
        raise ValueError(f"its {what} is damaged")
