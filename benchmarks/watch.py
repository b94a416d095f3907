"""What a server holds while it runs: memory, open descriptors, connections, sessions."""

from __future__ import annotations

import contextlib
import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from startup import Client, resident_mb, workers_of


@dataclass
class Server:
    """A server under load."""

    process: subprocess.Popen[str]
    port: int
    zmq_port: int
    folder: Path

    @property
    def pid(self) -> int:
        """Of the listening process."""
        return self.process.pid

    def sample(self) -> dict[str, float]:
        """Memory in MB and descriptors, of the listening process and of its workers; MB of the record."""
        workers = workers_of(self.pid)
        found = {"server_mb": resident_mb(self.pid), "server_descriptors": descriptors(self.pid)}
        with contextlib.suppress(OSError, IndexError):  # one that has just been replaced
            found["worker_mb"] = max((resident_mb(pid) for pid in workers), default=0.0)
            found["worker_descriptors"] = max((descriptors(pid) for pid in workers), default=0)
        found["record_mb"] = sum(file.stat().st_size for file in self.folder.glob("record.db*")) / 1e6
        return found

    def status(self) -> dict[str, Any]:
        """What the server itself says, on a connection of its own."""
        client = Client(self.port, time.monotonic() + 60)
        with client.socket:
            found: dict[str, Any] = client("status")["message"]
        return found


def descriptors(pid: int) -> int:
    """How many are open."""
    return len(os.listdir(f"/proc/{pid}/fd"))


@contextlib.contextmanager
def served(folder: Path, *options: str, nice: int = 0) -> Iterator[Server]:
    """A server with ZMQ on free ports and a fresh record."""
    command = [sys.executable, "-m", "fechner.server.cli", "serve", "--port", "0", "--zmq-port", "0"]
    process = subprocess.Popen(
        [*command, "--db", f"{folder}/record.db", "--log-level", "error", *options],
        stdout=subprocess.PIPE,
        text=True,
        preexec_fn=(lambda: os.nice(nice) and None) if nice else None,
    )
    try:
        assert process.stdout is not None
        for line in process.stdout:
            ports = re.match(r"listening on \S+:(\d+), ZMQ on port (\d+);", line)
            if ports is not None:
                break
        else:
            raise RuntimeError("no server")
        yield Server(process, int(ports[1]), int(ports[2]), Path(folder))
    finally:
        process.terminate()
        process.wait(60)
        process.stdout.close()


def held_open(port: int, count: int) -> list[socket.socket]:
    """So many connections that say nothing."""
    return [socket.create_connection(("127.0.0.1", port), 30) for _ in range(count)]
