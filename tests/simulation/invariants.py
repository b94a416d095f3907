"""What must hold after every schedule: each check says which promise was broken, or nothing."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from fechner.server.engine.foresight import digest
from fechner.server.session.replay import fold, recomputation
from fechner.server.session.session import Session
from fechner.strategies.core import proposals

from . import stand_in, undisturbed
from .aepsych import Aepsych
from .disk import Row
from .ledger import KEPT, Request
from .native import Native
from .rude import Rude
from .workers import SimulatedPool

if TYPE_CHECKING:
    from .world import World


def at_rest(world: World) -> None:
    """Nobody waits, nothing is under way, and what the server has in memory is what the record says."""
    server, breach = world.server, world.ledger.breach
    assert server is not None
    for client in world.clients:
        wire = client.wire
        if wire is None or not wire.open or wire.vanished or not wire.reading or wire.server is not server:
            continue
        excused = isinstance(client, Rude) and client.misbehaved
        if client.outstanding and not excused:
            breach(f"{client.name}: no reply to {[one.text[:120] for one in client.outstanding]}")
    _no_tables(world)
    for id_, lane in server.engine.state.lanes.items():
        if not lane.idle:
            breach(f"session {id_} is not idle: {lane.running} {len(lane.queue)} {lane.loading}")
        elif lane.owner is None or not lane.known:
            breach(f"session {id_} is kept, though nobody holds it or it is not on record")
        elif lane.known:
            try:
                read = fold(id_, [change for _, _, change in world.disk.changes(id_)])
            except Exception as error:
                breach(f"session {id_} can't be folded: {error!r}")
                continue
            if _summary(read) != _summary(lane.session):
                breach(
                    f"session {id_} is not what the record says: {_summary(read)} {_summary(lane.session)}"
                )
        holders = [c for c in server.engine.state.connections.values() if id_ in c.owned]
        if holders != ([lane.owner] if lane.owner is not None else []):
            breach(f"session {id_} is held by {holders} and owned by {lane.owner}")
    for connection in server.engine.state.connections.values():
        if connection.waiting or connection.outstanding or connection.barrier is not None:
            breach(f"connection {connection.number} waits for something")


def nothing_left(world: World) -> None:
    """Once everybody has gone, the engine remembers nobody."""
    server, breach = world.server, world.ledger.breach
    assert server is not None
    if server.engine.state.lanes or server.engine.state.connections or server.peers:
        left = [*server.engine.state.lanes, *server.engine.state.connections, *server.peers]
        breach(f"left behind: {left}")
    _no_tables(world)


def _no_tables(world: World) -> None:
    server = world.server
    assert server is not None
    state = server.engine.state
    for token, one in state.waiting.items():
        world.ledger.breach(f"{token} is awaited still: {one.kind.value}, for {one.who}")
    for name, noted in (("go on", state.agenda), ("be considered", state.to_consider)):
        if noted:
            world.ledger.breach(f"{len(noted)} are still to {name}")
    if isinstance(server.executor, SimulatedPool) and not server.executor.idle:
        world.ledger.breach(f"the pool has something left: {vars(server.executor)}")
    if not server.store.idle:
        world.ledger.breach("the writer has something left")


def _summary(session: Session) -> Any:
    strategies = [
        (digest((one.state, 1, {})).hex(), one.name, list(one.rows), sorted(one.removed))
        for one in session.strategies
    ]
    trials = [(one.number, one.strategy, one.status) for one in session.trials]
    rest = (session.current, session.ended, session.told, session.skipped)
    return session.counts(), session.pending_list(), strategies, trials, rest


def check(world: World) -> Iterator[str]:
    """The reckoning: the record against what was sent and acknowledged."""
    world.weather.calm()
    yield from world.disk.faults
    told = [
        text
        for rows in world.disk.rows.values()
        for row in rows
        for text in (row.entry.request, row.entry.reply)
    ]
    if any("secret" in text for text in [*told, *world.logged]):
        yield "a token is on record, or in the log"
    for server in world.servers:
        yield from server.faults
        stopped = server.stopped_at is not None and not server.halted and server.loop.alive
        if stopped:
            yield "a server was told to stop and didn't"
    rows = world.disk.rows
    for session, found in rows.items():
        yield from _sound(world, session, found)
        if world.seed % 4 == 0:
            yield from undisturbed.differences(session, found, world.real_models)
    yield from _sent(world)
    entries = Marks(rows)
    for request in world.ledger.requests:
        yield from _recorded(world, request, entries)
    yield from _separate(world, entries)
    yield from _in_order(world, entries)


class Marks:
    """The ok entries by client's id and by mark, and replies by session."""

    def __init__(self, rows: dict[str, list[Row]]) -> None:
        self.by_id: dict[str, list[Row]] = {}
        self.by_mark: dict[str, list[Row]] = {}
        self.replies: Counter[str] = Counter()
        for found in rows.values():
            for row in found:
                if not row.entry.ok:
                    continue
                self.replies[row.entry.reply] += 1
                if row.entry.client_id is not None and len(row.entry.client_id) <= 64:
                    self.by_id.setdefault(row.entry.client_id, []).append(row)
                mark = _mark(json.loads(row.entry.request))
                if mark is not None:
                    self.by_mark.setdefault(mark, []).append(row)

    def of(self, request: Request) -> list[Row]:
        """The ok entries that a request made, as far as they can be told apart."""
        if request.id is not None:
            return self.by_id.get(request.id, [])
        return self.by_mark.get(request.mark, []) if request.mark is not None else []


