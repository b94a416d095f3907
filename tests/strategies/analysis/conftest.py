"""Strategies that were told something."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from fechner.strategies.config import check
from fechner.strategies.numerics.sobol import sobol
from fechner.strategies.space.parameters import Space
from fechner.strategies.strategy import Strategy


@pytest.fixture
def told() -> Callable[..., Strategy]:
    """Makes a strategy of parameters in [0, 1] (deg) and tells it the answers at Sobol points."""

    def make(
        names: list[str],
        answer: Callable[[dict[str, Any]], Any],
        *,
        n: int = 30,
        outcome: str = "binary",
        model: bool = True,
    ) -> Strategy:
        stage: dict[str, Any] = {"generator": "SobolGenerator", "min_asks": 50}
        if model:
            stage["model"] = "GPClassificationModel" if outcome == "binary" else "GPRegressionModel"
        common = {"parnames": names, "outcome_types": [outcome], "strategy_names": ["stage"]}
        parameter = {"par_type": "continuous", "lower_bound": 0, "upper_bound": 1, "unit": "deg"}
        config = {"common": common, "stage": stage, **dict.fromkeys(names, parameter)}
        strategy = Strategy(config, seed=1)
        space = Space(check(config).parameters)
        for unit in sobol(1, len(names), 0, n) if n else np.zeros((0, len(names))):
            point = space.decode(unit)
            value = answer(point)
            strategy.tell(point, int(value) if isinstance(value, bool | np.bool) else value)
        return strategy

    return make
