"""The linear-additive audiometric kernel (`SongMeanCovarFactory`).

X. D. Song, B. M. Wallace, J. R. Gardner, N. M. Ledbetter, K. Q. Weinberger & D. L. Barbour (2015), Fast,
continuous audiogram estimation using machine learning, Ear and Hearing 36:e326-e335; X. D. Song, R. Garnett &
D. L. Barbour (2017), Psychometric function estimation by probabilistic classification, J. Acoust. Soc. Am.
141:2513-2525: k(x, x') = v exp(-1/2 sum_j (x_j - x'_j)^2 / l_j^2) over the context (frequency) alone, plus a
linear kernel of the intensity, so that every psychometric curve has one slope and its threshold is smooth in
the context. In the terms of covariance.py: the intensity's length scale is as good as infinite, and only
its slope has a variance. With `intensity_RBF` the intensity is among the squared exponential's coordinates.
"""

from __future__ import annotations

from dataclasses import replace

from fechner.strategies.models.fitting.latent import (
    LOG_LENGTHSCALE_RANGE,
    LOG_VARIANCE_RANGE,
    SHAPE,
    SLOPES,
    LatentPrior,
)
from fechner.strategies.models.fitting.theta import Block, Layout
from fechner.strategies.specification import Component

FACTORY = "SongMeanCovarFactory"
NEVER = LOG_LENGTHSCALE_RANGE[1]  # a length scale along which nothing changes
NONE = LOG_VARIANCE_RANGE[0] - 16.0  # a slope's variance that is as good as none


def additive(blocks: tuple[Block, ...], intensity: int, intensity_rbf: bool) -> tuple[Block, ...]:
    """Blocks in which what belongs to the other kind of coordinate is held at an end of its range.

    Args:
        blocks: of a latent prior.
        intensity: the place of the intensity.
        intensity_rbf: whether it is among the squared exponential's coordinates.
    """
    out = []
    for block in blocks:
        ends = list(block.ranges)
        if block.name == SHAPE and not intensity_rbf:
            ends[intensity] = (NEVER, NEVER)
        if block.name == SLOPES:
            ends = [pair if place == intensity else (NONE, NONE) for place, pair in enumerate(ends)]
        out.append(replace(block, ranges=tuple(ends)))
    return tuple(out)


def layout_of(component: Component, latent: LatentPrior) -> Layout:
    """The layout of theta of a binary model, additive where its factory says so."""
    factory = component.keys.get("mean_covar_factory")
    if factory is None or factory.name != FACTORY:
        return Layout(latent.blocks())
    intensity = int((factory.keys.get("stim_dim") or (-1,))[0]) % latent.d
    return Layout(additive(latent.blocks(), intensity, bool(factory.keys.get("intensity_RBF"))))
