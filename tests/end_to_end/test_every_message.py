"""A long session of every message type verifies identical, whatever keeps and whatever computes it."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from fechner.server import Server
from fechner.server.session.replay import verify
from fechner.strategies.core.strategy import propose

CONFIG = """
[common]
parnames = [p, q]
outcome_types = [binary]
strategy_names = [init, opt, fill]
target = 0.75
[p]
par_type = continuous
lower_bound = 0
upper_bound = 1
[q]
par_type = continuous
lower_bound = 1
upper_bound = 100
log_scale = True
[init]
generator = SobolGenerator
min_asks = 20
[opt]
generator = OptimizeAcqfGenerator
model = GPClassificationModel
min_asks = 25
refit_every = 3
[fill]
generator = SobolGenerator
min_asks = 1000
[OptimizeAcqfGenerator]
acqf = EAVC
"""


class Talk:
    """A client that sends every message type, by a fixed plan."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.channel = server.connect()
        self.compute_ms = 0.0
        self.asked: list[Any] = []

    def send(self, type_: str, **message: Any) -> dict[str, Any]:
        reply: dict[str, Any] = self.channel.request({"version": "1", "type": type_, "message": message})
        assert reply["ok"], reply
        self.compute_ms += reply["timing"]["compute_ms"]
        return dict(reply["message"])

    def ask(self, **message: Any) -> list[dict[str, Any]]:
        trials = self.send("ask", **message)["trials"]
        self.asked += trials
        return list(trials)

    def run(self, trials: int) -> str:
        """The session; its id."""
        session = self.send("setup", config=CONFIG, seed=7, participant="p")["session"]
        self.send("hello")
        self.send("ping")
        step = 0
        while len(self.asked) < trials:
            step += 1
            if step == trials // 2:
                self.send("setup", config=CONFIG, seed=8)
            [trial] = self.ask(fixed={"p": 0.5}) if step % 11 == 0 else self.ask()
            outcome = int(trial["config"]["p"] * 2 + trial["config"]["q"] / 100 > 1.1)
            if step % 9 == 0:
                self.send("skip", trial=trial["trial"], again=step % 2 == 0)
            elif step % 7 == 0:
                tell = {"trial": trial["trial"], "outcome": outcome, "extra": {"step": step}}
                self.asked += self.send("update", tell=tell, ask={"n": 1})["ask"]["trials"]
            elif step % 13 == 0:
                self.send("tell", trial=trial["trial"], outcome=outcome, shown={"p": 0.25, "q": 3.5})
            else:
                self.send("tell", trial=trial["trial"], outcome=outcome, response_time=0.4)
            if step % 17 == 0:
                told = next(t["trial"] for t in self.asked if t["trial"] % 5 == 1)
                self.send("correct", trial=told, outcome=1 - outcome)
            if step == 40:
                self.send("finish_strategy")
                self.send("tell", config={"p": 0.3, "q": 7.0}, outcome=1)
                self.send("info")
                self.send("parameters")
                self.send("get_config")
                self.send("resume", strategy=0)
            if step == 30:
                self.send("query", query="max")
        self.send("exit")
        self.send("resume", session=session)
        return str(session)


@pytest.fixture(scope="module")
def undisturbed() -> tuple[list[Any], float]:
    """The asks of the session on SQLite with inline computing, and their compute time."""
    with Server() as server:
        talk = Talk(server)
        talk.run(300)
        return talk.asked, talk.compute_ms


@pytest.mark.long
@pytest.mark.parametrize("workers", [0, 1, 2])
@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_a_long_session_of_every_message_type_verifies(
    kind: str,
    workers: int,
    tmp_path: Path,
    request: pytest.FixtureRequest,
    undisturbed: tuple[list[Any], float],
) -> None:
    """The asks are those of the undisturbed session, and each is recomputed to the last bit."""
    make: Callable[[], str] = (
        (lambda: str(tmp_path / "long.db"))
        if kind == "sqlite"
        else request.getfixturevalue("postgres_schema")
    )
    with Server(make(), workers=workers) as server:
        talk = Talk(server)
        session = talk.run(300)
        assert talk.asked == undisturbed[0]
        started = time.perf_counter()
        found = verify(server.record, session, propose)
        print(f"verify {time.perf_counter() - started:.2f} s, session computed {talk.compute_ms / 1e3:.2f} s")
    assert found.identical
    assert found.asks > 200
