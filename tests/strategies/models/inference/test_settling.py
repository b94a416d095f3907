"""Jitter and beginning anew, where rounding makes a prior covariance singular."""

from typing import Any

import numpy as np
import pytest

from fechner.strategies.models.inference.settling import JITTERS, restart, settle


def refusing(least: float, seen: list[Any]) -> Any:
    """A computation that fails below so much jitter, and notes what it is given."""

    def run(prior: np.ndarray, start: str | None) -> str:
        seen.append((float(prior[0, 0]), start))
        if prior[0, 0] < least:
            raise np.linalg.LinAlgError(f"singular at {prior[0, 0]:g}")
        return "end"

    return run


def test_the_least_jitter_that_does() -> None:
    """In units of the variances, on the diagonal alone; only the first try begins at the start."""
    seen: list[Any] = []
    matrix = np.array([[0.0, 0.5], [0.5, 0.0]])
    prior, end = settle(matrix, np.array([1.0, 4.0]), refusing(1e-6, seen), "start")
    assert end == "end"
    np.testing.assert_array_equal(prior, [[1e-6, 0.5], [0.5, 4e-6]])
    assert seen == [(1e-8, "start"), (1e-6, None)]
    np.testing.assert_array_equal(matrix, [[0.0, 0.5], [0.5, 0.0]])


def test_none_does() -> None:
    """What went wrong with the most jitter is said."""
    seen: list[Any] = []
    with pytest.raises(np.linalg.LinAlgError, match=r"singular at 0\.0001"):
        settle(np.zeros((1, 1)), 1.0, refusing(1.0, seen), None)
    assert len(seen) == len(JITTERS)


def test_a_start_that_leads_nowhere_is_left() -> None:
    """Then a computation begins from nothing; one that began from nothing isn't repeated."""
    tried: list[str | None] = []

    def run(start: str | None) -> str:
        tried.append(start)
        if start is not None:
            raise np.linalg.LinAlgError("astray")
        return "end"

    assert restart(run, "start") == "end"
    assert tried == ["start", None]

    def fail(start: str | None) -> str:
        tried.append(start)
        raise np.linalg.LinAlgError("hopeless")

    with pytest.raises(np.linalg.LinAlgError, match="hopeless"):
        restart(fail, None)
    assert tried == ["start", None, None]
