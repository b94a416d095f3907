"""The record gives back what was put in, in order, by session."""

from __future__ import annotations

import dataclasses
import json
import subprocess
import sys
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fechner.database.record import Entry, Message, Record, RecordError

from .talk import Talk

NOON = datetime(2024, 5, 6, 12, 0, 0, 123456, tzinfo=UTC)


def _append(record: Record, *entries: Entry) -> None:
    assert record.append([[entry] for entry in entries]) == [None] * len(entries)


def test_messages_come_back_as_they_were_put_in(record: Record, talk: Talk) -> None:
    """Every field of an entry comes back equal, numbered from 1."""
    entries = [talk.setup(), talk.ask((1, {"level": 0.1})), talk.entry("info", client_id=None)]
    _append(record, *entries)
    found = record.messages(talk.session)
    assert [message.seq for message in found] == [1, 2, 3]
    for entry, message in zip(entries, found, strict=True):
        for name in Entry.__slots__:
            assert getattr(message, name) == getattr(entry, name)


@pytest.mark.parametrize("type_", ["a\0b", "\ud800", "\\x00", "größer", "x" * 70_000])
def test_a_failed_request_of_any_type_survives(record: Record, talk: Talk, type_: str) -> None:
    """What a client calls a type comes back, whatever characters it has."""
    failed = talk.entry("tell", ok=False, request='{"type":"\\u0000"}')
    _append(record, talk.setup(), dataclasses.replace(failed, type=type_))
    message = record.messages(talk.session)[1]
    assert (message.type, message.request) == (type_, '{"type":"\\u0000"}')
    assert record.verify_chain(talk.session) is None


_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)
_text = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=20)


@settings(max_examples=60, deadline=None)
@given(
    left=st.dictionaries(st.text(), _json, max_size=4),
    client_id=st.none() | st.text(max_size=64),
    request=_text,
    reply=_text,
    received_at=st.datetimes(timezones=st.sampled_from([UTC, timezone(timedelta(hours=5, minutes=30))])),
    duration_ms=st.floats(0, 1e9),
    numbers=st.lists(st.floats(allow_nan=False), min_size=2, max_size=2),
)
def test_any_entry_survives_the_record(
    left: dict[str, Any],
    client_id: str | None,
    request: str,
    reply: str,
    received_at: datetime,
    duration_ms: float,
    numbers: list[float],
) -> None:
    """Changes, ids, texts, times and floats come back exactly, whatever they are; the chain holds."""
    try:
        received_at.astimezone(UTC)
    except OverflowError:
        return
    setup: Any = {"type": "setup", "strategy": 0, "config": {"common": left}, "seed": 1, "name": "\0\ud800"}
    trials = [{"trial": 1, "config": {"p": numbers}, "unit": [numbers]}]
    ask: Any = {
        "type": "ask",
        "strategy": 0,
        "stage": "s",
        "trials": trials,
        "left": left,
        "post_mean": numbers,
    }
    with Record.open(":memory:") as record:
        entries = [
            Entry("s", client_id, "1", "setup", request, reply, True, received_at, duration_ms, None, setup),
            Entry("s", None, "1", "ask", request, reply, True, received_at, duration_ms, "model", ask),
        ]
        assert record.append([entries]) == [None]
        for entry, message in zip(entries, record.messages("s"), strict=True):
            for name in Entry.__slots__:
                assert getattr(message, name) == getattr(entry, name)
            assert repr(message.change) == repr(entry.change)
            assert message.received_at.utcoffset() == timedelta(0)
        if client_id is not None:
            assert record.ids("s") == {client_id}
            found = record.find("s", client_id)
            assert found is not None
            assert found.seq == 1
        values = record.trials("s")[0]["config"]["p"]
        assert values == [number if abs(number) < float("inf") else str(number) for number in numbers]
        assert record.verify_chain("s") is None


def test_a_change_that_is_not_finite_survives(record: Record, talk: Talk) -> None:
    """NaN and infinities in what an ask left behind don't lose the ask."""
    _append(
        record, talk.setup(), talk.ask((1, {"level": 0.1}), post_mean=[float("nan")], post_sd=[float("inf")])
    )
    change = record.messages(talk.session)[1].change
    assert change is not None
    assert change["type"] == "ask"
    assert change["post_mean"] is not None
    assert change["post_sd"] is not None
    assert repr(change["post_mean"] + change["post_sd"]) == "[nan, inf]"
    assert record.trials(talk.session)[0]["post_mean"] is None


def test_changes_are_the_effects_of_ok_messages_in_order(record: Record, talk: Talk) -> None:
    """Failed messages, and those that change nothing, are left out of the fold."""
    setup, ask, tell = talk.setup(), talk.ask((1, {"level": 0.1})), talk.tell(1, {"outcome_1": 1})
    failed = talk.entry("tell", ok=False)
    _append(record, setup, ask, talk.entry("info"), failed, tell)
    assert list(record.changes(talk.session)) == [
        (1, "setup", setup.change),
        (2, "ask", ask.change),
        (5, "tell", tell.change),
    ]


def test_a_session_is_read_in_pages(record: Record, talk: Talk, monkeypatch: pytest.MonkeyPatch) -> None:
    """A session longer than a page is read whole, and may grow while it is read."""
    monkeypatch.setattr("fechner.database.keeping.reading.PAGE", 3)
    _append(record, talk.setup(), *(talk.ask((number, {"level": 0.1})) for number in range(1, 9)))
    changes = record.changes(talk.session)
    assert next(changes)[0] == 1
    _append(record, talk.ask((9, {"level": 0.2})))
    assert [seq for seq, _, _ in changes] == list(range(2, 11))
    assert len(record.messages(talk.session)) == 10


