"""The acquisition functions that look ahead, from their keys; look_ahead.py has the mathematics."""

from __future__ import annotations

from fechner.strategies.acquisition.acquisition import (
    Acquisition,
    Parts,
    at_a_point,
    made,
    of_moments,
    over_the_box,
    target_of,
)
from fechner.strategies.acquisition.look_ahead import (
    Score,
    ScoreSlopes,
    approximate_sur,
    local,
    looking_ahead,
    reduction,
    volume_change,
)
from fechner.strategies.models.posteriors.posterior import Posterior
from fechner.strategies.numerics.randomness import key
from fechner.strategies.specification import Component

REFERENCES = 256  # reference points, where a configuration doesn't say how many
SOFTNESS = 20.0  # k of SMOCU


def build_volume_change(component: Component, posterior: Posterior, *, seed: int) -> Acquisition:
    """EAVC."""
    return _global(component, posterior, seed, volume_change())


def build_information(component: Component, posterior: Posterior, *, seed: int) -> Acquisition:
    """GlobalMI."""
    return _global(component, posterior, seed, reduction("entropy"))


def build_misclassified(component: Component, posterior: Posterior, *, seed: int) -> Acquisition:
    """GlobalSUR."""
    return _global(component, posterior, seed, reduction("misclassified"))


def build_approximate(component: Component, posterior: Posterior, *, seed: int) -> Acquisition:
    """ApproxGlobalSUR."""
    parts = _parts(component, posterior, seed)
    functions = approximate_sur(posterior, parts.target, parts.count, parts.seed)
    return made(functions, over_the_box(parts.count), parts)


def build_local_information(component: Component, posterior: Posterior, *, seed: int) -> Acquisition:
    """LocalMI."""
    return _local(component, posterior, "entropy")


def build_local_misclassified(component: Component, posterior: Posterior, *, seed: int) -> Acquisition:
    """LocalSUR."""
    return _local(component, posterior, "misclassified")


def build_cost(component: Component, posterior: Posterior, *, seed: int) -> Acquisition:
    """MOCU."""
    return _of_outcomes(component, posterior, seed, "misclassified")


def build_soft_cost(component: Component, posterior: Posterior, *, seed: int) -> Acquisition:
    """SMOCU."""
    return _of_outcomes(component, posterior, seed, "soft")


def build_brier(component: Component, posterior: Posterior, *, seed: int) -> Acquisition:
    """BEMPS."""
    return _of_outcomes(component, posterior, seed, "brier")


def _parts(component: Component, posterior: Posterior, seed: int) -> Parts:
    count = int(component.keys.get("query_set_size") or REFERENCES)
    target, keyed = target_of(component), key(seed, "query set")
    return Parts(component, posterior, target, count=count, seed=keyed)


def _global(
    component: Component, posterior: Posterior, seed: int, scores: tuple[Score, ScoreSlopes]
) -> Acquisition:
    """A look ahead at a level set, or at outcomes, of which a GPU's scan doesn't know."""
    parts, at = _parts(component, posterior, seed), str(component.keys.get("lookahead_type") or "levelset")
    functions = looking_ahead(posterior, parts.target, parts.count, parts.seed, scores, at)
    return made(functions, over_the_box(parts.count), None if at == "posterior" else parts)


def _of_outcomes(component: Component, posterior: Posterior, seed: int, kind: str) -> Acquisition:
    """A look ahead at outcomes, if nothing else is said."""
    parts, at = _parts(component, posterior, seed), str(component.keys.get("lookahead_type") or "posterior")
    scores = reduction(kind, float(component.keys.get("k") or SOFTNESS))
    functions = looking_ahead(posterior, parts.target, parts.count, parts.seed, scores, at)
    return made(functions, over_the_box(parts.count))


def _local(component: Component, posterior: Posterior, kind: str) -> Acquisition:
    """A look ahead at the point itself; at its outcome the device doesn't know of it."""
    target = target_of(component)
    if component.keys.get("lookahead_type") == "posterior":
        return of_moments(posterior, local(posterior, target, kind, "posterior"))
    return at_a_point(component, posterior, local(posterior, target, kind))
