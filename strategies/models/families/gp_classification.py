"""Binary outcomes: y ~ Bernoulli(g + (1 - g - e) Phi(f(x))), f a Gaussian process.

Hyperparameters maximise the evidence of expectation propagation times their priors (Rasmussen & Williams
2006, sections 3.6 and 5.5.2); g is the guess rate (`floor`), e the lapse rate. See priors.py, covariance.py
and inference/expectation_propagation.py for the symbols.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from fechner.strategies.models.families.additive import layout_of
from fechner.strategies.models.fitting.fitting import maximise
from fechner.strategies.models.fitting.theta import Evidence, Layout
from fechner.strategies.models.inference import inducing
from fechner.strategies.models.inference.expectation_propagation import NEAR, propagate
from fechner.strategies.models.inference.inducing import thinned
from fechner.strategies.models.kernels.combined_kernels import from_plain as from_plain_kernel
from fechner.strategies.models.kernels.covariance import Covariance
from fechner.strategies.models.kernels.kernel_covariance import KernelCovariance, differences_of
from fechner.strategies.models.posteriors.posterior import Posterior, factorise
from fechner.strategies.numerics.arrays import Array, Poll
from fechner.strategies.specification import Component

NAME = "GPClassificationModel"
JITTER = 1e-8
FIT_LIMIT = 600  # beyond it hyperparameters are fitted to some of the trials; the posterior sees all


def rates(keys: Mapping[str, Any]) -> tuple[float, float]:
    """Guess and lapse rate of the likelihood."""
    return float(keys.get("floor") or 0.0), float(keys.get("lapse") or 0.0)


def fit(
    component: Component,
    x: Array,
    y: Array,
    start: Mapping[str, Any] | None = None,
    *,
    poll: Poll | None = None,
) -> dict[str, Any]:
    """Hyperparameters for inputs x (n, d) in unit space and outcomes y (n,) in {0, 1}, as plain data."""
    d = x.shape[1]
    floor, lapse = rates(component.keys)
    layout = layout_of(component, d)
    theta, search = layout.typical(), {}
    warm = _pack(layout, start)
    if len(y):
        chosen = thinned(len(y), FIT_LIMIT)
        evidence = _evidence(layout, x[chosen], y[chosen], floor, lapse, poll)
        found = maximise(layout, evidence, warm, start, component.keys, len(chosen))
        theta, search = found.theta, found.fields(warm is not None)
    covariance, mean, _ = layout.unpack(theta)
    out = to_plain(NAME, covariance, mean)
    out |= {"floor": floor, "lapse": lapse}
    return out | search


def problem(
    component: Component,
    x: Array,
    y: Array,
    hyperparameters: Mapping[str, Any],
    poll: Poll | None = None,
) -> tuple[Layout, Evidence, Array]:
    """The layout of theta, the evidence as a function of it, and the theta of `hyperparameters`."""
    layout = layout_of(component, x.shape[1])
    theta = _pack(layout, hyperparameters)
    if theta is None:
        raise ValueError(f"the hyperparameters are not those of a {NAME} in {layout.d} dimensions")
    return layout, _evidence(layout, x, y, *rates(hyperparameters), poll), theta


def plain(layout: Layout, theta: Array, hyperparameters: Mapping[str, Any]) -> dict[str, Any]:
    """Hyperparameters at another theta of the same `problem`."""
    covariance, mean, _ = layout.unpack(theta)
    kept = {name: hyperparameters[name] for name in ("floor", "lapse")}
    return to_plain(NAME, covariance, mean) | kept


def posterior(
    component: Component,
    x: Array,
    y: Array,
    hyperparameters: Mapping[str, Any],
    *,
    near: Posterior | None = None,
    poll: Poll | None = None,
) -> Posterior:
    """The posterior of f given inputs x (n, d), outcomes y (n,) and `hyperparameters`.

    `near` is a posterior of the same data at other hyperparameters, whose sites are a good beginning.
    """
    covariance, mean = from_plain(hyperparameters)
    floor, lapse = rates(hyperparameters)
    if not len(y):
        return Posterior(covariance, mean, x, np.zeros(0), np.zeros((0, 0)), np.zeros(0), True, floor, lapse)
    if len(y) > inducing.FROM:
        return _through_places(covariance, mean, x, y, floor, lapse, poll)
    matrix = covariance(x, x)
    start = None if near is None else near.sites()
    tolerance = 1e-5 if near is None else NEAR
    error: np.linalg.LinAlgError | None = None
    for jitter in (JITTER, 1e-6, 1e-4):
        prior = matrix + jitter * covariance.variance * np.eye(len(y))
        try:
            sites = propagate(
                prior, mean, y, floor=floor, lapse=lapse, start=start, tolerance=tolerance, poll=poll
            )
        except np.linalg.LinAlgError as fault:
            error, start = fault, None
            continue
        root = np.sqrt(sites.tau)
        return Posterior(
            covariance,
            mean,
            x,
            root,
            factorise(prior, root),
            sites.weights,
            True,
            floor,
            lapse,
            log_evidence=sites.log_evidence,
        )
    raise np.linalg.LinAlgError(str(error))


def _through_places(
    covariance: Covariance,
    mean: float,
    x: Array,
    y: Array,
    floor: float,
    lapse: float,
    poll: Poll | None,
) -> Posterior:
    """The posterior of many trials."""
    seen = inducing.places(covariance, x)
    sites = propagate(
        None,
        mean,
        y,
        root=seen.features,
        residual=seen.residual,
        floor=floor,
        lapse=lapse,
        tolerance=1e-4,
        poll=poll,
    )
    factor, weights = inducing.condensed(seen, sites.tau, sites.nu)
    root = np.ones(len(seen.z))
    evidence = sites.log_evidence
    return Posterior(
        covariance, mean, seen.z, root, factor, weights, True, floor, lapse, log_evidence=evidence
    )


def _evidence(layout: Layout, x: Array, y: Array, floor: float, lapse: float, poll: Poll | None) -> Evidence:
    """The log evidence and its gradient as a function of the hyperparameters.

    Sites carry over from one evaluation to the next, which saves sweeps; a fit begins without any, so that
    its result depends on its arguments alone.
    """
    differences = differences_of(x, layout.priors.slope is not None, layout.priors.kernel, layout.categories)
    carried: dict[str, tuple[Array, Array] | None] = {"sites": None}
    diagonal = np.diag_indices(len(y))

    def evaluate(
        covariance: Covariance, mean: float, _noise: float
    ) -> tuple[float, Array, float, Array, float, float]:
        matrix, part = differences.matrices(covariance)
        matrix[diagonal] += JITTER * covariance.variance
        try:
            sites = propagate(
                matrix, mean, y, floor=floor, lapse=lapse, start=carried["sites"], tolerance=1e-4, poll=poll
            )
        except np.linalg.LinAlgError:
            carried["sites"] = None
            sites = propagate(matrix, mean, y, floor=floor, lapse=lapse, tolerance=1e-4, poll=poll)
        carried["sites"] = (sites.tau, sites.nu)
        by_l, by_v, by_w = differences.gradient(covariance, part, sites.curvature())
        return sites.log_evidence, 0.5 * by_l, 0.5 * by_v, 0.5 * by_w, 0.0, float(sites.weights.sum())

    return evaluate


def to_plain(name: str, covariance: Covariance, mean: float) -> dict[str, Any]:
    """Hyperparameters as JSON-able values."""
    out: dict[str, Any] = {
        "model": name,
        "lengthscales": [float(v) for v in covariance.lengthscales],
        "variance": float(covariance.variance),
        "constant": float(covariance.constant),
        "mean": float(mean),
    }
    if covariance.slopes is not None:
        out["slopes"] = [float(v) for v in covariance.slopes]
    if isinstance(covariance, KernelCovariance):
        out["kernel"] = covariance.kernel.plain()
    if covariance.categories:
        out["categories"] = list(covariance.categories)
    return out


def from_plain(hyperparameters: Mapping[str, Any]) -> tuple[Covariance, float]:
    """The inverse of `to_plain`."""
    given = hyperparameters.get("slopes")
    variance, constant = float(hyperparameters["variance"]), float(hyperparameters.get("constant") or 0.0)
    lengthscales = np.array(hyperparameters["lengthscales"], dtype=float)
    slopes = None if given is None else np.array(given, dtype=float)
    categories = tuple(int(count) for count in hyperparameters.get("categories") or ())
    covariance = Covariance(variance, lengthscales, constant, slopes, categories=categories)
    if "kernel" in hyperparameters:
        kernel = from_plain_kernel(hyperparameters["kernel"])
        covariance = KernelCovariance.of(kernel, len(lengthscales), variance, constant, slopes)
    return covariance, float(hyperparameters["mean"])


def _pack(layout: Layout, start: Mapping[str, Any] | None) -> Array | None:
    """theta of an earlier fit of the same model and dimension, else None."""
    if start is None or start.get("model") != NAME or not layout.recalls(start):
        return None
    covariance, mean = from_plain(start)
    return layout.pack(covariance, mean, 0.0)
