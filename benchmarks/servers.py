"""Servers to compare, each started afresh and spoken to in the AEPsych 0.8 dialect.

`fechner`, `peer_socket` and `peer_in_process` are context managers that give a `Call`: a request's type and
message to the seconds until its reply was complete, and the reply.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import select
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from startup import free_port

Reply = Any
Call = Callable[[str, dict[str, Any]], tuple[float, Reply]]

START_SECONDS = 120.0


class Refused(Exception):
    """A server said that it can't, or said nothing in time."""


def replied(reply: Reply) -> Reply:
    """A reply that is no error."""
    if isinstance(reply, dict) and "server_error" in reply:
        raise Refused(str(reply["server_error"])[:300])
    return reply


class Wire08:
    """A raw socket in the 0.8 dialect: replies have no ending, so one is read until it is a whole JSON value.

    Args:
        port: on this machine.
        timeout: seconds that a reply may take.
        alive: whether the server still runs; asked while it isn't listening yet.
    """

    def __init__(self, port: int, timeout: float, alive: Callable[[], bool]) -> None:
        until = time.monotonic() + START_SECONDS
        while True:
            try:
                self._socket = socket.create_connection(("127.0.0.1", port), timeout)
                break
            except ConnectionRefusedError:
                if time.monotonic() > until or not alive():
                    raise Refused("the server didn't start") from None
                time.sleep(0.02)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def __call__(self, type: str, message: dict[str, Any]) -> tuple[float, Reply]:
        request = json.dumps({"type": type, "message": message}).encode()
        begun = time.perf_counter()
        received = b""
        try:
            self._socket.sendall(request)
            while True:
                part = self._socket.recv(1 << 16)
                if not part:
                    raise Refused(f"the server closed the connection at {type}")
                received += part
                with contextlib.suppress(ValueError):
                    reply = json.loads(received)
                    return time.perf_counter() - begun, replied(reply)
        except TimeoutError:
            raise Refused(f"no reply to {type} in time") from None
        except OSError as error:
            raise Refused(f"{type}: {error}") from None

    def close(self) -> None:
        """Leave."""
        self._socket.close()


def leave_nothing_behind() -> None:
    """Let SIGTERM end this process as Ctrl-C does: the servers that it started are ended first."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))


def end(process: subprocess.Popen[Any]) -> None:
    """End a process that was started here, by force if it must be."""
    process.terminate()
    try:
        process.wait(10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait(10)


@cache
def quiet_options() -> tuple[str, ...]:
    """Those that keep Fechner from computing an ask before it is asked, if it can."""
    command = [sys.executable, "-m", "fechner.server.cli", "serve", "--help"]
    said = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout
    return tuple(word for name in ("--eager", "--speculate") if f"{name} " in said for word in (name, "off"))


@contextlib.contextmanager
def serving(*options: str) -> Iterator[tuple[subprocess.Popen[str], int]]:
    """A Fechner server on a record of its own, with one worker: its process and its port."""
    command = [sys.executable, "-m", "fechner.server.cli", "serve", "--port", "0", *quiet_options(), *options]
    with tempfile.TemporaryDirectory() as folder:
        server = subprocess.Popen(
            [*command, "--db", f"{folder}/record.db"], stdout=subprocess.PIPE, text=True
        )
        assert server.stdout is not None
        try:
            server.stdout.readline()  # which record
            found = re.match(r"listening on \S+:(\d+)", server.stdout.readline())
            if found is None:
                raise Refused("the server didn't start")
            yield server, int(found[1])
        finally:
            end(server)
            server.stdout.close()


@contextlib.contextmanager
def fechner(timeout: float) -> Iterator[Call]:
    """Fechner through its socket."""
    with serving("--workers", "1") as (server, port):
        wire = Wire08(port, timeout, lambda: server.poll() is None)
        try:
            yield wire
        finally:
            wire.close()


def peer_environment(threads: int | None) -> dict[str, str]:
    """As the peer finds it, or with a number of threads for its arithmetic."""
    return {**os.environ, **({} if threads is None else {"OMP_NUM_THREADS": str(threads)})}


@contextlib.contextmanager
def peer_socket(python: str, timeout: float, threads: int | None = None) -> Iterator[Call]:
    """The peer's server, which serves its first connection only."""
    port = free_port()
    program = str(Path(python).parent / "aepsych_server")
    with tempfile.TemporaryDirectory() as folder:
        options = ["--port", str(port), "--ip", "127.0.0.1", "--db", f"{folder}/record.db"]
        command = [program, *options, "--logs", f"{folder}/logs"]
        server = subprocess.Popen(
            command,
            cwd=folder,
            env=peer_environment(threads),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            wire = Wire08(port, timeout, lambda: server.poll() is None)
            try:
                yield wire
            finally:
                wire.close()
        finally:
            end(server)


@contextlib.contextmanager
def peer_in_process(python: str, timeout: float, threads: int | None = None) -> Iterator[Call]:
    """The peer called in a process of its own; the time is that of the call alone."""
    runner = str(Path(__file__).with_name("peer_runner.py"))
    with tempfile.TemporaryDirectory() as folder:
        process = subprocess.Popen(
            [python, runner, f"{folder}/record.db"],
            cwd=folder,
            env=peer_environment(threads),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            bufsize=0,
        )
        assert process.stdin is not None
        assert process.stdout is not None
        lines, stdin = process.stdout.fileno(), process.stdin

        def call(type: str, message: dict[str, Any]) -> tuple[float, Reply]:
            try:
                stdin.write(json.dumps({"type": type, "message": message}).encode() + b"\n")
            except OSError as error:
                raise Refused(f"{type}: {error}") from None
            received = b""
            while not received.endswith(b"\n"):
                if not select.select([lines], [], [], timeout + START_SECONDS)[0]:
                    raise Refused(f"no reply to {type} in time")
                part = os.read(lines, 1 << 16)
                if not part:
                    raise Refused(f"the process ended at {type}")
                received += part
            answer = json.loads(received)
            return float(answer["seconds"]), replied(answer["reply"])

        try:
            yield call
        finally:
            end(process)
            process.stdin.close()
            process.stdout.close()


def names(peer_python: str | None) -> Sequence[str]:
    """Who can be compared."""
    return ("fechner",) if peer_python is None else ("fechner", "peer", "peer in process")


def start(
    who: str, peer_python: str | None, timeout: float, peer_threads: int | None = None
) -> contextlib.AbstractContextManager[Call]:
    """One of `names`."""
    if who == "fechner":
        return fechner(timeout)
    assert peer_python is not None
    return (peer_socket if who == "peer" else peer_in_process)(peer_python, timeout, peer_threads)
