"""The disk fails under a session: a named error, a server that lives on, a session that goes on after."""

from __future__ import annotations

import contextlib
import functools
import json
import os
import subprocess
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from fechner.database.record import Record
from fechner.server import Server

#: Trials told before the fault.
BEFORE = 3
#: More than what is left of a full disk.
LONG = "x" * 60_000


@pytest.fixture(scope="module")
def undisturbed(tools: Any, experiments: Any) -> Callable[[], list[Any]]:
    """The trials that a session hands out without any fault."""

    @functools.cache
    def trials() -> list[Any]:
        found = []
        with Server() as server:
            channel = server.connect()
            channel.request(tools.request("setup", {"config": experiments.config(first=99), "seed": 5}))
            for _ in range(BEFORE + 2):
                reply = channel.request(tools.request("ask"))
                found += reply["message"]["trials"]
        return found

    return trials


def through(tools: Any, experiments: Any, undisturbed: Any, server: Any, fault: Any, said: str) -> None:
    """A session before, during and after a fault that lets nothing be written."""
    expected, session, wire = undisturbed(), str(uuid.uuid4()), server.wire()
    setup = {"config": experiments.config(first=99), "seed": 5}
    wire.call("setup", setup, session=session, id="setup")
    for number in range(1, BEFORE + 1):
        assert wire.call("ask", id=f"a-{number}")["trials"] == [expected[number - 1]]
        wire.call("tell", {"trial": number, "outcome": number % 2}, id=f"t-{number}")
    assert wire.call("ask", id="a-4")["trials"] == [expected[BEFORE]]
    pending = BEFORE + 1
    tell = tools.request("tell", {"trial": pending, "outcome": 1, "extra": {"note": LONG}}, id="t-4")
    with fault:
        for one in (tell, tools.request("ask", {"n": 900}, id="many"), tell):
            error = wire.exchange(one)["error"]
            assert error["code"] == "storage_failed"
            assert said in error["detail"]
            assert "send the request again" in error["hint"]
            wire.call("ping")
        counts = wire.call("info")["trials"]
        assert (counts["told"], counts["pending"]) == (BEFORE, 1)
        other = server.wire().exchange(tools.request("setup", setup | {"description": LONG}, id="s"))
        assert other["error"]["code"] == "storage_failed"
    first = wire.ask_bytes(tell)
    assert json.loads(first)["message"]["trials"] == [pending]
    assert wire.ask_bytes(tell) == first
    assert wire.call("ask", id="a-5")["trials"] == [expected[BEFORE + 1]]
    assert server.stop() == 0
    with Record.open(server.record, read_only=True) as record:
        assert record.check_storage() == []
        assert record.verify_chain(session) is None
        assert list(record.check_projections()) == []
        statuses = [trial["status"] for trial in record.trials(session)]
    assert statuses == ["told"] * (BEFORE + 1) + ["pending"]


@contextlib.contextmanager
def mounted(folder: Path, options: str) -> Iterator[Path]:
    """A small disk in memory."""
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)]
    try:
        done = subprocess.run(command, capture_output=True, text=True)
    except FileNotFoundError:
        pytest.skip("there is no mount")
    if done.returncode != 0:
        pytest.skip(f"may not mount a disk: {done.stderr.strip()}")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


@contextlib.contextmanager
def filled(folder: Path) -> Iterator[None]:
    """Nothing more fits on the disk, except behind the end of a file's last page."""
    ballast = folder / "ballast"
    with ballast.open("wb", buffering=0) as file, contextlib.suppress(OSError):
        while True:
            file.write(bytes(4096))
    try:
        yield
    finally:
        ballast.unlink()


def test_a_full_disk(tools: Any, experiments: Any, undisturbed: Any, serve: Any, tmp_path: Path) -> None:
    """Room again, and the session goes on; before that, who sets up or asks was warned."""
    with mounted(tmp_path / "disk", "size=8m") as disk:
        server = serve("--workers", "0", db="disk/record.db")
        wire = server.wire()
        setup = tools.request("setup", {"config": experiments.config(first=99), "seed": 5})
        assert wire.exchange(setup)["ok"]
        for one in (setup, tools.request("ask")):
            assert "disk_low" in [warning["code"] for warning in wire.exchange(one)["warnings"]]
        through(tools, experiments, undisturbed, server, filled(disk), "full")
        assert "MB are left on the disk" in server.log.read_text()
        server.close()


