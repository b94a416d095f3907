"""A server that may open no more descriptors goes on for those who are there, and recovers."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
from functools import partial
from pathlib import Path
from typing import Any

import pytest

resource = pytest.importorskip("resource")

CONFIG = """
[common]
parnames = [x]
outcome_types = [binary]
strategy_names = [init]
[x]
par_type = continuous
lower_bound = 0
upper_bound = 1
[init]
generator = SobolGenerator
run_indefinitely = True
"""


def held(pid: int) -> int:
    return len(os.listdir(f"/proc/{pid}/fd"))


@pytest.mark.long
@pytest.mark.skipif(not hasattr(resource, "prlimit"), reason="sets another process's limits by Linux means")
def test_out_of_descriptors(tools: Any, serve: Any) -> None:
    """Who came before is served, on record; who comes then waits, and is served once others have left."""
    import zmq

    server = serve("--workers", "0", "--zmq-port", "0")
    first = server.wire()
    first.call("setup", {"config": CONFIG, "seed": 1})
    first.call("ask")  # what is loaded from files is there by then
    before = held(server.pid)
    most = before + 8
    resource.prlimit(server.pid, resource.RLIMIT_NOFILE, (most, most))
    others = [tools.Wire(server.address) for _ in range(30)]
    for wire in others:
        wire.send(tools.request("ping"))
    while held(server.pid) < most:
        first.call("ping")
    for number in range(2, 32):
        assert first.call("ask")["trials"][0]["trial"] == number
        first.call("tell", {"trial": number, "outcome": 1})
    context = zmq.Context()
    late = context.socket(zmq.REQ)
    late.setsockopt(zmq.RCVTIMEO, 60_000)
    late.setsockopt(zmq.LINGER, 0)
    late.connect(f"tcp://127.0.0.1:{server.zmq_port}")
    late.send(json.dumps(tools.request("ping")).encode())
    first.call("ping")
    try:
        for wire in others:
            assert json.loads(wire.line())["ok"]
            wire.close()
        assert json.loads(late.recv())["ok"]
    finally:
        context.destroy(linger=0)
    assert first.call("ask")["trials"][0]["trial"] == 32
    while held(server.pid) > before + 1:  # it hears of their ends in its own time
        first.call("ping")


def test_where_the_system_allows_few_the_rest_is_cut_off(tools: Any, tmp_path: Path) -> None:
    """Some descriptors are kept for files: nobody who is there gets an error, and the log warns."""
    command = [sys.executable, "-m", "fechner.server.cli", "serve", "--port", "0", "--workers", "0"]
    limits = partial(resource.setrlimit, resource.RLIMIT_NOFILE, (100, 260))
    with (tmp_path / "log").open("w") as log:
        process = subprocess.Popen(
            [*command, "--db", str(tmp_path / "r.db")],
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
            preexec_fn=limits,
        )
    assert process.stdout is not None
    wires: list[Any] = []
    try:
        process.stdout.readline()
        port = int(process.stdout.readline().partition(";")[0].rpartition(":")[2])
        for _ in range(10):
            wires.append(tools.Wire(("127.0.0.1", port)))
            wires[-1].call("setup", {"config": CONFIG})
        for _ in range(300):
            more = tools.Wire(("127.0.0.1", port))
            with contextlib.suppress(ConnectionResetError):
                assert more.line() == b""
            more.close()
        for wire in wires:
            trial = wire.call("ask")["trials"][0]
            wire.call("tell", {"trial": trial["trial"], "outcome": 1})
    finally:
        for wire in wires:
            wire.close()
        process.terminate()
        process.wait(tools.GUARD)
        process.stdout.close()
    assert "10 connections only" in (tmp_path / "log").read_text()


@pytest.mark.long
def test_the_connections_that_a_server_allows_as_it_comes(tools: Any, serve: Any) -> None:
    """A thousand are served, and one more is told so, also where a process may open 1,024 files at first."""
    server = serve("--workers", "1", "--zmq-port", "0")
    mine = resource.getrlimit(resource.RLIMIT_NOFILE)
    if mine[0] < 1_200:
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(4_000, mine[1]), mine[1]))
    wires = []
    try:
        for _ in range(1_000):
            wires.append(tools.Wire(server.address))
            wires[-1].call("ping")
        one_more = tools.Wire(server.address)
        error = json.loads(one_more.line())["error"]
        assert error["code"] == "limit_reached"
        assert one_more.line() == b""
        one_more.close()
        for wire in wires:
            wire.call("ping")
        for wire in wires[::2]:
            wire.close()
        while True:  # there is room again once the server has heard of it
            again = tools.Wire(server.address)
            with contextlib.suppress(ConnectionError):
                again.send(tools.request("ping"))
                if json.loads(again.line())["ok"]:
                    break
            again.close()
        wires.append(again)
    finally:
        for wire in wires:
            wire.close()
        resource.setrlimit(resource.RLIMIT_NOFILE, mine)
