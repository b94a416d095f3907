"""`fechner serve`: what it refuses before it listens, and that a second one can't have the record."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

from fechner.server.cli import serving
from fechner.server.commands import securing
from fechner.server.commands import serve as serve_
from fechner.server.commands.serve import default_workers
from fechner.server.commands.serve_options import ServeOptions
from fechner.server.engine.options import EngineOptions
from fechner.server.shell.settings import Settings

from .command_line import Run

Serve = Callable[..., "tuple[subprocess.Popen[str], int]"]


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Serve]:
    """Starts servers without workers on free ports and ends them after the test."""
    started: list[subprocess.Popen[str]] = []

    def serve(*arguments: str) -> tuple[subprocess.Popen[str], int]:
        command = [
            sys.executable,
            "-m",
            "fechner.server.cli",
            "serve",
            "--port",
            "0",
            "--workers",
            "0",
            *arguments,
        ]
        process = subprocess.Popen(
            command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        started.append(process)
        assert process.stdout is not None
        assert process.stdout.readline().startswith("record: fechner.db")
        line = process.stdout.readline()
        return process, int(line.split(":")[1].split(";")[0]) if line else 0

    yield serve
    for process in started:
        process.kill()
        process.communicate()


def request(port: int, value: Any) -> Any:
    with socket.create_connection(("127.0.0.1", port), timeout=60) as connection:
        connection.sendall(json.dumps(value).encode())
        connection.shutdown(socket.SHUT_WR)
        return json.loads(b"".join(iter(lambda: connection.recv(65536), b"")))


@pytest.mark.parametrize("host", ["0.0.0.0", "192.168.1.7", "::", "example.org"])
def test_only_this_machine_is_served(run: Run, host: str) -> None:
    """Another address is refused, with what to do instead."""
    result = run("serve", "--host", host, "--port", "0")
    assert result.exit_code == 2
    assert "127.0.0.1" in result.stderr


def test_which_hosts_are_this_machine() -> None:
    """Every spelling of loopback."""
    assert all(map(securing.is_loopback, ["127.0.0.1", "localhost", "::1", "127.8.8.8"]))
    assert not any(map(securing.is_loopback, ["0.0.0.0", "", "10.0.0.1", "localhost.evil.org"]))


def test_a_core_stays_free() -> None:
    """At least one worker, and one core for loop and writer where there are several."""
    assert 1 <= default_workers() <= max(1, (os.cpu_count() or 1) - 1)


def test_a_configuration_is_checked_before_listening(run: Run, tmp_path: Path) -> None:
    """Its problems stand on standard error; no record is made."""
    file = tmp_path / "bad.ini"
    file.write_text("[common]\nparnames = [p]\n")
    result = run("serve", "--config", file, "--port", "0")
    assert result.exit_code == 1
    assert "strategy_names" in result.stderr
    assert not (tmp_path / "fechner.db").exists()


@pytest.mark.parametrize(
    "option", [["--port", "70000"], ["--dialect", "french"], ["--workers", "-1"], ["--portt", "1"]]
)
def test_wrong_options(run: Run, option: list[str]) -> None:
    """Usage errors exit with 2."""
    assert run("serve", *option).exit_code == 2


def test_a_port_that_is_taken(run: Run) -> None:
    """It is named: exit 1."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        result = run("serve", "--port", port, "--workers", 0)
    assert result.exit_code == 1
    assert str(port) in result.stderr


def test_serving_and_stopping(serve: Serve, tmp_path: Path, space_filling: str) -> None:
    """It answers, refuses its record to a second server by name, and exits 0 at SIGTERM."""
    config = tmp_path / "default.ini"
    config.write_text(space_filling)
    process, port = serve("--config", str(config))
    assert request(port, {"version": "1", "type": "hello"})["ok"]
    assert request(port, {"version": "1", "type": "ask"})["message"]["trials"][0]["trial"] == 1
    second, _ = serve()
    _, error = second.communicate(timeout=60)
    assert second.returncode == 1
    assert f"fechner serve on 127.0.0.1:{port}" in error or str(process.pid) in error
    process.send_signal(signal.SIGTERM)
    _, error = process.communicate(timeout=60)
    assert (process.returncode, error) == (0, "")


def test_a_configuration_in_json_serves_who_sends_no_setup(serve: Serve, tmp_path: Path) -> None:
    """As INI text does, in version 1 and in an AEPsych dialect."""
    config = tmp_path / "default.json"
    config.write_text(
        """{"common": {"parnames": ["p"], "outcome_types": ["binary"], "strategy_names": ["init"]},
        "p": {"par_type": "continuous", "lower_bound": 0, "upper_bound": 1},
        "init": {"generator": "SobolGenerator", "min_asks": 4}}"""
    )
    _, port = serve("--config", str(config))
    assert request(port, {"version": "1", "type": "ask"})["message"]["trials"][0]["trial"] == 1
    assert list(request(port, {"type": "ask", "message": {}})["config"]) == ["p"]


def test_serving_a_record_read_only(serve: Serve, tmp_path: Path, space_filling: str) -> None:
    """Beside the server that writes it: sessions can be seen and replayed, nothing is written."""
    writer, port = serve()
    setup = {"version": "1", "type": "setup", "message": {"config": space_filling, "seed": 1}}
    session = request(port, setup)["session"]
    writer.send_signal(signal.SIGTERM)
    writer.communicate(timeout=60)
    before = (tmp_path / "fechner.db").read_bytes()
    reader, port = serve("--read-only")

    def send(type_: str, **message: Any) -> Any:
        return request(port, {"version": "1", "type": type_, "session": session, "message": message})

    assert send("info")["ok"]
    assert send("replay", session=session, verify=True)["message"]["identical"]
    assert send("ask")["error"]["code"] == "read_only"
    assert request(port, setup)["error"]["code"] == "read_only"
    reader.send_signal(signal.SIGTERM)
    _, error = reader.communicate(timeout=60)
    assert (reader.returncode, error) == (0, "")
    assert (tmp_path / "fechner.db").read_bytes() == before


