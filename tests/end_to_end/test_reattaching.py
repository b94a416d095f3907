"""Unity's and MATLAB's clients lose their connections over real sockets, and go on with what is theirs."""

from __future__ import annotations

import json
import socket
import struct
from typing import Any

import pytest

CONFIG = """
[common]
seed = 2
parnames = [p, q]
outcome_types = [binary]
strategy_names = [init_strat, last]
[p]
par_type = continuous
lower_bound = 0
upper_bound = 1
[q]
par_type = continuous
lower_bound = -20
upper_bound = 120
[init_strat]
generator = SobolGenerator
min_asks = 6
[last]
generator = RandomGenerator
min_asks = 2
"""


class Client:
    """One connection of a program that takes whatever one recv brings as the whole reply."""

    def __init__(self, server: Any, host: str = "127.0.0.1") -> None:
        self.socket = socket.create_connection(server.address, 60, source_address=(host, 0))

    def __call__(self, type: str, message: Any, **more: Any) -> Any:
        self.socket.sendall(self.text(type, message, **more).encode())
        said = self.socket.recv(4096).decode()
        return json.loads(said) if said[:1] in "{[0123456789" else said

    def text(self, type: str, message: Any, **more: Any) -> str:
        raise NotImplementedError

    def point(self) -> dict[str, Any]:
        """The next one, as the program tells it afterwards."""
        raise NotImplementedError

    def lose(self, reset: bool = True) -> None:
        """The connection breaks, or the program ends it."""
        if reset:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.socket.close()


class Unity(Client):
    """Version 0.01 with extra_info on every request, and numbers of single precision."""

    told: Any = {"trials_recorded": 1, "model_data_added": 1}  # noqa: RUF012

    def text(self, type: str, message: Any, **more: Any) -> str:
        value = {"type": type, "message": message, "version": "0.01", "extra_info": None, **more}
        return json.dumps(value, separators=(",", ":"))

    def point(self) -> dict[str, Any]:
        reply = self("ask", "")
        assert "config" in reply, reply
        config = reply["config"]
        return {name: [struct.unpack("f", struct.pack("f", v[0]))[0]] for name, v in config.items()}


class Matlab(Client):
    """Version 0.01, a line ending behind each request, single values without brackets."""

    told = "acq"

    def text(self, type: str, message: Any, **more: Any) -> str:
        value = {"type": type, "message": message, "version": "0.01", **more}
        return json.dumps(value, separators=(",", ":")) + "\n"

    def point(self) -> dict[str, Any]:
        reply = self("ask", "")
        assert "config" in reply, reply
        config = reply["config"]
        return {name: float(f"{values[0]:.15g}") for name, values in config.items()}


CLIENTS = pytest.mark.parametrize("kind", [Unity, Matlab])


@pytest.fixture
def server(serve: Any) -> Any:
    return serve("--workers", "0")


def counts(wire: Any) -> dict[str, Any]:
    """Trials of the session begun last, as somebody who looks on sees them."""
    reply = wire.call("resume", {"session": "last", "observe": True})
    return dict(reply["trials"])


def heard(point: dict[str, Any]) -> int:
    value = point["p"]
    return int((value[0] if isinstance(value, list) else value) > 0.5)


@CLIENTS
@pytest.mark.parametrize("reset", [True, False], ids=["reset", "closed"])
def test_a_client_goes_on_after_every_break(server: Any, kind: Any, reset: bool) -> None:
    """Between an ask and its tell, and before an ask: each point is one trial, and all are told."""
    client = kind(server)
    client("setup", {"config_str": CONFIG})
    for trial in range(8):
        point = client.point()
        if trial % 2:
            client.lose(reset)
            client = kind(server)
        assert client("tell", {"config": point, "outcome": heard(point)}) == kind.told
        if trial % 3 == 0:
            client.lose(reset)
            client = kind(server)
    assert counts(server.wire()) == {"asked": 8, "told": 8, "pending": 0, "skipped": 0}
    assert client("ask", "")["is_finished"] is True


@CLIENTS
def test_nobody_else_gets_a_session_that_was_left(server: Any, kind: Any) -> None:
    """Another address, another kind of client, who tried to begin anew: refused; its own client is not."""
    client, other = kind(server), (Matlab if kind is Unity else Unity)
    client("setup", {"config_str": CONFIG})
    point = client.point()
    client.lose()
    tell = {"config": point, "outcome": heard(point)}
    for stranger in (kind(server, "127.0.0.2"), other(server)):
        assert "acq" not in str(stranger("tell", tell))
        assert "trials_recorded" not in str(stranger("tell", tell))
    assert counts(server.wire())["told"] == 0
    back = kind(server)
    assert back("tell", tell) == kind.told
    back.lose()
    newcomer = kind(server)
    newcomer("setup", {"config_str": "nonsense"})
    assert "config" not in str(newcomer("ask", ""))
    assert counts(server.wire()) == {"asked": 1, "told": 1, "pending": 0, "skipped": 0}


@CLIENTS
def test_two_that_were_left_go_to_nobody(server: Any, kind: Any, tools: Any) -> None:
    """Both keep what they had, and each can be resumed by its name."""
    clients = [kind(server), kind(server)]
    points = []
    for client in clients:
        client("setup", {"config_str": CONFIG})
        points.append(client.point())
    for client in clients:
        client.lose()
    tell = {"config": points[0], "outcome": 1}
    assert kind(server)("tell", tell) != kind.told
    assert "2 were left behind from there" in server.log.read_text()
    assert counts(server.wire()) == {"asked": 1, "told": 0, "pending": 1, "skipped": 0}


@CLIENTS
def test_a_session_goes_on_over_days(serve: Any, kind: Any) -> None:
    """Each day a server of its own, which resumes the last session; the asks are those of a single day."""
    whole = kind(serve("--workers", "0", db="whole.db"))
    whole("setup", {"config_str": CONFIG})
    expected = []
    for _ in range(8):
        point = whole.point()
        whole("tell", {"config": point, "outcome": heard(point)})
        expected.append(point)
    asked, pending = [], None
    for day in range(4):
        server = serve("--workers", "0", *(("--resume", "last") if day else ()))
        client = kind(server)
        if not day:
            client("setup", {"config_str": CONFIG})
        for number in range(2):
            if pending is None:
                asked.append(client.point())
            point, pending = pending or asked[-1], None
            if number == 0:
                client.lose()
                client = kind(server)
            assert client("tell", {"config": point, "outcome": heard(point)}) == kind.told
        if day < 3:
            pending = client.point()  # asked in the evening, told the next morning
            asked.append(pending)
        client.lose()
        if day == 1:
            server.kill()
        else:
            assert server.stop() == 0
    assert asked == expected
