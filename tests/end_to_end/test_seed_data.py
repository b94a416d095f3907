"""A warm start over sockets: the same asks with workers, after a kill, in bundles and combined."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import Any

import pytest

CONDITIONS = "\nseed_data_conditions = earlier\n"
SECTION = "\n[earlier]\nexperiment_name = [pilot]\n"
IDS = ("6f1d2c3b-0000-4000-8000-000000000001", "6f1d2c3b-0000-4000-8000-000000000002")


def begin(wire: Any, tools: Any, experiments: Any) -> str:
    """A pilot of ten trials, and the session that it warms up to its first model ask."""
    config = experiments.config("EAVC", 4, 6)
    wire.call("setup", {"config": config, "name": "pilot", "seed": 3}, session=IDS[0])
    experiment(wire, experiments, 4)
    for level in (0, 20, 40, 60, 80, 100):
        told = {"frequency": 1.0, "level": level, "ear": "left"}
        wire.call("tell", {"config": told, "outcome": int(level > 30)})
    warm = config.replace("[opt]\n", "[opt]" + CONDITIONS) + SECTION
    reply = wire.call("setup", {"config": warm, "name": "main", "seed": 4}, session=IDS[1])
    assert reply["seed_data"] == {"earlier": 10}
    return IDS[1]


def experiment(wire: Any, experiments: Any, n: int) -> list[Any]:
    """Trials asked and told, as the client sees them."""
    found = []
    for _ in range(n):
        trial = wire.call("ask")["trials"][0]
        found.append(trial)
        wire.call("tell", {"trial": trial["trial"], "outcome": experiments.heard(trial["config"])})
    return found


@pytest.mark.long
def test_a_warm_session_is_the_same_with_workers_and_after_a_kill(
    serve: Any, tools: Any, experiments: Any, fechner: Any, tmp_path: Path
) -> None:
    """Inline, and with a worker that asks ahead and is killed with its server in between; both verify."""
    inline = serve("--workers", "0", db="inline.db")
    wire = inline.wire()
    session = begin(wire, tools, experiments)
    expected = experiment(wire, experiments, 9)
    inline.stop()

    server = serve("--workers", "1")
    wire = server.wire()
    begin(wire, tools, experiments)
    asked = experiment(wire, experiments, 6)
    server.kill()
    server = serve("--workers", "1")
    wire = server.wire()
    wire.call("resume", {"session": session})
    asked += experiment(wire, experiments, 3)
    assert asked == expected
    assert server.stop() == 0

    def verified(db: str) -> None:
        done = fechner("replay", session, "--verify", "--db", db, "--json")
        assert done.returncode == 0, done.stdout + done.stderr
        found = json.loads(done.stdout)
        assert (found["identical"], found["asks"]) == (True, 9)

    verified("inline.db")
    verified("record.db")
    assert fechner("bundle", session, "--to", "one.zip", "--db", "record.db").returncode == 0
    with zipfile.ZipFile(tmp_path / "one.zip") as archive:
        (tmp_path / "alone.db").write_bytes(archive.read("record.db"))
    verified("alone.db")  # which lacks the session that the trials came from
    combined = fechner("combine", "alone.db", "record.db", "--to", "all.db")
    assert combined.returncode == 0, combined.stderr
    verified("all.db")
    assert fechner("verify", "--db", "all.db").returncode == 0
