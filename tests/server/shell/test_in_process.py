"""A server in this process: requests are plain data, and replies come back as such."""

from __future__ import annotations

import asyncio
import math
import threading
from pathlib import Path
from typing import Any

import pytest

from fechner.database.errors import RecordError
from fechner.server import Server
from fechner.server.protocol.limits import Limits

V1 = {"version": "1"}
SESSION = "6f1d2c3b-0000-4000-8000-000000000001"


def test_a_session(space_filling: str) -> None:
    """Set up, asked, told and ended."""
    with Server() as server:
        channel = server.connect()
        assert channel.request({**V1, "type": "setup", "message": {"config": space_filling}})["ok"]
        [trial] = channel.request({**V1, "type": "ask"})["message"]["trials"]
        told = {"trial": trial["trial"], "outcome": 1}
        assert channel.request({**V1, "type": "tell", "message": told})["message"]["modelled"] == 1
        assert channel.request({**V1, "type": "exit"})["ok"]


def test_inside_a_running_event_loop(space_filling: str) -> None:
    """As in a notebook."""

    async def main() -> Any:
        with Server() as server:
            return server.connect().request({**V1, "type": "hello"})

    assert asyncio.run(main())["ok"]


@pytest.mark.parametrize(
    ("value", "code"),
    [
        ({"a": math.nan}, "bad_json"),
        ({"a": object()}, "bad_json"),
        ({"a": "\ud800"}, "bad_json"),
        ({"a": "x" * 3_000_000}, "too_large"),
        ({"a": "x" * 70_000}, "too_large"),
        ([], "bad_request"),
        (None, "bad_request"),
    ],
)
def test_what_is_no_request(value: Any, code: str) -> None:
    """It is answered like anywhere else, and the channel stays."""
    with Server() as server:
        channel = server.connect()
        assert channel.request(value)["error"]["code"] == code
        assert channel.request({**V1, "type": "hello"})["ok"]


def test_a_value_too_deep() -> None:
    """Also one that Python itself would not nest so far."""
    value: Any = []
    for _ in range(50):
        value = [value]
    with Server(limits=Limits()) as server:
        assert server.connect().request(value)["error"]["code"] == "too_deep"


def test_bare_words_of_the_first_generation() -> None:
    """They are no JSON: the text itself comes back."""
    config = "[common]\nparnames = [p]\nlb = [0]\nub = [1]\noutcome_type = single_probit\n"
    config += "strategy_names = [init]\n[init]\ngenerator = SobolGenerator\nn_trials = 2\n"
    with Server(dialect="aepsych-0.1") as server:
        channel = server.connect()
        first = channel.request({"type": "setup", "message": {"config_str": config}})
        assert list(first) == ["p"]
        assert channel.request({"type": "tell", "message": {"config": first, "outcome": 1}}) == "acq"
        assert channel.request({"type": "fly"}) == "bad request"
        assert channel.request({"type": "exit"}) == "Terminate"


def test_replies_are_copies(space_filling: str) -> None:
    """What a client does with them changes nothing in the server."""
    with Server() as server:
        channel = server.connect()
        setup = {"config": space_filling}
        reply = channel.request({**V1, "type": "setup", "message": setup})
        reply["message"]["parameters"]["p"]["upper"] = 99
        setup["config"] = ""
        assert channel.request({**V1, "type": "parameters"})["message"]["p"]["upper"] == 1


def test_several_threads(space_filling: str) -> None:
    """Each on its own channel, at once."""
    faults: list[BaseException] = []

    def talk(server: Server) -> None:
        try:
            channel = server.connect()
            channel.request({**V1, "type": "setup", "message": {"config": space_filling}})
            for trial in range(1, 5):
                assert channel.request({**V1, "type": "ask"})["message"]["trials"][0]["trial"] == trial
        except BaseException as fault:
            faults.append(fault)

    with Server() as server:
        threads = [threading.Thread(target=talk, args=(server,)) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert faults == []


def test_a_closed_channel_frees_its_session(space_filling: str) -> None:
    """Another one goes on with it."""
    with Server() as server:
        channel = server.connect()
        channel.request({**V1, "type": "setup", "session": SESSION, "message": {"config": space_filling}})
        resume = {**V1, "type": "resume", "message": {"session": SESSION}}
        assert server.connect().request(resume)["error"]["code"] == "session_busy"
        channel.close()
        assert server.connect().request(resume)["ok"]


def test_a_record_in_a_file(tmp_path: Path, space_filling: str) -> None:
    """It is locked while the server lives and has everything afterwards."""
    file = tmp_path / "fechner.db"
    with Server(file) as server:
        channel = server.connect()
        channel.request({**V1, "type": "setup", "session": SESSION, "message": {"config": space_filling}})
        first = channel.request({**V1, "type": "ask", "id": "a"})
        with pytest.raises(RecordError):
            Server(file)
    with Server(file) as server:
        assert server.connect().request({**V1, "type": "ask", "id": "a", "session": SESSION}) == first


@pytest.mark.parametrize("workers", [0, 1])
@pytest.mark.parametrize("deadline_ms", [0.001, 1e7])
def test_deadlines(with_model: str, workers: int, deadline_ms: float) -> None:
    """One that is over at once gives a space-filling trial, a long one the model's; both verify."""
    with Server(workers=workers) as server:
        channel = server.connect()

        def ask(type_: str, **message: Any) -> Any:
            reply = channel.request({**V1, "type": type_, "message": message})
            assert reply["ok"], reply
            return reply

        session = ask("setup", config=with_model.replace("max_asks = 1000", "run_indefinitely = True"))
        ask("ask")
        ask("tell", trial=1, outcome=1)
        for trial in (2, 3):
            tier = ask("ask", deadline_ms=deadline_ms)["timing"]["tier"]
            assert tier == ("space_filling" if deadline_ms < 1 else "model")
            ask("tell", trial=trial, outcome=trial % 2)
        assert ask("ask")["timing"]["tier"] == "model"
        assert ask("replay", session=session["session"])["message"]["identical"]
