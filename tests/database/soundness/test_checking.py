"""Whether a record is whole is seen, and what can be computed from its messages can be computed again."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from fechner.database.record import Record, RecordError
from fechner.database.soundness import rebuilding

from ..talk import Talk


def _course(record: Record, talk: Talk) -> None:
    entries = [
        talk.setup(environment={"threads": 1}),
        talk.ask((1, {"level": 0.1}), (2, {"level": [0.2, 1 / 3]})),
        talk.tell(1, {"outcome_1": 1}, response_time=0.5, extra={"eye": "left"}),
        talk.entry("tell", ok=False),
        talk.entry("skip", {"type": "skip", "trial": 2, "reason": "late", "again": False}),
        talk.entry("correct", {"type": "correct", "trial": 1, "strategy": 0, "outcome": {"outcome_1": 0}}),
        talk.entry("exit", {"type": "exit"}),
    ]
    assert record.append([[entry] for entry in entries]) == [None] * len(entries)


def _damage(record: Record, *statements: str) -> None:
    with record.snapshot() as connection:
        for statement in statements:
            connection.exec_driver_sql(statement)


@pytest.mark.parametrize("page", [500, 2])
def test_a_sound_record_is_sound(
    record: Record, talk: Talk, page: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is found, however many sessions and pages there are."""
    monkeypatch.setattr(rebuilding, "PAGE", page)
    _course(record, talk)
    _course(record, type(talk)("other"))
    assert record.all_sessions() == sorted([talk.session, "other"])
    assert [record.check_chain(session) for session in record.all_sessions()] == [[], []]
    assert list(record.check_projections()) == []
    assert record.check_storage() == []


@pytest.mark.parametrize(
    ("damage", "found"),
    [
        ("UPDATE messages SET reply = 'other' WHERE seq IN (3, 5)", [(3, "changed"), (5, "changed")]),
        ("DELETE FROM messages WHERE seq IN (2, 3)", [(2, "missing"), (3, "missing")]),
        ("DELETE FROM messages WHERE seq > 5", [(6, "missing"), (7, "missing")]),
        ("DELETE FROM messages", [(seq, "missing") for seq in range(1, 8)]),
    ],
    ids=["changed", "missing", "missing at the end", "all missing"],
)
def test_every_damaged_message_is_named(
    record: Record, talk: Talk, damage: str, found: list[tuple[int, str]]
) -> None:
    """A changed or missing message is named, and those around it are not."""
    _course(record, talk)
    _damage(record, damage)
    breaks = record.check_chain(talk.session)
    assert [(one.seq, one.fault) for one in breaks] == found
    assert {one.session for one in breaks} == {talk.session}
    assert record.verify_chain(talk.session) == found[0][0]


def test_messages_in_another_order_are_named(record: Record, talk: Talk) -> None:
    """Two messages that changed places are both named."""
    _course(record, talk)
    _damage(
        record,
        "UPDATE messages SET seq = 30 WHERE seq = 3",
        "UPDATE messages SET seq = 3 WHERE seq = 4",
        "UPDATE messages SET seq = 4 WHERE seq = 30",
    )
    assert {3, 4} <= {one.seq for one in record.check_chain(talk.session)}
    assert "another's place" in str(record.check_chain(talk.session)[0])


@pytest.mark.parametrize(
    ("damage", "text"),
    [
        (
            "UPDATE trials SET stage = 'x' WHERE trial = 1",
            "trials (trial 1): stage is 'x', the messages give",
        ),
        ("UPDATE sessions SET n_messages = 9", "sessions: n_messages is 9, the messages give 7"),
        ("UPDATE trials SET corrected_seq = NULL", "trials (trial 1): corrected_seq is None"),
        ("UPDATE sessions SET environment_json = NULL", "sessions: environment_json is None"),
        ("UPDATE strategies SET seed = '1'", "strategies (strategy 0): seed is '1'"),
        ("DELETE FROM trial_outcomes", "trial_outcomes (trial 1, name outcome_1): the row is missing"),
        (
            "UPDATE trial_parameters SET number = 0.25 WHERE trial = 2 AND stimulus = 1",
            "trial_parameters (trial 2, stimulus 1, name level): number is 0.25",
        ),
        (
            "INSERT INTO trial_outcomes SELECT session, 2, 'more', 1, NULL FROM sessions",
            "trial_outcomes (trial 2, name more): the row is not in the messages",
        ),
    ],
)
def test_a_row_that_the_messages_do_not_give_is_named_and_mended(
    record: Record, talk: Talk, damage: str, text: str
) -> None:
    """The difference says which table and row; rebuilding takes it away."""
    _course(record, talk)
    other = type(talk)("other")
    before = record.trials(talk.session), record.strategies(talk.session), record.sessions()
    _damage(record, damage)
    (found,) = record.check_projections()
    assert str(found).startswith(f"session {talk.session}: {text}")
    assert record.rebuild() == 7
    assert list(record.check_projections()) == []
    assert (record.trials(talk.session), record.strategies(talk.session), record.sessions()) == before
    assert record.append([[talk.entry("info")], [other.setup()]]) == [None, None]
    assert record.check_chain(talk.session) == []


