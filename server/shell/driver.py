"""Drives an engine: events go in one after the other, and each effect goes to the port that it is for."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from typing import Any

from fechner.database.failpoints import fail_point
from fechner.server.engine.effects import (
    Abandon,
    Close,
    Commit,
    Compute,
    Effect,
    Find,
    Halt,
    Load,
    Pause,
    Promote,
    ReadHistory,
    ReadSeedData,
    Send,
    Silence,
    Trust,
    Wake,
)
from fechner.server.engine.engine import Engine
from fechner.server.engine.events import Event, Gone, Now
from fechner.server.observing.logs import Log
from fechner.server.shell.ports import Ports


class Driver:
    """Everything around an engine, held together. Not thread-safe: one caller at a time.

    Args:
        engine: what decides.
        clock: the time of each event.
        ports: what effects are carried out on; what they are is looked up at every effect.
    """

    def __init__(self, engine: Engine, clock: Callable[[], Now], ports: Ports) -> None:
        self._engine, self._clock, self._ports = engine, clock, ports
        self._events: deque[Event] = deque()
        self._handling = False

    def deliver(self, *events: Event) -> None:
        """Give events to the engine, one after the other, and carry out what it wants.

        What is delivered while an effect is carried out waits until the event before it is done.
        """
        waiting = self._events
        waiting.extend(events)
        if self._handling:
            return
        self._handling = True
        try:
            while waiting:
                event = waiting.popleft()
                if effects := self._engine.handle(event, self._clock()):
                    self.carry_out(effects)
                if effects := self._engine.consider():
                    self.carry_out(effects)
                if isinstance(event, Gone):
                    self._ports.peers.forget(event.connection)
        finally:
            self._handling = False

    def carry_out(self, effects: Sequence[Effect]) -> None:
        """Carry effects out in their order; one that can't be is the ports' matter."""
        ports = self._ports
        for effect in effects:
            try:
                _CARRY_OUT[type(effect)](self, ports, effect)
            except Exception as error:
                ports.fail(effect, error)

    def _send(self, ports: Ports, effect: Send) -> None:
        peer = ports.peers.get(effect.connection)
        if peer is not None:
            fail_point("before_reply")
            peer.send(effect.data)

    def _trust(self, ports: Ports, effect: Trust) -> None:
        peer = ports.peers.get(effect.connection)
        if peer is not None:
            peer.trust(self._engine.limits)

    def _pause(self, ports: Ports, effect: Pause) -> None:
        peer = ports.peers.get(effect.connection)
        if peer is not None:
            peer.pause(effect.paused)

    def _close(self, ports: Ports, effect: Close) -> None:
        peer = ports.peers.get(effect.connection)
        if peer is not None:
            peer.close(0.0) if effect.at_once else peer.close()


def _store(driver: Driver, ports: Ports, effect: Commit | Load | Find | ReadHistory | ReadSeedData) -> None:
    ports.store.put(effect)


#: How each kind of effect is carried out.
_CARRY_OUT: dict[type[Any], Callable[[Driver, Ports, Any], None]] = {
    Send: Driver._send,
    Trust: Driver._trust,
    Pause: Driver._pause,
    Close: Driver._close,
    Commit: _store,
    Load: _store,
    Find: _store,
    ReadHistory: _store,
    ReadSeedData: _store,
    Compute: lambda driver, ports, effect: ports.executor.submit(effect),
    Promote: lambda driver, ports, effect: ports.executor.promote(effect.task, effect.priority),
    Abandon: lambda driver, ports, effect: ports.executor.abandon(effect.task),
    Wake: lambda driver, ports, effect: ports.timers.set(effect),
    Silence: lambda driver, ports, effect: ports.timers.silence(effect.token),
    Log: lambda driver, ports, effect: ports.log(effect),
    Halt: lambda driver, ports, effect: ports.halt(),
}
