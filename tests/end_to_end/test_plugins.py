"""Plug-ins on a server: extensions from an allowed folder, and packages; replayed, and refused."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

EXAMPLES = Path(__file__).parents[2] / "examples" / "extensions"
CONFIG = (EXAMPLES / "latin.ini").read_text("utf-8").replace("min_asks = 8", "min_asks = 3")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with the example's file."""
    one = tmp_path / "extensions"
    one.mkdir()
    shutil.copy(EXAMPLES / "latin.py", one)
    return one


def experiment(wire: Any, n: int = 6) -> list[Any]:
    """Trials asked and told."""
    found = []
    for _ in range(n):
        trial = wire.call("ask")["trials"][0]
        found.append(trial)
        outcome = 1.0 - (trial["config"]["contrast"] - 0.6) ** 2
        wire.call("tell", {"trial": trial["trial"], "outcome": outcome})
    return found


def test_an_extension_computes_in_workers_and_is_known_by_its_bytes(
    serve: Any, fechner: Any, folder: Path
) -> None:
    """The same asks inline and with a worker; no torch where it listens; a changed file is refused."""
    allowed = ("--allow-extensions", str(folder))
    inline = serve("--workers", "0", *allowed, db="inline.db").wire()
    inline.call("setup", {"config": CONFIG, "seed": 4})
    expected = experiment(inline)

    server = serve("--workers", "1", *allowed)
    wire = server.wire()
    reply = wire.exchange({"version": "1", "type": "setup", "message": {"config": CONFIG, "seed": 4}})
    session = reply["session"]
    assert experiment(wire) == expected
    assert wire.call("query", {"query": "max"})["y"]
    assert "libtorch" not in Path(f"/proc/{server.pid}/maps").read_text()
    assert server.stop() == 0

    done = fechner("replay", session, "--verify", "--json", "--db", "record.db", *allowed)
    assert json.loads(done.stdout)["identical"] is True, done.stdout + done.stderr
    refused = fechner("replay", session, "--verify", "--db", "record.db")
    assert refused.returncode == 1
    assert "extensions are not allowed here" in refused.stderr
    assert "Traceback" not in refused.stderr

    text = (folder / "latin.py").read_text("utf-8")
    (folder / "latin.py").write_text(text.replace("2.0", "2.5"))
    changed = fechner("replay", session, "--verify", "--db", "record.db", *allowed)
    assert changed.returncode == 1
    assert "latin.py, with which the session was set up, was changed" in changed.stderr
    server = serve("--workers", "1", *allowed)
    error = server.wire().exchange({"version": "1", "type": "resume", "message": {"session": session}})
    assert error["error"]["code"] == "storage_failed"
    assert "was changed since" in error["error"]["detail"]
    replay = {"version": "1", "type": "replay", "message": {"session": session}}
    assert server.wire().exchange(replay)["error"]["code"] == "bad_config"
    (folder / "latin.py").write_text(text)
    wire = server.wire()
    wire.call("resume", {"session": session})
    assert experiment(wire, 1)


def test_an_extension_is_refused_before_anything_changes(serve: Any, folder: Path) -> None:
    """Without the option, and outside the folder: bad_config names the key; no session begins."""
    (folder.parent / "outside.py").write_text("raise SystemExit(9)")
    for options, name, said in (
        ((), "latin.py", "not allowed"),
        (("--allow-extensions", str(folder)), str(folder.parent / "outside.py"), "outside the folder"),
        (("--allow-extensions", str(folder)), "../outside.py", "without '..'"),
    ):
        server = serve("--workers", "0", *options)
        wire = server.wire()
        config = CONFIG.replace("latin.py", name)
        error = wire.exchange({"version": "1", "type": "setup", "message": {"config": config}})["error"]
        assert error["code"] == "bad_config"
        [problem] = [one for one in error["problems"] if one["key"] == "extensions"]
        assert said in problem["detail"]
        assert problem["hint"]
        reply = wire.exchange({"version": "1", "type": "ask", "message": {}})
        assert reply["error"]["code"] == "no_session"
        assert server.stop() == 0


def test_a_folder_that_is_not_there_stops_the_server(fechner: Any) -> None:
    """Before it listens."""
    done = fechner("serve", "--port", "0", "--allow-extensions", "nowhere")
    assert done.returncode == 2
    assert "there is no folder nowhere" in done.stderr


def test_a_package_brings_plug_ins(serve: Any, fechner: Any, tmp_path: Path) -> None:
    """Entry points are found by the server and by its workers; the record names the package."""
    packages = tmp_path / "packages"
    info = packages / "lab-1.2.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: lab\nVersion: 1.2\n")
    groups = {
        "fechner.models": "FixedScaleGP",
        "fechner.generators": "LatinHypercubeGenerator",
        "fechner.acquisition": "UpperEnd",
    }
    (info / "entry_points.txt").write_text(
        "".join(f"[{group}]\n{name} = lab_plugins:{name}\n" for group, name in groups.items())
    )
    text = (EXAMPLES / "latin.py").read_text("utf-8")
    names = ", ".join(["LatinHypercubeGenerator", "UpperEnd", "FixedScaleGP"])
    (packages / "lab_plugins.py").write_text(f"{text}\n{names} = PLUGINS\n")
    config = CONFIG.replace("extensions = [latin.py]\n", "")
    server = serve("--workers", "1", environment={"PYTHONPATH": str(packages)})
    wire = server.wire()
    wire.call("setup", {"config": config, "seed": 4})
    experiment(wire)
    replay = wire.call("replay", {"session": wire.call("info")["session"]})
    assert replay == {"identical": True, "asks": 6}
    assert server.stop() == 0
    done = fechner("export", "last", "--to", "messages.jsonl", "--db", "record.db")
    assert done.returncode == 0, done.stderr
    refused = fechner("replay", "last", "--verify", "--db", "record.db")
    assert refused.returncode == 1
    assert "LatinHypercubeGenerator" in refused.stderr
    assert "Traceback" not in refused.stderr
