"""Simulated observers give the published numbers."""

import numpy as np
import pytest

from fechner.strategies.numerics.normal import ndtr
from fechner.strategies.simulation import (
    FREQUENCIES_KHZ,
    THRESHOLDS_DB,
    audiogram,
    cumulative_normal,
    detection,
    discrimination,
    hearing_threshold,
    logistic,
    weibull,
)


@pytest.mark.parametrize("phenotype", sorted(THRESHOLDS_DB))
def test_listeners_have_the_published_thresholds(phenotype: str) -> None:
    """At the eight frequencies a tone at threshold is heard half of the time."""
    listener, in_khz = audiogram(phenotype), audiogram(phenotype, in_khz=True)
    for frequency, level in zip(FREQUENCIES_KHZ, THRESHOLDS_DB[phenotype], strict=True):
        octave = float(np.log2(frequency))
        assert listener.probability({"frequency": octave, "level": level}) == pytest.approx(0.5)
        assert in_khz.probability({"frequency": frequency, "level": level}) == pytest.approx(0.5)
        assert listener.probability({"frequency": octave, "level": level + 5}) == pytest.approx(ndtr(1.0))


def test_thresholds_are_linear_outside() -> None:
    """Beyond the outermost frequencies the curve goes on straight."""
    steps = [hearing_threshold("sensory", octave) for octave in (3.0, 3.5, 4.0)]
    assert steps[2] - steps[1] == pytest.approx(steps[1] - steps[0])


def test_unknown_phenotypes_are_named() -> None:
    """An unknown phenotype is refused with the known ones."""
    with pytest.raises(ValueError, match="older-normal"):
        audiogram("deaf")


def test_detection_and_discrimination() -> None:
    """The latent functions at two points computed by hand."""
    width = 2 * (0.05 + 0.4 * (0.2 * 0.5 - 1) ** 2 * 0.5**2)
    config = {"x1": 0.5, "x2": -0.4}
    assert detection().latent(config) == pytest.approx(4 * 0.6 / width - 4)
    assert discrimination().latent(config) == pytest.approx(2 * 0.6 / width)
    assert discrimination().probability({"x1": 0.5, "x2": -1.0}) == pytest.approx(0.5)


def test_one_dimensional_observers() -> None:
    """Guess and lapse rates bound the classical functions, whose midpoints are where they should be."""
    observer = weibull(2.0, 3.0, bounds=(0.0, 10.0), guess=0.5, lapse=0.02)
    assert observer.probability({"x": 0.0}) == pytest.approx(0.5)
    assert observer.probability({"x": 2.0}) == pytest.approx(0.5 + 0.48 * (1 - np.exp(-1)))
    assert observer.probability({"x": 10.0}) == pytest.approx(0.98)
    normal = cumulative_normal(1.0, 2.0, bounds=(-5.0, 5.0))
    assert normal.probability({"x": 3.0}) == pytest.approx(float(ndtr(1.0)))
    curve = logistic(1.0, 2.0, bounds=(-5.0, 5.0), lapse=0.1)
    assert curve.probability({"x": 1.0}) == pytest.approx(0.45)


def test_samples_have_the_probability_and_repeat() -> None:
    """Two thousand draws have the observer's mean; the same seed gives the same draws."""
    observer = cumulative_normal(0.0, 1.0, bounds=(-3.0, 3.0))
    config = {"x": 0.5}
    draws = [observer.sample(config, np.random.default_rng(seed)) for seed in range(2000)]
    assert np.mean(draws) == pytest.approx(observer.probability(config), abs=0.04)
    assert draws[:5] == [observer.sample(config, np.random.default_rng(seed)) for seed in range(5)]


def test_latent_target_undoes_guess_and_lapse() -> None:
    """The latent target is where the probability is the target."""
    observer = cumulative_normal(0.0, 1.0, bounds=(-3.0, 3.0), guess=0.5, lapse=0.02, target=0.75)
    assert observer.probability({"x": observer.latent_target()}) == pytest.approx(0.75)
