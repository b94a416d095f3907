"""Figures of a slice: a curve with its threshold, or a surface with the contour at the target."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from fechner.strategies.analysis.slices import NEAR, Slice
from fechner.strategies.numerics.arrays import Array
from fechner.strategies.specification import Parameter

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

#: Colours that people with any colour vision tell apart (Okabe and Ito 2008).
BLUE, ORANGE, GREY = "#0072B2", "#D55E00", "0.35"
#: Bins of trials along a curve.
BINS = 12


def figure_of(slice_: Slice, title: str = "") -> Figure:
    """The figure of a slice; `figure.savefig(FILE)` writes it.

    Args:
        slice_: from `fechner.strategies.analysis.slice_of`.
        title: stands small above the axes.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6.0, 4.4) if len(slice_.parameters) == 1 else (6.4, 5.0), layout="constrained")
    axes = figure.add_subplot()
    (_curve if len(slice_.parameters) == 1 else _surface)(axes, slice_)
    held = ", ".join(f"{name} = {value}" for name, value in slice_.held.items())
    text = " · ".join(part for part in (title, held, _counted(slice_)) if part)
    heading = axes.set_title(text, loc="left", fontsize=9, color=GREY)
    legend = figure.legend(loc="outside lower center", ncols=2, frameon=False, fontsize=9)
    labels = [label for one in figure.axes for label in (one.xaxis.label, one.yaxis.label)]
    for named in (heading, *legend.get_texts(), *labels):
        named.set_parse_math(False)  # a name may hold dollar signs
    return figure


def _curve(axes: Axes, slice_: Slice) -> None:
    """One parameter: trials, prediction with its band, threshold with its interval."""
    [parameter], [grid] = slice_.parameters, slice_.axes
    _scale(axes, parameter, "x")
    if slice_.mean is not None:
        assert slice_.lower is not None
        assert slice_.upper is not None
        axes.fill_between(
            grid, slice_.lower, slice_.upper, color=BLUE, alpha=0.16, lw=0, label="95 % credible band"
        )
        axes.plot(grid, slice_.mean, color=BLUE, lw=2.0, label="Prediction")
    (_proportions if slice_.binary else _values)(axes, slice_)
    axes.set_ylabel(_outcome(slice_))
    axes.spines[["top", "right"]].set_visible(False)
    _threshold(axes, slice_)


def _proportions(axes: Axes, slice_: Slice) -> None:
    """Binary trials: a tick each at 0 or 1, and proportions in bins, larger where there are more."""
    where = slice_.points[:, 0]
    for value, low, high in ((1.0, 1.025, 1.055), (0.0, -0.055, -0.025)):
        at = where[slice_.outcomes == value]
        axes.vlines(at, low, high, color=GREY, lw=0.8, alpha=0.7)
    edges = slice_.axes[0][np.linspace(0, len(slice_.axes[0]) - 1, BINS + 1).round().astype(int)]
    bins = np.clip(np.searchsorted(edges, where, side="right") - 1, 0, BINS - 1)
    counts = np.bincount(bins, minlength=BINS)
    used = counts > 0
    sums = np.bincount(bins, weights=slice_.outcomes, minlength=BINS)
    places = np.array([_middle(where[bins == one], slice_.parameters[0]) for one in np.flatnonzero(used)])
    sizes = 14.0 + 110.0 * counts[used] / max(counts.max(), 1)
    axes.scatter(
        places, sums[used] / counts[used], s=sizes, facecolor="white", edgecolor=GREY, linewidth=1.1,
        zorder=3, label="Proportion of 1 (area: trials)",
    )  # fmt: skip
    axes.set_ylim(-0.08, 1.08)
    axes.set_yticks(np.linspace(0, 1, 5))


def _values(axes: Axes, slice_: Slice) -> None:
    """Continuous outcomes: a dot each."""
    axes.plot(
        slice_.points[:, 0], slice_.outcomes, "o", ms=4.5, mfc="white", mec=GREY, mew=1.0, zorder=3,
        label="Trial",
    )  # fmt: skip


def _threshold(axes: Axes, slice_: Slice) -> None:
    """The target, and where it is reached."""
    if slice_.target is None or slice_.mean is None:
        return
    found, target = slice_.threshold, slice_.target
    low, high = float(slice_.axes[0][0]), float(slice_.axes[0][-1])
    if found is None or found.value is None:
        label = f"Target {_short(target)}, reached {'at several places' if found is None else 'nowhere'}"
        axes.axhline(target, color=ORANGE, lw=1.0, ls=(0, (4, 3)), label=label)
        return
    bottom, left = axes.get_ylim()[0], axes.get_xlim()[0]
    axes.plot([left, found.value], [target, target], color=ORANGE, lw=0.9, ls=(0, (4, 3)), zorder=2)
    axes.plot([found.value] * 2, [bottom, target], color=ORANGE, lw=0.9, ls=(0, (4, 3)), zorder=2)
    ends = [low if found.lower is None else found.lower, high if found.upper is None else found.upper]
    interval = " to ".join(
        ("below " if open_ and end == low else "above " if open_ else "") + _short(end)
        for end, open_ in zip(ends, (found.lower is None, found.upper is None), strict=True)
    )
    axes.errorbar(
        [found.value], [target], xerr=[[found.value - ends[0]], [ends[1] - found.value]], fmt="D", ms=5.5,
        color=ORANGE, mec="white", mew=0.8, elinewidth=1.8, capsize=3.5, capthick=1.8, zorder=5,
        label=f"Threshold: {_short(found.value)} (95 %: {interval})",
    )  # fmt: skip
    axes.set_ylim(bottom=bottom)
    axes.set_xlim(left=left)


