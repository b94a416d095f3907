"""Every error code comes over a socket, in its form; a code without a case here fails."""

from __future__ import annotations

import json
import signal
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from fechner.server.protocol.errors import CODES

CONFIG = """
[common]
parnames = [p]
outcome_types = [binary]
strategy_names = [init, opt]
[p]
par_type = continuous
lower_bound = 0
upper_bound = 1
[init]
generator = SobolGenerator
min_asks = 2
[opt]
generator = SobolGenerator
model = GPClassificationModel
min_asks = 2
"""
#: An extension whose generator has a fault.
BROKEN = """
from fechner.strategies import plugins

def generate(component, request):
    return 1 / 0

PLUGINS = [plugins.generator("BrokenGenerator", generate=generate, keys={}, about="divides by zero")]
"""


class Place:
    """Where a case happens: a server that all share, and the means to start another.

    Args:
        shared: the server of the cases that leave it as it is.
        serve: starts one of the case's own.
    """

    def __init__(self, tools: Any, shared: Any, serve: Any, folder: Path) -> None:
        self.tools, self.shared, self.serve, self.folder = tools, shared, serve, folder

    def error(self, type_: str, message: Any = None, wire: Any = None, **envelope: Any) -> Any:
        """The error that answers a request on a connection of the shared server, or on this one."""
        one = self.tools.request(type_, message, **envelope)
        return (wire or self.shared.wire()).exchange(one)["error"]

    def raw(self, data: bytes) -> Any:
        """The error that answers these bytes."""
        wire = self.shared.wire()
        wire.socket.sendall(data)
        return json.loads(wire.line())["error"]

    def begun(self, server: Any = None, config: str = CONFIG, **envelope: Any) -> Any:
        """A connection with a session."""
        wire = (server or self.shared).wire()
        wire.call("setup", {"config": config, "seed": 1}, **envelope)
        return wire


Case = Callable[[Place], Any]
CASES: dict[str, Case] = {}


def case(code: str) -> Callable[[Case], Case]:
    """How a code comes about."""

    def keep(function: Case) -> Case:
        CASES[code] = function
        return function

    return keep


