"""Whatever the weather, the server keeps its promises; and a server that doesn't is found out."""

from __future__ import annotations

from collections import Counter

import pytest

from .sabotage import WAYS, broken
from .world import World

#: Schedules of one test, and how many tests; those after the first ones are for the longer suites.
CHUNK, CHUNKS, QUICK = 200, 12, 1

#: What has to occur, or the schedules prove less than they seem to.
KINDS = (
    *("killed", "stopped", "read only", "commit failed", "commit unsettled", "read failed"),
    *("worker died", "computation failed", "Abandon", "Promote", "Wake", "held back", "cut short"),
    *(
        "from eager",
        "from speculative",
        "sent again, same reply",
        "goes on with a session",
        "none was taken up",
    ),
    *("tier generator", "tier space_filling", "tier model"),
    *(
        f"error {code}"
        for code in ("session_busy", "storage_failed", "shutting_down", "internal", "read_only")
    ),
    *(f"native {kind}" for kind in ("setup", "ask", "tell", "update", "skip", "correct", "resume", "exit")),
    *(f"{one} tell" for one in ("0.8", "unity", "0.1 versioned", "0.1")),
)


@pytest.mark.parametrize(
    "chunk", [pytest.param(i, marks=[] if i < QUICK else [pytest.mark.long]) for i in range(CHUNKS)]
)
def test_no_schedule_breaks_a_promise(chunk: int) -> None:
    """`python benchmarks/simulate_world.py --seed N --schedules 1 --trace` shows what led to a breach."""
    found = {}
    for seed in range(chunk * CHUNK, (chunk + 1) * CHUNK):
        outcome = World(seed).run()
        if outcome.broken:
            found[seed] = outcome.broken
    assert not found


def test_the_same_seed_gives_the_same_schedule() -> None:
    """Step by step; another seed gives another one."""
    steps: list[list[str]] = []
    digests = []
    for seed in (8, 8, 9):
        steps.append([])
        digests.append(World(seed, steps[-1].append).run().digest)
    assert steps[0] == steps[1]
    assert len(steps[0]) > 20
    assert digests[0] == digests[1] != digests[2]


def test_everything_happens() -> None:
    """All kinds of requests, replies and misfortunes occur."""
    happened: Counter[str] = Counter()
    missing = set(KINDS)
    for seed in range(5000, 5600):
        happened += World(seed).run().happened
        missing = {kind for kind in KINDS if not happened[kind]}
        if not missing:
            break
    assert not missing


@pytest.mark.parametrize("way", WAYS)
def test_a_broken_engine_is_found_out(way: str) -> None:
    """Each way of breaking the engine on purpose breaks a promise that some schedule notices."""
    with broken(way):
        assert any(World(seed).run().broken for seed in range(400))


@pytest.mark.long
@pytest.mark.parametrize("seed", range(10))
def test_with_real_models(seed: int) -> None:
    """The promises hold where the real models compute, to the last bit of each ask."""
    assert not World(seed, real_models=True).run().broken
