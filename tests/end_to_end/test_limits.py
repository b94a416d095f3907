"""Each limit, over TCP, over ZMQ and in process: at it all is well, above it an error names it."""

from __future__ import annotations

import contextlib
import json
import select
import socket
import uuid
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

import pytest

from fechner.server import Server
from fechner.server.protocol.limits import Limits

Request = dict[str, Any]

#: Small enough for a thousand times as much to be quick. Time limits have servers of their own.
SMALL = Limits(
    message_bytes=100_000,
    depth=8,
    string_bytes=100,
    config_bytes=1_500,
    trials_per_tell=5,
    points_per_query=4,
    trials_per_session=12,
    seed_trials=3,
    connections=40,
    waiting_requests=6,
)

SOBOL = """
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
MODEL = SOBOL.replace("[init]", "[init]\nmodel = GPClassificationModel")


def options(limits: Limits) -> list[str]:
    """Of `fechner serve`."""
    changed = {name: value for name, value in asdict(limits).items() if value != asdict(Limits())[name]}
    return [text for name, value in changed.items() for text in (f"--{name.replace('_', '-')}", str(value))]


def request(kind: str, message: Any = None, **more: Any) -> Request:
    return {"version": "1", "type": kind, **more, "message": {} if message is None else message}


# Doors into a server: each gives the reply to a request, and says whether it is still open.


class Tcp:
    """One connection on the byte stream."""

    name = "tcp"

    def __init__(self, served: Any) -> None:
        self.wire = served.wire()

    def exchange(self, value: Request | bytes) -> Any:
        data = value if isinstance(value, bytes) else json.dumps(value).encode()
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):  # cut off: its reply is there
            self.wire.socket.sendall(data)
        return json.loads(self.wire.line())

    def closed(self) -> bool:
        return bool(self.wire.line() == b"")

    def close(self) -> None:
        self.wire.close()


class Zmq:
    """One REQ socket."""

    name = "zmq"

    def __init__(self, served: Any) -> None:
        import zmq

        self.context = zmq.Context()
        self.socket = self.context.socket(zmq.REQ)
        self.socket.setsockopt(zmq.LINGER, 0)
        self.socket.setsockopt(zmq.RCVTIMEO, 60_000)
        self.socket.connect(f"tcp://127.0.0.1:{served.zmq_port}")

    def exchange(self, value: Request | bytes) -> Any:
        self.socket.send(value if isinstance(value, bytes) else json.dumps(value).encode())
        return json.loads(self.socket.recv())

    def closed(self) -> bool:
        return False

    def close(self) -> None:
        self.context.destroy(linger=0)


class Queue:
    """A channel of a server in this process."""

    name = "queue"

    def __init__(self, served: Any) -> None:
        self.server = Server(limits=SMALL)
        self.channel = self.server.connect()

    def exchange(self, value: Request | bytes) -> Any:
        if isinstance(value, bytes):  # nested deeper than Python's own reader goes
            nested: Any = []
            for _ in range(value.count(b"[")):
                nested = [nested]
            value = {"a": nested}
        return self.channel.request(value)

    def closed(self) -> bool:
        return False

    def close(self) -> None:
        self.server.close()


Door = Tcp | Zmq | Queue


@pytest.fixture(scope="module")
def served(tools: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """One server with small limits for all of these."""
    folder = tmp_path_factory.mktemp("limits")
    one = tools.Served(folder, "--workers", "0", "--zmq-port", "0", *options(SMALL))
    yield one
    one.close()


@pytest.fixture(params=[Tcp, Zmq, Queue], ids=["tcp", "zmq", "queue"])
def door(request: pytest.FixtureRequest, served: Any) -> Iterator[Door]:
    """A door of each kind."""
    opened: Door = request.param(served)
    yield opened
    opened.close()


# Limits of what one request holds


@dataclass
class Case:
    """Requests that come before, at the limit, one above it, and a thousand times above it."""

    at: Request
    above: Request
    far: Request | bytes
    code: str = "limit_reached"
    closes: bool = False
    before: list[Request] = field(default_factory=list)


def setup(config: str = SOBOL, **more: Any) -> Request:
    return request("setup", {"config": config, "seed": 1, **more})


def of_length(n: int) -> Request:
    """A setup whose text has so many bytes."""
    filler = "x" * (SMALL.string_bytes - 10)
    each = len(json.dumps(filler)) + 2
    bare = len(json.dumps(setup(metadata={"pad": [""]})))
    texts = [filler] * ((n - bare) // each)
    found = setup(metadata={"pad": [*texts, "x" * ((n - bare) % each)]})
    assert len(json.dumps(found)) == n
    return found


def of_depth(n: int) -> Request:
    """A setup that is nested so deep."""
    value: Any = []
    for _ in range(n - 4):  # the request, the message, the metadata, the innermost list
        value = [value]
    return setup(metadata={"deep": value})


def tell(n: int) -> Request:
    return request("tell", {"trials": [{"config": {"x": 0.5, "y": 0.5}, "outcome": 1}] * n})


def query(n: int) -> Request:
    return request("query", {"query": "prediction", "x": {"x": [0.5] * n, "y": [0.25] * n}})


def ask(n: int) -> Request:
    return request("ask", {"n": n})


def cases() -> dict[str, Case]:
    """By the limit."""
    small = SMALL
    told = [
        setup(MODEL),
        tell(2),
        *(request("tell", {"config": {"x": p, "y": p}, "outcome": 0}) for p in (0, 1)),
    ]
    pad = "\n# " + "x" * 200
    config = (SOBOL + pad * 10)[: small.config_bytes]
    assert len(config) == small.config_bytes
    return {
        "message_bytes": Case(
            of_length(small.message_bytes),
            of_length(small.message_bytes + 1),
            of_length(
                3 * small.message_bytes
            ),  # beyond four times the limit a ZMQ peer is dropped: see below
            "too_large",
            True,
        ),
        "depth": Case(
            of_depth(small.depth),
            of_depth(small.depth + 1),
            b'{"a":' + b"[" * 32_000 + b"]" * 32_000 + b"}",
            "too_deep",
            True,
        ),
        "string_bytes": Case(
            setup(name="x" * small.string_bytes),
            setup(name="x" * (small.string_bytes + 1)),
            setup(name="é" * (300 * small.string_bytes)),
            "too_large",
            True,
        ),
        "config_bytes": Case(
            setup(config), setup(config + "x"), setup(config + "x" * 90_000), "too_large", True
        ),
        "trials_per_tell": Case(
            tell(small.trials_per_tell),
            tell(small.trials_per_tell + 1),
            request("tell", {"trials": [{}] * (1000 * small.trials_per_tell)}),
            before=[setup()],
        ),
        "points_per_query": Case(
            query(small.points_per_query),
            query(small.points_per_query + 1),
            query(1000 * small.points_per_query),
            before=told,
        ),
        "trials_per_session": Case(ask(2), ask(1), tell(5), before=[setup(), ask(5), ask(5)]),
    }


#: Limits with tests of their own below.
OTHERS = {"seed_trials", "connections", "waiting_requests", "message_seconds", "silent_seconds"}


def test_every_limit_has_a_case() -> None:
    """A new one needs one here."""
    assert {limit.name for limit in fields(Limits)} == set(cases()) | OTHERS


def good(door: Door, value: Request) -> Any:
    reply = door.exchange(value)
    assert reply["ok"], reply
    return reply


def refused(door: Door, value: Request | bytes, code: str, *limits: str) -> None:
    """An error with its code, a detail that names the limit, and a hint."""
    error = door.exchange(value)["error"]
    assert error["code"] == code
    assert any(f"(the limit {limit})" in error["detail"] for limit in limits), error
    assert error["hint"]


def test_hello_tells_the_limits_that_are_set(door: Door) -> None:
    """All of them."""
    assert good(door, request("hello"))["message"]["limits"] == asdict(SMALL)


@pytest.mark.parametrize("limit", cases())
def test_a_request_at_a_limit_works_and_above_it_is_refused_by_name(
    served: Any, door: Door, limit: str
) -> None:
    """One above, and far above; a TCP connection is closed where the stream broke, all others go on."""
    case = cases()[limit]
    for one in case.before:
        good(door, one)
    good(door, case.at)
    for far in (False, True):
        value = case.far if far else case.above
        refused(door, value, case.code, limit, *(["message_bytes"] if far else []))
        if case.closes and isinstance(door, Tcp):
            assert door.closed()
            door.close()
            door.wire = served.wire()
        else:
            assert not isinstance(door, Queue) or door.exchange(request("ping"))["ok"]
            good(door, request("ping"))


def test_points_of_one_ask_are_limited_as_trials_of_one_tell(door: Door) -> None:
    """At, above and far above."""
    good(door, setup())
    good(door, ask(SMALL.trials_per_tell))
    refused(door, ask(SMALL.trials_per_tell + 1), "limit_reached", "trials_per_tell")
    refused(door, ask(10**9), "limit_reached", "trials_per_tell")
    assert good(door, request("info"))["message"]["trials"]["asked"] == SMALL.trials_per_tell


def test_a_full_session_still_takes_outcomes_of_its_trials(door: Door) -> None:
    """Only further trials are refused, asked or told."""
    good(door, setup())
    for _ in range(2):
        trials = good(door, ask(5))["message"]["trials"]
    good(door, ask(2))
    refused(door, tell(1), "limit_reached", "trials_per_session")
    good(door, request("tell", {"trial": trials[0]["trial"], "outcome": 1}))
    assert good(door, request("info"))["message"]["trials"] == {
        "asked": 12,
        "told": 1,
        "pending": 11,
        "skipped": 0,
    }


def test_a_tell_of_very_many_trials_is_refused_before_each_is_looked_at(door: Door) -> None:
    """As many as fit into a message, wrong each; in an update and in an older dialect as well."""
    good(door, setup())
    many = [0] * 30_000
    refused(door, request("tell", {"trials": many}), "limit_reached", "trials_per_tell")
    refused(door, request("update", {"tell": {"trials": many}}), "limit_reached", "trials_per_tell")
    assert good(door, request("info"))["message"]["trials"]["told"] == 0


def test_an_older_dialect_is_limited_too(served: Any) -> None:
    """Lists per key are as many trials."""
    wire = served.wire()
    value = {"type": "tell", "message": {"config": {"x": [0.5] * 6, "y": [0.5] * 6}, "outcome": [1] * 6}}
    for one in ({"type": "setup", "message": {"config_str": SOBOL}}, value):
        wire.socket.sendall(json.dumps(one).encode())
        reply = json.loads(wire.socket.recv(65536))
    assert "(the limit trials_per_tell)" in reply["server_error"]


def test_seed_trials(door: Door) -> None:
    """So many warm a stage; of more the newest, with a warning that names the limit."""
    name = str(uuid.uuid4())
    warm = MODEL.replace("[init]\n", "[init]\nseed_data_conditions = earlier\n")
    warm += f"\n[earlier]\nexperiment_name = [{name}]\n"
    for told, warnings in ((SMALL.seed_trials, 0), (1, 1)):
        pilot, main = str(uuid.uuid4()), str(uuid.uuid4())
        good(door, {**setup(MODEL, name=name), "session": pilot})
        good(door, tell(told))
        reply = good(door, {**setup(warm, name="warm"), "session": main})
        assert reply["message"]["seed_data"] == {"earlier": SMALL.seed_trials}
        found = [one for one in reply.get("warnings", []) if one["code"] == "seed_data_limit"]
        assert len(found) == warnings
        assert all("(the limit seed_trials)" in one["detail"] for one in found)


# Limits of what one peer does


def test_connections(serve: Any, tools: Any) -> None:
    """One more is told so and closed; the others go on; when one leaves there is room again."""
    server = serve("--workers", "0", "--connections", "5", "--zmq-port", "0")
    wires = [server.wire() for _ in range(5)]
    for wire in wires:
        wire.call("ping")
    more = [tools.Wire(server.address) for _ in range(50)]
    for wire in more:
        error = json.loads(wire.line())["error"]
        assert (error["code"], "(the limit connections)" in error["detail"]) == ("limit_reached", True)
        assert error["hint"]
        assert wire.line() == b""
        wire.close()
    late = Zmq(server)
    refused(late, request("ping"), "limit_reached", "connections")
    for wire in wires:
        wire.call("ping")
    wires[0].close()
    while not late.exchange(request("ping"))["ok"]:  # the server hears of the end in its own time
        pass
    late.close()


def test_a_thousand_times_as_many_connections(serve: Any, tools: Any) -> None:
    """Most are cut off without a word; who was there first goes on, and afterwards there is room."""
    server = serve("--workers", "0", "--connections", "1")
    first = server.wire()
    first.call("ping")
    more = []
    for _ in range(1000):
        more.append(socket.create_connection(server.address, tools.GUARD))
    first.call("ping")
    for one in more:
        with contextlib.suppress(ConnectionResetError):
            said = one.makefile("rb").readline()
            assert said == b"" or json.loads(said)["error"]["code"] == "limit_reached"
        one.close()
    first.close()
    while True:
        wire = tools.Wire(server.address)
        with contextlib.suppress(ConnectionError):
            wire.send(tools.request("ping"))
            if json.loads(wire.line() or b'{"ok":false}')["ok"]:
                break
        wire.close()
    wire.close()


def slow(server: Any, experiments: Any) -> tuple[Request, Request]:
    """A setup with many trials and an ask that takes seconds."""
    points = [{"frequency": 0.3 + i / 20, "level": 7.0 * (i % 20) - 20, "ear": "left"} for i in range(140)]
    trials = [{"config": point, "outcome": experiments.heard(point)} for point in points]
    wire = server.wire()
    session = str(uuid.uuid4())
    wire.call("setup", {"config": experiments.config("EAVC", 1, 99), "seed": 1}, session=session)
    wire.call("tell", {"trials": trials})
    wire.call("ask")  # the first stage is over with it: the next ask is the model's
    wire.close()
    return request("resume", {"session": session}), request("ask", {"n": 400}, id="slow")


def test_requests_that_wait(serve: Any, experiments: Any) -> None:
    """Over ZMQ what is too much is refused at once, while the first is computed."""
    server = serve("--workers", "1", "--zmq-port", "0", "--waiting-requests", "6")
    again, long = slow(server, experiments)
    import zmq

    context = zmq.Context()
    client = context.socket(zmq.DEALER)
    client.setsockopt(zmq.RCVTIMEO, 60_000)
    client.connect(f"tcp://127.0.0.1:{server.zmq_port}")
    try:
        replied: Any = {"ok": False}
        while not replied["ok"]:  # until the server has heard that its first holder has left
            client.send(json.dumps(again).encode())
            replied = json.loads(client.recv())
        requests = [long, *(request("info", id=str(number)) for number in range(5))]
        for one in (*requests, request("ping", id="heard")):
            client.send(json.dumps(one).encode())
        assert json.loads(client.recv())["id"] == "heard"
        for number in range(3):
            client.send(json.dumps(request("info", id=f"over-{number}")).encode())
            error = json.loads(client.recv())["error"]
            assert error["code"] == "limit_reached"
            assert "(the limit waiting_requests)" in error["detail"]
            assert error["hint"]
    finally:
        context.destroy(linger=0)


@pytest.mark.long
def test_64_000_glued_requests(served: Any, peers: Any) -> None:
    """All are answered, in order, however few may wait at a time."""
    wire = served.wire()
    wire.call("setup", {"config": SOBOL})
    data = b'{"version":"1","type":"parameters"}' * 63_000 + b"[]" * 1_000
    wire.socket.setblocking(False)
    sent = lines = 0
    tail = b""
    while lines < 64_000:
        readable, writable, _ = select.select(
            [wire.socket], [wire.socket] if sent < len(data) else [], [], 60
        )
        assert readable or writable, "neither reads nor answers"
        if writable:
            sent += wire.socket.send(data[sent : sent + 65536])
        if readable:
            tail = wire.socket.recv(1 << 20)
            assert tail
            lines += tail.count(b"\n")
    assert b"bad_request" in tail


def test_message_seconds(serve: Any) -> None:
    """A message that is begun and not ended is an error, and the end; who says nothing is kept."""
    server = serve("--workers", "0", "--message-seconds", "0.3")
    idle, whole, slow = server.wire(), server.wire(), server.wire()
    slow.socket.sendall(b'{"version":"1",')
    error = json.loads(slow.line())["error"]
    assert error["code"] == "limit_reached"
    assert "(the limit message_seconds)" in error["detail"]
    assert error["hint"]
    assert slow.line() == b""
    for wire in (idle, whole):
        wire.call("ping")


def test_a_byte_a_moment_is_too_slow(serve: Any) -> None:
    """Bytes that come don't begin the time anew."""
    server = serve("--workers", "0", "--message-seconds", "0.3")
    wire = server.wire()
    wire.socket.sendall(b"[")
    with contextlib.suppress(ConnectionError):
        while not select.select([wire.socket], [], [], 0.01)[0]:
            wire.socket.sendall(b" ")
    assert json.loads(wire.line())["error"]["code"] == "limit_reached"


