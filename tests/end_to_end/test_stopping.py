"""Stopping, and starting where something is in the way: exit codes and what is said."""

from __future__ import annotations

import ctypes
import json
import signal
import socket
import uuid
from pathlib import Path
from typing import Any

import pytest

#: Asked of the model after so many told trials; enough to be still at it when the signal comes.
POINTS = 60


def computing(tools: Any, experiments: Any, server: Any) -> Any:
    """A connection whose ask is being computed for seconds."""
    wire = server.wire()
    session = str(uuid.uuid4())
    wire.call("setup", {"config": experiments.config("EAVC", 2, 200), "seed": 3}, session=session)
    points = [{"frequency": 0.3 + i / 20, "level": 7.0 * (i % 20) - 20, "ear": "left"} for i in range(140)]
    told = [{"config": point, "outcome": experiments.heard(point)} for point in points]
    wire.call("tell", {"trials": told})
    wire.call("ask", {"n": 2})
    wire.call("ask")  # of the model: the worker has imported what it needs
    wire.send(tools.request("ask", {"n": POINTS}, id="long"), tools.request("ping", id="overtaking"))
    assert json.loads(wire.line())["id"] == "overtaking"
    return wire


@pytest.mark.parametrize("name", ["SIGTERM", "SIGINT"])
def test_a_server_stops_at_once_while_it_computes(
    tools: Any, experiments: Any, serve: Any, name: str
) -> None:
    """Exit code 0, no worker left, idle clients see a clean end, the one that waits is told why."""
    server = serve("--workers", "2", "--zmq-port", "0")
    idle = [server.wire() for _ in range(3)]
    idle[0].call("hello")
    begun = server.wire()
    begun.socket.sendall(b'{"version":"1",')
    workers = server.workers(2)
    wire = computing(tools, experiments, server)
    server.process.send_signal(getattr(signal, name))
    assert server.process.wait(10) == 0
    assert all(tools.ended(worker, 10) for worker in workers)
    reply = json.loads(wire.line())
    assert reply["id"] == "long"
    assert reply["error"]["code"] == "shutting_down"
    assert [one.line() for one in (wire, *idle, begun)] == [b""] * 5
    assert server.log.read_text() == ""


@pytest.mark.parametrize("workers", ["0", "1"])
def test_a_signal_that_another_thread_gets_stops_a_server_that_sleeps(serve: Any, workers: str) -> None:
    """The loop wakes by itself: a signal may also come just before it goes to sleep, which looks the same."""
    server = serve("--workers", workers)
    server.wire().call("hello")
    threads = [int(entry.name) for entry in Path(f"/proc/{server.pid}/task").iterdir()]
    other = max(thread for thread in threads if thread != server.pid)
    assert ctypes.CDLL(None).tgkill(server.pid, other, signal.SIGTERM) == 0
    assert server.process.wait(10) == 0


@pytest.mark.parametrize("workers", ["0", "1"])
def test_an_idle_server_stops_at_once(serve: Any, workers: str) -> None:
    """Right after its start as well as after a session."""
    assert serve("--workers", workers, db="a.db").stop() == 0
    server = serve("--workers", workers, db="b.db")
    server.wire().call("hello")
    assert server.stop() == 0


def test_requests_that_come_the_moment_a_server_listens_are_answered(
    tools: Any, experiments: Any, serve: Any
) -> None:
    """While it still imports what they need: a setup and a resume at once, again and again."""
    session = str(uuid.uuid4())
    setup = {"config": experiments.config(), "seed": 1}
    server = serve("--workers", "0")
    server.wire().call("setup", setup, session=session)
    server.kill()
    for _ in range(4):
        server = serve("--workers", "0")
        one, other = server.wire(), server.wire()
        other.send(tools.request("resume", {"session": session}))
        one.send(tools.request("setup", setup), tools.request("ask"))
        assert [json.loads(one.line())["ok"] for _ in range(2)] == [True, True]
        assert json.loads(other.line())["ok"]
        assert server.stop() == 0
        assert server.log.read_text() == ""


def test_what_was_acknowledged_before_the_stop_is_there_afterwards(
    tools: Any, experiments: Any, serve: Any
) -> None:
    """The computation was given up; the tells are on record and the ask is answered anew."""
    server = serve("--workers", "1")
    computing(tools, experiments, server)
    assert server.stop() == 0
    server = serve("--workers", "1", port=server.port)
    resumed = server.wire().call("resume", {"session": "last"})
    assert resumed["trials"] == {"asked": 3, "told": 140, "pending": 3, "skipped": 0}


