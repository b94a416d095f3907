"""Maximum a posteriori hyperparameters: one vector (theta.py), BFGS, and a budget instead of a clock."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from fechner.strategies.models.fitting.plain import Hyperparameters
from fechner.strategies.models.fitting.theta import Evidence, Layout
from fechner.strategies.numerics.arrays import Array
from fechner.strategies.numerics.quasi_newton import Minimum, minimise

TOLERANCE = 1e-3  # of the log posterior density
LONGEST_STEP = 1.0  # in the logarithm of a hyperparameter


def evaluation_budget(keys: Mapping[str, Any], n: int) -> int:
    """How many evaluations of the evidence a fit may take (maxfun, and max_fit_time at a nominal rate).

    The nominal rate stands for a slow machine; a clock would make two machines fit differently.
    """
    budget = int(keys.get("maxfun") or 200)
    seconds = keys.get("max_fit_time")
    if seconds is not None:
        budget = min(budget, max(3, int(float(seconds) / nominal_seconds(n))))
    return budget


def nominal_seconds(n: int) -> float:
    """The time one evaluation of the evidence at n trials is taken to need, in seconds."""
    return 2e-3 + 5e-8 * float(n**2.5)


@dataclass(frozen=True)
class Fit:
    """Where a search for theta ended.

    Attributes:
        theta: the best one met.
        value: its log posterior density; -inf where the evidence could not be computed at all.
        evaluations: how often the evidence was computed.
        memory: plain data from which the next search begins: ``inverse_hessian`` (the lower triangle, row by
            row); ``compared_at`` and ``compared_ago``, the number of trials when the priors' typical values
            were last tried, and the number of fits since.
        failure: what went wrong, or "".
    """

    theta: Array
    value: float
    evaluations: int
    memory: dict[str, Any]
    failure: str = ""

    def fields(self, warm: bool) -> dict[str, Any]:
        """What the search leaves in the hyperparameters, besides theta."""
        out: dict[str, Any] = {
            "log_posterior": self.value if np.isfinite(self.value) else 0.0,
            "evaluations": self.evaluations,
            **self.memory,
        }
        if self.failure:
            kept = "the last ones" if warm else "the priors' typical ones"
            out["warnings"] = [f"the hyperparameters could not be fitted ({self.failure}); {kept} are used"]
        return out


def maximise(
    layout: Layout,
    evidence: Evidence,
    start: Array | None,
    memory: Hyperparameters | None,
    keys: Mapping[str, Any],
    n: int,
) -> Fit:
    """The maximum of the log posterior density of theta.

    Begins at `start` (the last fit) with the curvature that its search left, so that a few more trials cost
    an evaluation or two. Without a last fit, and whenever the trials have grown by half or there were as many
    fits as trials since, begins at the priors' typical values too, lest a session stay in an early local
    maximum.

    Args:
        layout: of theta.
        evidence: the log evidence and its gradient.
        start: theta of an earlier fit, or None.
        memory: the hyperparameters of that fit.
        keys: of the model (maxfun, maxiter, max_fit_time, ftol).
        n: number of trials.
    """
    search = _Search(layout, evidence, evaluation_budget(keys, n))
    begins = [] if start is None else [(start, _recalled(memory, layout))]
    compared_at, compared_ago = (int((memory or {}).get(f"compared_{word}") or 0) for word in ("at", "ago"))
    compared_ago += 1
    if start is None or n >= 1.5 * compared_at or compared_ago >= n:
        begins += [(theta, layout.scales()) for theta in search.cold()]
        compared_at, compared_ago = n, 0
    found = []
    for theta, hessian in begins:  # one after the other: the evidence carries its sites along
        limit = min(search.left, int(keys.get("maxiter") or search.budget))
        if limit > 0:
            found.append(search.descend(theta, hessian, tolerance(keys, n), limit))
    best = min(found, key=lambda ended: float(ended.values[0]))
    if not np.isfinite(best.values[0]):
        return Fit(begins[0][0], -np.inf, search.used, {}, search.failed or "the evidence is not finite")
    rows, columns = np.tril_indices(layout.size)
    left = best.inverse_hessians[0][rows, columns]
    memory = {
        "inverse_hessian": [float(f"{v:.3g}") for v in left],
        "compared_at": compared_at,
        "compared_ago": compared_ago,
    }
    return Fit(best.x[0], -float(best.values[0]), search.used, memory)


class _Search:
    """Searches for the maximum that share a budget of evaluations.

    Attributes:
        budget: evaluations of the evidence.
        used: how many of them are.
        failed: what went wrong with the last one that did, or "".
    """

    def __init__(self, layout: Layout, evidence: Evidence, budget: int) -> None:
        self._layout, self._evidence, self.budget = layout, evidence, budget
        self.used, self.failed = 0, ""

    @property
    def left(self) -> int:
        """Evaluations that are left."""
        return self.budget - self.used

    def evaluate(self, points: Array, _starts: Any) -> tuple[Array, Array]:
        """Values (k,) and gradients (k, p) of the objective; infinite where arithmetic fails."""
        values, slopes = np.full(len(points), np.inf), np.zeros_like(points)
        for row, theta in enumerate(points):
            try:
                values[row], slopes[row] = self._layout.objective(theta, self._evidence)
            except np.linalg.LinAlgError as error:
                self.failed = str(error)
        return values, slopes

    def cold(self) -> list[Array]:
        """Where searches without an earlier one begin; the most promising of the layout's waves too."""
        begins, waves = self._layout.cold(), self._layout.waves()
        if waves and self.budget > 2 * len(waves):
            heights, self.used = self.evaluate(np.array(waves), None)[0], len(waves)
            begins.append(waves[int(np.argmin(heights))])
        return begins

    def descend(self, theta: Array, inverse_hessian: Array, tolerance: float, limit: int) -> Minimum:
        """The minimum of the objective from theta."""
        lower, upper = np.array(self._layout.bounds()).T
        ended = minimise(
            self.evaluate,
            theta[None],
            lower,
            upper,
            inverse_hessians=inverse_hessian,
            tolerance=tolerance,
            longest=LONGEST_STEP,
            evaluations=limit,
        )
        self.used += ended.evaluations
        return ended


def tolerance(keys: Mapping[str, Any], n: int) -> float:
    """The gain in log posterior density that is not worth another evaluation: `ftol` per bit of data."""
    ftol = keys.get("ftol")
    return TOLERANCE if ftol is None else max(float(ftol) * n * float(np.log(2.0)), 1e-12)


def _recalled(memory: Hyperparameters | None, layout: Layout) -> Array:
    """The inverse Hessian (p, p) that an earlier search left, or the prior's scales."""
    size = layout.size
    left = np.asarray((memory or {}).get("inverse_hessian") or [], dtype=float)
    if len(left) != size * (size + 1) // 2 or not np.all(np.isfinite(left)):
        return layout.scales()
    out = np.zeros((size, size))
    out[np.tril_indices(size)] = left
    out += np.tril(out, -1).T
    return out if np.linalg.eigvalsh(out)[0] > 0 else layout.scales()
