"""Dumps of states: what `load` takes can be used, all else is refused with the one documented error."""

from __future__ import annotations

import io
import warnings
import zipfile

import numpy as np

from fechner.strategies.core.dumps import dump, load
from fechner.strategies.core.sequential import advance
from fechner.strategies.core.strategy import finish
from fechner.strategies.errors import ConfigError

from .harness import Harness
from .mutate import Mutator


def dumped(data: bytes) -> None:
    """A dump is a state that can be dumped again, or one of the two documented errors."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # numpy's, of old headers
            state = load(data)
    except (ValueError, ConfigError):
        return
    again = load(dump(state))
    assert again.seed == state.seed
    assert np.array_equal(again.x.array, state.x.array, equal_nan=True)
    advance(finish(state))


def inside(mutator: Mutator, data: bytes) -> bytes:
    """Mostly a change of what is in the archive, so that its checksums hold."""
    rng = mutator.rng
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            members = {name: archive.read(name) for name in archive.namelist()}
    except Exception:
        return mutator.bytes(data)
    roll = rng.random()
    if roll < 0.15 or not members:
        return mutator.bytes(data)
    name = rng.choice(list(members))
    if roll < 0.6 and "state.npy" in members:
        text = bytes(np.load(io.BytesIO(members["state.npy"])))
        text = mutator.json(text) if rng.random() < 0.85 else mutator.bytes(text)
        members["state.npy"] = _saved(np.frombuffer(text, dtype=np.uint8))
    elif roll < 0.75:
        members[name] = mutator.bytes(members[name])
    elif roll < 0.95:
        members[name] = _saved(_array(mutator))
    else:
        del members[name]
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def _array(mutator: Mutator) -> np.ndarray:
    rng = mutator.rng
    shape = tuple(rng.choice((0, 1, 2, 3)) for _ in range(rng.randrange(4)))
    kind = rng.choice((np.float64, np.float32, np.int64, np.bool_, np.complex128, "U3"))
    array = np.zeros(shape, dtype=kind)
    if kind == np.float64 and array.size and rng.random() < 0.5:
        array.flat[0] = rng.choice((np.nan, np.inf, -1.0, 2.0, 1e300))
    return array


def _saved(array: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, array)
    return buffer.getvalue()


DUMP = Harness("dump", dumped, inside)
