"""What is not known about the hyperparameters: a small weighted ensemble of posteriors around the fitted one.

Intervals that take the fitted hyperparameters for true are too narrow, most of all with few trials. As in H.
Rue, S. Martino & N. Chopin (2009), Approximate Bayesian inference for latent Gaussian models by using
integrated nested Laplace approximations, JRSS B 71:319-392 (section 3), the posterior of theta is explored
around its mode with its curvature: theta_k = mode + a H^-1/2 z_k with quasi-random normal z_k (m, p) and a =
1.25, weights proportional to p(theta_k | y) / N(theta_k | mode, a^2 H^-1), cut off from above.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np

from fechner.strategies.models.families._base import Family
from fechner.strategies.models.families.registry import family_of
from fechner.strategies.models.fitting.plain import Hyperparameters
from fechner.strategies.models.fitting.theta import Evidence, Layout
from fechner.strategies.models.posteriors.latent import Draw, LatentPosterior
from fechner.strategies.numerics.arrays import Array, Poll
from fechner.strategies.numerics.normal import density, ndtr, ndtri
from fechner.strategies.numerics.randomness import key, rng
from fechner.strategies.numerics.sobol import sobol
from fechner.strategies.specification import Component

MEMBERS = 16
WIDER = 1.25  # the members' spread about the mode, in units of the curvature's, so that long tails are met
STEP = 0.1
QUANTILE_STEPS = 60
ENOUGH = 1e-7  # of a quantile, in standard deviations
BISECTIONS = 40  # of a quantile of probabilities
LARGEST_N = 400  # with more trials the hyperparameters are known well enough
LEAST_CURVATURE = 0.25
DRAWN, DRAWN_AT_ONCE = 1000, 128  # samples for a prediction of a function that is not Gaussian, and places


class _Deviates:
    """Normal deviates of `count` samples, drawn when they are first wanted."""

    def __init__(self, seed: int, count: int) -> None:
        self._seed, self._count = seed, count
        self._drawn: dict[int, Array] = {}

    def rows(self, begin: int, end: int, width: int) -> Array:
        """Those (end - begin, width) of some samples at `width` places."""
        if width not in self._drawn:
            self._drawn[width] = rng(self._seed, "curves").standard_normal((self._count, width))
        return self._drawn[width][begin:end]


@dataclass(frozen=True)
class Ensemble:
    """Posteriors and their weights.

    Attributes:
        centre: the posterior at the fitted hyperparameters, which gives point estimates.
        members: the posteriors that give intervals.
        weights: (k,) their weights, summing to one.
    """

    centre: LatentPosterior
    members: tuple[LatentPosterior, ...]
    weights: Array

    def latent(self, x: Array) -> tuple[Array, Array]:
        """Mean and variance of f at the rows of `x` (m, d) for each member, both (k, m)."""
        pairs = [member.latent(x) for member in self.members]
        return np.array([mean for mean, _ in pairs]), np.array([variance for _, variance in pairs])

    def curves(self, x: Array, seed: int, count: int, poll: Poll | None = None) -> Array:
        """`count` joint samples (count, m) of f at the rows of `x` (m, d), shared out by weight.

        Equal seeds use the same normal deviates whatever x is.
        """
        normal = _Deviates(seed, count)
        ends = np.round(count * np.cumsum(self.weights)).astype(int)
        parts: list[Array] = []
        for member, begin, end in zip(self.members, np.concatenate([[0], ends[:-1]]), ends, strict=True):
            if poll is not None:
                poll()
            if end > begin:
                own = Draw(int(end - begin), partial(normal.rows, begin, end), key(seed, len(parts)))
                drawn = member.samples(x, own)
                parts.append(drawn if self._alike(member) else translated(drawn, member, self.centre))
        out: Array = np.concatenate(parts)
        return out

    def predict(self, x: Array, space: str, interval: float) -> tuple[Array, Array, Array, Array]:
        """Mean, sd and the interval's ends, each (m,), at the rows of `x`; the mean is the centre's."""
        middle, _ = self.centre.moments(x, space)
        if not self.centre.gaussian:
            return self._predict_drawn(middle, x, space, (1 - interval) / 2)
        mean, variance = self.latent(x)
        tail = (1 - interval) / 2
        if space != "latent" and not all(map(self._alike, self.members)):
            return self._predict_unlike(middle, mean, variance, space, tail)
        lower = mixture_quantile(self.weights, mean, variance, tail)
        upper = mixture_quantile(self.weights, mean, variance, 1 - tail)
        firsts, sds = self.centre.moments_of(mean, variance, space)
        spread = self.weights @ np.square(sds)
        spread = spread + self.weights @ np.square(firsts - self.weights @ firsts)
        lower, upper = self.centre.valued(lower, space), self.centre.valued(upper, space)
        return middle, np.sqrt(spread), np.minimum(lower, middle), np.maximum(upper, middle)

    def _predict_drawn(
        self, middle: Array, x: Array, space: str, tail: float
    ) -> tuple[Array, Array, Array, Array]:
        """`predict` from samples, of a function that is not Gaussian."""
        parts = []
        for begin in range(0, len(x), DRAWN_AT_ONCE):
            values = self.centre.valued(self.curves(x[begin : begin + DRAWN_AT_ONCE], 0, DRAWN), space)
            parts.append(np.vstack([values.std(axis=0), *np.quantile(values, [tail, 1 - tail], axis=0)]))
        sd, lower, upper = np.hstack(parts)
        return middle, sd, np.minimum(lower, middle), np.maximum(upper, middle)

    def _alike(self, member: LatentPosterior) -> bool:
        """Whether a member's likelihood is the centre's, the lapse rate known or not among what is fitted."""
        return member.rates == self.centre.rates

    def _predict_unlike(
        self, middle: Array, mean: Array, variance: Array, space: str, tail: float
    ) -> tuple[Array, Array, Array, Array]:
        """`predict` of members that differ in their lapse rates, from their means and variances (k, m)."""
        pairs = [
            member.moments_of(first, second, space)
            for member, first, second in zip(self.members, mean, variance, strict=True)
        ]
        firsts, sds = np.array([one for one, _ in pairs]), np.array([other for _, other in pairs])
        spread = self.weights @ np.square(sds)
        spread = spread + self.weights @ np.square(firsts - self.weights @ firsts)
        floor, _ = self.centre.rates
        spans = np.array([[1.0 - floor - member.rates[1]] for member in self.members])
        ends = []
        for share in (tail, 1 - tail):
            low, high = np.full(mean.shape[1], floor), np.full(mean.shape[1], floor + float(spans.max()))
            for _ in range(BISECTIONS):
                place = 0.5 * (low + high)
                latent = ndtri(np.clip((place - floor) / spans, 0.0, 1.0))
                below = self.weights @ ndtr((latent - mean) / np.sqrt(variance)) < share
                low, high = np.where(below, place, low), np.where(below, high, place)
            ends.append(0.5 * (low + high))
        return middle, np.sqrt(spread), np.minimum(ends[0], middle), np.maximum(ends[1], middle)


def translated(latent: Array, member: LatentPosterior, centre: LatentPosterior) -> Array:
    """The f at which the centre's curve is where the member's is at `latent`, elementwise."""
    (floor, lapse), (of_floor, of_lapse) = centre.rates, member.rates
    span = 1.0 - floor - lapse
    share = (1.0 - of_floor - of_lapse) / span * ndtr(latent)
    out: Array = ndtri(np.minimum(share, 1.0 - 1e-15))
    return out


def mixture_quantile(weights: Array, mean: Array, variance: Array, share: float) -> Array:
    """The `share` quantile (m,) of mixtures of normals with mean and variance (k, m).

    Newton's steps, held inside the bracket that the members' own quantiles give and that every step narrows.
    """
    sd = np.sqrt(variance)
    ends = mean + float(ndtri(share)) * sd
    low, high = ends.min(axis=0), ends.max(axis=0)
    middle = weights @ mean
    place = middle + float(ndtri(share)) * np.sqrt(weights @ (variance + np.square(mean - middle)))
    place = np.clip(place, low, high)
    enough = ENOUGH * sd.min(axis=0)
    out, left = place.copy(), np.arange(len(place))  # those that aren't found yet
    for _ in range(QUANTILE_STEPS):
        away = (place - mean) / sd
        excess = weights @ ndtr(away) - share
        low, high = np.where(excess < 0, place, low), np.where(excess < 0, high, place)
        slope = weights @ (density(away) / sd)
        following = place - excess / np.maximum(slope, 1e-300)
        inside = (following > low) & (following < high)
        following = np.where(inside, following, (low + high) / 2)
        out[left] = following
        on = np.abs(following - place) > enough
        if not on.any():
            break
        left, place, low, high, enough = left[on], following[on], low[on], high[on], enough[on]
        mean, sd = mean[:, on], sd[:, on]
    return out


class LastMade:
    """The last ensemble and all that it was made of, so that several queries after a fit make it once.

    A process has one (`_last`), like the code that it has loaded: asks and queries are pure functions that a
    worker calls by name, and nothing that they are given lives as long. What comes back is the same with and
    without it. It holds one ensemble, of at most `MEMBERS` posteriors of `LARGEST_N` trials.
    """

    def __init__(self) -> None:
        self._kept: tuple[bytes, Ensemble] | None = None

    def forget(self) -> None:
        """Keep none."""
        self._kept = None

    def of(self, about: bytes, make: Callable[[], Ensemble]) -> Ensemble:
        """The ensemble kept if it is about the same, else the one that `make` gives, which is kept now."""
        kept = self._kept  # read once: another thread may put its own there
        if kept is None or kept[0] != about:
            kept = self._kept = about, make()
        return kept[1]


_last = LastMade()


def ensemble(
    component: Component,
    x: Array,
    y: Array,
    hyperparameters: Hyperparameters,
    *,
    poll: Poll | None = None,
) -> Ensemble:
    """The ensemble around `hyperparameters` for x (n, d) or (n, 2, d), y (n,); same arguments, same bits.

    The last one is kept: after a fit there are often several queries.
    """
    about = repr((component, x.shape, dict(hyperparameters))).encode() + x.tobytes() + y.tobytes()
    return _last.of(about, partial(_made, component, x, y, hyperparameters, poll))


def _made(
    component: Component,
    x: Array,
    y: Array,
    hyperparameters: Hyperparameters,
    poll: Poll | None,
) -> Ensemble:
    family = family_of(component)
    centre = family.posterior(component, x, y, hyperparameters, poll=poll)
    alone = Ensemble(centre, (centre,), np.ones(1))
    if not 0 < len(y) <= LARGEST_N or not isinstance(family, Family):
        return alone
    task, evidence, mode = family.problem(component, x, y, hyperparameters, poll)
    layout = task.layout
    try:
        half = _inverse_root(layout, evidence, mode)
    except np.linalg.LinAlgError:
        return alone
    normal = ndtri(np.clip(sobol(1, layout.size, 0, MEMBERS), 1e-4, 1 - 1e-4))
    members, logs = [], []
    for z in normal:
        theta = layout.inside(mode + WIDER * (half @ z))
        try:
            member = family.posterior(component, x, y, family.plain(task, theta), near=centre, poll=poll)
        except np.linalg.LinAlgError:
            continue
        value = member.log_evidence + layout.log_prior(theta) + 0.5 * float(z @ z)
        if np.isfinite(value):
            members.append(member)
            logs.append(value)
    if not members:
        return alone
    weights = np.exp(np.array(logs) - max(logs))
    weights = np.minimum(weights / weights.sum(), 4.0 / len(weights))
    return Ensemble(centre, tuple(members), weights / weights.sum())


def _inverse_root(layout: Layout, evidence: Evidence, mode: Array) -> Array:
    """H^-1/2 (p, p), H the curvature of minus log p(theta | y) at its mode, by differences of gradients."""
    size = layout.size
    hessian = np.empty((size, size))
    here = layout.objective(mode, evidence)[1]
    for index in range(size):
        shift = STEP * np.eye(size)[index]
        hessian[index] = (layout.objective(mode + shift, evidence)[1] - here) / STEP
    if not np.all(np.isfinite(hessian)):
        raise np.linalg.LinAlgError("the curvature is not finite")
    values, vectors = np.linalg.eigh((hessian + hessian.T) / 2)
    out: Array = vectors / np.sqrt(np.maximum(values, LEAST_CURVATURE))
    return out
