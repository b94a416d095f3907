"""What a family of models is: fitting its hyperparameters, its posterior, its form for botorch.

A family's module says what is its own: its `Task` (which blocks of hyperparameters there are, their evidence,
how they go on record) and the posterior; `Family` is what all have in common.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from typing import Any, Protocol

import numpy as np

from fechner.strategies.models.fitting import plain
from fechner.strategies.models.fitting.fitting import maximise
from fechner.strategies.models.fitting.plain import Hyperparameters
from fechner.strategies.models.fitting.theta import Evidence, Layout
from fechner.strategies.models.inference import inducing
from fechner.strategies.numerics.arrays import Array, Poll
from fechner.strategies.specification import Component

GAUSSIAN = "fechner.strategies.models.torch.botorch_model:GaussianModel"


class Model(Protocol):
    """What asks and queries need of a model, ours or a plug-in's."""

    def fit(
        self,
        component: Component,
        x: Array,
        y: Array,
        start: Hyperparameters | None = None,
        *,
        poll: Poll | None = None,
    ) -> dict[str, Any]:
        """Hyperparameters for inputs x and outcomes y, as plain data; `start` is an earlier fit's."""

    def posterior(
        self,
        component: Component,
        x: Array,
        y: Array,
        hyperparameters: Hyperparameters,
        *,
        poll: Poll | None = None,
    ) -> Any:
        """The posterior of f given x, y and `hyperparameters`."""

    def condition(self, component: Component, x: Array, y: Array, hyperparameters: Hyperparameters) -> Any:
        """That posterior as a botorch model; imports torch."""


class Task(Protocol):
    """What there is to fit: the hyperparameters of one model of so many dimensions."""

    @property
    def layout(self) -> Layout:
        """Of theta."""

    def evidence(self, x: Array, y: Array, poll: Poll | None) -> Evidence:
        """The log evidence of outcomes as a function of theta's blocks.

        What one evaluation found carries over to the next; the first begins from nothing, so that a fit
        depends on its arguments alone.
        """

    def theta(self, hyperparameters: Hyperparameters) -> Array | None:
        """theta of hyperparameters of this family; None where they are not of this layout."""

    def plain(self, theta: Array) -> dict[str, Any]:
        """The inverse of `theta`, but for the model's name."""


class MakesTask(Protocol):
    """Makes the task of a component over d dimensions; `given` holds what is not fitted."""

    def __call__(self, component: Component, d: int, given: Hyperparameters, /) -> Task: ...


class Given(Protocol):
    """What of the hyperparameters is not fitted, of a component, inputs x and outcomes y."""

    def __call__(self, component: Component, x: Array, y: Array, /) -> Hyperparameters: ...


class GivesPosterior(Protocol):
    """Computes a posterior.

    `near` is a posterior of the same data at other hyperparameters, whose sites are a good beginning.
    """

    def __call__(
        self,
        component: Component,
        x: Array,
        y: Array,
        hyperparameters: Hyperparameters,
        *,
        near: Any = None,
        poll: Poll | None = None,
    ) -> Any: ...


def give_nothing(component: Component, x: Array, y: Array) -> Hyperparameters:
    """Where all hyperparameters are fitted."""
    return {}


@dataclass(frozen=True)
class Family:
    """Models of one name.

    Attributes:
        name: of the model, as configurations and hyperparameters have it.
        task: what is fitted.
        posterior: of f given inputs, outcomes and hyperparameters.
        given: what of the hyperparameters is not fitted.
        most: trials that a fit looks at, evenly spread over the session; `plain.FIT_LIMIT` if None.
        botorch: the class of its botorch model, made of the posterior and y, as ``"module:class"``.
    """

    name: str
    task: MakesTask
    posterior: GivesPosterior
    given: Given = give_nothing
    most: int | None = None
    botorch: str = GAUSSIAN

    def fit(
        self,
        component: Component,
        x: Array,
        y: Array,
        start: Hyperparameters | None = None,
        *,
        poll: Poll | None = None,
    ) -> dict[str, Any]:
        """Hyperparameters for inputs x (n, d), or pairs (n, 2, d), in unit space and outcomes y (n,)."""
        task = self.task(component, x.shape[-1], self.given(component, x, y))
        theta, search = task.layout.typical(), {}
        warm = self._recall(task, start)
        if len(y):
            chosen = inducing.thinned(len(y), plain.FIT_LIMIT if self.most is None else self.most)
            evidence = task.evidence(x[chosen], y[chosen], poll)
            found = maximise(task.layout, evidence, warm, start, component.keys, len(chosen))
            theta, search = found.theta, found.fields(warm is not None)
        return self.plain(task, theta) | search

    def plain(self, task: Task, theta: Array) -> dict[str, Any]:
        """Hyperparameters at a theta of a task."""
        return {"model": self.name, **task.plain(theta)}

    def problem(
        self,
        component: Component,
        x: Array,
        y: Array,
        hyperparameters: Hyperparameters,
        poll: Poll | None = None,
    ) -> tuple[Task, Evidence, Array]:
        """The task, its evidence, and the theta of `hyperparameters`.

        Raises:
            ValueError: they are another model's.
        """
        task = self.task(component, x.shape[-1], hyperparameters)
        theta = self._recall(task, hyperparameters)
        if theta is None:
            raise ValueError(foreign(self.name, f"in {x.shape[-1]} dimensions"))
        return task, task.evidence(x, y, poll), theta

    def condition(self, component: Component, x: Array, y: Array, hyperparameters: Hyperparameters) -> Any:
        """The posterior as a botorch model; imports torch."""
        return as_botorch(self.botorch, self.posterior(component, x, y, hyperparameters), y)

    def _recall(self, task: Task, start: Hyperparameters | None) -> Array | None:
        """theta of an earlier fit of the same model and dimension, else None."""
        return None if start is None or start.get("model") != self.name else task.theta(start)


def foreign(name: str, which: str) -> str:
    """What to say of hyperparameters that are no model's of this name."""
    return f"the hyperparameters are not those of a {name} {which}"


def as_botorch(name: str, posterior: Any, y: Array) -> Any:
    """The botorch model ``"module:class"`` of a posterior and outcomes y (n,)."""
    module, _, attribute = name.partition(":")
    return getattr(import_module(module), attribute)(posterior, np.asarray(y))
