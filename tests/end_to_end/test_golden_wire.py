"""Golden transcripts: every client of every generation hears the same bytes from every later release."""

from __future__ import annotations

import asyncio
import importlib.util
import json
import socket
import sys
import uuid
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

#: Requests on their way at once to a DEALER's server: fewer than may wait.
WINDOW = 32


def _module() -> ModuleType:
    file = Path(__file__).parents[1] / "golden" / "transcripts.py"
    spec = importlib.util.spec_from_file_location("golden_transcripts", file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


golden = _module()
TRANSCRIPTS = golden.transcripts()
NAMES = [one.name for one in TRANSCRIPTS]


@pytest.fixture(scope="module")
def serving(tools: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[Any], Any]]:
    """The server of a transcript: one for all that have the same options."""
    servers: dict[tuple[str, ...], Any] = {}

    def served(transcript: Any) -> Any:
        options = tuple(transcript.head["server"])
        if options not in servers:
            folder = tmp_path_factory.mktemp("golden")
            servers[options] = tools.Served(folder, "--workers", "0", "--zmq-port", "0", *options)
        return servers[options]

    yield served
    for server in servers.values():
        server.close()


def complete(text: str) -> bool:
    """Whether this can be a whole reply."""
    try:
        json.loads(text)
    except ValueError:
        return text in ("acq", "Terminate", "bad request")
    return True


def read_reply(connection: socket.socket, run: Any, step: Mapping[str, Any]) -> None:
    """Read until the step's reply is there, and nothing behind it."""
    data = b""
    while True:
        more = connection.recv(1 << 16)
        data += more
        text = data.decode()
        try:
            end = run.match(step, text)
        except golden.Mismatch as mismatch:
            if not more or complete(text):
                raise golden.Mismatch(f"{step['in'][:200]}\n{mismatch}\nin {text[:2000]}") from None
            continue
        assert text[end:] == "", f"more than a reply: {text[end:]!r}"
        if step.get("closes"):
            assert connection.recv(1) == b""
        return


def connected(server: Any) -> socket.socket:
    connection = socket.create_connection(server.address, 60)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return connection


@pytest.mark.parametrize("size", [None, 1], ids=["in one piece", "byte by byte"])
@pytest.mark.parametrize("transcript", TRANSCRIPTS, ids=NAMES)
def test_a_client_hears_what_it_always_heard(serving: Any, transcript: Any, size: int | None) -> None:
    """Over TCP, each request in one piece or one byte after the other."""
    server = serving(transcript)
    run = golden.Run(str(server.record))
    with connected(server) as connection:
        for step in transcript.steps:
            request = run.request(step)
            for at in range(0, len(request), size or len(request)):
                connection.sendall(request[at : at + (size or len(request))])
            read_reply(connection, run, step)


@pytest.mark.parametrize("transcript", TRANSCRIPTS, ids=NAMES)
def test_glued_requests_are_answered_in_order(serving: Any, transcript: Any) -> None:
    """All of a session is written at once; every reply comes, in order, with nothing between them."""
    server = serving(transcript)
    run = golden.Run(str(server.record))
    with connected(server) as connection:
        connection.sendall(b"".join(run.request(step) for step in transcript.steps))
        connection.shutdown(socket.SHUT_WR)
        text = b"".join(iter(lambda: connection.recv(1 << 16), b"")).decode()
    at = 0
    for step in transcript.steps:
        try:
            at = run.match(step, text, at)
        except golden.Mismatch as mismatch:
            raise golden.Mismatch(f"{step['in'][:200]}\n{mismatch}") from None
    assert text[at:] == ""


def test_clients_of_every_generation_at_once(serving: Any) -> None:
    """Each on a connection of its own, all of them waiting at a time; nobody hears of the others."""
    together = [one for one in TRANSCRIPTS if not one.head["server"]]
    server = serving(together[0])
    talks = [(connected(server), golden.Run(str(server.record)), one) for one in together]
    for number in range(max(len(one.steps) for one in together)):
        going = [talk for talk in talks if number < len(talk[2].steps)]
        for connection, run, transcript in going:
            connection.sendall(run.request(transcript.steps[number]))
        for connection, run, transcript in going:
            read_reply(connection, run, transcript.steps[number])
    for connection, *_ in talks:
        connection.close()


