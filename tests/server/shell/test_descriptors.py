"""There is room for as many connections as the limits allow, or as the system does."""

from __future__ import annotations

import subprocess
import sys

import pytest

from fechner.server.shell.descriptors import too_little

pytest.importorskip("resource")

PROGRAM = """
import resource, sys
from fechner.server.shell.descriptors import make_room
soft, hard, connections = map(int, sys.argv[1:])
resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
room = make_room(connections)
print(resource.getrlimit(resource.RLIMIT_NOFILE)[0], room)
"""


def limits_after(soft: int, hard: int, connections: int) -> tuple[int, int]:
    """The limit of a process of its own, and for how many connections there is room."""
    command = [sys.executable, "-c", PROGRAM, str(soft), str(hard), str(connections)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    limit, room = done.stdout.split()
    return int(limit), int(room)


def test_the_limit_is_raised_as_far_as_needed() -> None:
    """Not further, and not lowered."""
    assert limits_after(200, 4000, 1000) == (1250, 1000)
    assert limits_after(3000, 4000, 1000) == (3000, 1000)


def test_where_it_may_not_be_raised_so_far_there_is_room_for_fewer() -> None:
    """The rest is kept for files; the warning says what to do."""
    assert limits_after(200, 500, 1000) == (500, 250)
    assert limits_after(200, 200, 1000) == (200, 1)
    assert "(the limit connections)" in too_little(250, 1000)
    assert "ulimit -Hn 1250" in too_little(250, 1000)
