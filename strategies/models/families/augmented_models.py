"""The models with pseudo-observations or an unknown lapse rate (augmented.py): their task and posterior.

A module says which pseudo-observations it has by a function of the component and the number of dimensions,
of which `family_with` makes the family. The prior of an unknown lapse rate is e ~ Beta(2, 50), of mean 4 %.
Notation as in augmented.py.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from fechner.strategies.models.families._base import Family
from fechner.strategies.models.families.additive import layout_of
from fechner.strategies.models.families.augmented import (
    SOFTNESS,
    PseudoObservations,
    RowPosterior,
    by_lapse,
    constraints,
    likelihood,
    prior_means,
    rows_of,
    rowwise,
)
from fechner.strategies.models.fitting.latent import LatentPrior, gradients
from fechner.strategies.models.fitting.plain import Hyperparameters, from_plain, to_plain
from fechner.strategies.models.fitting.priors import classification_priors
from fechner.strategies.models.fitting.theta import Block, Evidence, Layout, LogEvidence, Parts
from fechner.strategies.models.inference import inducing
from fechner.strategies.models.inference.expectation_propagation import Sites, Start, propagate
from fechner.strategies.models.inference.settling import JITTER, restart
from fechner.strategies.models.kernels.categories import counts_of
from fechner.strategies.models.kernels.functionals import RowDifferences
from fechner.strategies.models.posteriors.settled import blank, settle_few, settle_many
from fechner.strategies.numerics.arrays import Array, Poll
from fechner.strategies.specification import Component

LAPSE_SHAPE = (2.0, 50.0)  # of the Beta prior of a lapse rate
LOG_LAPSE_RANGE = (float(np.log(1e-4)), float(np.log(0.4)))
LAPSE = "lapse"  # the name of the block, log e

#: The pseudo-observations of a component over d dimensions.
PseudoFor = Callable[[Component, int], PseudoObservations]


def lapse_block() -> Block:
    """log e."""
    a, b = LAPSE_SHAPE

    def weigh(t: Array, value: float, gradient: Array | float) -> tuple[float, Array | float]:
        log_lapse, lapse = float(t[0]), float(np.exp(t[0]))
        value += a * log_lapse + (b - 1.0) * float(np.log1p(-lapse))
        # one after the other: on their order the last bits depend
        return value, gradient + a - (b - 1.0) * lapse / (1.0 - lapse)

    return Block(LAPSE, np.log(np.array([a / (a + b)])), (LOG_LAPSE_RANGE,), weigh)


@dataclass(frozen=True)
class Augmented:
    """The task of a model with pseudo-observations.

    Attributes:
        latent: of f.
        layout: of theta.
        pseudo: beside the trials.
        floor, lapse: of the likelihood; `lapse` is None where it is fitted.
    """

    latent: LatentPrior
    layout: Layout
    pseudo: PseudoObservations
    floor: float
    lapse: float | None

    def evidence(self, x: Array, y: Array, poll: Poll | None) -> Evidence:
        return _evidence(self, x, y, poll)

    def theta(self, hyperparameters: Hyperparameters) -> Array | None:
        if len(hyperparameters["lengthscales"]) != self.latent.d:
            return None
        parts = self.latent.write(*from_plain(hyperparameters))
        if self.lapse is None:
            parts[LAPSE] = np.array([np.log(max(float(hyperparameters["lapse"]), 1e-6))])
        return self.layout.join(parts)

    def plain(self, theta: Array) -> dict[str, Any]:
        parts = self.layout.split(theta)
        covariance, mean, _ = self.latent.read(parts)
        lapse = float(np.exp(parts[LAPSE][0])) if self.lapse is None else self.lapse
        return to_plain(covariance, mean) | {"floor": self.floor, "lapse": lapse}


def _task(pseudo_for: PseudoFor, component: Component, d: int, given: Hyperparameters) -> Augmented:
    """The task of a component; the lapse rate is fitted where it says so."""
    keys, pseudo = component.keys, _pseudo(pseudo_for, component, d)
    latent = LatentPrior(classification_priors(component, d), d, counts_of(component))
    floor, lapse = float(keys.get("floor") or 0.0), keys.get("lapse")
    if lapse == "estimate":
        return Augmented(latent, Layout((*latent.blocks(), lapse_block())), pseudo, floor, None)
    return Augmented(latent, layout_of(component, latent), pseudo, floor, float(lapse or 0.0))


def _pseudo(pseudo_for: PseudoFor, component: Component, d: int) -> PseudoObservations:
    """The model's pseudo-observations and those at constraint points."""
    pseudo, keys = pseudo_for(component, d), component.keys
    points, lapse = keys.get("constraint_locations"), keys.get("lapse")
    if not points:
        return pseudo
    known = 0.0 if lapse == "estimate" else float(lapse or 0.0)
    return pseudo.joined(constraints(points, float(keys.get("floor") or 0.0), known))


def _evidence(task: Augmented, x: Array, y: Array, poll: Poll | None) -> Evidence:
    """The log evidence and its gradient; sites carry over from one evaluation to the next."""
    floor, rows = task.floor, rows_of(x, task.pseudo)
    differences = RowDifferences.of_rows(rows, SOFTNESS, task.latent.categories)
    diagonal, values = np.diag_indices(len(rows)), rows[:, -1] == 0
    left: Start | None = None

    def evaluate(parts: Parts) -> LogEvidence:
        nonlocal left
        covariance, mean, _ = task.latent.read(parts)
        lapse = float(np.exp(parts[LAPSE][0])) if task.lapse is None else task.lapse
        kernel, means = rowwise(covariance), prior_means(mean, rows)
        matrix, part = differences.matrices(kernel)
        matrix[diagonal] += JITTER * kernel.diagonal(rows)
        of = likelihood(y, floor, lapse, task.pseudo)

        def run(start: Start | None) -> Sites:
            return propagate(matrix, means, means, likelihood=of, start=start, tolerance=1e-4, poll=poll)

        start, left = left, None
        sites = restart(run, start)
        left = sites.tau, sites.nu
        out = gradients(differences.gradient(kernel, part, sites.curvature()), float(sites.weights @ values))
        if task.lapse is None:
            out[LAPSE] = by_lapse(y, floor, lapse, sites.cavity) * lapse
        return LogEvidence(sites.log_evidence, out)

    return evaluate


def _posterior(
    pseudo_for: PseudoFor,
    component: Component,
    x: Array,
    y: Array,
    hyperparameters: Hyperparameters,
    *,
    near: RowPosterior | None = None,
    poll: Poll | None = None,
) -> RowPosterior:
    """The posterior of f given inputs x (n, d), outcomes y (n,), and the pseudo-observations."""
    pseudo = _pseudo(pseudo_for, component, x.shape[1])
    plain_covariance, mean = from_plain(hyperparameters)
    covariance, rows = rowwise(plain_covariance), rows_of(x, pseudo)
    floor, lapse = float(hyperparameters["floor"]), float(hyperparameters["lapse"])
    of, means = likelihood(y, floor, lapse, pseudo), prior_means(mean, rows)
    if not len(rows):
        seen = blank(rows)
    elif len(y) > inducing.FROM:
        seen = settle_many(covariance, means, rows, of, poll)
    else:
        seen = settle_few(covariance, means, rows, of, covariance.diagonal(rows), near, poll)
    return RowPosterior(covariance, mean, **vars(seen), binary=True, floor=floor, lapse=lapse)


def family_with(name: str, pseudo_for: PseudoFor) -> Family:
    """The family of models of one name with these pseudo-observations."""
    return Family(name, partial(_task, pseudo_for), partial(_posterior, pseudo_for))
