"""Broken connections, restarts, timeouts and interrupts: nothing is lost, nothing happens twice."""

from __future__ import annotations

import contextlib
import socket
from typing import Any

import pytest

import fechner_client.connection
from fechner_client import (
    Client,
    ConnectionFailed,
    FechnerError,
    FechnerWarning,
    ProtocolError,
    Refused,
    SessionError,
    Timeout,
)


@pytest.fixture
def ready(client: Client, config: str) -> Client:
    client.setup(config)
    return client


@pytest.fixture
def unused_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


@pytest.mark.parametrize("fault", ["lose", "mute"])
def test_a_broken_connection_sends_the_same_bytes_again(ready: Client, fake: Any, fault: str) -> None:
    """Whether the request arrived or not, it happens once and the caller sees nothing."""
    fake.faults.append(fault)
    trial = ready.ask()
    assert trial.number == 1
    assert fake.raw[-1] == fake.raw[-2]
    fake.faults.append(fault)
    trial.tell(1)
    assert fake.raw[-1] == fake.raw[-2]
    assert fake.connections == 3
    assert fake.sessions[ready.session]["asked"] == 1


@pytest.mark.parametrize("fault", ["lose", "mute"])
def test_a_setup_sent_again_begins_one_session(client: Client, config: str, fake: Any, fault: str) -> None:
    """The session's name travels with the setup."""
    fake.faults.append(fault)
    client.setup(config)
    assert list(fake.sessions) == [client.session]
    assert fake.sessions[client.session]["setups"] == 1


def test_a_server_that_was_restarted_is_found_again(ready: Client, fake: Any) -> None:
    """The next request connects anew; where the server wants a resume first, it gets one."""
    ready.ask()
    fake.stop()
    fake.start()
    fake.needs_resume = True
    assert ready.ask().number == 2
    assert fake.kinds()[-3:] == ["ask", "resume", "ask"]
    assert fake.raw[-3] == fake.raw[-1]
    assert [trial.number for trial in ready.pending] == [1, 2]


def test_a_session_still_held_by_the_lost_connection_is_waited_for(
    ready: Client, fake: Any, replies: Any
) -> None:
    """session_busy after a break is tried again until the server lets go."""
    busy = lambda request: replies[1](request, "session_busy", "held by another connection")  # noqa: E731
    fake.faults.extend(["lose", busy, busy, busy])
    assert ready.ask().number == 1
    assert fake.kinds()[-6:] == ["ask", "ask", "resume", "resume", "resume", "ask"]


def test_session_busy_without_a_break_is_an_error(ready: Client, fake: Any, replies: Any) -> None:
    """Somebody else's session isn't fought for."""
    fake.faults.append(lambda request: replies[1](request, "session_busy", "held"))
    with pytest.raises(FechnerError, match="session_busy"):
        ready.ask()


def test_resume_gives_the_server_a_moment_to_miss_the_earlier_program(
    ready: Client, fake: Any, replies: Any
) -> None:
    """A program started again at once gets its session; one that is really held stays refused."""
    busy = lambda request: replies[1](request, "session_busy", "held by another connection")  # noqa: E731
    with Client(port=fake.port, retry_for=5) as second:
        fake.faults.extend([busy, busy])
        assert second.resume("last").session == ready.session
        second._talk.retry_for = 0
        fake.faults.append(busy)
        with pytest.raises(SessionError, match="held by another connection"):
            second.resume("last")


