"""What a well-behaved client notices of peers that do harm: ping, and Sobol ask and tell, with and without.

Each attack (`attacks.py`) is a process of its own, at the lowest priority, as a peer on another machine would
not take the processor; still, kernel, server, worker, attacker and client share the cores of this one. The
client sends a ping, an ask and a tell in turn, with a short pause between; undisturbed and disturbed
stretches take turns. The promise: half of all answers, and 95 of a hundred, come within twice the undisturbed
time and 2 ms. Memory is that of the listening process: before, the most meanwhile, after.

    python benchmarks/hostile.py --attacks pings huge_lists --seconds 3 --repeats 3
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import zmq
from attacks import ATTACKS
from machine import describe, sentence
from results import show
from startup import Client, resident_mb
from talkers import SOBOL
from watch import Server, served

#: The promise: so many times the undisturbed, and so many ms.
TIMES, MORE_MS = 2.0, 2.0

#: Between two rounds of the client.
PAUSE_SECONDS = 0.005


def attack(name: str, port: int, zmq_port: int, begun: Any, over: Any) -> None:
    """In a process of its own: one attack until it is over."""
    os.nice(19)
    ATTACKS[name](port, zmq_port, begun.set, over.is_set)


class ZmqClient:
    """The same client, over ZMQ."""

    def __init__(self, port: int) -> None:
        self._socket = zmq.Context.instance().socket(zmq.DEALER)
        self._socket.setsockopt(zmq.LINGER, 0)
        self._socket.setsockopt(zmq.RCVTIMEO, 60_000)
        self._socket.connect(f"tcp://127.0.0.1:{port}")

    def __call__(self, type: str, **message: Any) -> Any:
        self._socket.send_json({"version": "1", "type": type, "message": message})
        return self._socket.recv_json()


def rounds(
    client: Client | ZmqClient, seconds: float, server: Server
) -> tuple[dict[str, list[float]], float]:
    """Times in ms of pings, and of an ask with its tell; and the most memory of the server meanwhile."""
    times: dict[str, list[float]] = {"ping": [], "ask and tell": []}
    most, until = 0.0, time.perf_counter() + seconds
    while time.perf_counter() < until:
        begun = time.perf_counter()
        client("ping")
        times["ping"].append(1e3 * (time.perf_counter() - begun))
        begun = time.perf_counter()
        (trial,) = client("ask")["message"]["trials"]
        client("tell", trial=trial["trial"], outcome=1)
        times["ask and tell"].append(1e3 * (time.perf_counter() - begun))
        most = max(most, resident_mb(server.pid))
        time.sleep(PAUSE_SECONDS)
    return times, most


def measure(
    name: str, seconds: float, repeats: int, workers: int | None, over_zmq: bool = False
) -> dict[str, Any]:
    """One attack on a server of its own."""
    options = [] if workers is None else ["--workers", str(workers)]
    context = multiprocessing.get_context("spawn")
    alone: dict[str, list[float]] = {}
    beside: dict[str, list[float]] = {}
    with tempfile.TemporaryDirectory() as folder, served(Path(folder), *options) as server:
        client: Client | ZmqClient
        client = ZmqClient(server.zmq_port) if over_zmq else Client(server.port, time.monotonic() + 60)
        client("setup", config=SOBOL)
        rounds(client, 1.0, server)
        before, most = resident_mb(server.pid), 0.0
        for _ in range(repeats):
            found, _most = rounds(client, seconds, server)
            for kind, times in found.items():
                alone.setdefault(kind, []).extend(times)
            begun, over = context.Event(), context.Event()
            arguments = (name, server.port, server.zmq_port, begun, over)
            attacker = context.Process(target=attack, args=arguments, daemon=True)
            attacker.start()
            try:
                if not begun.wait(60):
                    raise RuntimeError(f"{name} did not begin")
                found, highest = rounds(client, seconds, server)
                for kind, times in found.items():
                    beside.setdefault(kind, []).extend(times)
                most = max(most, highest)
            finally:
                over.set()
                attacker.join(10)
                if attacker.is_alive():
                    attacker.kill()
        rounds(client, 1.5, server)
        after = resident_mb(server.pid)
        left = server.status()["connections"]["open"] - 2  # this client and the one that asks
    memory = {"before": before, "most": most, "after": after}
    kept = all(
        quantile(beside[kind], q) <= TIMES * quantile(alone[kind], q) + MORE_MS
        for kind in alone
        for q in (0.5, 0.95)
    )
    return {"attack": name, "alone": alone, "beside": beside, "mb": memory, "left": left, "kept": kept}


def quantile(times: list[float], q: float) -> float:
    """Of times in ms."""
    return float(np.quantile(times, q))


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--attacks", nargs="+", choices=ATTACKS, default=list(ATTACKS))
    parser.add_argument("--seconds", type=float, default=3.0, help="of each stretch")
    parser.add_argument("--repeats", type=int, default=2)
    parser.add_argument("--workers", type=int, help="the server's default if not given")
    parser.add_argument("--client", choices=["tcp", "zmq"], default="tcp", help="the well-behaved one's way")
    parser.add_argument("--markdown", action="store_true", help="print Markdown")
    parser.add_argument("--json", action="store_true", help="print JSON")
    given = parser.parse_args()
    machine = describe()
    over_zmq = given.client == "zmq"
    found = [measure(name, given.seconds, given.repeats, given.workers, over_zmq) for name in given.attacks]
    if given.json:
        print(json.dumps({"machine": machine, "runs": found}))
        return
    rows = []
    for one in found:
        for kind in one["alone"]:
            pairs = (
                f"{quantile(one['alone'][kind], q):.1f} → {quantile(one['beside'][kind], q):.1f}"
                for q in (0.5, 0.95, 0.99)
            )
            first = kind == "ping"
            memory = " · ".join(f"{one['mb'][when]:.0f}" for when in ("before", "most", "after"))
            kept = "yes" if one["kept"] else "no"
            rows.append(
                (one["attack"] if first else "", kind, *pairs, memory if first else "", kept if first else "")
            )
    show(
        ("attack", "request", "ms", "95 %", "99 %", "server MB", "kept"),
        rows,
        f"{given.repeats} times {given.seconds:g} s each, alone → beside. {sentence(machine)}",
        markdown=given.markdown,
    )


if __name__ == "__main__":
    main()
