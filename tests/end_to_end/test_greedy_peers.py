"""A peer that takes all it can get hurts nobody: others are answered meanwhile, and nothing of it stays."""

from __future__ import annotations

import contextlib
import json
import select
import socket
import uuid
from pathlib import Path
from typing import Any

import pytest

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
SETUP = json.dumps({"version": "1", "type": "setup", "message": {"config": CONFIG}}).encode()
TELL = json.dumps({"version": "1", "type": "tell", "message": {"config": {"x": 0.5}, "outcome": 1}}).encode()

#: What a flood is made of, and what comes first.
FLOODS: dict[str, tuple[bytes, bytes]] = {
    "pings": (b'{"version":"1","type":"ping","id":"a"}' * 100, b""),
    "asks": (b'{"version":"1","type":"ask"}' * 100, SETUP),
    "tells": (TELL * 100, SETUP),
    "tells of many trials": (
        b'{"version":"1","type":"tell","message":{"trials":[%s{"config":{"x":9},"outcome":1}]}}'
        % (b'{"config":{"x":0.5},"outcome":1},' * 500),
        SETUP,
    ),
    "no requests": (b"[]" * 10_000, b""),
    "no JSON": (bytes(range(256)) * 100, b""),
    "two megabytes of text": (b'{"version":"1","message":[' + b'"%s",' % (b"x" * 60_000) * 34 + b"1]}", b""),
    "two megabytes of lists": (b'{"version":"1","message":[' + b"[]," * 690_000 + b"1]}", b""),
    "two megabytes of numbers": (b'{"version":"1","message":[' + b"1," * 1_000_000 + b"1]}", b""),
}