@contextlib.contextmanager
def limited(server: Any, size: int) -> Iterator[None]:
    """Every write behind `size` bytes of a file fails, as on a broken disk."""
    resource = pytest.importorskip("resource")
    if not hasattr(resource, "prlimit"):
        pytest.skip("needs Linux")
    before = resource.prlimit(server.pid, resource.RLIMIT_FSIZE)
    resource.prlimit(server.pid, resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.prlimit(server.pid, resource.RLIMIT_FSIZE, before)


def test_a_disk_that_fails(tools: Any, experiments: Any, undisturbed: Any, serve: Any) -> None:
    """Its writes fail for some time."""
    server = serve("--workers", "0")
    through(tools, experiments, undisturbed, server, limited(server, 16_384), "disk I/O error")


@contextlib.contextmanager
def immutable(record: Path) -> Iterator[None]:
    """The record's files can't be changed any more, not even by who has them open."""
    files = [f"{record}{end}" for end in ("", "-wal")]

    def change(how: str) -> subprocess.CompletedProcess[str]:
        try:
            return subprocess.run(["chattr", how, *files], capture_output=True, text=True)
        except FileNotFoundError:
            pytest.skip("there is no chattr")

    done = change("+i")
    try:
        if done.returncode != 0:
            pytest.skip(f"may not make a file read-only: {done.stderr.strip()}")
        with open(files[0], "rb") as file:
            assert file.read(1)
        yield
    finally:
        change("-i")


def test_a_file_that_becomes_read_only(tools: Any, experiments: Any, undisturbed: Any, serve: Any) -> None:
    """As when the system takes a disk's right to be written to."""
    server = serve("--workers", "0")
    through(tools, experiments, undisturbed, server, immutable(server.record), "disk I/O error")


@contextlib.contextmanager
def moved(record: Path) -> Iterator[None]:
    """Somebody tidies up."""
    away = record.with_name("away.db")
    record.rename(away)
    try:
        yield
    finally:
        away.rename(record)


def test_a_record_that_is_moved_away(tools: Any, experiments: Any, undisturbed: Any, serve: Any) -> None:
    """What can't be kept isn't acknowledged; the file put back, the session goes on."""
    server = serve("--workers", "0")
    through(tools, experiments, undisturbed, server, moved(server.record), "the record's file is gone")


def test_a_disk_that_is_read_only_from_the_start(serve: Any, tmp_path: Path) -> None:
    """The server says so and ends; so it does on a full one."""
    with mounted(tmp_path / "disk", "size=8m") as disk:
        serve("--workers", "0", db="disk/record.db").stop()
        subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
        with pytest.raises(RuntimeError, match=r"read-only|Read-only"):
            serve("--workers", "0", db="disk/record.db")
    assert "Traceback" not in (tmp_path / "server.log").read_text()


def test_a_slow_disk_holds_up_its_sessions_only(
    tools: Any, experiments: Any, undisturbed: Any, serve: Any
) -> None:
    """A commit of 200 ms: pings overtake it, also those of the same connection."""
    server = serve("--workers", "0", environment={"FECHNER_FAIL_POINT": "slow_commit:200"})
    wires = [server.wire() for _ in range(8)]
    for wire in wires:
        wire.send(tools.request("setup", {"config": experiments.config(first=99), "seed": 5}, id="s"))
    assert all(json.loads(wire.line())["ok"] for wire in wires)
    for wire in wires:
        wire.send(tools.request("ask", id="a"), tools.request("ping", id="overtaking"))
    for wire in wires:
        assert json.loads(wire.line())["id"] == "overtaking"
        assert json.loads(wire.line())["message"]["trials"] == undisturbed()[:1]


class Backend:
    """The server process of PostgreSQL that serves a record's connection."""

    def __init__(self, administrator: str, name: str) -> None:
        self._administrator, self._name = administrator, name

    def pid(self, state: str = "idle") -> int:
        """Its id, once it is in that state."""
        import psycopg

        query = "SELECT pid FROM pg_stat_activity WHERE application_name = %s AND state = %s"
        with psycopg.connect(self._administrator, autocommit=True) as connection:
            until = time.monotonic() + 30.0
            while (found := connection.execute(query, [self._name, state]).fetchone()) is None:
                assert time.monotonic() < until, f"the connection is never {state}"
            return int(found[0])

    def cut(self, pid: int) -> None:
        """End its connection."""
        import psycopg

        with psycopg.connect(self._administrator, autocommit=True) as connection:
            connection.execute("SELECT pg_terminate_backend(%s, 5000)", [pid])


@pytest.mark.parametrize("fault", ["cut", "crash"])
def test_a_database_server_lost_at_the_commit(
    tools: Any,
    experiments: Any,
    undisturbed: Any,
    serve: Any,
    postgres: str,
    postgres_schema: Any,
    fault: str,
) -> None:
    """Whether the commit came through is read back; a request that hears storage_failed is sent again."""
    if fault == "crash" and os.environ.get("FECHNER_POSTGRES"):
        pytest.skip("this PostgreSQL isn't ours to crash")
    url = postgres_schema()
    slow = {"FECHNER_FAIL_POINT": "slow_commit:300"}  # time to be hit in
    server = serve("--workers", "0", db=url, environment=slow)
    backend = Backend(postgres, f"fechner, process {server.pid}")
    session, wire = str(uuid.uuid4()), server.wire()
    setup = {"config": experiments.config(first=99), "seed": 5}
    wire.call("setup", setup, session=session, id="setup")
    for number, trial in enumerate(undisturbed()[:3], 1):
        assert wire.call("ask", id=f"a-{number}")["trials"] == [trial]
        tell = tools.request("tell", {"trial": number, "outcome": 1}, id=f"t-{number}")
        wire.send(tell)
        pid = backend.pid("idle in transaction")
        if fault == "cut":
            backend.cut(pid)
        else:
            os.kill(pid, 9)  # PostgreSQL then ends every connection, and recovers
        reply = json.loads(wire.line())
        while not reply["ok"]:
            assert reply["error"]["code"] == "storage_failed"
            wire.call("ping")
            reply = wire.exchange(tell)
        assert reply["message"]["trials"] == [number]
        assert wire.exchange(tell) == reply
    assert server.stop() == 0
    with Record.open(url, read_only=True) as record:
        assert record.verify_chain(session) is None
        assert list(record.check_projections([session])) == []
        said = [message.type for message in record.messages(session) if message.ok]
    assert said == ["setup", *["ask", "tell"] * 3]