def test_a_rebuild_is_all_or_nothing(record: Record, talk: Talk) -> None:
    """When a message can't be projected it is named, and the tables stay as they were."""
    _course(record, talk)
    _damage(
        record, "UPDATE messages SET change = replace(change, '\"trial\":2', '\"trial\":5') WHERE seq = 5"
    )
    before = record.trials(talk.session)
    (found,) = record.check_projections()
    assert (found.table, found.key) == ("messages", {"seq": 5})
    with pytest.raises(RecordError, match=f"session {talk.session}: message 5 can't be projected"):
        record.rebuild()
    assert record.trials(talk.session) == before
    assert record.append([[talk.entry("info")]]) == [None]


def test_a_rebuild_needs_the_right_to_write(where: str, talk: Talk) -> None:
    """A record opened for reading is refused by name."""
    with Record.open(where) as record:
        _course(record, talk)
    with Record.open(where, read_only=True) as record, pytest.raises(RecordError, match="reading only"):
        record.rebuild()


def test_a_rebuild_is_one_transaction(record: Record, talk: Talk) -> None:
    """However much there is to compute."""
    _course(record, talk)
    _course(record, type(talk)("other"))
    commits: list[object] = []
    sa.event.listen(record._database.connection.engine, "commit", commits.append)
    record.rebuild()
    assert len(commits) == 1


@pytest.mark.parametrize(
    ("damage", "seq"),
    [
        ("UPDATE messages SET reply = x'ff00' WHERE seq = 3", 3),
        ("UPDATE messages SET received_at = 'yesterday' WHERE seq = 3", 3),
        ("UPDATE messages SET received_at = 5 WHERE seq = 7", 7),
        ("UPDATE messages SET change = '{no JSON' WHERE seq = 2", 2),
        ("UPDATE messages SET type = x'ff' WHERE seq = 1", 1),
    ],
)
def test_a_message_with_a_value_of_another_kind_is_named(
    file_record: Record, talk: Talk, damage: str, seq: int
) -> None:
    """What SQLite takes and nobody can read is found like any other change, and readers say where to look."""
    _course(file_record, talk)
    _damage(file_record, damage)
    assert [(one.seq, one.fault) for one in file_record.check_chain(talk.session)] == [(seq, "changed")]
    assert file_record.verify_chain(talk.session) == seq
    list(file_record.check_projections())
    with pytest.raises(RecordError, match="fechner verify"):
        file_record.messages(talk.session)


@pytest.mark.parametrize(
    ("damage", "text"),
    [
        ("UPDATE trials SET told_at = 'noon' WHERE trial = 1", "trials (trial 1): told_at is 'noon'"),
        ("UPDATE sessions SET created_at = 'noon'", "sessions: created_at is 'noon'"),
        ("UPDATE strategies SET metadata_json = x'ff'", "strategies (strategy 0): metadata_json is b'"),
    ],
)
def test_a_row_with_a_value_of_another_kind_is_named(
    file_record: Record, talk: Talk, damage: str, text: str
) -> None:
    """It is a difference like any other; readers say where to look, and rebuilding mends it."""
    _course(file_record, talk)
    _damage(file_record, damage)
    (found,) = file_record.check_projections()
    assert str(found).startswith(f"session {talk.session}: {text}")
    with pytest.raises(RecordError, match="fechner verify"):
        [file_record.sessions(), file_record.strategies(talk.session), file_record.trials(talk.session)]
    file_record.rebuild()
    assert list(file_record.check_projections()) == []


def test_times_are_written_as_people_read_them(record: Record, talk: Talk) -> None:
    """A difference between times names both, as ISO 8601."""
    _course(record, talk)
    _damage(record, "UPDATE trials SET told_at = asked_at WHERE trial = 1")
    (found,) = record.check_projections()
    assert "told_at is 2024-05-06T12:00:00.125456+00:00, the messages give 2024-05-06T12:00:00.1" in str(
        found
    )