def test_connecting_waits_for_a_server_that_is_still_starting(
    fake: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The client may be started first."""
    fake.stop()
    pauses: list[float] = []

    def pause(seconds: float) -> None:
        pauses.append(seconds)
        if len(pauses) == 3:
            fake.start()

    monkeypatch.setattr(fechner_client.connection, "pause", pause)
    with Client(port=fake.port) as client:
        client.hello()
    assert len(pauses) == 3


def test_no_server_is_a_clear_error(unused_port: int) -> None:
    """It names the address and what to start."""
    with pytest.raises(ConnectionFailed, match=rf"127\.0\.0\.1:{unused_port} .*`fechner serve`"):
        Client(port=unused_port, retry_for=0)
    with pytest.raises(ConnectionError):
        Client(port=unused_port, retry_for=0)


def test_a_connection_that_keeps_breaking_ends_in_an_error_and_the_same_call_goes_on(
    ready: Client, fake: Any
) -> None:
    """After ConnectionFailed the same call makes the same request."""
    ready._talk.retry_for = 0
    fake.faults.append("mute")
    with pytest.raises(ConnectionFailed):
        ready.ask()
    assert ready.ask().number == 1
    assert fake.raw[-1] == fake.raw[-2]


def test_a_server_that_shuts_down_is_waited_for(ready: Client, fake: Any, replies: Any) -> None:
    """shutting_down means: try again; when it stays that way it is raised."""
    leaving = lambda request: replies[1](request, "shutting_down", "the server stops")  # noqa: E731
    fake.faults.append(leaving)
    assert ready.ask().number == 1
    ready._talk.retry_for = 0
    fake.faults.append(leaving)
    with pytest.raises(Refused, match="the server stops"):
        ready.ask()


def test_a_timeout_is_a_clear_error_and_the_same_call_waits_on(ready: Client, fake: Any) -> None:
    """The repeated call gets the reply of the first; the late reply disturbs nobody."""
    ready.timeout = 0.05
    fake.faults.append("hold")
    with pytest.raises(Timeout, match=r"no reply to ask from 127\.0\.0\.1:\d+ within 0\.05 s"):
        ready.ask()
    ready.timeout = 20
    assert ready.ask().number == 1
    assert fake.raw[-1] == fake.raw[-2]
    fake.release()
    assert ready.ask().number == 2


def test_another_call_after_a_timeout_settles_the_first(ready: Client, fake: Any) -> None:
    """The trial of the unanswered ask isn't lost: it is pending and comes first."""
    ready.timeout = 0.05
    fake.faults.append("hold")
    with pytest.raises(Timeout):
        ready.ask()
    ready.timeout = 20
    seen = []
    for trial in ready.trials():
        seen.append(trial.number)
        trial.tell(1)
    assert seen == [1, 2, 3]
    fake.release()
    assert ready.info()["trials"]["asked"] == 3


def test_a_settled_request_that_failed_is_a_warning(ready: Client, fake: Any) -> None:
    """The earlier call's error doesn't hit the later call."""
    ready.timeout = 0.05
    fake.faults.append("hold")
    with pytest.raises(Timeout):
        ready.tell(7, 1)
    ready.timeout = 20
    with pytest.warns(FechnerWarning, match="an earlier tell .* trial 7 was told"):
        ready.ask()


class _Interrupted:
    """A channel whose reply is interrupted by the keyboard after the request went out."""

    def __init__(self, channel: Any) -> None:
        self.channel = channel

    def request(self, request: dict[str, Any], timeout: float | None) -> dict[str, Any]:
        self.channel.request(request, timeout)
        raise KeyboardInterrupt

    def close(self) -> None:
        self.channel.close()


def test_an_interrupted_loop_goes_on_where_it_was(ready: Client, fake: Any) -> None:
    """After Ctrl-C in the middle of a tell, the next loop neither repeats nor loses the trial."""
    trial = next(iter(ready.trials()))
    ready._connection._channel = _Interrupted(ready._connection._channel)
    with pytest.raises(KeyboardInterrupt):
        trial.tell(1)
    assert not trial.told
    seen = []
    for again in ready.trials():
        seen.append(again.number)
        again.tell(1)
    assert seen == [2, 3]
    assert trial.told
    assert fake.sessions[ready.session]["pending"] == {}


def test_an_interrupt_while_the_participant_responds_keeps_the_trial(ready: Client) -> None:
    """The trial on screen is the first one of the next loop."""
    with contextlib.suppress(KeyboardInterrupt):
        for _ in ready.trials():
            raise KeyboardInterrupt
    assert next(iter(ready.trials())).number == 1


def test_something_else_at_the_port_is_named(client: Client, fake: Any) -> None:
    """A web server, or a server of another protocol, is told from Fechner at once."""
    for answer in (b"HTTP/1.1 400 Bad Request\r\n\r\n", b'{"server_error":"no"}', b"[1]\n", b"bad request\n"):
        fake.faults.append(answer)
        with pytest.raises(ProtocolError, match="does not answer in version 1"):
            client.hello()


def test_an_error_without_id_belongs_to_the_request(ready: Client, fake: Any) -> None:
    """A stream-level error raises, and the next request finds its way."""
    fake.faults.append(b'{"version":"1","ok":false,"error":{"code":"too_large","detail":"over 2 MiB"}}\n')
    with pytest.raises(FechnerError, match="too_large"):
        ready.ask()
    assert ready.ask().number == 1


def test_reconnect_keeps_the_session(ready: Client, fake: Any) -> None:
    """close and reconnect change the connection, not the session."""
    fake.needs_resume = True
    ready.reconnect()
    assert ready.ask().number == 1
    assert fake.connections == 2