def test_silent_seconds(serve: Any) -> None:
    """A session is taken over from who was silent for so long, not before."""
    for seconds, taken in (("1000", False), ("0.001", True)):
        server = serve("--workers", "0", "--silent-seconds", seconds, db=f"{seconds}.db")
        first, second = server.wire(), server.wire()
        session = str(uuid.uuid4())
        first.call("setup", {"config": SOBOL}, session=session)
        reply = second.exchange(request("resume", {"session": session}))
        while taken and not reply["ok"]:
            assert reply["error"]["code"] == "session_busy"
            reply = second.exchange(request("resume", {"session": session}))
        assert reply["ok"] is taken
        if not taken:
            assert reply["error"]["code"] == "session_busy"
            assert first.call("ask")["trials"]


# Default limits, and peers that go far beyond


def resident(pid: int) -> float:
    """Memory in MB, the most that it has been."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) / 1e3


@pytest.fixture
def default(serve: Any) -> Any:
    """A server as it comes."""
    server = serve("--workers", "0", "--zmq-port", "0")
    server.wire().call("ping")
    return server


def endless(kind: str) -> tuple[bytes, bytes]:
    """The beginning of a message, and what it goes on with for ever."""
    return {
        "texts": (b'{"version":"1","message":[', b'"' + b"x" * 60_000 + b'",'),
        "numbers": (b"[", b"1," * 30_000),
        "objects": (b'{"a":[', b"{}," * 20_000),
        "one text": (b'["', b"x" * 65_536),
        "spaces in a value": (b"[", b" " * 65_536),
    }[kind]


@pytest.mark.parametrize("kind", ["texts", "numbers", "objects", "one text", "spaces in a value"])
def test_a_message_of_two_gigabytes_is_cut_off_at_once(default: Any, kind: str) -> None:
    """Little more than the limit is read of it, and nothing of it is kept."""
    begin, more = endless(kind)
    before = resident(default.pid)
    sent = 0
    with socket.create_connection(default.address, 60) as one, contextlib.suppress(ConnectionError):
        one.sendall(begin)
        while sent < 2 << 30:
            one.sendall(more)
            sent += len(more)
    assert sent < 64 << 20  # the limit, what is discarded, and the sockets' own buffers
    assert resident(default.pid) - before < 60
    default.wire().call("ping")


def test_a_zmq_message_far_over_the_limit_is_dropped_with_its_peer(default: Any) -> None:
    """Before it is read; others are served."""
    import zmq

    before = resident(default.pid)
    context = zmq.Context()
    try:
        client = context.socket(zmq.DEALER)
        heard = client.get_monitor_socket(zmq.EVENT_DISCONNECTED)
        client.connect(f"tcp://127.0.0.1:{default.zmq_port}")
        client.send(b"[" + b" " * (20 << 20) + b"]")
        assert heard.poll(60_000)
    finally:
        context.destroy(linger=0)
    assert resident(default.pid) - before < 60
    door = Zmq(default)
    good(door, request("ping"))
    door.close()


@pytest.mark.parametrize("what", ["{},", "0,", "[],"])
def test_as_many_trials_as_fit_into_a_message(default: Any, what: str) -> None:
    """Hundreds of thousands in one tell are refused by their number, over TCP and ZMQ."""
    text = b'{"version":"1","type":"tell","message":{"trials":[%s0]}}'
    data = text % (what.encode() * ((2 << 20) // len(what) - 100))
    for door in (Tcp(default), Zmq(default)):
        good(door, setup())
        refused(door, data, "limit_reached", "trials_per_tell")
        if isinstance(door, Tcp) and what != "0,":  # so many objects are refused before they are all read
            assert door.closed()
        else:
            good(door, request("ping"))
        door.close()