def test_a_reading_server_sets_nothing_up_and_makes_no_record(
    run: Run, tmp_path: Path, space_filling: str
) -> None:
    """--config is for a server that writes; a record has to be there."""
    config = tmp_path / "c.ini"
    config.write_text(space_filling)
    assert run("serve", "--read-only", "--config", config, "--port", "0").exit_code == 2
    result = run("serve", "--read-only", "--port", "0", "--workers", "0")
    assert result.exit_code == 1
    assert "there is no record" in result.stderr
    assert [file.name for file in tmp_path.iterdir()] == ["c.ini"]


def test_a_network_folder_is_refused(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By name and before anything is written, the lock too."""
    mounts = tmp_path / "mounts"
    mounts.write_text(f"server:/x {tmp_path} nfs rw 0 0\n")
    monkeypatch.setattr("fechner.database.keeping.network._MOUNTS", mounts)
    result = run("serve", "--port", "0")
    assert result.exit_code == 1
    assert "nfs" in result.stderr
    assert "--force-network" in result.stderr
    assert [file.name for file in tmp_path.iterdir()] == ["mounts"]


def test_a_session_to_resume_that_is_not_there(serve: Serve, db: Path) -> None:
    """It is named, and the server ends: a client would set up another session without anybody noticing."""
    unknown = "00000000-0000-4000-8000-000000000000"
    process, _ = serve("--resume", unknown)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 1
    assert f"there is no session {unknown} to resume" in said


def test_status_and_metrics_of_a_server(serve: Serve, space_filling: str) -> None:
    """Workers and computations are in the status; metrics are where the third line says."""
    if not os.environ.get("FECHNER_REQUIRE_ALL"):
        pytest.importorskip("prometheus_client")
    process, port = serve("--metrics-port", "0", "--workers", "1")
    assert process.stdout is not None
    said = re.fullmatch(r"metrics on (http://127\.0\.0\.1:\d+/metrics)\n", process.stdout.readline())
    assert said is not None
    setup = {"version": "1", "type": "setup", "message": {"config": space_filling, "seed": 1}}
    assert request(port, setup)["ok"]
    status = request(port, {"version": "1", "type": "status"})["message"]
    assert status["workers"] == {"n": 1, "busy": 0, "deaths": 0}
    assert status["computations"] == {"running": {}, "waiting": {}}
    assert status["counters"]["bytes_in"] == len(json.dumps(setup)) + len(
        '{"version": "1", "type": "status"}'
    )
    with urllib.request.urlopen(said[1], timeout=60) as page:
        text = page.read().decode()
    for wanted in (
        'fechner_requests_total{code="ok",dialect="1",type="setup"} 1.0',
        "fechner_commit_seconds_count 1.0",
        "fechner_commit_requests_sum 1.0",
        "fechner_record_free_bytes ",
        "fechner_workers 1.0",
    ):
        assert wanted in text
    with socket.create_connection(("127.0.0.1", int(said[1].split(":")[2].split("/")[0]))) as idle:
        idle.sendall(b"GET /metr")
        process.send_signal(signal.SIGTERM)
        _, error = process.communicate(timeout=60)
    assert (process.returncode, error) == (0, "")


def test_a_log_file_that_cannot_be_written(run: Run, tmp_path: Path) -> None:
    """It is named before anything listens."""
    result = run("serve", "--port", "0", "--log-file", tmp_path / "nowhere" / "server.log")
    assert result.exit_code == 1
    assert f"can't log to {tmp_path / 'nowhere' / 'server.log'}" in result.stderr


def test_metrics_stay_on_this_machine(run: Run) -> None:
    """Another address is a usage error; a port that is taken is named."""
    if not os.environ.get("FECHNER_REQUIRE_ALL"):
        pytest.importorskip("prometheus_client")
    result = run("serve", "--metrics-port", "0", "--metrics-host", "0.0.0.0", "--port", "0")
    assert result.exit_code == 2
    assert "0.0.0.0" in result.stderr
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        result = run("serve", "--metrics-port", port, "--port", 0, "--workers", 0)
    assert result.exit_code == 1
    assert f"port {port} is taken; --metrics-port" in result.stderr


@pytest.mark.parametrize(
    ("option", "said"),
    [
        ("--port", "can't listen on 127.0.0.1: port {} is taken; --port names another"),
        ("--zmq-port", "can't listen on ZMQ port {}: Address already in use"),
    ],
)
def test_a_port_that_is_taken_is_named(run: Run, tmp_path: Path, option: str, said: str) -> None:
    """With the option that names another one."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        ports = [option, port] if option == "--port" else ["--port", "0", option, port]
        result = run("serve", "--db", str(tmp_path / "x.db"), "--workers", "0", *ports)
    assert result.exit_code == 1
    assert said.format(port) in result.stderr


def test_every_option_is_somebody_s() -> None:
    """Of the loop, of the engine, or one that a module of commands asks for by its name."""
    named = {field.name for kind in (Settings, EngineOptions) for field in fields(kind)}
    asking = "".join(Path(str(module.__file__)).read_text("utf-8") for module in (serving, serve_, securing))
    for field in fields(ServeOptions):
        assert field.name in named or f"options.{field.name}" in asking, field.name
    shared = {field.name for field in fields(ServeOptions)} & named
    assert {"host", "port", "zmq_port", "read_only", "eager", "dialect", "limits"} <= shared
