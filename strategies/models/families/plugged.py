"""A plug-in's model in the form of our own families: `fit` and `posterior`, checked."""

from __future__ import annotations

import json
from typing import Any

from fechner.strategies.errors import FechnerError
from fechner.strategies.models.families._base import GAUSSIAN, as_botorch
from fechner.strategies.models.fitting.plain import Hyperparameters
from fechner.strategies.models.posteriors.posterior import Posterior
from fechner.strategies.numerics.arrays import Array, Poll
from fechner.strategies.plugins.resolve import function
from fechner.strategies.specification import Component


class Plugged:
    """What computes a plug-in's model."""

    def __init__(self, component: Component) -> None:
        self.name = component.name
        self._fit, self._posterior = function(component, "fit"), function(component, "posterior")

    def fit(
        self,
        component: Component,
        x: Array,
        y: Array,
        start: Hyperparameters | None = None,
        *,
        poll: Poll | None = None,
    ) -> dict[str, Any]:
        """Hyperparameters for inputs x (n, d) and outcomes y (n,), named after the model.

        Raises:
            FechnerError: bad_config: they can't go on record.
        """
        left = start if start is not None and start.get("model") == component.name else None
        given = self._fit(component, x, y, left, poll=poll)
        try:
            out = {**given, "model": component.name}
            json.dumps(out, allow_nan=False)
        except (TypeError, ValueError) as error:
            detail = f"the model {component.name} gave hyperparameters that are no finite plain data: {error}"
            raise FechnerError("bad_config", detail, hint="mend the plug-in") from error
        return out

    def posterior(
        self,
        component: Component,
        x: Array,
        y: Array,
        hyperparameters: Hyperparameters,
        *,
        poll: Poll | None = None,
    ) -> Posterior:
        """The posterior of f.

        Raises:
            FechnerError: bad_config: it is none.
        """
        found = self._posterior(component, x, y, hyperparameters, poll=poll)
        if not isinstance(found, Posterior):
            detail = f"the model {component.name} gave a {type(found).__name__}, no Posterior"
            raise FechnerError("bad_config", detail, hint="mend the plug-in")
        return found

    def condition(self, component: Component, x: Array, y: Array, hyperparameters: Hyperparameters) -> Any:
        """The posterior as a botorch model; imports torch."""
        return as_botorch(GAUSSIAN, self.posterior(component, x, y, hyperparameters), y)
