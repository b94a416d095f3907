"""Writing the record: numbers and hashes, one transaction a group, each request alone if that fails."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from datetime import UTC
from typing import Any

import sqlalchemy as sa

from fechner.database.errors import RecordError
from fechner.database.failpoints import fail_point
from fechner.database.form import statements
from fechner.database.form.message import NO_HASH, Entry, chain, escape_id, to_json
from fechner.database.form.projections import Rows, project
from fechner.database.keeping.connection import Database
from fechner.database.keeping.prepared import Statements
from fechner.database.keeping.urls import reason
from fechner.database.keeping.watching import FileWatch

#: A session's last sequence number and hash.
Head = tuple[int, str]

#: Before each look whether a failed commit came through, in seconds: a database server may be restarting.
SETTLE_WAITS = (0.0, 0.1, 0.2, 0.4, 0.8)


def write(connection: sa.Connection, rows: Rows, prepared: Statements) -> None:
    """Write rows in the connection's transaction.

    Raises:
        RecordError: one of them closes a trial that isn't pending.
        sqlalchemy.exc.SQLAlchemyError: the database refuses one.
    """
    sane = connection.dialect.supports_sane_multi_rowcount
    for name, statement in statements.WRITES:
        values = getattr(rows, name)
        if values:
            fail_point("during_group")
            met = prepared.execute(connection, statement, values)
            if name in ("tells", "skips") and sane and met != len(values):
                raise RecordError("it closes a trial that isn't pending")
    if rows.corrections:
        trials = [{"b_session": session, "b_trial": trial} for session, trial in rows.corrections]
        connection.execute(statements.FORGET_OUTCOMES, trials)
        outcomes = [row for _, corrected in rows.corrections.values() for row in corrected]
        if outcomes:
            connection.execute(statements.CORRECT_OUTCOMES, outcomes)
        marks = [
            trial | {"b_seq": seq} for trial, (seq, _) in zip(trials, rows.corrections.values(), strict=True)
        ]
        connection.execute(statements.MARK_CORRECTED, marks)
    prepared.execute(connection, statements.TOUCH_SESSION, list(rows.sessions_touched.values()))


#: Sessions whose chain's end is remembered; that of others is read again.
MOST_HEADS = 4_096


class Writer:
    """Appends to one record; it remembers where the chains of the latest sessions end."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._connection = database.connection
        self._heads: dict[str, Head] = {}
        self._prepared = Statements()
        self._watch = FileWatch(None if database.read_only else database.file)
        self._in_doubt = False  # the last commit failed when it may have come through

    def append(self, group: Sequence[Sequence[Entry]]) -> list[RecordError | None]:
        """See `Record.append`."""
        results: list[RecordError | None] = [None] * len(group)
        heads: dict[str, Head] = {}
        together = Rows()
        tried: list[tuple[int, Rows]] = []
        for index, request in enumerate(group):
            try:
                rows, after = self._rows(request, heads)
            except Exception as error:  # whatever is wrong with one request is no other's business
                results[index] = self._refusal(error)
                continue
            together.extend(rows)
            heads.update(after)
            tried.append((index, rows))
        if not tried:
            return results
        try:
            self._commit(together)
        except Exception as error:
            self._heads.clear()
            self._retry(group, tried, together, results, error)
        else:
            self._remember(heads)
        return results

    def _remember(self, heads: dict[str, Head]) -> None:
        """These are the latest."""
        for session, head in heads.items():
            self._heads.pop(session, None)
            self._heads[session] = head
        while len(self._heads) > MOST_HEADS:
            del self._heads[next(iter(self._heads))]

    def _retry(
        self,
        group: Sequence[Sequence[Entry]],
        tried: list[tuple[int, Rows]],
        together: Rows,
        results: list[RecordError | None],
        error: Exception,
    ) -> None:
        """Try each request of a failed group alone, in order, unless the group is on record after all."""
        there = self._on_record(together)
        if there is not False:
            for index, _ in tried:
                results[index] = None if there else self._refusal(error, unsettled=True)
            return
        stuck = isinstance(error, _NotBegunError)
        unsettled = False
        for position, (index, _) in enumerate(tried):
            if unsettled or (stuck and position > 0):  # nobody can write now: don't wait once per request
                results[index] = self._refusal(error)
                continue
            rows = Rows()
            try:
                rows, after = self._rows(group[index], {})
                self._commit(rows)
                self._remember(after)
                stuck = False
            except Exception as failure:
                self._heads.clear()
                error, stuck = failure, isinstance(failure, _NotBegunError)
                there = self._on_record(rows)
                if not there:
                    unsettled = there is None
                    results[index] = self._refusal(failure, unsettled)

    def _refusal(self, error: Exception, unsettled: bool = False) -> RecordError:
        cause = error.__cause__ if isinstance(error, _NotBegunError) and error.__cause__ else error
        refusal = RecordError(f"{self._database.name} didn't take a message: {reason(cause)}")
        refusal.__cause__ = cause
        refusal.unsettled = unsettled
        return refusal

    def _commit(self, rows: Rows) -> None:
        """Write rows in one transaction, durable when this returns.

        Raises:
            Exception: they aren't on record; or, where the commit itself failed, perhaps.
        """
        connection = self._connection
        if self._database.read_only:
            raise RecordError("it is open for reading only")
        self._in_doubt = False
        self._database.writing = True
        try:
            try:
                self._watch.check()
                transaction = connection.begin()
            except Exception as error:
                raise _NotBegunError from error
            with transaction:
                write(connection, rows, self._prepared)
                fail_point("before_commit")
                fail_point("slow_commit")
                self._in_doubt = True
            fail_point("after_commit")
            self._watch.check()
            self._in_doubt = False
        except BaseException:
            self._database.reset()
            raise
        finally:
            self._database.writing = False

    def _rows(self, request: Sequence[Entry], heads: dict[str, Head]) -> tuple[Rows, dict[str, Head]]:
        """A request's rows and where its sessions' chains end with it."""
        rows = Rows()
        after: dict[str, Head] = {}
        for entry in request:
            session = entry.session
            seq, previous = after.get(session) or heads.get(session) or self._head(session)
            seq += 1
            message = self._message(entry, seq, previous)
            after[session] = seq, message["hash"]
            rows.messages.append(message)
            project(rows, session, seq, message["received_at"], entry.change)
        return rows, after

    def _message(self, entry: Entry, seq: int, previous: str) -> dict[str, Any]:
        duration_ms = float(entry.duration_ms)
        if not math.isfinite(duration_ms):
            raise ValueError(f"a duration of {duration_ms} ms")
        if entry.received_at.tzinfo is None:
            raise ValueError(f"the time {entry.received_at.isoformat()} has no time zone")
        if entry.change is not None and not entry.ok:
            raise ValueError("a failed request changes nothing")
        for name in ("session", "dialect", "request", "reply", "tier"):
            if "\0" in (getattr(entry, name) or ""):  # JSON has it as \u0000, so a message never loses it
                raise ValueError(f"its {name} holds a NUL character, which PostgreSQL can't store")
        client_id = None if entry.client_id is None else escape_id(entry.client_id)
        row = {
            "session": entry.session,
            "seq": seq,
            "client_id": client_id,
            "received_at": entry.received_at.astimezone(UTC),
            "duration_ms": duration_ms,
            "dialect": entry.dialect,
            "type": escape_id(entry.type),
            "request": entry.request,
            "reply": entry.reply,
            "ok": bool(entry.ok),
            "tier": entry.tier,
            "change": None if entry.change is None else to_json(entry.change),
        }
        row["hash"] = chain(previous, row)
        return row

    def _head(self, session: str) -> Head:
        head = self._heads.get(session)
        if head is None:
            try:
                with self._connection.begin():
                    found = self._connection.execute(statements.HEAD, {"session": session}).one_or_none()
            except BaseException:
                self._database.reset()
                raise
            head = (found.seq, found.hash) if found else (0, NO_HASH)
            self._heads[session] = head
        return head

    def _on_record(self, rows: Rows) -> bool | None:
        """Whether rows whose commit failed are there after all; None where nobody can say now."""
        if not self._in_doubt or not rows.messages:
            return False
        last = rows.messages[-1]
        key = {"session": last["session"], "seq": last["seq"]}
        for wait in SETTLE_WAITS:
            time.sleep(wait)
            try:
                self._watch.check()
                with self._connection.begin():
                    found = self._connection.execute(statements.HASH, key).scalar()
                self._in_doubt = False
                return bool(found == last["hash"])
            except RecordError:
                return None
            except Exception:
                self._database.reset()
        return None


class _NotBegunError(Exception):
    """No transaction could begin: the record is locked or gone, whatever the messages."""
