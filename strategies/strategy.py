"""`Strategy`, the object for notebooks, around the pure functions over a `State`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from fechner.strategies._plain import mapped, plain, whole
from fechner.strategies.config.checking import check
from fechner.strategies.core import stopping
from fechner.strategies.core.seed_data import given
from fechner.strategies.core.sequential import advance
from fechner.strategies.core.state import State, initial, tell
from fechner.strategies.core.strategy import ask, finish
from fechner.strategies.numerics.arrays import Array
from fechner.strategies.queries.query import query
from fechner.strategies.space.outcomes import clean_outcome


class Strategy:
    """A strategy in a notebook: the pure functions around one state.

    >>> strategy = Strategy(config_text, seed=1)          # doctest: +SKIP
    >>> point = strategy.ask()                            # doctest: +SKIP
    >>> strategy.tell(point, 1)                           # doctest: +SKIP
    """

    def __init__(
        self,
        config: str | Mapping[str, Any],
        seed: int = 0,
        seed_data: Sequence[Mapping[str, Any]] | None = None,
    ) -> None:
        """Begin.

        Args:
            config: INI text or sections of keys.
            seed: of all that is random.
            seed_data: outcomes known beforehand, `[{"config": {…}, "outcome": …}, …]`. They warm the models
                of the stages with `seed_data_conditions`, or of all stages, and are no trials.

        Raises:
            FechnerError: what is wrong with the configuration, or with which of the seed data.
        """
        specification = check(config)
        seed = whole(seed, "seed", 0)
        self.state = initial(specification, seed, seed_data=given(specification, seed_data or ()))

    @classmethod
    def of(cls, state: State) -> Strategy:
        """The strategy that goes on from `state`."""
        strategy = cls.__new__(cls)
        strategy.state = state
        return strategy

    def ask(self, n: int | None = None, fixed: Mapping[str, Any] | None = None) -> Any:
        """The next point as `{name: value}`; a list of them if `n` is given."""
        count = 1 if n is None else whole(n, "n", 1)
        points, self.state = ask(self.state, count, None if fixed is None else mapped(fixed, "fixed"))
        return points if n is not None else points[0]

    def tell(self, point: Mapping[str, Any], outcome: Any) -> None:
        """Tell the outcome at a point (number, level, or `{name: value}`)."""
        specification, space = self.state.specification, self.state.space
        clean = space.validate(mapped(point, "point"), specification.stimuli_per_trial)
        values = clean_outcome(specification, plain(outcome))
        # A raw value may encode to another bit than the point that was handed out: that one counts.
        asked = (unit for unit in self.state.pending if space.close(clean, space.decode_trial(unit)))
        unit = next(asked, None)
        if unit is None:
            unit = space.encode_trial(clean, specification.stimuli_per_trial)
        self.state = tell(self.state, unit[None], np.array([list(values.values())]))

    def query(self, kind: str, **request: Any) -> dict[str, Any]:
        """Ask the model: `max`, `min`, `prediction`, `inverse`, `threshold`."""
        return query(self.state, {"query": kind, **plain(request)})

    def finish(self) -> None:
        """End the current stage."""
        self.state = finish(self.state)

    @property
    def finished(self) -> str | None:
        """The rule that finished the strategy, or None."""
        return stopping.finished(advance(self.state))

    @property
    def data(self) -> tuple[Array, Array]:
        """Modelled points `n x s x d` in unit space and outcomes `n x m`, without seed data."""
        return self.state.x.array, self.state.y.array