@pytest.fixture(scope="module")
def shared(tools: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """One server for the cases that leave it as it is."""
    server = tools.Served(tmp_path_factory.mktemp("codes"), "--workers", "0")
    yield server
    server.close()


@pytest.mark.parametrize("code", CODES)
def test_every_code_comes_over_a_socket(
    tools: Any, shared: Any, serve: Any, tmp_path: Path, code: str
) -> None:
    """With its place and mend for people, and never a traceback; the server lives on."""
    assert code in CASES, f"nothing here shows how '{code}' comes about"
    error = CASES[code](Place(tools, shared, serve, tmp_path))
    assert error["code"] == code, error
    assert set(error) <= {"code", "detail", "where", "hint", "problems"}
    assert error["detail"]
    assert "Traceback" not in json.dumps(error)
    assert shared.wire().call("ping") == {}


def test_there_is_no_case_without_a_code() -> None:
    """What is shown here is what the table lists."""
    assert set(CASES) == set(CODES)


@case("bad_json")
def _(at: Place) -> Any:
    return at.raw(b'{"version":"1","type":]')


@case("too_large")
def _(at: Place) -> Any:
    return at.raw(b'{"version":"1","type":"setup","message":{"name":"' + b"x" * 65_537 + b'"}}')


@case("too_deep")
def _(at: Place) -> Any:
    return at.raw(b'{"version":"1","type":"ping","message":' + b"[" * 33)


@case("bad_request")
def _(at: Place) -> Any:
    return at.raw(b"[]")


@case("unknown_type")
def _(at: Place) -> Any:
    return at.error("aks")


@case("unknown_version")
def _(at: Place) -> Any:
    return at.raw(b'{"version":"2","type":"ping"}')


@case("unknown_field")
def _(at: Place) -> Any:
    return at.error("ask", {"m": 1})


@case("bad_value")
def _(at: Place) -> Any:
    return at.error("ask", {"n": "one"})


@case("unknown_parameter")
def _(at: Place) -> Any:
    return at.error("tell", {"config": {"q": 0.5}, "outcome": 1}, at.begun())


@case("out_of_bounds")
def _(at: Place) -> Any:
    return at.error("tell", {"config": {"p": 1.01}, "outcome": 1}, at.begun())


@case("bad_outcome")
def _(at: Place) -> Any:
    return at.error("tell", {"config": {"p": 0.5}, "outcome": 2}, at.begun())


@case("bad_config")
def _(at: Place) -> Any:
    return at.error("setup", {"config": CONFIG.replace("binary", "binery")})


@case("no_session")
def _(at: Place) -> Any:
    return at.error("ask")


@case("unknown_session")
def _(at: Place) -> Any:
    return at.error("ask", session=str(uuid.uuid4()))


@case("session_busy")
def _(at: Place) -> Any:
    session = str(uuid.uuid4())
    at.begun(session=session)
    return at.error("ask", session=session)


@case("no_strategy")
def _(at: Place) -> Any:
    return at.error("resume", {"strategy": 0})


@case("unknown_strategy")
def _(at: Place) -> Any:
    return at.error("resume", {"strategy": 1}, at.begun())


@case("unknown_trial")
def _(at: Place) -> Any:
    return at.error("tell", {"trial": 1, "outcome": 1}, at.begun())


@case("trial_already_told")
def _(at: Place) -> Any:
    wire = at.begun()
    wire.call("ask")
    wire.call("tell", {"trial": 1, "outcome": 1})
    return at.error("tell", {"trial": 1, "outcome": 1}, wire)


@case("no_model")
def _(at: Place) -> Any:
    return at.error("query", {"query": "max"}, at.begun())


@case("not_enough_data")
def _(at: Place) -> Any:
    wire = at.begun()
    wire.call("finish_strategy")
    wire.call("ask")
    return at.error("query", {"query": "max"}, wire)


@case("unauthorized")
def _(at: Place) -> Any:
    session = str(uuid.uuid4())
    at.begun(session=session)
    wire = at.shared.wire()
    wire.call("resume", {"session": session, "observe": True})
    return at.error("tell", {"config": {"p": 0.5}, "outcome": 1}, wire)


@case("id_reused")
def _(at: Place) -> Any:
    wire = at.begun()
    wire.call("ask", {"n": 1}, id="c-1")
    return at.error("ask", {"n": 2}, wire, id="c-1")


@case("limit_reached")
def _(at: Place) -> Any:
    return at.error("ask", {"n": 10_001}, at.begun())


@case("read_only")
def _(at: Place) -> Any:
    server = at.serve("--workers", "0")
    at.begun(server)
    assert server.stop() == 0
    wire = at.serve("--workers", "0", "--read-only").wire()
    wire.call("resume", {"session": "last", "observe": True})
    return at.error("ask", {}, wire)


@case("shutting_down")
def _(at: Place) -> Any:
    """A request that waits for one whose commit takes long, when the server is told to stop."""
    server = at.serve("--workers", "0", environment={"FECHNER_FAIL_POINT": "slow_commit:1000"})
    wire = server.wire()
    setup = at.tools.request("setup", {"config": CONFIG, "seed": 1}, id="setup")
    wire.send(setup, at.tools.request("ask", {}, id="ask"), at.tools.request("ping", {}, id="overtaking"))
    assert json.loads(wire.line())["id"] == "overtaking"  # so the others have been received
    server.process.send_signal(signal.SIGTERM)
    first, second = json.loads(wire.line()), json.loads(wire.line())
    assert (first["id"], first["ok"], second["id"]) == ("setup", True, "ask")
    assert server.process.wait(at.tools.GUARD) == 0
    return second["error"]


@case("storage_failed")
def _(at: Place) -> Any:
    environment = {"FECHNER_FAIL_POINT": "before_commit:raise"}
    server = at.serve("--workers", "0", environment=environment)
    wire = server.wire()
    error = at.error("setup", {"config": CONFIG}, wire)
    assert wire.call("ping") == {}
    return error


@case("internal")
def _(at: Place) -> Any:
    """An extension has a fault: the log explains it, by the incident's name."""
    (at.folder / "extensions").mkdir()
    (at.folder / "extensions" / "broken.py").write_text(BROKEN)
    server = at.serve("--workers", "0", "--allow-extensions", str(at.folder / "extensions"))
    config = CONFIG.replace("[common]", "[common]\nextensions = [broken.py]")
    wire = at.begun(server, config.replace("[init]\ngenerator = Sobol", "[init]\ngenerator = Broken"))
    error = at.error("ask", {}, wire)
    incident = error["detail"].split("incident ")[1].rstrip(")")
    assert f"incident {incident}" in server.log.read_text()
    assert "ZeroDivisionError" in server.log.read_text()
    assert wire.call("info")["trials"]["asked"] == 0
    return error
