"""Kill a server again and again under load, and check each time that nothing acknowledged is lost or doubled.

Three participants run sessions of their own on one record: asks, tells, updates, skips, corrections, two
requests in a packet now and then. Each keeps a ledger of what it was told. The server dies at a named
fail-point or at a random moment; then this process opens the record and holds it against the ledgers, starts
the next server, sends what was unanswered again, and sends some answered requests again, which must give the
same bytes. An undisturbed server in this process is told the ledgers too, and must have said the same: so
every ask after a kill is the ask that there would have been without.
"""

from __future__ import annotations

import json
import random
import shutil
import signal
import sqlite3
import threading
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

from end_to_end_ledgers import Figures, Participant, keys_of

from fechner.database.form.message import Message
from fechner.database.record import Record
from fechner.server import Server

#: Where a server kills itself, and the most passes before it does.
FAIL_POINTS = {"before_commit": 30, "after_commit": 30, "before_reply": 40, "during_group": 60}
#: A server that doesn't reach its fail-point in this time is killed from outside.
PATIENCE = 3.0


class Driver:
    """Servers on one record, killed one after the other.

    Args:
        tools: conftest.py beside this file.
        experiments: experiments.py beside this file.
        folder: for the record.
        seed: of everything but the speed of this machine.
    """

    def __init__(self, tools: ModuleType, experiments: ModuleType, folder: Path, seed: int) -> None:
        self._tools, self._folder = tools, folder
        self._rng = random.Random(seed)
        self.figures = Figures()
        self._people = [Participant(i, seed, tools, experiments) for i in range(3)]
        self._shadow = Server()
        self._channels: dict[str, Any] = {}
        self._compared: dict[str, int] = {}
        self._record = folder / "record.db"

    def close(self) -> None:
        """End the undisturbed server."""
        self._shadow.close()

    def kill(self) -> None:
        """One server's life, its death, and the check of what it left."""
        point = self._rng.choice([*FAIL_POINTS, None, None, None, None])
        after = self._rng.uniform(0.1, 0.8) if point is None else PATIENCE
        wanted = f"{point}:{self._rng.randint(1, FAIL_POINTS[point])}" if point else ""
        begun = time.monotonic()
        environment = {"FECHNER_FAIL_POINT": wanted}
        server = self._tools.Served(self._folder, "--workers", "1", environment=environment)
        try:
            wires = [server.wire() for _ in self._people]
            lives = [
                threading.Thread(target=self._live, args=(person, wire, begun))
                for person, wire in zip(self._people, wires, strict=True)
            ]
            for life in lives:
                life.start()
            if not self._tools.ended(server.pid, after):
                point = None
                server.process.kill()
            code = server.process.wait(self._tools.GUARD)
            for life in lives:
                life.join(self._tools.GUARD)
            if code != -signal.SIGKILL:
                self.figures.fault("other", f"the server ended with {code}")
        finally:
            server.close()
        self.figures.kills[point or "random moment"] += 1
        self.check(read_only=self._rng.random() < 0.5)
        for person in self._people:
            if person.over:
                self._compare(person)
                self._finish(person)

    def _live(self, person: Participant, wire: Any, begun: float) -> None:
        try:
            if person.ledger or person.unanswered:
                person.returned(wire, self.figures)
                self.figures.back_seconds.append(time.monotonic() - begun)
        except OSError:
            return
        except Exception as error:
            self.figures.fault("other", repr(error))
            return
        person.run(wire, self.figures)

    def _finish(self, person: Participant) -> None:
        self.figures.acknowledged += len(person.ledger)
        self.figures.sessions += 1
        channel = self._channels.pop(person.session, None)
        if channel is not None:
            channel.close()
        person.begin()

    def check(self, read_only: bool) -> None:
        """Hold the record, as it was left, against the ledgers, and these against an undisturbed server."""
        read_only &= any(person.ledger for person in self._people)  # else it may not even have its tables
        with Record.open(self._record, read_only=read_only) as record:
            for text in record.check_storage():
                self.figures.fault("damaged", text)
            for person in self._people:
                if not person.ledger and not person.unanswered:
                    continue
                messages = record.messages(person.session)
                if (seq := record.verify_chain(person.session)) is not None:
                    self.figures.fault("damaged", f"{person.session}: message {seq} breaks the chain")
                for difference in record.check_projections([person.session]):
                    self.figures.fault("damaged", str(difference))
                self._against_ledger(person, messages)
        for person in self._people:
            self._compare(person)

    def _against_ledger(self, person: Participant, messages: list[Message]) -> None:
        if [message.seq for message in messages] != list(range(1, len(messages) + 1)):
            self.figures.fault("damaged", f"{person.session}: the numbers have gaps")
        recorded = [(message.client_id, message.reply) for message in messages if message.ok]
        counted = Counter(id_ for id_, _ in recorded)
        replies = dict(recorded)
        known = set()
        for one, line in person.ledger:
            for key in keys_of(one):
                known.add(key)
                if counted[key] != 1:
                    self.figures.fault("doubled" if counted[key] else "lost", f"{one['type']} {key}")
            if one["type"] != "update" and replies.get(one["id"]) != line.decode().rstrip("\n"):
                self.figures.fault(
                    "different", f"{one['id']}: {line!r}, on record {replies.get(one['id'])!r}"
                )
        for one in person.unanswered:
            known.update(keys_of(one))
            if counted[one["id"]]:
                self.figures.unanswered_recorded += 1
            else:
                self.figures.unanswered_unrecorded += 1
        for id_, count in counted.items():
            if count != 1 or id_ not in known:
                self.figures.fault("doubled", f"{id_} is on record {count} times")

    def _compare(self, person: Participant) -> None:
        """Tell the undisturbed server what is new in the ledger: it must say the same."""
        channel = self._channels.get(person.session)
        if channel is None:
            channel = self._channels[person.session] = self._shadow.connect()
        done = self._compared.get(person.session, 0)
        for one, line in person.ledger[done:]:
            said, heard = channel.request(one), json.loads(line)
            if [said.get(key) for key in ("ok", "message")] != [heard[key] for key in ("ok", "message")]:
                self.figures.fault("different", f"{one}: {heard}, undisturbed {said}")
        self._compared[person.session] = len(person.ledger)

    def finish(self) -> Figures:
        """A last server on the record: every session's next ask is the undisturbed one."""
        server = self._tools.Served(self._folder, "--workers", "1")
        try:
            for person in self._people:
                wire = server.wire()
                person.returned(wire, self.figures)
                one = person.request("ask", {"beyond": True})
                if not person.heard(one, wire.ask_bytes(one)):
                    self.figures.fault("other", f"{person.session} can't be asked")
                self._compare(person)
                self.figures.acknowledged += len(person.ledger)
                self.figures.sessions += 1
            server.stop()
        finally:
            server.close()
        self.check(read_only=True)
        return self.figures


