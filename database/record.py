"""The record: append groups of messages durably, read them back (docs/reference/record.md)."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager

import sqlalchemy as sa

from fechner.database.errors import RecordError
from fechner.database.form import statements
from fechner.database.form.changes import Change, Config, Outcome
from fechner.database.form.message import Entry, Message, Owner, escape_id, unescape_id
from fechner.database.form.origins import note, of_session
from fechner.database.form.tables import Row
from fechner.database.keeping.connection import Database
from fechner.database.keeping.network import refuse_network
from fechner.database.keeping.reading import Reader, change_of, message_of, row_of
from fechner.database.keeping.schema import is_older, prepare, upgrade
from fechner.database.keeping.urls import reason
from fechner.database.keeping.writing import Writer
from fechner.database.soundness import checking, rebuilding

__all__ = ["Entry", "Message", "Record", "RecordError"]


class Record:
    """An open record. Any thread may use it; one at a time gets its turn.

    One program writes a record at a time: take `fechner.database.RecordLock` before opening it for writing.
    Any number may read beside it.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._writer = Writer(database)
        self._turn = threading.RLock()
        self._reader = Reader(database, self._turn)
        self.name = database.name
        self.file = database.file
        self.read_only = database.read_only

    @classmethod
    def open(
        cls, where: str | os.PathLike[str], *, read_only: bool = False, allow_network: bool = False
    ) -> Record:
        """Open the record in a file or at a URL; create it if there is none, migrate it if it is older.

        Args:
            where: a file name or a URL.
            read_only: write nothing. An older record in a file is migrated in a private copy then.
            allow_network: also write a file in a folder of another machine, which may lose messages.

        Raises:
            RecordError: it can't be opened, is no record, or was written by a newer Fechner; it would be
                written over a network; with ``read_only`` also: it isn't there, or it would need a migration
                and is in no file.
        """
        if not read_only and not allow_network:
            refuse_network(where)
        database = Database(where, read_only=read_only)
        try:
            if read_only and database.file is not None and is_older(database):
                older, database = database, database.copy()
                older.close()
                database.writing = True
                with database.connection.begin():
                    upgrade(database.connection)
                database.writing = False
            prepare(database)
        except BaseException:
            database.close()
            raise
        return cls(database)

    def __enter__(self) -> Record:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the record; closing it again does nothing."""
        with self._turn:
            self._database.close()

    def append(self, group: Sequence[Sequence[Entry]]) -> list[RecordError | None]:
        """Put a group of requests on record, durably.

        Args:
            group: requests in order; each is the list of entries that are recorded together or not at all.

        Returns:
            For each request None once it is on disk, or the `RecordError` that says why nothing of it is on
            record. The group is one transaction; if that fails, each of its requests is tried alone.
        """
        with self._turn:
            return self._writer.append(group)

    def note_origins(self, rows: Sequence[Row]) -> None:
        """Note where sessions came from (see `form.origins`); what is noted already stays."""
        with self._turn:
            self._database.writing = True
            try:
                with self._database.connection.begin():
                    note(self._database.connection, rows)
            except sa.exc.SQLAlchemyError as error:
                self._database.reset()
                raise RecordError(f"{self.name} didn't take origins: {reason(error)}") from error
            finally:
                self._database.writing = False

    def exists(self, session: str) -> bool:
        """Whether the session was ever set up."""
        return self.whose(session) is not None

    def whose(self, session: str) -> Owner | None:
        """The session's owner; None if it was never set up."""
        rows = self._reader.rows(statements.OWNER, session=session)
        return Owner(rows[0].owner) if rows else None

    def last(self, owner: str | None = None, *, anybody: bool = True) -> str | None:
        """The session that was used last (ended or not), by its last message.

        Args:
            owner: whose, unless it may be anybody's; None: that was set up without a token.
            anybody: whether it doesn't matter whose it is.
        """
        rows = self._reader.rows
        found = rows(statements.LAST) if anybody else rows(statements.LAST_OWNED, owner=owner)
        return str(found[0].session) if found else None

    def sessions(self) -> list[Row]:
        """The record at a glance, oldest first.

        Each row has session, created_at, last_at, ended_at, n_messages, peer, n_strategies, n_trials,
        n_pending, n_told, n_skipped, and name, participant and description of its newest strategy.
        """
        return [dict(row._mapping) for row in self._reader.rows(statements.SESSIONS)]

    def strategies(self, session: str) -> list[Row]:
        """The session's strategies in order: the table's columns, JSON parsed (``metadata``, ``stages``)."""
        return [row_of(row) for row in self._reader.rows(statements.STRATEGIES, session=session)]

    def trials(self, session: str) -> list[Row]:
        """The session's trials in order, with ``config`` and ``outcome`` (None while it has none) by name.

        Numbers are floats, whatever they were in the message.
        """
        configs: dict[int, Config] = {}
        for row in self._reader.rows(statements.TRIAL_PARAMETERS, session=session):
            values = configs.setdefault(row.trial, {}).setdefault(row.name, [])
            values.append(row.number if row.text is None else row.text)
        outcomes: dict[int, Outcome] = {}
        for row in self._reader.rows(statements.TRIAL_OUTCOMES, session=session):
            outcomes.setdefault(row.trial, {})[row.name] = row.number if row.text is None else row.text
        found = []
        for row in self._reader.rows(statements.TRIALS, session=session):
            config = {
                name: values[0] if len(values) == 1 else values
                for name, values in configs.get(row.trial, {}).items()
            }
            found.append(row_of(row) | {"config": config, "outcome": outcomes.get(row.trial)})
        return found

    def messages(self, session: str) -> list[Message]:
        """The session's messages in order, also the failed ones."""
        return [message_of(row) for row in self._reader.pages(statements.PAGE, session)]

    def changes(self, session: str) -> Iterator[tuple[int, str, Change]]:
        """What each message did to the session, in order: (seq, the message's type, change)."""
        for row in self._reader.pages(statements.CHANGES, session):
            yield row.seq, row.type, change_of(row, session)

    def ids(self, session: str) -> frozenset[str]:
        """The ids that ok messages of the session used; `find` gives their messages."""
        rows = self._reader.rows(statements.IDS, session=session)
        return frozenset(unescape_id(row.client_id) for row in rows)

    def find(self, session: str, client_id: str) -> Message | None:
        """The ok message that used an id in a session."""
        rows = self._reader.rows(statements.FIND, session=session, client_id=escape_id(client_id))
        return message_of(rows[0]) if rows else None

    def verify_chain(self, session: str) -> int | None:
        """The first sequence number whose message is changed, missing or misplaced; None if all are sound."""
        found = next(self._breaks(session), None)
        return None if found is None else found.seq

    def check_chain(self, session: str) -> list[checking.Break]:
        """Every message of a session that is changed, missing (also at the end) or misplaced."""
        return list(self._breaks(session))

    def check_projections(self, sessions: Sequence[str] | None = None) -> Iterator[checking.Difference]:
        """Where the tables beside ``messages`` aren't what the messages of some sessions, or of all, give."""
        named = self.all_sessions() if sessions is None else sessions
        yield from checking.differences(self.snapshot, named)

    def check_storage(self) -> list[str]:
        """What the database finds wrong with its own file; SQLite only."""
        if self._database.connection.dialect.name != "sqlite":
            return []
        said: list[str] = []
        try:
            with self.snapshot() as connection:
                said += (str(row[0]) for row in connection.exec_driver_sql("PRAGMA integrity_check"))
        except RecordError as error:  # so much is damaged that SQLite can't look at it all
            said.append(str(error.__cause__ and reason(error.__cause__)))
        return [] if said == ["ok"] else said

    def rebuild(self) -> int:
        """Compute all tables beside ``messages`` anew, in one transaction; says from how many messages.

        Raises:
            RecordError: a message can't be projected, or nothing can be written; all is as it was.
        """
        if self.read_only:
            raise RecordError(f"the record {self.name} is open for reading only")
        with self._turn:
            self._database.writing = True
            try:
                with self.snapshot() as connection:
                    return rebuilding.rebuild(connection)
            finally:
                self._database.writing = False

    def all_sessions(self) -> list[str]:
        """The sessions that any table names, also those whose row or messages are missing."""
        with self.snapshot() as connection:
            return checking.all_sessions(connection)

    def forgotten(self) -> list[Row]:
        """What is left of the sessions that `fechner forget` removed: the rows of ``forgotten``."""
        return [dict(row._mapping) for row in self._reader.rows(statements.FORGOTTEN)]

    def origins(self, session: str) -> list[Row]:
        """Where a session came from, in the order in which it came; nothing if it was recorded here."""
        with self.snapshot() as connection:
            return of_session(connection, session)

    def snapshot(self) -> AbstractContextManager[sa.Connection]:
        """The connection in one transaction, for reading much with nothing changing meanwhile (export)."""
        return self._reader.snapshot()

    def _breaks(self, session: str) -> Iterator[checking.Break]:
        counted = self._reader.rows(statements.EXISTS, session=session)
        n_messages = counted[0].n_messages if counted else None
        return checking.breaks(session, self._reader.pages(statements.PAGE_AS_STORED, session), n_messages)