@pytest.fixture(scope="module")
def served(tools: Any, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """One server for all: each flood must leave it as it was."""
    one = tools.Served(tmp_path_factory.mktemp("greedy"), "--workers", "0", "--zmq-port", "0")
    yield one
    one.close()


def most_resident(pid: int) -> float:
    """Memory in MB, the most so far."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) / 1e3


def trials(wire: Any, count: int) -> None:
    """So many trials, asked and told."""
    for _ in range(count):
        trial = wire.call("ask")["trials"][0]
        wire.call("tell", {"trial": trial["trial"], "outcome": 1})
        wire.call("ping")


def alone_again(server: Any, tools: Any) -> None:
    """Until the server has seen everybody off but who asks."""
    wire = server.wire()
    while (found := wire.call("status"))["connections"]["open"] > 1:
        pass
    assert found["n_sessions"] == 0
    wire.close()


#: Tried every time; all of them with the long tests.
USUAL = ("asks", "no requests", "two megabytes of lists")


@pytest.mark.parametrize(
    "kind", [kind if kind in USUAL else pytest.param(kind, marks=pytest.mark.long) for kind in FLOODS]
)
def test_others_are_answered_while_a_flood_goes_on(served: Any, tools: Any, peers: Any, kind: str) -> None:
    """Twenty trials beside it; memory stays, and afterwards nothing of it is left."""
    data, first = FLOODS[kind]
    wire = tools.Wire(served.address)
    wire.call("setup", {"config": CONFIG, "seed": 1})
    trials(wire, 3)
    before = most_resident(served.pid)
    with peers.Flood(served.address, data, first) as flood:
        while not flood.sent:
            wire.call("ping")
        trials(wire, 20)
        sent = flood.sent
        while flood.sent == sent:  # it was served, too
            wire.call("ping")
    assert most_resident(served.pid) - before < 60
    wire.close()
    alone_again(served, tools)


def test_a_client_that_never_reads_is_not_read_and_then_closed(serve: Any, peers: Any) -> None:
    """The server takes what fits into buffers, serves others, and gives it up after `message_seconds`."""
    server = serve("--workers", "0", "--message-seconds", "0.5")
    wire = server.wire()
    wire.call("setup", {"config": CONFIG, "seed": 1})
    before = most_resident(server.pid)
    with peers.NeverReads(server.address) as deaf:
        assert deaf.sent < 200_000
        trials(wire, 10)
        assert cut_off(deaf.socket)
    assert most_resident(server.pid) - before < 30
    assert "reads no reply within 0.5 s" in server.log.read_text()
    trials(wire, 1)


def cut_off(one: socket.socket) -> bool:
    """Wait for the end of a connection without reading what there is to read."""
    poll = select.poll()
    poll.register(one, select.POLLRDHUP)
    return bool(poll.poll(60_000))


def test_large_replies_that_nobody_reads_are_bounded(serve: Any) -> None:
    """However many are asked for: no more are made than fit into buffers."""
    server = serve("--workers", "0", "--message-seconds", "2")
    wire = server.wire()
    wire.call("setup", {"config": CONFIG, "seed": 1})
    before = most_resident(server.pid)
    many = ", ".join(f"choice-{number:0200d}" for number in range(1000))
    config = CONFIG.replace(
        "continuous\nlower_bound = 0\nupper_bound = 1", f"categorical\nchoices = [{many}]"
    )
    with socket.socket() as one:
        one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        one.connect(server.address)
        one.sendall(json.dumps({"version": "1", "type": "setup", "message": {"config": config}}).encode())
        one.sendall(b'{"version":"1","type":"parameters"}' * 2_000)
        trials(wire, 10)
        assert cut_off(one)
    assert most_resident(server.pid) - before < 60
    made = wire.call("status")["counters"]["bytes_out"]
    assert made < 40 * 2**20  # of 400 MB
    trials(wire, 1)


def test_messages_that_are_never_ended(serve: Any, tools: Any) -> None:
    """Fifty large ones: others are answered, and each is refused in time."""
    server = serve("--workers", "0", "--message-seconds", "1")
    wire = server.wire()
    wire.call("setup", {"config": CONFIG, "seed": 1})
    begun = [tools.Wire(server.address) for _ in range(50)]
    for one in begun:
        one.socket.sendall(b'{"version":"1","message":[' + b'"%s",' % (b"x" * 60_000) * 10)
    trials(wire, 10)
    for one in begun:
        assert json.loads(one.line())["error"]["code"] == "limit_reached"
        assert one.line() == b""
        one.close()
    wire.close()
    alone_again(server, tools)


def test_connections_that_come_and_go(served: Any, tools: Any, peers: Any) -> None:
    """Hundreds, closed and reset: others are answered, and nothing is left of them."""
    wire = tools.Wire(served.address)
    wire.call("setup", {"config": CONFIG, "seed": 1})
    before = len(list(Path(f"/proc/{served.pid}/fd").iterdir()))
    for _ in range(10):
        peers.connect_and_leave(served.address, 50)
        for _ in range(10):
            peers.vanish(served.address, [peers.request("ping", id="a")], wait_for=1)
        trials(wire, 2)
    wire.close()
    alone_again(served, tools)
    assert len(list(Path(f"/proc/{served.pid}/fd").iterdir())) <= before + 1


# Over ZMQ


@pytest.fixture
def context() -> Any:
    """A ZMQ context that leaves nothing behind."""
    import zmq

    one = zmq.Context()
    yield one
    one.destroy(linger=0)


def dealer(context: Any, server: Any, holds: int = 1000) -> Any:
    """A client that takes so many replies before it is read."""
    import zmq

    one = context.socket(zmq.DEALER)
    one.setsockopt(zmq.RCVHWM, holds)
    one.setsockopt(zmq.RCVTIMEO, 60_000)
    one.connect(f"tcp://127.0.0.1:{server.zmq_port}")
    return one


@pytest.mark.parametrize(
    "kind", ["pings", *(pytest.param(kind, marks=pytest.mark.long) for kind in FLOODS if kind != "pings")]
)
def test_others_are_answered_while_a_flood_comes_over_zmq(
    served: Any, tools: Any, context: Any, kind: str
) -> None:
    """From one who never reads a reply: it is served no more than it reads, and its session is nobody's."""
    import zmq

    data = {"pings": b'{"version":"1","type":"ping","id":"a"}', "no requests": b"[]"}.get(
        kind, FLOODS[kind][0]
    )
    wire = tools.Wire(served.address)
    wire.call("setup", {"config": CONFIG, "seed": 1})
    before = most_resident(served.pid)
    one = dealer(context, served, holds=1)
    for _ in range(20):
        with contextlib.suppress(zmq.Again):
            for _ in range(200):
                one.send(data, zmq.NOBLOCK)
        trials(wire, 1)
    assert most_resident(served.pid) - before < 150
    one.close(linger=0)
    wire.close()
    alone_again(served, tools)


def test_zmq_peers_that_have_left_take_no_connection(serve: Any, tools: Any, context: Any) -> None:
    """Ten times as many as may be there at a time come and go; another is served between."""
    server = serve("--workers", "0", "--zmq-port", "0", "--connections", "20")
    first = dealer(context, server)
    ping = json.dumps(tools.request("ping")).encode()
    for _ in range(200):
        one = dealer(context, server)
        reply = {"ok": False}
        while not reply["ok"]:  # refused until the server has heard that others have left
            one.send(ping)
            reply = json.loads(one.recv())
        one.close(linger=0)
        first.send(ping)
        assert json.loads(first.recv())["ok"]
    first.close(linger=0)
    alone_again(server, tools)


def test_a_session_is_free_when_its_zmq_peer_has_left(served: Any, tools: Any, context: Any) -> None:
    """Nobody waits until it has been silent for long."""
    session = str(uuid.uuid4())
    one = dealer(context, served)
    one.send(json.dumps(tools.request("setup", {"config": CONFIG}, session=session)).encode())
    assert json.loads(one.recv())["ok"]
    one.close(linger=0)
    wire = tools.Wire(served.address)
    while True:
        reply = wire.exchange(tools.request("resume", {"session": session}))
        if reply["ok"]:
            break
        assert reply["error"]["code"] == "session_busy"
    assert wire.call("info")["trials"]["asked"] == 0
    wire.close()
