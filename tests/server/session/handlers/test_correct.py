"""correct: another outcome for a told trial, or its removal."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from fechner.server import Server
from fechner.server.session.replay import dataframe, strategies, verify

CONFIG = """
[common]
parnames = [p]
outcome_types = [binary]
strategy_names = [init, opt]
seed = 4
[p]
par_type = continuous
lower_bound = 0
upper_bound = 1
[init]
generator = SobolGenerator
min_asks = 6
[opt]
generator = OptimizeAcqfGenerator
model = GPClassificationModel
min_asks = 20
[OptimizeAcqfGenerator]
acqf = MCLevelSetEstimation
"""


class Talk:
    """A session of six told trials."""

    def __init__(self, server: Server) -> None:
        self.server, self.channel = server, server.connect()
        self.session = self.send("setup", config=CONFIG)["session"]
        for i in range(6):
            self.trial(i % 2)

    def send(self, type_: str, **message: Any) -> dict[str, Any]:
        reply: dict[str, Any] = self.channel.request({"version": "1", "type": type_, "message": message})
        return reply

    def trial(self, outcome: int) -> None:
        [trial] = self.send("ask")["message"]["trials"]
        self.send("tell", trial=trial["trial"], outcome=outcome)

    @property
    def outcomes(self) -> list[float]:
        """What the model sees."""
        [strategy] = strategies(self.server.record, self.session)
        outcomes: list[float] = strategy.data[1][:, 0].tolist()
        return outcomes


@pytest.fixture
def talk() -> Any:
    with Server() as server:
        yield Talk(server)


def test_the_model_sees_the_corrected_outcome(talk: Talk) -> None:
    """Another outcome in the same place; the record keeps both messages."""
    assert talk.send("correct", trial=2, outcome=0)["message"] == {"trial": 2, "modelled": 1}
    assert talk.outcomes == [0, 0, 0, 1, 0, 1]
    assert dataframe(talk.server.record, talk.session)["outcome"].tolist() == [0, 0, 0, 1, 0, 1]
    types = [message.type for message in talk.server.record.messages(talk.session)]
    assert types.count("tell") == 6
    assert types.count("correct") == 1


def test_a_removed_trial_is_out_and_may_come_back(talk: Talk) -> None:
    """Removed, the model doesn't see it; an outcome brings it back."""
    assert talk.send("correct", trial=1, remove=True)["message"] == {"trial": 1, "modelled": 0}
    assert talk.outcomes == [1, 0, 1, 0, 1]
    assert talk.send("correct", trial=1, outcome=1)["message"] == {"trial": 1, "modelled": 1}
    assert sorted(talk.outcomes) == [0, 0, 1, 1, 1, 1]
    assert talk.send("correct", trial=1, outcome=0)["ok"]
    assert sorted(talk.outcomes) == [0, 0, 0, 1, 1, 1]


def test_a_query_after_a_correction_fits_anew(talk: Talk) -> None:
    """The number of rows is the same, the answer is not."""
    talk.trial(1)
    before = talk.send("query", query="max")["message"]
    talk.send("correct", trial=6, outcome=0)
    assert talk.send("query", query="max")["message"] != before


def test_counts_follow_the_correction(talk: Talk) -> None:
    """Rules that count outcomes count the corrected ones."""
    for trial in (2, 4, 6):
        talk.send("correct", trial=trial, outcome=0)
    [strategy] = strategies(talk.server.record, talk.session)
    assert strategy.state.counts == ((6, 0),)
    assert np.array_equal(strategy.data[1][:, 0], np.zeros(6))


@pytest.mark.parametrize(
    ("message", "code"),
    [
        ({"trial": 9, "outcome": 1}, "unknown_trial"),
        ({"trial": 1, "outcome": 2}, "bad_outcome"),
        ({"trial": 1}, "bad_value"),
        ({"trial": 1, "outcome": 1, "remove": True}, "bad_value"),
        ({"outcome": 1}, "bad_value"),
    ],
)
def test_bad_corrections_change_nothing(talk: Talk, message: dict[str, Any], code: str) -> None:
    """Each is named, and the data are as before."""
    before = talk.outcomes
    assert talk.send("correct", **message)["error"]["code"] == code
    assert talk.outcomes == before


def test_a_pending_trial_has_nothing_to_correct(talk: Talk) -> None:
    """It wants a tell."""
    talk.send("ask")
    error = talk.send("correct", trial=7, outcome=1)["error"]
    assert (error["code"], error["hint"]) == ("unknown_trial", "tell it")


def test_a_skipped_trial_has_nothing_to_correct(talk: Talk) -> None:
    """A tell of its number would be refused, so the hint is another."""
    talk.send("ask")
    talk.send("skip", trial=7)
    error = talk.send("correct", trial=7, outcome=1)["error"]
    assert error["code"] == "unknown_trial"
    assert error["hint"] == talk.send("tell", trial=7, outcome=1)["error"]["hint"]


def test_corrections_replay(talk: Talk) -> None:
    """Asks before and after corrections come out as recorded, here and over the wire."""
    talk.trial(1)
    talk.send("correct", trial=3, outcome=1)
    talk.trial(0)
    talk.send("correct", trial=4, remove=True)
    talk.trial(1)
    assert verify(talk.server.record, talk.session).identical
    answer = talk.send("replay", session=talk.session)["message"]
    assert answer == {"identical": True, "asks": 9}
    assert verify(talk.server.record, talk.session, tolerance=1e-9).identical
