"""Earlier sessions are found by bound conditions, and their trials read as they were corrected."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from fechner.database.record import Record
from fechner.database.seed_data import copies, find_setups, read_trials

from .talk import Talk

#: Puts a session on record, its trials told with these outcomes; gives its id.
Sessions = Callable[..., str]


@pytest.fixture
def sessions(record: Record, talk: Talk) -> Sessions:
    """Puts sessions on record, one after another."""
    made: list[str] = []

    def make(*told_trials: object, setups: int = 1, **more: object) -> str:
        session = f"6f1d2c3b-0000-4000-8000-{len(made):012d}"
        made.append(session)
        one = type(talk)(session)
        one.count = 1000 * len(made)
        entries = [one.setup(strategy, **more) for strategy in range(setups)]
        for number, outcome in enumerate(told_trials, start=1):
            config = {"level": number / 8, "ear": "left"}
            entries += [one.ask((number, config)), one.tell(number, {"outcome_1": outcome})]
        assert record.append([entries]) == [None]
        return session

    return make


def found(record: Record, besides: str = "", **wanted: list[str]) -> list[tuple[str, int]]:
    with record.snapshot() as connection:
        return [(row["session"], row["strategy"]) for row in find_setups(connection, wanted, besides)]


def test_conditions_hold_together_and_lists_are_alternatives(record: Record, sessions: Sessions) -> None:
    """Or inside a list, and between keys; the newest session first, on every database."""
    a = sessions(name="pilot", participant="p1")
    b = sessions(name="main", participant="p1")
    c = sessions(name="main", participant="p2")
    sessions(name="other", participant="p1")
    assert found(record, experiment_name=["pilot", "main"]) == [(c, 0), (b, 0), (a, 0)]
    assert found(record, experiment_name=["pilot", "main"], participant_id=["p1"]) == [(b, 0), (a, 0)]
    assert found(record, experiment_name=["pilot", "main"], besides=b) == [(c, 0), (a, 0)]
    assert found(record, experiment_name=["nobody"]) == []
    assert found(record, experiment_description=["x"]) == []


def test_any_other_key_is_one_of_the_metadata(record: Record, sessions: Sessions) -> None:
    """Texts, whole numbers and lists; the key's case doesn't matter."""
    a = sessions(metadata={"experiment_id": "7", "Lab": "A"})
    b = sessions(metadata={"experiment_id": 7, "lab": ["A", "B"]})
    sessions(metadata={"experiment_id": None})
    sessions(metadata={})
    assert found(record, experiment_id=["7"]) == [(b, 0), (a, 0)]
    assert found(record, experiment_id=["7"], lab=["B"]) == [(b, 0)]


@pytest.mark.parametrize("text", ["' OR 1=1 --", "%", "pi_ot", "\u03b1 \U0001f3a7", "a'; DROP TABLE x"])
def test_conditions_are_bound(record: Record, sessions: Sessions, text: str) -> None:
    """Whatever stands in them finds itself and nothing else."""
    sessions(name="pilot", metadata={"k": "v"})
    assert found(record, experiment_name=[text]) == []
    assert found(record, k=[text]) == []
    own = sessions(name=text)
    assert found(record, experiment_name=[text]) == [(own, 0)]


def test_each_setup_of_a_session_counts_for_itself(record: Record, sessions: Sessions) -> None:
    """A session with two of them is found twice."""
    session = sessions(setups=2)
    assert found(record, experiment_name=["hearing"]) == [(session, 1), (session, 0)]


def rows(record: Record, session: str, most: int = 100) -> list[Any]:
    with record.snapshot() as connection:
        return read_trials(connection, session, 0, most)


def test_told_trials_have_what_the_model_saw(record: Record, sessions: Sessions, talk: Talk) -> None:
    """Corrected values, the stimulus really shown; not what was skipped, removed or kept from the model."""
    session = sessions(1, 0, 1)
    one = type(talk)(session)
    one.count = 5000
    many = [one.ask((n, {"level": 0.5, "ear": ["left"]})) for n in (4, 5, 6)]
    many += [
        one.tell(4, {"outcome_1": 1}, shown={"level": 0.75, "ear": "right"}),
        one.tell(5, {"outcome_1": 1}, model_data=False),
        one.entry("skip", {"type": "skip", "trial": 6, "reason": None, "again": False}),
        one.entry("correct", {"type": "correct", "trial": 1, "outcome": {"outcome_1": 0}}),
        one.entry("correct", {"type": "correct", "trial": 2, "outcome": None}),
    ]
    assert record.append([many]) == [None]
    assert rows(record, session) == [
        {
            "session": session,
            "trial": 1,
            "config": {"ear": "left", "level": 0.125},
            "outcome": {"outcome_1": 0.0},
        },
        {
            "session": session,
            "trial": 3,
            "config": {"ear": "left", "level": 0.375},
            "outcome": {"outcome_1": 1.0},
        },
        {
            "session": session,
            "trial": 4,
            "config": {"level": 0.75, "ear": "right"},
            "outcome": {"outcome_1": 1.0},
        },
    ]


def test_the_newest_are_read_where_there_are_too_many(record: Record, sessions: Sessions) -> None:
    """In their order."""
    session = sessions(*([1] * 5))
    assert [row["trial"] for row in rows(record, session, 3)] == [3, 4, 5]
    assert rows(record, session, 0) == []


def test_pairs_have_a_list_for_each_parameter(record: Record, sessions: Sessions, talk: Talk) -> None:
    """Two stimuli in a trial."""
    session = sessions()
    one = type(talk)(session)
    one.count = 5000
    ask = one.ask((1, {"level": [0.25, 0.5]}))
    assert record.append([[ask, one.tell(1, {"outcome_1": 1})]]) == [None]
    assert [row["config"] for row in rows(record, session)] == [{"level": [0.25, 0.5]}]


def test_copies_are_found_by_their_origin(record: Record, sessions: Sessions) -> None:
    """Which sessions hold trials of others."""
    a = sessions(1)
    seeds = {"pilots": [{"session": a, "trial": 1, "config": {"level": 0.125}, "outcome": {"outcome_1": 1}}]}
    b = sessions(seed_data=seeds)
    sessions(description=a)
    with record.snapshot() as connection:
        assert copies(connection, [a]) == [b]
        assert copies(connection, [b]) == []
        assert copies(connection, [a, b]) == []
        assert copies(connection, []) == []
