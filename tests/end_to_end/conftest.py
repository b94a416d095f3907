"""Servers as processes of their own, always cleaned up; raw clients for them; experiments to run on them."""

from __future__ import annotations

import contextlib
import importlib.util
import json
import os
import random
import re
import select
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import IO, Any

import pytest
import trustme

from fechner.server.shell.secrets import add_token, new_curve_key, new_token

#: A hang guard, in seconds: never reached unless something is broken.
GUARD = 60.0

Request = dict[str, Any]


def request(type: str, message: Any = None, **envelope: Any) -> Request:
    """A version 1 request; `envelope` may hold id and session."""
    return {"version": "1", "type": type, **envelope, "message": {} if message is None else message}


def free_port() -> int:
    """A port outside the range that systems hand out by themselves, so that nobody takes it meanwhile."""
    draw = random.SystemRandom()
    while True:
        port = draw.randrange(15_000, 30_000)
        with contextlib.suppress(OSError), socket.socket() as probe:
            probe.bind(("127.0.0.1", port))
            return port


def ended(pid: int, seconds: float = GUARD) -> bool:
    """Wait for the end of a process, not necessarily a child; False if it outlives the guard."""
    try:
        descriptor = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    try:
        return bool(select.select([descriptor], [], [], seconds)[0])
    finally:
        os.close(descriptor)


def children(pid: int) -> list[int]:
    """The living children of a process."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(OSError):
                fields = (entry / "stat").read_text().rpartition(")")[2].split()
                if int(fields[1]) == pid and fields[0] != "Z":
                    found.append(int(entry.name))
    return found


class Wire:
    """A raw TCP client of version 1: one reply a line, as bytes or parsed."""

    def __init__(self, address: tuple[str, int]) -> None:
        self.socket = socket.create_connection(address, GUARD)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._lines: IO[bytes] = self.socket.makefile("rb")

    def send(self, *requests: Request) -> None:
        """Send requests in one packet."""
        self.socket.sendall(b"".join(json.dumps(one).encode() for one in requests))

    def line(self) -> bytes:
        """The next reply's bytes; empty at the end of the stream."""
        return self._lines.readline()

    def exchange(self, one: Request) -> Any:
        """The reply to a request."""
        self.send(one)
        return json.loads(self.line())

    def ask_bytes(self, one: Request) -> bytes:
        """The reply to a request, as bytes."""
        self.send(one)
        return self.line()

    def call(self, type: str, message: Any = None, **envelope: Any) -> dict[str, Any]:
        """The message of a reply that is ok."""
        reply = self.exchange(request(type, message, **envelope))
        assert reply["ok"], reply
        return dict(reply["message"])

    def close(self) -> None:
        """Leave without a word."""
        self._lines.close()
        self.socket.close()


