"""The problems in six and eight dimensions are those of the paper."""

import math
from pathlib import Path

import numpy as np
import pytest

from fechner.strategies.numerics.normal import ndtr
from fechner.strategies.numerics.sobol import sobol
from fechner.strategies.simulation import (
    Observer,
    contrast_sensitivity,
    discrimination_8d,
    hartmann_6,
    read_responses,
)

HEADER = "response,contrast,pedestal,temporal_frequency,spatial_frequency,size,eccentricity\n"


def places(observer: Observer, n: int) -> list[dict[str, float]]:
    """Sobol points in an observer's box."""
    lower, upper = np.array(list(observer.bounds.values())).T
    points = lower + (upper - lower) * sobol(1, len(lower), 0, n)
    return [dict(zip(observer.bounds, map(float, point), strict=True)) for point in points]


def test_discrimination_in_eight_dimensions_by_hand() -> None:
    """f at a point whose sines and cosines are simple."""
    config = {"amp": 0.1, "freq": 0.0, "vscale": 1.0, "vshift": 0.1, "variance": 0.1, "asym": 0.5}
    config |= {"phase": 0.0, "period": 1.0}
    c = (-0.5 + 0.5 + 0.1) * 1.5 - 1
    expected = 0.5 + 0.5 * float(ndtr((0.1 - c) / (0.1 * (2 + c))))
    observer = discrimination_8d()
    assert observer.probability(config) == pytest.approx(min(expected, 1 - 1e-5))
    turned = config | {"phase": math.pi / 2, "amp": -0.4}
    c = (0.5 + 0.1) * (-0.5 + 2 - 0.5) - 1
    assert observer.probability(turned) == pytest.approx(
        0.5 + 0.5 * float(ndtr((-0.4 - c) / (0.1 * (2 + c))))
    )


def test_discrimination_is_never_below_chance() -> None:
    """All probabilities are in [.5, 1 - 1e-5], and both sides of the target occur."""
    observer = discrimination_8d()
    found = [observer.probability(config) for config in places(observer, 512)]
    assert min(found) >= 0.5 - 1e-12
    assert max(found) <= 1 - 1e-5 + 1e-12
    assert 0.1 < np.mean(np.array(found) > 0.75) < 0.9


def test_the_binary_hartmann_function() -> None:
    """f at the third location, by hand; both sides of the target occur."""
    observer = hartmann_6()
    location = dict(zip(observer.bounds, (0.2348, 0.1451, 0.3522, 0.2883, 0.3047, 0.6650), strict=True))
    x = np.array(list(location.values()))
    others = 0.2 * math.exp(
        -float(
            np.array([8, 3, 10, 3.5, 1.7, 6]) @ (x - [0.1312, 0.1696, 0.5569, 0.0124, 0.8283, 0.5886]) ** 2
        )
    )
    others += 0.22 * math.exp(
        -float(np.array([0.5, 8, 10, 1, 6, 9]) @ (x - [0.2329, 0.4135, 0.8307, 0.3736, 0.1004, 0.9991]) ** 2)
    )
    others += 0.3 * math.exp(
        -float(np.array([10, 6, 0.5, 8, 1, 9]) @ (x - [0.4047, 0.8828, 0.8732, 0.5743, 0.1091, 0.0381]) ** 2)
    )
    assert observer.latent(location) == pytest.approx(3 * (-10 * (0.28 + others - 0.1)) - 2)
    assert observer.latent_target() == pytest.approx(0.0)
    share = np.mean([observer.latent(config) <= 0 for config in places(observer, 1024)])
    assert 0.1 < share < 0.9


def test_contrast_sensitivity_follows_the_responses(tmp_path: Path) -> None:
    """Where responses are all hits f is high, elsewhere it is 0 and no less."""
    random = np.random.default_rng(3)
    rows = []
    for contrast in random.uniform(-1.5, 0.0, 60):
        others = (*random.uniform(-1.5, 0.0, 1), *random.uniform((0, 0.5, 1, 0), (20, 7, 10, 10)))
        rows.append(",".join(map(str, (int(contrast > -0.75), contrast, *others))))
    path = tmp_path / "responses.csv"
    path.write_text(HEADER + "\n".join(rows) + "\n", encoding="utf-8")
    stimuli, responses = read_responses(path)
    assert stimuli.shape == (60, 6)
    assert set(responses) == {0.0, 1.0}
    observer = contrast_sensitivity(stimuli, responses)
    middle = {name: (low + high) / 2 for name, (low, high) in observer.bounds.items()}
    assert observer.latent(middle | {"contrast": -0.05}) > 1.0
    assert observer.latent(middle | {"contrast": -1.45}) == 0.0
