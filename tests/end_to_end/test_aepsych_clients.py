"""Clients as the AEPsych 0.8 generation writes them: raw sockets, one recv for a reply, extra keys."""

from __future__ import annotations

import json
import socket
from typing import Any

import pytest

CONFIG = """
[common]
seed = 1
parnames = [frequency, level]
stimuli_per_trial = 1
outcome_types = [binary]
strategy_names = [init_strat, opt_strat]
target = 0.75
[frequency]
par_type = continuous
lower_bound = 0.25
upper_bound = 8
log_scale = True
[level]
par_type = continuous
lower_bound = -20
upper_bound = 120
[init_strat]
generator = SobolGenerator
min_asks = 3
[opt_strat]
generator = OptimizeAcqfGenerator
acqf = EAVC
model = GPClassificationModel
min_asks = 2
[OptimizeAcqfGenerator]
restarts = 2
samps = 128
"""


class OneRecv:
    """Sends a request and takes whatever one recv of 4096 bytes brings as the whole reply."""

    def __init__(self, address: tuple[str, int], **always: Any) -> None:
        self.socket = socket.create_connection(address, 60)
        self.always = always

    def __call__(self, type: str, message: Any = None, **more: Any) -> Any:
        one = {"type": type, **self.always, **more}
        if message is not None:
            one["message"] = message
        self.socket.sendall(json.dumps(one).encode())
        return json.loads(self.socket.recv(4096))


@pytest.fixture
def server(serve: Any) -> Any:
    """A server with a worker."""
    return serve("--workers", "1")


def test_a_raw_session_with_one_recv_a_reply(server: Any) -> None:
    """Setup, asks, tells, queries and all the questions, in the shapes that such a client compares."""
    client = OneRecv(server.address)
    assert client("setup", {"config_str": CONFIG}) == {"strat_id": 0}
    assert client("parameters", {}) == {"frequency": [0.25, 8.0], "level": [-20.0, 120.0]}
    for trial in range(5):
        reply = client("ask", [{}, "", {"num_points": 1}][trial % 3])
        assert set(reply) == {"config", "is_finished", "num_points"}
        assert reply["num_points"] == 1
        assert reply["is_finished"] is (trial == 4)
        assert [len(values) for values in reply["config"].values()] == [1, 1]
        tell = {"config": reply["config"], "outcome": int(reply["config"]["level"][0] > 30), "rt": 0.3}
        assert client("tell", tell) == {"trials_recorded": 1, "model_data_added": 1}
    assert client("can_model", {}) == {"can_model": True}
    answer = client("query", {"query_type": "max", "probability_space": True})
    assert set(answer) == {"query_type", "probability_space", "constraints", "x", "y"}
    assert 0 <= answer["y"] <= 1
    nearest = client("query", {"query_type": "inverse", "y": 0.75, "probability_space": True, "x": None})
    assert nearest["y"] == pytest.approx(0.75, abs=0.2)
    assert client("info")["current_strat_name"] == "opt_strat"
    several = client("ask", {"num_points": 3, "fixed_pars": {"frequency": 2.0}})
    assert several["config"]["frequency"] == [2.0] * 3
    told = client("tell", {"config": several["config"], "outcome": [0, 1, 1]})
    assert told == {"trials_recorded": 3, "model_data_added": 3}
    assert client("get_config", {"section": "init_strat", "property": "min_asks"}) == {
        "init_strat": {"min_asks": "3"}
    }
    assert client("finish_strategy") == {"finished_strategy": "opt_strat", "finished_strat_idx": 0}
    wrong = client("tell", {"config": {"frequncy": [1], "level": [2]}, "outcome": 1})
    assert "frequncy" in wrong["server_error"]
    assert client("exit", {}) == {"termination_type": "Terminate", "success": True}


def test_a_unity_like_client(server: Any) -> None:
    """Version 0.01 with extra_info (null or filled) on every request, float32 values, an empty x."""
    import struct

    client = OneRecv(server.address, version="0.01", extra_info=None)
    assert client("setup", {"config_str": CONFIG}) == {"strat_id": 0}
    for trial in range(4):
        config = client("ask", "")["config"]
        rounded = {name: [struct.unpack("f", struct.pack("f", v[0]))[0]] for name, v in config.items()}
        extra = {"responseTime": 0.25, "participantID": "P 7"} if trial % 2 else None
        told = client("tell", {"config": rounded, "outcome": trial % 2}, extra_info=extra)
        assert told == {"trials_recorded": 1, "model_data_added": 1}
    info = client("info", {})
    assert info["current_strat_data_pts"] == 4
    query = {"query_type": "max", "probability_space": True, "x": {}, "constraints": {"frequency": [2.0]}}
    assert client("query", query)["x"]["frequency"] == [2.0]


def test_no_reply_of_the_dialect_ends_with_a_line_ending(server: Any) -> None:
    """Its clients compare whole replies."""
    with socket.create_connection(server.address, 60) as raw:
        raw.sendall(json.dumps({"type": "setup", "message": {"config_str": CONFIG}}).encode() + b"\r\n")
        assert raw.recv(4096) == b'{"strat_id":0}'


def test_a_session_of_the_dialect_is_resumed_after_a_restart(serve: Any, server: Any, tools: Any) -> None:
    """Its trials are on record; version 1 can take it up and `fechner replay` verifies it."""
    client = OneRecv(server.address)
    client("setup", {"config_str": CONFIG})
    session = client("info")["exp_id"]
    for outcome in (0, 1, 1, 0):
        client("tell", {"config": client("ask", {})["config"], "outcome": outcome})
    server.kill()
    wire = serve("--workers", "1").wire()
    assert wire.call("resume", {"session": session})["trials"]["told"] == 4
    assert wire.call("ask")["stage"] == "opt_strat"
