"""How many tells a server acknowledges, each of them durable, and what an ask and a tell take.

Space-filling sessions, so that only the shell works. Each client has one request under way at a time: tells
of stimuli of its own, or with `--asks` an ask and the tell of its trial in turn. All clients are one process
that does little else, so that the server has a core to itself. Before and after, the folder's own time for
a durable write is measured (4 KiB and fsync).

    python benchmarks/throughput.py --clients 1 50 200 --seconds 5
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import selectors
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
from machine import describe, sentence
from results import show
from startup import Client as Wire
from startup import cpu_seconds, free_port

CONFIG = """
[common]
parnames = [x, y]
outcome_types = [binary]
strategy_names = [init]
[x]
par_type = continuous
lower_bound = 0
upper_bound = 1
[y]
par_type = continuous
lower_bound = 0
upper_bound = 1
[init]
generator = SobolGenerator
run_indefinitely = True
"""


def fsync_ms(folder: Path, repeats: int = 50) -> list[float]:
    """Times of a durable write of 4 KiB in a folder."""
    found = []
    with (folder / "probe").open("wb", buffering=0) as file:
        for _ in range(repeats):
            begun = time.perf_counter()
            file.write(b"\0" * 4096)
            os.fsync(file.fileno())
            found.append(1e3 * (time.perf_counter() - begun))
    return found


class Client:
    """A socket with one request under way, and the times (ms) of those that were answered."""

    def __init__(self, port: int, number: int, asks: bool) -> None:
        self._wire = Wire(port, time.monotonic() + 60)
        self._asks, self._trial = asks, 0
        self._wire("setup", config=CONFIG, seed=number)
        self.socket = self._wire.socket
        self._reply = b""
        self._type, self._count = "ask", 0
        self.times: dict[str, list[float]] = {"ask": [], "tell": []}

    def send(self) -> None:
        """The next request."""
        self._count += 1
        if self._asks and (self._type == "tell" or not self._trial):
            self._type, message = "ask", b"{}"
        else:
            self._type = "tell"
            about = b'"trial":%d' % self._trial if self._asks else b'"config":{"x":0.25,"y":0.75}'
            message = b'{%s,"outcome":%d}' % (about, self._count % 2)
        self._sent = time.perf_counter()
        self.socket.sendall(b'{"version":"1","type":"%s","message":%s}' % (self._type.encode(), message))

    def hear(self) -> bool:
        """Bytes came; whether they complete the reply."""
        self._reply += self.socket.recv(65536)
        if not self._reply.endswith(b"\n"):
            return False
        self.times[self._type].append(1e3 * (time.perf_counter() - self._sent))
        if b'"ok":true' not in self._reply:
            raise RuntimeError(self._reply.decode())
        if self._asks and self._type == "ask":
            (trial,) = json.loads(self._reply)["message"]["trials"]
            self._trial = trial["trial"]
        self._reply = b""
        return True


def crowd(port: int, count: int, seconds: float, asks: bool, begin: Any, results: Any) -> None:
    """So many clients for a while: the times of their asks and tells in ms."""
    clients = [Client(port, number, asks) for number in range(1, count + 1)]
    begin.wait()
    until = time.perf_counter() + seconds
    with selectors.DefaultSelector() as selector:
        for client in clients:
            selector.register(client.socket, selectors.EVENT_READ, client)
            client.send()
        while time.perf_counter() < until:
            for key, _ in selector.select(1.0):
                if key.data.hear():
                    key.data.send()
    results.put({name: [ms for client in clients for ms in client.times[name]] for name in ("ask", "tell")})


def measure(clients: int, seconds: float, asks: bool) -> dict[str, Any]:
    """All clients at once on a fresh server."""
    port = free_port()
    command = [sys.executable, "-m", "fechner.server.cli", "serve", "--port", str(port), "--workers", "0"]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        before = fsync_ms(folder)
        server = subprocess.Popen([*command, "--db", f"{folder}/record.db"], stdout=subprocess.DEVNULL)
        context = multiprocessing.get_context("spawn")
        begin, results = context.Barrier(2), context.Queue()
        arguments = (port, clients, seconds, asks, begin, results)
        people = context.Process(target=crowd, args=arguments, daemon=True)
        try:
            people.start()
            begin.wait(120)
            used = cpu_seconds(server.pid)
            found = results.get(timeout=60 + seconds)
            used = cpu_seconds(server.pid) - used
        finally:
            people.join(10)
            server.terminate()
            server.wait(30)
        after = fsync_ms(folder)
    figures: dict[str, Any] = {"clients": clients, "asks": asks, "fsync": median([*before, *after])}
    for name, times in found.items():
        if times:
            figures |= {name: median(times), f"{name}_p95": float(np.quantile(times, 0.95))}
    tells = len(found["tell"])
    return figures | {"tells": tells / seconds, "cpu_us": 1e6 * used / tells}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--clients", type=int, nargs="+", default=[1, 50])
    parser.add_argument("--asks", action="store_true", help="ask for the trials that are told")
    parser.add_argument("--seconds", type=float, default=5.0)
    parser.add_argument("--markdown", action="store_true", help="print Markdown")
    parser.add_argument("--json", action="store_true", help="print JSON")
    options = parser.parse_args()
    machine = describe()
    found = [measure(clients, options.seconds, options.asks) for clients in options.clients]
    if options.json:
        print(json.dumps({"machine": machine, "runs": found}))
        return
    shown = ("tells", "tell", "tell_p95", "ask", "ask_p95", "cpu_us", "fsync")
    show(
        ("clients", "tells/s", "tell ms", "95 %", "ask ms", "95 %", "processor us a tell", "fsync ms"),
        [
            (str(one["clients"]), *(f"{one[name]:.2f}" if name in one else "" for name in shown))
            for one in found
        ],
        f"{options.seconds:g} s each. {sentence(machine)}",
        markdown=options.markdown,
    )


if __name__ == "__main__":
    main()
