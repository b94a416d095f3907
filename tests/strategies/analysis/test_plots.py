"""Figures show what a slice holds, and can be written without a screen."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import pytest

from fechner.strategies.analysis import slice_of
from fechner.strategies.analysis.plots import figure_of
from fechner.strategies.strategy import Strategy

Make = Callable[..., Strategy]


def texts(figure: Any) -> str:
    """All that a legend, an axis or a title says."""
    [legend] = figure.legends
    said = [text.get_text() for text in legend.get_texts()]
    for axes in figure.axes:
        said += [axes.get_title(loc="left"), axes.get_xlabel(), axes.get_ylabel()]
    return "\n".join(said)


def png(figure: Any) -> bytes:
    """The picture."""
    buffer = io.BytesIO()
    figure.savefig(buffer, dpi=50)
    return buffer.getvalue()


def test_a_curve(told: Make) -> None:
    """Prediction, band, proportions, and the threshold in numbers; axes with name and unit."""
    figure = figure_of(slice_of(told(["x"], lambda c: c["x"] > 0.4)), "pilot · p01")
    said = texts(figure)
    for wanted in ("Prediction", "95 % credible band", "Proportion of 1", "Threshold: 0.", "X (deg)"):
        assert wanted in said
    assert "pilot · p01 · 30 trials" in said
    assert "P(outcome = 1)" in said
    assert png(figure).startswith(b"\x89PNG")


def test_a_surface(told: Make) -> None:
    """Prediction in colour, the contour at the target with its interval, trials by outcome."""
    figure = figure_of(slice_of(told(["x", "y"], lambda c: c["y"] > 0.2 + 0.5 * c["x"])))
    said = texts(figure)
    for wanted in (
        "P(outcome = 1) = 0.75",
        "95 % interval of the threshold",
        "outcome 1",
        "outcome 0",
        "Y (deg)",
    ):
        assert wanted in said
    assert len(figure.axes) == 2  # with the colours' scale
    assert png(figure).startswith(b"\x89PNG")


@pytest.mark.parametrize("names", [["x"], ["x", "y"]])
@pytest.mark.parametrize("target", [None, 0.9, 7.0])
def test_continuous_outcomes(told: Make, names: list[str], target: float | None) -> None:
    """With a target, without one, and with one that is never reached."""
    strategy = told(names, lambda c: 1 - (c["x"] - 0.5) ** 2, outcome="continuous")
    figure = figure_of(slice_of(strategy, target=target))
    assert "Trial" in texts(figure)
    assert png(figure).startswith(b"\x89PNG")
    if names == ["x"] and target is not None:
        assert ("reached nowhere" if target == 7.0 else "reached at several places") in texts(figure)


@pytest.mark.parametrize("names", [["x"], ["x", "y"]])
def test_trials_alone(told: Make, names: list[str]) -> None:
    """Without a model."""
    figure = figure_of(slice_of(told(names, lambda c: c["x"] > 0.4, model=False)))
    assert "Prediction" not in texts(figure)
    assert png(figure).startswith(b"\x89PNG")


@pytest.mark.parametrize("names", [["x"], ["x", "y"]])
def test_a_name_is_drawn_as_it_is(told: Make, names: list[str]) -> None:
    """Dollar signs make no formula of it, let alone one that can't be drawn."""
    title = r"pays $5 or $\frac a_b"
    figure = figure_of(slice_of(told(names, lambda c: c["x"] > 0.4)), title)
    assert title in texts(figure)
    assert png(figure).startswith(b"\x89PNG")
