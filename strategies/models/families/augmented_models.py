"""The models with pseudo-observations or an unknown lapse rate (augmented.py): fit, posterior and the rest.

A module says which pseudo-observations it has by a function of the component and the number of dimensions,
binds it, and so has what models have (modules.py). Notation as in augmented.py.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from fechner.strategies.models.families.additive import layout_of
from fechner.strategies.models.families.augmented import (
    Problem,
    PseudoObservations,
    RowEvidence,
    RowPosterior,
    WithLapse,
    constraints,
    likelihood,
    prior_means,
    rows_of,
    rowwise,
)
from fechner.strategies.models.families.gp_classification import FIT_LIMIT, JITTER, from_plain, to_plain
from fechner.strategies.models.fitting.fitting import maximise
from fechner.strategies.models.fitting.priors import classification_priors
from fechner.strategies.models.fitting.theta import Evidence, Layout
from fechner.strategies.models.inference import inducing
from fechner.strategies.models.inference.expectation_propagation import NEAR, propagate
from fechner.strategies.models.kernels.categories import counts_of
from fechner.strategies.models.posteriors.posterior import Posterior, factorise
from fechner.strategies.numerics.arrays import Array, Poll
from fechner.strategies.specification import Component

ProblemFor = Callable[[Component, int], Problem]


def problem_of(name: str, component: Component, d: int, pseudo: PseudoObservations) -> Problem:
    """The problem of a component; the lapse rate is fitted where it says so."""
    priors, lapse = classification_priors(component, d), component.keys.get("lapse")
    floor = float(component.keys.get("floor") or 0.0)
    points = component.keys.get("constraint_locations")
    if points:
        given = 0.0 if lapse == "estimate" else float(lapse or 0.0)
        pseudo = pseudo.joined(constraints(points, floor, given))
    if lapse == "estimate":
        return Problem(name, WithLapse(priors, d, categories=counts_of(component)), pseudo, floor, None)
    return Problem(name, layout_of(component, d), pseudo, floor, float(lapse or 0.0))


def fit(
    problem_for: ProblemFor,
    component: Component,
    x: Array,
    y: Array,
    start: Mapping[str, Any] | None = None,
    *,
    poll: Poll | None = None,
) -> dict[str, Any]:
    """Hyperparameters for inputs x (n, d) in unit space and outcomes y (n,) in {0, 1}, as plain data."""
    problem = problem_for(component, x.shape[1])
    layout = problem.layout
    theta, search = layout.typical(), {}
    warm = packed(problem, start)
    if len(y):
        chosen = inducing.thinned(len(y), FIT_LIMIT)
        evidence = RowEvidence(problem, x[chosen], y[chosen], poll)
        found = maximise(layout, evidence, warm, start, component.keys, len(chosen))
        theta, search = found.theta, found.fields(warm is not None)
    said = {"model": problem.name, "floor": problem.floor, "lapse": problem.lapse}
    return plain(layout, theta, said) | search


def problem(
    problem_for: ProblemFor,
    component: Component,
    x: Array,
    y: Array,
    hyperparameters: Mapping[str, Any],
    poll: Poll | None = None,
) -> tuple[Layout, Evidence, Array]:
    """The layout of theta, the evidence as a function of it, and the theta of `hyperparameters`."""
    found = problem_for(component, x.shape[1])
    theta = packed(found, hyperparameters)
    if theta is None:
        text = f"the hyperparameters are not those of a {found.name} in {found.layout.d} dimensions"
        raise ValueError(text)
    return found.layout, RowEvidence(found, x, y, poll), theta


def plain(layout: Layout, theta: Array, hyperparameters: Mapping[str, Any]) -> dict[str, Any]:
    """Hyperparameters at theta; model, guess rate and a lapse rate that is not fitted as in the others."""
    covariance, mean, _ = layout.unpack(theta)
    lapse = float(np.exp(theta[-1])) if isinstance(layout, WithLapse) else hyperparameters["lapse"]
    kept = {"floor": hyperparameters["floor"], "lapse": lapse}
    return to_plain(hyperparameters["model"], covariance, mean) | kept


def packed(problem: Problem, start: Mapping[str, Any] | None) -> Array | None:
    """theta of an earlier fit of the same model and dimension, else None."""
    layout = problem.layout
    if start is None or start.get("model") != problem.name or len(start["lengthscales"]) != layout.d:
        return None
    covariance, mean = from_plain(start)
    if problem.lapse is None:
        short = Layout(layout.priors, layout.d, categories=layout.categories).pack(covariance, mean, 0.0)
        return layout.inside(np.append(short, np.log(max(float(start["lapse"]), 1e-6))))
    return layout.pack(covariance, mean, 0.0)


def posterior(
    problem_for: ProblemFor,
    component: Component,
    x: Array,
    y: Array,
    hyperparameters: Mapping[str, Any],
    *,
    near: Posterior | None = None,
    poll: Poll | None = None,
) -> Posterior:
    """The posterior of f given inputs x (n, d), outcomes y (n,), and the pseudo-observations."""
    pseudo = problem_for(component, x.shape[1]).pseudo
    plain_covariance, mean = from_plain(hyperparameters)
    covariance = rowwise(plain_covariance)
    floor, lapse = float(hyperparameters["floor"]), float(hyperparameters["lapse"])
    rows = rows_of(x, pseudo)
    of = likelihood(y, floor, lapse, pseudo)
    empty = np.zeros(0)
    blank = RowPosterior(covariance, mean, rows[:0], empty, np.zeros((0, 0)), empty, True, floor, lapse)
    if not len(rows):
        return blank
    means = prior_means(mean, rows)
    if len(y) > inducing.FROM:
        seen = inducing.places(covariance, rows)
        sites = propagate(
            None, means, means, root=seen.features, residual=seen.residual, likelihood=of, tolerance=1e-4,
            poll=poll,
        )  # fmt: skip
        factor, weights = inducing.condensed(seen, sites.tau, sites.nu)
        root = np.ones(len(seen.z))
        return replace(
            blank, x=seen.z, root=root, factor=factor, weights=weights, log_evidence=sites.log_evidence
        )
    matrix, diagonal = covariance(rows, rows), covariance.diagonal(rows)
    start = None if near is None else near.sites()
    tolerance = 1e-5 if near is None else NEAR
    error: np.linalg.LinAlgError | None = None
    for jitter in (JITTER, 1e-6, 1e-4):
        prior = matrix + jitter * np.diag(diagonal)
        try:
            sites = propagate(prior, means, means, likelihood=of, start=start, tolerance=tolerance, poll=poll)
        except np.linalg.LinAlgError as fault:
            error, start = fault, None
            continue
        root = np.sqrt(sites.tau)
        return replace(
            blank,
            x=rows,
            root=root,
            factor=factorise(prior, root),
            weights=sites.weights,
            log_evidence=sites.log_evidence,
        )
    raise np.linalg.LinAlgError(str(error))
