"""`fechner status` and `fechner watch` look at a real server and change nothing."""

from __future__ import annotations

import json
import os
import re
import select
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

pty = pytest.importorskip("pty")

SETUP = {"name": "pilot", "participant": "p01", "seed": 1}


@pytest.fixture
def busy(serve: Any, experiments: Any) -> Any:
    """A server, by TCP and ZMQ, with a session that has a pending trial."""
    server = serve("--workers", "1", "--zmq-port", "0")
    wire = server.wire()
    wire.call("setup", {"config": experiments.config(), **SETUP})
    wire.call("ask")
    return server


@pytest.mark.parametrize("by", ["tcp", "zmq"])
def test_status_tells_sessions_and_counts(busy: Any, fechner: Any, by: str) -> None:
    """For people and as JSON, over either transport; exit code 0."""
    where = ["--port", busy.port] if by == "tcp" else ["--zmq-port", busy.zmq_port]
    done = fechner("status", *map(str, where))
    assert (done.returncode, done.stderr) == (0, "")
    assert re.search(r"pilot +p01 +1 +init +1 +0 +1 +\d+ s +idle", done.stdout)
    status = json.loads(fechner("status", *map(str, where), "--json").stdout)
    assert status["sessions"][0]["trials"] == {"asked": 1, "told": 0, "pending": 1, "skipped": 0}
    assert status["workers"]["n"] == 1


def test_nobody_answers(fechner: Any, tools: Any) -> None:
    """Exit code 1, and why."""
    port = tools.free_port()
    for command in ("status", "watch"):
        done = fechner(command, "--port", str(port))
        assert done.returncode == 1
        assert f"no server answers at 127.0.0.1 port {port}" in done.stderr


@pytest.mark.parametrize(
    ("reply", "said"),
    [
        (b"SSH-2.0-OpenSSH\r\n", "no Fechner server"),
        (b"", "doesn't answer"),
        (b'{"ok":false,"error":{"code":"unknown_type","detail":"x"}}\n', "older than this program"),
        (b'{"ok":false,"error":{"code":"shutting_down","detail":"it stops"}}\n', "shutting_down: it stops"),
    ],
)
def test_something_else_answers(fechner: Any, reply: bytes, said: str) -> None:
    """It is said what, without a traceback."""

    def answer(listener: socket.socket) -> None:
        with listener.accept()[0] as peer:
            peer.recv(65536)
            peer.sendall(reply)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        answering = threading.Thread(target=answer, args=(listener,))
        answering.start()
        done = fechner("status", "--port", str(listener.getsockname()[1]))
        answering.join()
    assert done.returncode == 1
    assert said in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("dialect", ["aepsych-0.8", "aepsych-0.1"])
def test_a_server_that_speaks_an_older_dialect_only(serve: Any, fechner: Any, dialect: str) -> None:
    """It is said at once: its replies have no end of line to wait for."""
    server = serve("--workers", "0", "--dialect", dialect)
    done = fechner("status", "--port", str(server.port))
    assert done.returncode == 1
    assert "AEPsych dialect only" in done.stderr


def test_watching_through_a_pipe_shows_one_frame(busy: Any, fechner: Any) -> None:
    """As `--once` does."""
    for more in ([], ["--once"]):
        done = fechner("watch", "--port", str(busy.port), *more)
        assert done.returncode == 0
        assert "1 session, " in done.stdout
        assert "pilot" in done.stdout


class Terminal:
    """A program in a terminal of 80 columns."""

    def __init__(self, process: subprocess.Popen[bytes], descriptor: int) -> None:
        self.process, self._descriptor = process, descriptor
        self.text = ""

    def until(self, wanted: str) -> None:
        """Read what it draws until it has drawn this."""
        while wanted not in self.text:
            assert select.select([self._descriptor], [], [], 60)[0], self.text
            self.text += os.read(self._descriptor, 65536).decode("utf-8", "replace")

    def end(self) -> int:
        """Read to the end; the exit code."""
        while select.select([self._descriptor], [], [], 60)[0]:
            try:
                part = os.read(self._descriptor, 65536)
            except OSError:  # Linux says so that nobody has the other end any more
                break
            if not part:
                break
            self.text += part.decode("utf-8", "replace")
        return self.process.wait(60)


@contextmanager
def watching(port: int) -> Iterator[Terminal]:
    """`fechner watch` in a terminal."""
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "fechner.server.cli", "watch", "--port", str(port)]
    environment = {**os.environ, "TERM": "xterm", "COLUMNS": "80", "LINES": "24"}
    with subprocess.Popen(
        command, stdin=theirs, stdout=theirs, stderr=theirs, env=environment, start_new_session=True
    ) as process:
        os.close(theirs)
        try:
            yield Terminal(process, ours)
        finally:
            process.kill()
            os.close(ours)


def test_ctrl_c_ends_watching_and_not_the_server(busy: Any) -> None:
    """The screen is put back, the exit code is 0, and the server answers on."""
    with watching(busy.port) as terminal:
        terminal.until("pilot")
        terminal.until("a second")  # it looked again
        terminal.process.send_signal(signal.SIGINT)
        assert terminal.end() == 0
    assert "\x1b[?1049l" in terminal.text
    assert "Traceback" not in terminal.text
    busy.wire().call("ping")


def test_a_server_that_goes_away_is_said_to_be_gone(busy: Any) -> None:
    """With the last that was seen; exit code 1."""
    with watching(busy.port) as terminal:
        terminal.until("pilot")
        assert busy.stop() == 0
        assert terminal.end() == 1
    after = terminal.text.rpartition("\x1b[?1049l")[2]
    assert "pilot" in after
    assert "the server is gone" in after
    assert "Traceback" not in terminal.text


def test_watching_is_on_no_record(busy: Any, fechner: Any) -> None:
    """Nor does it take a session from anybody."""
    before = len(fechner("show", "last", "--db", str(busy.record), "--json").stdout)
    fechner("watch", "--port", str(busy.port), "--once")
    assert len(fechner("show", "last", "--db", str(busy.record), "--json").stdout) == before
