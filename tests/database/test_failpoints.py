"""Fail-points do nothing until they are named, then what their name says."""

from __future__ import annotations

import signal
import subprocess
import sys

import pytest

from fechner.database import failpoints

PASS = """
import sys
from fechner.database.failpoints import fail_point
for _ in range(5):
    fail_point("after_commit")
    print("passed", flush=True)
    fail_point("before_commit")
"""


def _run(wanted: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", PASS], env={"FECHNER_FAIL_POINT": wanted}, capture_output=True, text=True
    )


def test_they_cost_a_call_of_an_empty_function() -> None:
    """Without the variable there is nothing to look up."""
    assert failpoints.fail_point is failpoints._nothing


@pytest.mark.parametrize(("wanted", "passed"), [("before_commit", 1), ("before_commit:3", 3)])
def test_the_process_kills_itself(wanted: str, passed: int) -> None:
    """At that point, the first time or another; nothing is tidied up."""
    done = _run(wanted)
    assert done.returncode == -signal.SIGKILL
    assert done.stdout.count("passed") == passed


def test_a_point_may_raise() -> None:
    """Every time, as a disk that fails."""
    fail = failpoints.arm("before_commit:raise")
    fail("after_commit")
    for _ in range(2):
        with pytest.raises(OSError, match="fail-point before_commit"):
            fail("before_commit")


@pytest.mark.parametrize("wanted", ["nowhere", "before_commit:often", "before_commit:0"])
def test_a_name_that_is_none_is_said(wanted: str) -> None:
    """A test with a slip in it doesn't pass because nothing failed."""
    with pytest.raises(ValueError, match="FECHNER_FAIL_POINT"):
        failpoints.arm(wanted)