def _content(file: Path) -> list[Any]:
    with sqlite3.connect(file) as connection:
        (sound,) = connection.execute("PRAGMA integrity_check").fetchone()
        rows = connection.execute(
            "SELECT session, seq, request, reply, hash FROM messages ORDER BY 1, 2"
        ).fetchall()
    connection.close()
    return [sound, rows]


def kill_in_migration(tools: Any, older: Path, folder: Path, step: int, figures: Figures) -> None:
    """A server dies in the migration of an older record: it opens afterwards, with all its messages."""
    file = folder / "older.db"
    shutil.copy(older, file)
    before = _content(file)
    environment = {"FECHNER_FAIL_POINT": f"in_migration:{step}"}
    server = None
    try:
        server = tools.Served(folder, "--workers", "0", db=file.name, environment=environment)
        code = server.process.wait(tools.GUARD)
        if code != -signal.SIGKILL:
            figures.fault("other", f"the server ended with {code}")
    except RuntimeError as error:  # dead before it listens
        if "Traceback" in str(error):
            figures.fault("other", str(error))
    finally:
        if server is not None:
            server.close()
    figures.kills["in_migration"] += 1
    if _content(file) != before:
        figures.fault("damaged", "the migration changed messages")
    with Record.open(file) as record:
        faults = record.check_storage()
        for session in record.all_sessions():
            faults += [f"{session}: {seq}" for seq in [record.verify_chain(session)] if seq is not None]
    for text in faults:
        figures.fault("damaged", text)
    for path in folder.glob("older.db*"):
        path.unlink()


def run(
    tools: ModuleType, experiments: ModuleType, folder: Path, kills: int, seed: int, older: Path
) -> Iterator[Figures]:
    """Kill that often, one in twenty in a migration; the figures after each kill and at the end."""
    driver = Driver(tools, experiments, folder, seed)
    try:
        for number in range(kills):
            if number % 20 == 10:
                kill_in_migration(tools, older, folder, number // 20 % 2 + 1, driver.figures)
            else:
                driver.kill()
            yield driver.figures
        yield driver.finish()
    finally:
        driver.close()