class Served:
    """A `fechner serve` process.

    Args:
        folder: where its record and its log are.
        options: of the command.
        port: 0 takes a free one.
        db: the record's name in the folder, or its URL.
        environment: more variables of its environment.
    """

    def __init__(
        self,
        folder: Path,
        *options: str,
        port: int = 0,
        db: str = "record.db",
        environment: Mapping[str, str] | None = None,
    ) -> None:
        if not hasattr(os, "pidfd_open") or not Path("/proc/self/stat").exists():
            pytest.skip("watches processes by Linux means")
        self.record: Any = db if "://" in db else folder / db
        self.log = folder / "server.log"
        command = [sys.executable, "-m", "fechner.server.cli", "serve", "--port", str(port)]
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [*command, "--db", str(self.record), *options],
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                env={**os.environ, **(environment or {})},
            )
        self.pid = self.process.pid
        assert self.process.stdout is not None
        self.process.stdout.readline()  # which record
        line = self.process.stdout.readline()
        ports = re.match(r"listening on \S+:(\d+)(?:, ZMQ on port (\d+))?;", line)
        if ports is None:
            self.process.wait(GUARD)
            raise RuntimeError(f"no server: {self.log.read_text()}")
        self.address = ("127.0.0.1", int(ports[1]))
        self.zmq_port = int(ports[2]) if ports[2] else None
        self._wires: list[Wire] = []

    @property
    def port(self) -> int:
        """The TCP port."""
        return self.address[1]

    def wire(self) -> Wire:
        """A new connection, closed with the server."""
        self._wires.append(Wire(self.address))
        return self._wires[-1]

    def workers(self, count: int) -> list[int]:
        """The worker processes' ids, once there are `count`."""
        until = time.monotonic() + GUARD
        wire = Wire(self.address)
        wire.call("ping")  # the workers are started before the first request is answered
        while len(found := children(self.pid)) != count:
            assert time.monotonic() < until, f"{len(found)} workers, not {count}"
            wire.call("ping")
        wire.close()
        return found

    def kill(self) -> None:
        """kill -9 of the listening process."""
        self.process.kill()
        self.process.wait(GUARD)

    def stop(self) -> int:
        """SIGTERM; the exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(GUARD)

    def close(self) -> None:
        """Leave nothing behind, whatever happened."""
        for wire in self._wires:
            wire.close()
        if self.process.poll() is None:
            left = children(self.pid)
            self.kill()
            for pid in left:
                if not ended(pid, 10.0):
                    os.kill(pid, signal.SIGKILL)
        assert self.process.stdout is not None
        self.process.stdout.close()


Serve = Callable[..., Served]


@dataclass(frozen=True)
class Keys:
    """What a protected server and its clients need."""

    options: list[str]
    curve_options: list[str]
    cert: str
    curve: str
    anna: str
    bert: str
    admin: str


@pytest.fixture
def keys(tmp_path: Path) -> Keys:
    """A certificate for localhost, CURVE keys, three tokens."""
    made = trustme.CA()
    issued = made.issue_cert("localhost", "127.0.0.1")
    cert, key, authority = (tmp_path / name for name in ("server.crt", "server.key", "authority.crt"))
    issued.cert_chain_pems[0].write_to_path(cert)
    issued.private_key_pem.write_to_path(key)
    key.chmod(0o600)
    made.cert_pem.write_to_path(authority)
    _, public = new_curve_key(tmp_path / "zmq.key")
    tokens = [new_token() for _ in range(3)]
    for role, token in zip(("experimenter", "experimenter", "admin"), tokens, strict=True):
        add_token(tmp_path / "tokens", role, token)  # type: ignore[arg-type]
    options = ["--token-file", tmp_path / "tokens", "--tls-cert", cert, "--tls-key", key]
    return Keys(
        [*map(str, options)], ["--curve-key", str(tmp_path / "zmq.key")], str(authority), public, *tokens
    )


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Serve]:
    """Starts servers on records in a folder of the test's own; ends them all."""
    started: list[Served] = []

    def start(*options: str, **more: Any) -> Served:
        started.append(Served(tmp_path, *options, **more))
        return started[-1]

    yield start
    for server in started:
        server.close()


@pytest.fixture
def fechner(tmp_path: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Runs a `fechner` command to its end, in the test's folder."""

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "fechner.server.cli", *arguments]
        return subprocess.run(
            command, cwd=tmp_path, capture_output=True, text=True, timeout=GUARD, check=False
        )

    return run


@pytest.fixture(scope="session")
def tools() -> ModuleType:
    """This module: `request`, `free_port`, `ended`, `children`, `Wire`."""
    return sys.modules[__name__]


def _beside(name: str, path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def peers() -> ModuleType:
    """The misbehaving clients."""
    return _beside("misbehaving_peers", Path(__file__).parents[1] / "misbehaving" / "peers.py")


@pytest.fixture(scope="session")
def killing() -> ModuleType:
    """The driver of killing.py beside this file."""
    _beside("end_to_end_ledgers", Path(__file__).with_name("ledgers.py"))
    return _beside("end_to_end_killing", Path(__file__).with_name("killing.py"))


@pytest.fixture(scope="session")
def experiments() -> ModuleType:
    """The experiments of experiments.py beside this file."""
    return _beside("end_to_end_experiments", Path(__file__).with_name("experiments.py"))
