"""Over ZMQ: the same client, another way to the server."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from fechner_client import Client, ConnectionFailed, Timeout

zmq = pytest.importorskip("zmq")


class ZmqRouter:
    """Puts a scripted server behind a ROUTER socket; ``lose`` drops that many requests unanswered."""

    def __init__(self, fake: Any) -> None:
        self.fake = fake
        self.lose = 0
        self.port = 0
        self.begin()

    def begin(self) -> None:
        self.context = zmq.Context()
        router = self.context.socket(zmq.ROUTER)
        router.setsockopt(zmq.LINGER, 0)
        router.bind(f"tcp://127.0.0.1:{self.port or '*'}")
        self.port = int(router.getsockopt_string(zmq.LAST_ENDPOINT).rsplit(":")[-1])
        self.stopping = self.context.socket(zmq.PAIR)
        self.stopping.bind("inproc://stop")
        self.thread = threading.Thread(target=self.serve, args=(router,), daemon=True)
        self.thread.start()

    def serve(self, router: Any) -> None:
        stop = self.context.socket(zmq.PAIR)
        stop.connect("inproc://stop")
        poller = zmq.Poller()
        poller.register(router, zmq.POLLIN)
        poller.register(stop, zmq.POLLIN)
        states: dict[bytes, Any] = {}
        with router, stop:
            while stop not in (ready := dict(poller.poll())):
                assert router in ready
                *address, payload = router.recv_multipart()
                request = json.loads(payload)
                self.fake.requests.append(request)
                state = states.setdefault(address[0], {"session": None})
                data = self.fake.answer(request, state)
                if self.lose:
                    self.lose -= 1
                    continue
                router.send_multipart([*address, data.rstrip(b"\n")])

    def end(self) -> None:
        self.stopping.send(b"")
        self.thread.join(10)
        self.stopping.close()
        self.context.term()  # waits until the port is free


@pytest.fixture
def router(fake: Any) -> Iterator[ZmqRouter]:
    served = ZmqRouter(fake)
    yield served
    served.end()


def run(client: Client, config: str) -> list[float]:
    client.setup(config)
    levels = []
    for trial in client.trials():
        levels.append(trial["level"])
        trial.tell(1)
    return levels


def test_a_session_over_zmq(router: ZmqRouter, config: str) -> None:
    """The same loop over a DEALER socket."""
    with Client(port=router.port, zmq=True) as client:
        assert run(client, config) == [10.0, 20.0, 30.0]


def test_a_zmq_reply_that_never_comes_is_a_timeout_and_the_same_call_goes_on(
    router: ZmqRouter, config: str
) -> None:
    """As over TCP."""
    with Client(port=router.port, zmq=True) as client:
        client.setup(config)
        router.lose = 1
        client.timeout = 0.1
        with pytest.raises(Timeout):
            client.ask()
        client.timeout = 20
        assert client.ask().number == 1


def test_a_zmq_server_that_was_restarted_is_found_again(router: ZmqRouter, config: str) -> None:
    """The client notices that the server went and connects to the new one."""
    with Client(port=router.port, zmq=True) as client:
        client.setup(config)
        router.end()
        router.begin()
        assert client.ask().number == 1


def test_no_zmq_server_is_a_clear_error(fake: Any) -> None:
    """It names the address."""
    fake.stop()
    with pytest.raises(ConnectionFailed, match=rf"127\.0\.0\.1:{fake.port}"):
        Client(port=fake.port, zmq=True, retry_for=0)
    fake.start()
