"""The state of one strategy: plain data from which every ask, tell and query follows.

Notation: n trials with a modelled outcome, s stimuli per trial (1 or 2), d parameters that are not
fixed, m outcomes. Points are in unit space [0, 1]^d (`parameters.Space`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from fechner.strategies.numerics.arrays import Array
from fechner.strategies.space.parameters import Space, space
from fechner.strategies.specification import Specification, Stage

#: Points handed out and not yet told that an acquisition function takes into account; older ones are
#: trials that nobody will tell.
MOST_PENDING = 64

#: Outcomes that nobody told here: their points and values, by the name of the stage that they warm.
SeedData = Mapping[str, tuple[Array, Array]]


class _Store:
    """Memory shared by the successive values of one `Rows`; `used` rows are filled."""

    __slots__ = ("array", "used")

    def __init__(self, array: Array, used: int) -> None:
        self.array = array
        self.used = used


class Rows:
    """An immutable table of floats whose `append` does not copy what is there already.

    Values made by `append` share memory as long as each grows from the newest; growing from an older one
    (a branch) copies. Rows that a value shows never change.
    """

    __slots__ = ("_n", "_store")

    def __init__(self, array: Array) -> None:
        array = np.ascontiguousarray(array, dtype=np.float64)
        self._store = _Store(array, len(array))
        self._n = len(array)

    @classmethod
    def empty(cls, *shape: int) -> Rows:
        """A table without rows; each row will have `shape`."""
        return cls(np.empty((0, *shape)))

    @property
    def array(self) -> Array:
        """A read-only view, `n x shape`."""
        view = self._store.array[: self._n]
        view.flags.writeable = False
        return view

    def __len__(self) -> int:
        return self._n

    def append(self, rows: Array) -> Rows:
        """The table with `rows` (`k x shape`) after its own."""
        store, n, k = self._store, self._n, len(rows)
        if store.used != n or n + k > len(store.array):
            grown = np.empty((max(16, 2 * (n + k)), *store.array.shape[1:]))
            grown[:n] = store.array[:n]
            store = _Store(grown, n)
        store.array[n : n + k] = rows
        store.used = n + k
        result = Rows.__new__(Rows)
        result._store, result._n = store, n + k
        return result

    def __reduce__(self) -> tuple[type[Rows], tuple[Array]]:
        return Rows, (np.array(self.array),)


@dataclass(frozen=True, kw_only=True)
class State:
    """Everything that decides about the next answer of one strategy.

    Digests (digest.py) and dumps (dumps.py) go by this list: a new field is in both.

    Attributes:
        specification: the validated configuration.
        no_end: how a stage without an end was judged (`check`'s argument), so that a dump checks alike.
        seed: of the strategy; stages and generators may name their own.
        index: the strategy's number in its session.
        stage: index of the current stage.
        asked: points handed out since setup.
        stage_asked: points handed out in the current stage.
        stage_repeated: those of them that were handed out before (skipped with `again`).
        data_version: how often the modelled data changed.
        fit_version: `data_version` that the last fit saw.
        fit_asked: `asked` at the last fit.
        counts: how often each level of each binary or ordinal outcome occurred (empty for continuous ones).
        post_range: range of the predicted outcome at the last model ask, where a rule needs it.
        finish_sent: finish_strategy ended the current stage.
        hyperparameters: of the last fit, as the model left them; None before the first.
        seed_data: of earlier sessions, by stage: x `k x s x d` and y `k x m`. The stage's model sees them
            before the session's own trials; nothing counts them (seed_data.py).
        x: modelled points, `n x s x d`.
        y: their outcomes, `n x m`.
        pending: points handed out and not told, oldest first, each `s x d`.
        queue: points to hand out again before new ones (skipped with `again`), each `s x d`.
    """

    specification: Specification
    no_end: str = "error"
    seed: int
    index: int
    stage: int = 0
    asked: int = 0
    stage_asked: int = 0
    stage_repeated: int = 0
    data_version: int = 0
    fit_version: int = 0
    fit_asked: int = 0
    counts: tuple[tuple[int, ...], ...]
    post_range: float | None = None
    finish_sent: bool = False
    hyperparameters: Mapping[str, Any] | None = None
    seed_data: SeedData = field(default_factory=dict)
    x: Rows
    y: Rows
    pending: tuple[Array, ...] = ()
    queue: tuple[Array, ...] = ()
    space: Space = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        # every tell makes a state: what follows from the specification alone is made once for all of them
        made = self.specification.__dict__.get("_space")
        if made is None:
            made = space(self.specification.parameters, self.specification.constraints)
            object.__setattr__(self.specification, "_space", made)
        object.__setattr__(self, "space", made)

    @property
    def current(self) -> Stage:
        """The current stage's specification."""
        return self.specification.stages[self.stage]

    @property
    def stage_new(self) -> int:
        """Points of the current stage's generator handed out so far."""
        return self.stage_asked - self.stage_repeated

    @property
    def n(self) -> int:
        """Trials with a modelled outcome."""
        return len(self.y)

    @property
    def n_modelled(self) -> int:
        """Rows that the current stage's model can see: the session's own and its seed data."""
        seeds = self.seed_data.get(self.current.name)
        return self.n + (0 if seeds is None else len(seeds[1]))

    def modelled(self) -> tuple[Array, Array]:
        """The rows that the current stage's model sees: x `k x s x d` and y `k x m`, seed data first."""
        keep = self.current.keep_most_recent
        x, y = self.x.array, self.y.array
        seeds = self.seed_data.get(self.current.name)
        if seeds is not None and (keep is None or keep > self.n):
            x, y = np.concatenate([seeds[0], x]), np.concatenate([seeds[1], y])
        first = max(0, len(y) - keep) if keep else 0
        return x[first:], y[first:]


def initial(
    specification: Specification,
    seed: int,
    index: int = 0,
    no_end: str = "error",
    seed_data: SeedData | None = None,
) -> State:
    """The state right after setup."""
    stimuli, outcomes = specification.stimuli_per_trial, specification.outcomes
    counts = tuple((0,) * (2 if o.type == "binary" else o.n_levels) for o in outcomes)
    d = space(specification.parameters).d
    return State(
        specification=specification,
        seed=seed,
        index=index,
        x=Rows.empty(stimuli, d),
        y=Rows.empty(len(outcomes)),
        counts=counts,
        no_end=no_end,
        seed_data=seed_data or {},
    )


def tell(state: State, points: Array, outcomes: Array, asked: Iterable[Array] | None = None) -> State:
    """The state after outcomes `k x m` at points `k x s x d`.

    The points handed out for these trials leave `pending`: `asked` (each `s x d`), or `points` themselves.
    Cheap: no fit, and no copy of earlier data.
    """
    points = np.asarray(points, dtype=np.float64)
    outcomes = np.asarray(outcomes, dtype=np.float64)
    return replace(
        drop(state, points if asked is None else asked),
        x=state.x.append(points),
        y=state.y.append(outcomes),
        counts=counted(state.counts, outcomes),
        data_version=state.data_version + 1,
    )


def correct(state: State, row: int, point: Array | None, outcome: Array | None) -> State:
    """The state whose modelled row `row` has another outcome (`m`) at `point` (`s x d`), or is gone (None).

    `row` may be the number of rows: then a row that was taken out comes back, as the newest.
    """
    x, y = np.array(state.x.array), np.array(state.y.array)
    if outcome is None:
        x, y = np.delete(x, row, axis=0), np.delete(y, row, axis=0)
    elif row == len(y):
        assert point is not None
        x, y = np.concatenate([x, point[None]]), np.concatenate([y, outcome[None]])
    else:
        y[row] = outcome
    empty = tuple((0,) * len(levels) for levels in state.counts)
    return replace(state, x=Rows(x), y=Rows(y), counts=counted(empty, y), data_version=state.data_version + 1)


def counted(counts: tuple[tuple[int, ...], ...], outcomes: Array) -> tuple[tuple[int, ...], ...]:
    """`counts` with the levels of `outcomes` (`k x m`) added."""
    new = [list(levels) for levels in counts]
    for row in outcomes:
        for levels, value in zip(new, row, strict=True):
            if levels:
                levels[int(value)] += 1
    return tuple(map(tuple, new))


def drop(state: State, points: Iterable[Array]) -> State:
    """The state after `points` (each `s x d`) left `pending` without a modelled outcome."""
    pending = list(state.pending)
    for point in points:
        for i, asked in enumerate(pending):
            if np.array_equal(asked, point):
                del pending[i]
                break
    return state if len(pending) == len(state.pending) else replace(state, pending=tuple(pending))


def skip(state: State, point: Array, again: bool) -> State:
    """The state after a handed-out `point` (`s x d`) was closed without outcome; `again` queues it."""
    state = drop(state, [point])
    return replace(state, queue=(*state.queue, point)) if again else state