def _mark(value: Any) -> str | None:
    """The mark in a request."""
    message = value.get("message") if isinstance(value, dict) else None
    if not isinstance(message, dict):
        return None
    told = message.get("tell", message)
    places = (told.get("extra"), told.get("metadata"), value.get("metadata"), told)
    return next((one["mark"] for one in places if isinstance(one, dict) and "mark" in one), None)


def _sound(world: World, session: str, rows: list[Row]) -> Iterator[str]:
    """The chain holds, the changes fold, and every ask is what its state gives, undisturbed."""
    broken = world.disk.verify_chain(session)
    if broken is not None:
        yield f"the chain of session {session} is broken at {broken}"
    changes = [(seq, change) for seq, _, change in world.disk.changes(session)]
    if changes and changes[0][1]["type"] != "setup":
        yield f"session {session} begins with {changes[0][1]['type']}"
        return
    steps = recomputation(changes)
    compute = proposals.propose if world.real_models else stand_in.propose
    try:
        arguments = next(steps)
        while True:
            arguments = steps.send(compute(*arguments))
    except StopIteration as end:
        if not end.value.identical:
            yield f"session {session}: an ask is not what the undisturbed session gives: {end.value}"
    except Exception as error:
        yield f"session {session} can't be recomputed: {error!r}"
    handed_out = [
        one["trial"] for _, change in changes if change["type"] == "ask" for one in change["trials"]
    ]
    if len(set(handed_out)) != len(handed_out):
        yield f"session {session}: a trial was handed out twice: {handed_out}"


def _sent(world: World) -> Iterator[str]:
    """Nothing is on record that nobody sent, or more often than it was sent."""
    recorded = Counter(row.entry.request for rows in world.disk.rows.values() for row in rows)
    for text, n in recorded.items():
        if n > world.ledger.sent[text] and not (text == "null" and world.ledger.unreadable):
            yield f"on record {n} times, sent {world.ledger.sent[text]} times: {text[:200]}"


def _recorded(world: World, request: Request, entries: Marks) -> Iterator[str]:
    """What was acknowledged is on record once, with the reply that was given."""
    found = entries.of(request)
    update = request.type == "update" and request.id is not None
    if len(found) > 1:
        yield f"{request.text[:160]} counts {len(found)} times"
    if request.acknowledged is None or request.type not in KEPT:
        return
    client = next(one for one in world.clients if one.name == request.owner)
    if not isinstance(client, Native | Aepsych):
        return
    if (request.id is not None or request.mark is not None) and not found:
        yield f"{request.owner} was told that it is on record, and it isn't: {request.text[:200]}"
        return
    if update or request.type == "update":
        return  # its reply is put together from two
    text = request.acknowledged.decode()
    if not entries.replies[text]:
        yield f"{request.owner} got a reply that is not on record: {text[:200]}"


def _separate(world: World, entries: Marks) -> Iterator[str]:
    """What a client sent is in its own sessions only."""
    homes: dict[str, set[str]] = {}  # the sessions set up from a host
    hosts = {client.name: client.host for client in world.clients}
    for client in world.clients:
        sessions = homes.setdefault(client.host, set()) if isinstance(client, Aepsych) else set()
        for mark, rows in entries.by_mark.items():
            if mark.startswith(f"{client.name}-") and rows[0].entry.type == "setup":
                sessions |= {row.entry.session for row in rows}
        if not isinstance(client, Aepsych):
            world.ledger.targets.setdefault(client.name, set()).update(sessions)
    for name, found in (
        (name, rows) for kind in (entries.by_id, entries.by_mark) for name, rows in kind.items()
    ):
        owner = name.partition("-")[0]
        client = next(one for one in world.clients if one.name == owner)
        allowed = homes[hosts[owner]] if isinstance(client, Aepsych) else world.ledger.targets[owner]
        for row in found:
            if row.entry.session not in allowed:
                yield f"{name} of {owner} is in session {row.entry.session}, which is not its own"


def _in_order(world: World, entries: Marks) -> Iterator[str]:
    """What went out on one connection, and on no other, is on record in that order."""
    for number, requests in world.ledger.sendings.items():
        last: dict[str, tuple[int, str]] = {}
        for request in requests:
            found = entries.of(request)
            if set(request.connections) != {number} or len(request.connections) > 1 or not found:
                continue
            row = found[0]
            seq, before = last.get(row.entry.session, (0, ""))
            if row.columns["seq"] < seq:
                yield f"connection {number}: {request.text[:100]} is on record before {before[:100]}"
            last[row.entry.session] = row.columns["seq"], request.text
