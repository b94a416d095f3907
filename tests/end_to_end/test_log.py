"""The log of a real server: it tells what happened and quotes nobody."""

from __future__ import annotations

import json
import os
import signal
import socket
from pathlib import Path
from typing import Any

import pytest

from fechner.server.shell.secrets import add_token, new_token

#: What participants, experimenters and attackers may write; none of it may come into a log.
NAME, NOTE, CONFIG, TOKEN, FIELD, BYTES = (f"telltale-{n}" for n in range(6))
OUTCOME = "0.123456789"


def config(experiments: Any) -> str:
    """A configuration whose text can be told apart."""
    return f"{experiments.config(first=2)}\n# {CONFIG}\n[telltale-section]\n{CONFIG} = {CONFIG}\n"


def tells(tools: Any, session: str) -> list[Any]:
    """Requests, good and bad, with all that a log mustn't have."""
    extra = {"model_data": False, "extra": {NOTE: NOTE}}
    return [
        tools.request("tell", {"config": {"frequency": 1, "level": 1}, "outcome": 1, **extra}, id=TOKEN),
        tools.request("tell", {"trial": 1, "outcome": OUTCOME, **extra}),
        tools.request("tell", {"trial": 1, "outcome": 0, FIELD: FIELD}),
        tools.request("tell", {"config": {NAME: 1}, "outcome": 1}),
        tools.request(NAME, {}),
        tools.request("auth", {"token": TOKEN}),
        tools.request("info", {}, session=NAME),
        {"version": "1", "type": "ask", FIELD: TOKEN},
        [NAME],
        tools.request("setup", {"config": CONFIG}),
        tools.request("exit", session=session),
    ]


def through(tools: Any, experiments: Any, server: Any) -> None:
    """A session with everything that can be said, well and badly, and a worker's death in it."""
    wire = server.wire()
    about = {"name": NAME, "participant": NAME, "description": NOTE, "metadata": {NOTE: NOTE}, "seed": 1}
    reply = wire.exchange(tools.request("setup", {"config": config(experiments), **about}))
    for one in tells(tools, reply.get("session", "")):
        wire.exchange(one)
    for broken in (f'{{"type": "{BYTES}'.encode() + b"\xff}", f"{BYTES} {{}}".encode()):
        raw = server.wire()
        raw.socket.sendall(broken)
        raw.socket.shutdown(socket.SHUT_WR)
        raw.line()
    old = server.wire()
    old.socket.sendall(json.dumps({"type": "setup", "message": {"config_str": CONFIG}, NAME: 1}).encode())
    old.socket.recv(65536)


def logged(file: Path) -> list[dict[str, Any]]:
    """The lines of a log in JSON."""
    return [json.loads(line) for line in file.read_text("utf-8").splitlines()]


@pytest.mark.parametrize("point", ["", "before_commit:raise", "before_reply:raise"])
def test_a_log_quotes_nobody(serve: Any, tools: Any, experiments: Any, tmp_path: Path, point: str) -> None:
    """Through good requests, bad ones, broken bytes, and faults of record, workers and server."""
    file = tmp_path / "log"
    options = ("--log-level", "info", "--log-format", "json", "--log-file", str(file), "--workers", "1")
    server = serve(*options, environment={"FECHNER_FAIL_POINT": point})
    if point == "before_reply:raise":  # nobody hears anything
        wire = server.wire()
        wire.send(tools.request("hello", {}), {"version": "1", "type": "ask", NAME: TOKEN})
        wire.socket.shutdown(socket.SHUT_WR)
        assert wire.line() == b""
    else:
        through(tools, experiments, server)
        os.kill(server.workers(1)[0], signal.SIGKILL)
    assert server.stop() == 0
    text = file.read_text("utf-8") + server.log.read_text("utf-8")
    assert [secret for secret in (NAME, NOTE, CONFIG, TOKEN, FIELD, BYTES, OUTCOME) if secret in text] == []
    events = {line["event"].split(" ")[0] for line in logged(file)}
    assert {"listening", "connection", "worker", "stopping", "stopped"} <= events
    wanted = {"": "session set up", "before_commit:raise": "not on record: OSError (EIO)"}
    assert wanted.get(point, "Send failed") in {line["event"] for line in logged(file)}


def test_a_line_says_which_session_and_connection(serve: Any, tools: Any, experiments: Any) -> None:
    """For people, on standard error; at the level by default a sound server says nothing."""
    for level in ("info", "warning"):
        server = serve("--log-level", level, "--workers", "0", db=f"{level}.db")
        before = len(server.log.read_text("utf-8"))
        reply = server.wire().exchange(tools.request("setup", {"config": experiments.config(), "seed": 1}))
        assert server.stop() == 0
        said = server.log.read_text("utf-8")[before:]
        line = f"INFO session set up connection=1 session={reply['session'][:8]}\n"
        assert (line in said) is (level == "info")
        assert bool(said) is (level == "info")


def test_tokens_are_in_no_log(serve: Any, tools: Any, tmp_path: Path) -> None:
    """Neither right ones nor wrong ones, whole or in part; who sent a wrong one is."""
    right, wrong = new_token(), new_token()
    add_token(tmp_path / "tokens", "experimenter", right)
    server = serve("--log-level", "info", "--workers", "0", "--token-file", str(tmp_path / "tokens"))
    wire = server.wire()
    for token in (wrong, wrong[:20], right):
        wire.exchange(tools.request("auth", {"token": token}))
    assert wire.exchange(tools.request("status"))["ok"]
    assert server.stop() == 0
    said = server.log.read_text("utf-8")
    assert [secret for secret in (right, wrong) if secret[:12] in said] == []
    assert said.count("sent a wrong token") == 2
