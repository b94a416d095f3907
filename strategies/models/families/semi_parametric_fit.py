"""Fitting the semi-parametric models: what both have in common, whatever approximates their evidence.

Each module has its own name, evidence and posterior; of them `family_with` makes the family.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from fechner.strategies.models.families._base import Family, GivesPosterior
from fechner.strategies.models.families.semi_parametric_layout import (
    PairPrior,
    from_plain,
    given,
    prior_of,
    to_plain,
)
from fechner.strategies.models.fitting.plain import Hyperparameters
from fechner.strategies.models.fitting.theta import Evidence, Layout
from fechner.strategies.numerics.arrays import Array, Poll
from fechner.strategies.specification import Component


@dataclass(frozen=True)
class PairTask:
    """The task of a semi-parametric model.

    Attributes:
        prior: of offset and slope.
        layout: of theta.
        said: the hyperparameters that are not fitted.
        approximated: makes the evidence.
    """

    prior: PairPrior
    layout: Layout
    said: Hyperparameters
    approximated: MakesEvidence

    def evidence(self, x: Array, y: Array, poll: Poll | None) -> Evidence:
        return self.approximated(self.prior, x, y, self.said, poll)

    def theta(self, hyperparameters: Hyperparameters) -> Array | None:
        if len(hyperparameters["offset"]["lengthscales"]) != self.prior.d - 1:
            return None
        return self.layout.join(self.prior.write(from_plain(hyperparameters)))

    def plain(self, theta: Array) -> dict[str, Any]:
        return to_plain(self.prior.read(self.layout.split(theta)), self.said)


#: Makes the evidence of a prior, inputs, outcomes and what is given beside theta.
MakesEvidence = Callable[[PairPrior, Array, Array, Hyperparameters, Poll | None], Evidence]


def _task(evidence: MakesEvidence, component: Component, d: int, said: Hyperparameters) -> PairTask:
    prior = prior_of(said, d)
    return PairTask(prior, prior.layout(), said, evidence)


def _given(component: Component, x: Array, y: Array) -> Hyperparameters:
    return given(component, x.shape[1])


def family_with(
    name: str, evidence: MakesEvidence, posterior: GivesPosterior, most: int | None = None
) -> Family:
    """The family of models of one name with this approximation of the evidence and of the posterior."""
    torch = "fechner.strategies.models.torch.semi_parametric_botorch:SemiParametricModel"
    return Family(name, partial(_task, evidence), posterior, _given, most, torch)