def _surface(axes: Axes, slice_: Slice) -> None:
    """Two parameters: prediction as a surface, the contour at the target, trials by outcome."""
    first, second = slice_.parameters
    _scale(axes, first, "x")
    _scale(axes, second, "y")
    colours: dict[str, Any] = {"cmap": _pale(), "vmin": 0.0, "vmax": 1.0}
    if not slice_.binary:
        shown = slice_.outcomes if slice_.mean is None else np.append(slice_.mean.ravel(), slice_.outcomes)
        colours |= {"vmin": float(shown.min()), "vmax": float(shown.max())}
    if slice_.mean is not None:
        mesh = axes.pcolormesh(*slice_.axes, slice_.mean.T, shading="gouraud", rasterized=True, **colours)
        bar = axes.figure.colorbar(mesh, ax=axes, pad=0.02, aspect=28)
        bar.set_label(_outcome(slice_))
        bar.outline.set_visible(False)
        _contours(axes, slice_)
    _trials(axes, slice_, colours)
    axes.set_xlim(slice_.axes[0][0], slice_.axes[0][-1])
    axes.set_ylim(slice_.axes[1][0], slice_.axes[1][-1])


def _contours(axes: Axes, slice_: Slice) -> None:
    """Where the prediction reaches the target, and between which ends that may be."""
    target, mean, found = slice_.target, slice_.mean, slice_.contour
    if target is None or mean is None or not mean.min() < target < mean.max():
        return
    axes.contour(*slice_.axes, mean.T, [target], colors=ORANGE, linewidths=2.2)
    axes.plot([], [], color=ORANGE, lw=2.2, label=f"{_outcome(slice_)} = {_short(target)}")
    thin: dict[str, Any] = {"color": ORANGE, "lw": 1.1, "ls": "--"}
    if found is not None:
        for ends in (found.lower, found.upper):
            axes.plot(*((found.at, ends) if found.along == 0 else (ends, found.at)), **thin)
        axes.plot([], [], label="95 % interval of the threshold", **thin)
        return
    for values in (slice_.lower, slice_.upper):
        if values is not None and values.min() < target < values.max():
            axes.contour(*slice_.axes, values.T, [target], colors=ORANGE, linewidths=1.1, linestyles="--")
    axes.plot([], [], label="The same for the ends of its 95 % interval", **thin)


def _trials(axes: Axes, slice_: Slice, colours: dict[str, Any]) -> None:
    x, y = slice_.points[:, 0], slice_.points[:, 1]
    if not slice_.binary:
        axes.scatter(
            x, y, c=slice_.outcomes, s=30, edgecolor="black", linewidth=0.8, zorder=4, label="Trial",
            clip_on=False, **colours,
        )  # fmt: skip
        return
    for value, face in ((1.0, "black"), (0.0, "white")):
        chosen = slice_.outcomes == value
        axes.scatter(
            x[chosen], y[chosen], s=24, facecolor=face, edgecolor="black", linewidth=0.9, zorder=4,
            clip_on=False, label=f"Trial, {slice_.outcome.replace('outcome_1', 'outcome')} {value:g}",
        )  # fmt: skip


def _scale(axes: Axes, parameter: Parameter, which: str) -> None:
    """Label and scale of an axis."""
    from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter, NullLocator

    axis = getattr(axes, f"{which}axis")
    if parameter.scale == "log" and parameter.shift == 0.0:
        getattr(axes, f"set_{which}scale")("log", base=10)
        decades = np.log10(float(parameter.upper or 1) / float(parameter.lower or 1))
        few = decades <= 2.2
        axis.set_major_locator(LogLocator(base=10, subs=(1.0, 2.0, 5.0) if few else (1.0,)))
        axis.set_major_formatter(FuncFormatter(lambda value, _: _short(value)))
        axis.set_minor_formatter(NullFormatter())
        if few:
            axis.set_minor_locator(NullLocator())
    unit = f" ({parameter.unit})" if parameter.unit else ""
    axis.set_label_text(f"{parameter.name[:1].upper()}{parameter.name[1:]}{unit}".replace("_", " "))


def _pale() -> Any:
    """A map from white to blue, light enough for black and white dots on it."""
    from matplotlib.colors import LinearSegmentedColormap

    return LinearSegmentedColormap.from_list("pale", ["#f7fbff", "#c6dbef", "#6baed6", "#2171b5"])


def _middle(values: Array, parameter: Parameter) -> float:
    """The mean place of some trials, on the axis's scale."""
    if parameter.scale == "log" and parameter.shift == 0.0:
        return float(np.exp(np.log(values).mean()))
    return float(values.mean())


def _outcome(slice_: Slice) -> str:
    name = slice_.outcome.replace("outcome_1", "outcome")
    return f"P({name} = 1)" if slice_.binary else f"{name[:1].upper()}{name[1:]}".replace("_", " ")


def _counted(slice_: Slice) -> str:
    n = len(slice_.outcomes)
    if n == slice_.n_trials:
        return f"{n} trial{'s' * (n != 1)}"
    return f"{n} of {slice_.n_trials} trials (within {100 * NEAR:.0f} % of the range)"


def _short(value: Any) -> str:
    return f"{value:.3g}" if isinstance(value, float | int) and abs(value) < 1000 else str(value)