def test_an_id_is_used_up_by_an_ok_message_only(record: Record, talk: Talk) -> None:
    """A failed request leaves its id free; an ok one can be found by it."""
    _append(record, talk.setup(client_id="x"), talk.entry("ask", ok=False, client_id="a"))
    assert record.find(talk.session, "a") is None
    _append(record, talk.ask((1, {"level": 0.1})))
    again = talk.entry("info", client_id="a", reply="here")
    _append(record, again)
    found = record.find(talk.session, "a")
    assert isinstance(found, Message)
    assert (found.reply, found.seq) == ("here", 4)
    assert record.ids(talk.session) == {"c-1", "c-3", "a"}


def test_the_same_id_in_two_sessions_is_two_ids(record: Record, talk: Talk) -> None:
    """Ids are looked up in their own session."""
    other = type(talk)("other")
    _append(record, talk.setup(), other.setup())
    assert record.find("other", "c-1").session == "other"  # type: ignore[union-attr]
    assert record.find("nobody", "c-1") is None


def test_sessions_at_a_glance(record: Record, talk: Talk) -> None:
    """A session's row counts its messages, strategies and trials and knows its end."""
    assert record.sessions() == []
    assert record.last() is None
    _append(
        record,
        talk.setup(),
        talk.ask((1, {"level": 0.1}), (2, {"level": 0.2}), (3, {"level": 0.3})),
        talk.tell(1, {"outcome_1": 1}),
        talk.entry("skip", {"type": "skip", "trial": 2, "reason": "no response", "again": False}),
        talk.setup(strategy=1, name="second"),
        talk.entry("exit", {"type": "exit"}),
    )
    (row,) = record.sessions()
    assert (
        row
        | {
            "created_at": NOON + timedelta(milliseconds=1),
            "last_at": NOON + timedelta(milliseconds=6),
            "ended_at": NOON + timedelta(milliseconds=6),
            "n_messages": 6,
            "n_strategies": 2,
            "n_trials": 3,
            "n_pending": 1,
            "n_told": 1,
            "n_skipped": 1,
            "name": "second",
            "participant": "P 7",
        }
        == row
    )
    _append(record, talk.entry("info"))
    assert record.sessions()[0]["ended_at"] is not None
    _append(record, talk.entry("resume", {"type": "resume", "strategy": 0}))
    assert record.sessions()[0]["ended_at"] is None
    assert record.exists(talk.session)
    assert not record.exists("nobody")


def test_the_last_session_is_the_one_used_last(record: Record, talk: Talk) -> None:
    """A session that is taken up again becomes the last one."""
    other = type(talk)("other")
    _append(record, talk.setup(), other.setup())
    _append(record, talk.entry("info", received_at=NOON + timedelta(hours=1)))
    assert record.last() == talk.session
    _append(record, other.entry("info", received_at=NOON + timedelta(hours=2)))
    assert record.last() == "other"


def test_trials_show_their_course(record: Record, talk: Talk) -> None:
    """A trial is pending once asked; a tell closes it with its outcome; a told point makes its own trial."""
    _append(record, talk.setup(), talk.ask((1, {"level": 0.1, "ear": "left"}), (2, {"level": [0.2, 0.7]})))
    pending = record.trials(talk.session)
    assert [trial["status"] for trial in pending] == ["pending", "pending"]
    assert pending[0]["asked_at"] == NOON + timedelta(milliseconds=2)
    assert pending[0]["post_mean"] == 0.1 + 0.2
    assert pending[1]["outcome"] is None
    _append(
        record,
        talk.tell(2, {"outcome_1": 0, "rating": "good"}, response_time=0.5, extra={"block": 3}),
        talk.tell(3, {"outcome_1": 1}, asked=False, config={"level": 0.9}, model_data=False),
    )
    first, second, third = record.trials(talk.session)
    assert first == pending[0]
    assert first["config"] == {"level": 0.1, "ear": "left"}
    assert second["config"] == {"level": [0.2, 0.7]}
    assert (second["status"], second["outcome"]) == ("told", {"outcome_1": 0, "rating": "good"})
    assert (second["asked_seq"], second["told_seq"], second["response_time"]) == (2, 3, 0.5)
    assert second["extra"] == {"block": 3}
    assert (third["status"], third["asked_at"], third["model_data"]) == ("told", None, False)
    assert third["config"] == {"level": 0.9}


def test_strategies_keep_what_was_set_up(record: Record, talk: Talk) -> None:
    """A configuration comes back as it was given, text or JSON, with a seed of any size."""
    config = {"common": {"parnames": ["level"]}}
    _append(record, talk.setup(), talk.setup(strategy=1, config=config))
    first, second = record.strategies(talk.session)
    assert (first["config"], first["config_format"]) == ("[common]\nparnames = [level]\n", "ini")
    assert (json.loads(second["config"]), second["config_format"]) == (config, "json")
    assert first["seed"] == str(2**70)
    assert first["metadata"] == {"lab": "A"}
    assert first["stages"] == ["init", "opt"]


def test_a_closed_record_says_so(file: Path, talk: Talk) -> None:
    """Using a record after its end is a named error, and closing twice is none."""
    record = Record.open(file)
    record.close()
    record.close()
    (failure,) = record.append([[talk.setup()]])
    assert isinstance(failure, RecordError)
    with pytest.raises(RecordError, match=r"record\.db"):
        record.sessions()


def test_importing_the_record_is_lean() -> None:
    """Alembic, pandas and torch aren't imported until they are needed, nor to make and write a record."""
    script = (
        "import sys; from fechner.database.record import Record; Record.open(':memory:').close();"
        "print([name for name in ('alembic', 'pandas', 'torch', 'numpy', 'scipy') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