def test_a_second_server_on_the_same_record_is_refused_by_name(serve: Any, fechner: Any) -> None:
    """It says which record and who holds it; the first goes on."""
    server = serve("--workers", "0")
    done = fechner("serve", "--port", "0", "--db", str(server.record))
    assert done.returncode == 1
    assert "record.db" in done.stderr
    assert str(server.pid) in done.stderr
    assert "Traceback" not in done.stderr
    server.wire().call("hello")


def test_a_record_can_be_read_beside_its_server(serve: Any, fechner: Any, experiments: Any) -> None:
    """`fechner sessions` and `show` need no lock."""
    server = serve("--workers", "0")
    session = str(uuid.uuid4())
    server.wire().call("setup", {"config": experiments.config(), "seed": 1}, session=session)
    done = fechner("sessions", "--db", str(server.record), "--json")
    assert done.returncode == 0
    assert [row["session"] for row in json.loads(done.stdout)] == [session]


@pytest.mark.parametrize("host", ["0.0.0.0", "192.0.2.1", "::", "example.org"])
def test_a_host_that_is_not_loopback_is_refused(fechner: Any, host: str, tmp_path: Path) -> None:
    """Before anything is created."""
    done = fechner("serve", "--host", host, "--db", "x.db")
    assert done.returncode == 2
    assert host in done.stderr
    assert "127.0.0.1" in done.stderr
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "::1"])
def test_loopback_addresses_are_served(tmp_path: Path, serve: Any, host: str) -> None:
    """By number and by name, also of version 6 where the machine has it."""
    if host == "::1":
        try:
            socket.create_server(("::1", 0), family=socket.AF_INET6).close()
        except OSError:
            pytest.skip("no IPv6 here")
    server = serve("--workers", "0", "--host", host, "--zmq-port", "0")
    with socket.create_connection((host, server.port), 60) as client:
        client.sendall(b'{"version":"1","type":"ping"}')
        assert b'"ok":true' in client.recv(4096)


@pytest.mark.parametrize("kind", ["--port", "--zmq-port"])
def test_a_port_in_use_is_named(fechner: Any, kind: str) -> None:
    """No traceback; exit code 1."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        ports = ["--port", port] if kind == "--port" else ["--port", "0", "--zmq-port", port]
        done = fechner("serve", *ports, "--db", "x.db")
    assert done.returncode == 1
    assert port in done.stderr
    assert "Traceback" not in done.stderr


def test_a_bad_configuration_is_refused_with_all_its_problems(fechner: Any, tmp_path: Path) -> None:
    """Every problem, each with its place; the server does not start."""
    (tmp_path / "bad.ini").write_text(
        "[common]\nparnames = [x, y]\noutcome_types = [binery]\nstrategy_names = [init]\n"
        "[x]\npar_type = continuous\nlower_bound = 1\nupper_bound = 0\n"
        "[init]\ngenerator = SobolGeneratr\nmin_asks = 2\n"
    )
    done = fechner("serve", "--port", "0", "--db", "x.db", "--config", "bad.ini")
    assert done.returncode == 1
    for said in ("bad.ini", "binery", "upper_bound", "SobolGenerator", "[y]"):
        assert said in done.stderr
    done = fechner("serve", "--port", "0", "--db", "x.db", "--config", "missing.ini")
    assert done.returncode in (1, 2)
    assert "missing.ini" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_server_s_configuration_serves_those_who_send_no_setup(
    tools: Any, experiments: Any, serve: Any, tmp_path: Path
) -> None:
    """A connection whose first session message is not setup gets a session of its own; setup goes first."""
    file = tmp_path / "default.ini"
    file.write_text(experiments.config("EAVC", 4, 9))
    server = serve("--workers", "0", "--config", str(file))
    first, second, third = server.wire(), server.wire(), server.wire()
    first.call("hello")
    replies = [wire.exchange(tools.request("ask")) for wire in (first, second)]
    assert [reply["message"]["trials"][0]["trial"] for reply in replies] == [1, 1]
    assert replies[0]["session"] != replies[1]["session"]
    trial = replies[0]["message"]["trials"][0]
    assert first.call("tell", {"trial": trial["trial"], "outcome": 1})["trials"] == [1]
    own = third.call("setup", {"config": experiments.config("EAVC", 1, 2), "seed": 1})
    assert own["strategy"] == 0
    assert third.call("ask")["finished"] is False
    with socket.create_connection(server.address, 60) as older:  # of the AEPsych 0.8 dialect
        older.sendall(json.dumps({"type": "ask", "message": {}}).encode())
        assert json.loads(older.recv(4096))["num_points"] == 1
    again = server.wire()
    session = replies[0]["session"]
    first.close()
    reply = again.exchange(tools.request("resume", {"session": session}))
    while not reply["ok"]:
        assert reply["error"]["code"] == "session_busy"
        reply = again.exchange(tools.request("resume", {"session": session}))
    assert reply["session"] == session  # a resume needs no setup