@pytest.mark.parametrize("kind", ["REQ", "DEALER"])
@pytest.mark.parametrize("transcript", TRANSCRIPTS, ids=NAMES)
def test_over_zmq_the_same_is_said(serving: Any, transcript: Any, kind: str) -> None:
    """One message for each request and reply, without a line ending; a DEALER doesn't wait for replies."""
    import zmq

    server = serving(transcript)
    run = golden.Run(str(server.record))
    steps = [unended(step) for step in transcript.steps if step.get("only") != "tcp"]
    context = zmq.Context()
    client = context.socket(getattr(zmq, kind))
    client.setsockopt(zmq.LINGER, 0)
    client.setsockopt(zmq.RCVTIMEO, 60_000)
    client.connect(f"tcp://127.0.0.1:{server.zmq_port}")
    window = 1 if kind == "REQ" else WINDOW
    try:
        for at in range(0, len(steps), window):
            for step in steps[at : at + window]:
                client.send(run.request(step))
            for step in steps[at : at + window]:
                [reply] = client.recv_multipart()
                assert run.match(step, reply.decode()) == len(reply.decode())
    finally:
        client.close()
        context.term()


@pytest.mark.parametrize("looping", [False, True], ids=["alone", "in an event loop"])
@pytest.mark.parametrize("transcript", TRANSCRIPTS, ids=NAMES)
def test_in_process_the_same_is_said(transcript: Any, looping: bool) -> None:
    """Values in place of bytes, also while an event loop runs, as in a notebook."""
    from fechner.server import Server

    def talk() -> None:
        dialect = dict(zip(transcript.head["server"][::2], transcript.head["server"][1::2], strict=True))
        with Server(dialect=dialect.get("--dialect", "auto")) as server:
            channel, run = server.connect(), golden.Run("sqlite://")
            for step in map(unended, transcript.steps):
                if step.get("only") != "tcp":
                    reply = channel.request(json.loads(run.request(step)))
                    text = reply if isinstance(reply, str) else rendered(reply)
                    assert run.match(step, text) == len(text)

    async def main() -> None:
        talk()

    if looping:
        asyncio.run(main())
    else:
        talk()


def rendered(reply: Any) -> str:
    """As a server writes JSON."""
    return json.dumps(reply, ensure_ascii=False, separators=(",", ":"))


def unended(step: Mapping[str, Any]) -> Mapping[str, Any]:
    """The step without the line ending that a stream has behind a reply of version 1."""
    return {**step, "out": step["out"].removesuffix("\n")} if "out" in step else step


@pytest.mark.parametrize(
    ("expected", "text"),
    [
        ('{"strat_id":0}', '{"strat_id": 0}'),
        ('{"strat_id":0}', '{"strat_id":1}'),
        ("acq", '"acq"'),
        ('{"y":«0.75±0.01»}', '{"y":0.77}'),
        ('{"y":«0.75±0.01»}', '{"y":null}'),
        ('{"timing":«ms»}', '{"timing":-1.0}'),
        ('{"timing":«ms»}', '{"timing":0.1234}'),
        ('{"a":"«session»","b":"«session»"}', f'{{"a":"{uuid.UUID(int=1)}","b":"{uuid.UUID(int=2)}"}}'),
        ('{"db":"«db»"}', '{"db":"another.db"}'),
        ('{"can":«at least ["a","b"]»}', '{"can":["a","c"]}'),
        ('{"can":«at least {"a":1}»}', '{"can":{"a":2}}'),
    ],
)
def test_a_reply_that_is_another_one_is_noticed(expected: str, text: str) -> None:
    """Placeholders are narrow, and everything else is the very bytes."""
    with pytest.raises(golden.Mismatch):
        golden.Run("record.db").match({"in": "", "out": expected}, text)


def test_there_are_transcripts_of_every_generation() -> None:
    """Of this release, each client family; a release adds its own and takes none away."""
    from fechner.server import __version__

    families = {
        "0.1-matlab", "0.1-python-unversioned", "0.1-python-versioned", "0.8-python", "0.8-unity", "native-1",
    }  # fmt: skip
    for release in {"0.1.0", __version__}:
        assert {f"{release}/{family}" for family in families} <= set(NAMES)
