"""One point by the model, as the generators choose it that follow an acquisition function.

Each generator has a function `point(component, core, search)`; those here and in scans.py evaluate the same
function at the same candidates, and differ in what they do with the values.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

from fechner.strategies.acquisition.accelerated import Scan, accelerated
from fechner.strategies.acquisition.acquisition import Acquisition, build
from fechner.strategies.acquisition.constrained import kept_inside
from fechner.strategies.acquisition.levels import levels_of, maximise_on
from fechner.strategies.generators.effort import effort
from fechner.strategies.generators.request import Request
from fechner.strategies.models import Posterior
from fechner.strategies.models.uncertainty import Ensemble
from fechner.strategies.numerics.arrays import Array
from fechner.strategies.numerics.sobol import sobol
from fechner.strategies.space.region import inside, sampled
from fechner.strategies.specification import Component


@dataclass(frozen=True)
class Search:
    """What is known where one point is chosen.

    Attributes:
        request: what was asked.
        seed: of this point.
        pending: (k, d) points handed out whose outcomes are not known, those of this ask among them.
        around: gives an ensemble around the fitted hyperparameters.
        use_gpu: whether the model's scans may run on a GPU.
    """

    request: Request
    seed: int
    pending: Array
    around: Callable[[], Ensemble]
    use_gpu: bool = False


@dataclass(frozen=True)
class Found:
    """One point (d,), and what computed the scan where a GPU was asked for and pays."""

    point: Array
    device: str | None = None


@dataclass(frozen=True)
class Candidates:
    """What is evaluated, and where.

    Attributes:
        function: the acquisition function, -inf where the constraints don't allow a point.
        points: (scan, d) points that they allow, where there are constraints.
        scan, starts, evaluations: how much work goes into it.
        own: the function before constraints, whose scan may run on a GPU.
    """

    function: Acquisition
    points: Array | None
    scan: int
    starts: int
    evaluations: int | None
    own: Acquisition

    @property
    def device(self) -> str | None:
        """What computed the scan; None if it could be nothing but the processor."""
        return self.own.scan.computed_on if isinstance(self.own.scan, Scan) else None


def candidates(generator: Component, core: Posterior, search: Search) -> Candidates:
    """The generator's acquisition function, and the points that are scanned first."""
    request, space = search.request, search.request.space
    acqf: Component = generator.keys["acqf"]
    function = build(acqf, core, seed=search.seed, pending=search.pending, around=search.around)
    scan, starts, evaluations = effort(
        generator.keys, request.budget, function.nominal_seconds, request.n, request.tier
    )
    if search.use_gpu:
        function = accelerated(function, scan)
    found = Candidates(function, None, scan, starts, evaluations, function)
    if not space.constraints:
        return found
    allowed = kept_inside(function, partial(inside, space, given=tuple(request.fixed)))
    points = sampled(space, sobol, search.seed, 1, 0, scan, request.fixed)[:, 0]
    return replace(found, function=allowed, points=points)


def climbed(generator: Component, core: Posterior, search: Search) -> Found:
    """The point at which the acquisition function is greatest (OptimizeAcqfGenerator)."""
    request, found = search.request, candidates(generator, core, search)
    point, _ = maximise_on(
        found.function,
        core.covariance.lengthscales,
        levels_of(request.space),
        seed=search.seed,
        scan=found.scan,
        starts=found.starts,
        evaluations=found.evaluations,
        fixed=request.fixed,
        points=found.points,
        poll=request.poll,
    )
    return Found(point, found.device)
