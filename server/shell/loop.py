"""The single-threaded server loop: carries the engine's effects out over sockets, record and workers."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Any

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
from fechner.server.engine.events import ComputeFailed, Event, Gone, Now, Stop, Woken
from fechner.server.engine.options import EngineOptions
from fechner.server.observing.faults import Fault, fault
from fechner.server.observing.logs import Log, emit
from fechner.server.protocol.errors import FechnerError
from fechner.server.protocol.limits import of_strangers
from fechner.server.shell.environment import environment
from fechner.server.shell.execution import Abandoned, run
from fechner.server.shell.peers import HANDSHAKE_SECONDS, Peers
from fechner.server.shell.pool import Pool
from fechner.server.shell.settings import Settings
from fechner.server.shell.transports.tcp import LINGER_SECONDS
from fechner.server.shell.transports.turns import SWITCH_SECONDS, Turns
from fechner.server.shell.writer import Writer
from fechner.strategies._lazy import Lazy

if TYPE_CHECKING:
    import zmq

    from fechner.database.record import Record
    from fechner.server.session import handlers
    from fechner.server.shell.transports import metrics
    from fechner.server.shell.transports import zmq as zmq_transport
else:
    zmq = Lazy("zmq")
    handlers = Lazy("fechner.server.session.handlers")
    metrics = Lazy("fechner.server.shell.transports.metrics")
    zmq_transport = Lazy("fechner.server.shell.transports.zmq")

#: How long a stopping server waits for its last replies to leave.
FAREWELL_SECONDS = 0.5


class Loop:
    """A server: one thread of its own work, a writer thread, and worker processes.

    Args:
        settings: where to listen and how.
        record: the record's name.
        open_record: opens it, in the writer's thread.
        listening: told (TCP port, and those of ZMQ and metrics or None) once clients may connect.
    """

    def __init__(
        self,
        settings: Settings,
        record: str,
        open_record: Callable[[], Record],
        listening: Callable[[int, int | None, int | None], None] = lambda port, zmq_port, metrics_port: None,
    ) -> None:
        self._settings, self._open_record, self._listening = settings, open_record, listening
        self._engine = Engine(
            os.urandom,
            record,
            EngineOptions(
                dialect=settings.dialect,
                default_config=settings.config,
                default_session=settings.resume,
                read_only=settings.read_only,
                eager=settings.eager and settings.workers > 0,  # inline, it would keep everybody waiting
                speculate=settings.speculate and settings.workers > 0,
                reattach=settings.reattach,
                exit_with_client=settings.exit_with_client,
                limits=settings.limits,
                tokens=settings.tokens,
                nameless=settings.nameless,
            ),
            environment=environment,
            machine=self._machine,
            begun=time.monotonic(),
        )
        self._counters = self._engine.counters
        known = settings.tokens is None or settings.nameless  # this machine's programs, or anybody
        self._strangers = strangers = settings.limits if known else of_strangers(settings.limits)
        self._events: deque[Event] = deque()
        self._turns = Turns(
            lambda: hasattr(self, "_writer") and self._writer.behind,
            lambda: hasattr(self, "_writer") and self._writer.busy,
        )
        self._peers = Peers(strangers, self._deliver, self._turns, self._counters)
        self._alarms: dict[int, asyncio.TimerHandle] = {}
        self._handling = False
        self._pool: Pool | None = None
        self._zmq: zmq_transport.ZmqTransport | None = None
        self._metrics: metrics.MetricsServer | None = None
        self._fault: BaseException | None = None
        self._interrupted = False

    def run(self) -> None:
        """Serve until a signal or `stop`.

        Raises:
            OSError: a port can't be bound; the error's filename is `metrics` or `zmq` if it is one of those.
            Exception: the record can't be opened.
        """
        before, hook = sys.getswitchinterval(), threading.excepthook
        sys.setswitchinterval(SWITCH_SECONDS)
        threading.excepthook = self._thread_ended
        try:
            with asyncio.Runner(loop_factory=asyncio.SelectorEventLoop) as runner:
                runner.run(self._main())
        finally:
            sys.setswitchinterval(before)
            threading.excepthook = hook
        if self._fault is not None:
            raise self._fault

    def stop(self) -> None:
        """Stop; from any thread."""
        self._post(lambda: self._deliver(Stop()))

    async def _main(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._loop.set_exception_handler(self._unexpected)
        self._halted = asyncio.Event()
        settings = self._settings
        warning = self._peers.make_room(settings.limits.connections, encrypted=settings.tls is not None)
        if warning:
            self._log(Log("warning", warning))
        server = await self._listen()
        try:
            port = server.sockets[0].getsockname()[1]
            zmq_port = self._bind_zmq() if settings.zmq_port is not None else None
            metrics_port = await self._serve_metrics()
            self._writer = Writer(self._open_record, self._opened, self._stored, self._counters)
            self._handle_signals()
            self._listening(port, zmq_port, metrics_port)
            also = "" if zmq_port is None else f", ZMQ on port {zmq_port}"
            self._log(Log("info", f"listening on port {port}{also}"))
            if settings.workers:
                self._pool = Pool(settings.workers, self._post, self._deliver, self._log, self._counters)
            threading.Thread(target=_warm_up, name="fechner-warm-up", daemon=True).start()
            await self._halted.wait()
        finally:
            server.close()
            if self._metrics is not None:
                self._metrics.close()
            await self._farewell()
            self._log(Log("info", "stopped"))

    async def _listen(self) -> asyncio.Server:
        """Listen on TCP, encrypted where there is a certificate."""
        settings = self._settings
        times: dict[str, Any] = {}
        if settings.tls is not None:
            times = {"ssl_handshake_timeout": HANDSHAKE_SECONDS, "ssl_shutdown_timeout": LINGER_SECONDS}
        return await self._loop.create_server(
            self._peers.accept, settings.host, settings.port, backlog=1024, ssl=settings.tls, **times
        )

    def _bind_zmq(self) -> int:
        host = f"[{self._settings.host}]" if ":" in self._settings.host else self._settings.host
        address = f"tcp://{host}:{self._settings.zmq_port or '*'}"
        settings = self._settings
        try:
            self._zmq = zmq_transport.ZmqTransport(
                address,
                settings.limits,
                self._peers.add_zmq,
                self._deliver,
                self._turns,
                self._counters,
                settings.curve,
                strict=settings.tokens is not None,
                strangers=self._strangers,
            )
        except zmq.ZMQError as error:
            raise OSError(error.errno, str(error), "zmq") from error
        return self._zmq.port

    async def _serve_metrics(self) -> int | None:
        settings = self._settings
        if settings.metrics_port is None:
            return None
        self._metrics = metrics.MetricsServer(metrics.pages(self._engine, lambda: self._writer.look()))
        try:
            return await self._metrics.start(settings.metrics_host, settings.metrics_port)
        except OSError as error:
            raise OSError(error.errno, error.strerror, "metrics") from error

    def _compute_inline(self, task: Compute) -> None:
        """Compute in the loop's thread, which hears nothing meanwhile but a signal."""

        def poll() -> None:
            if self._interrupted or (task.due is not None and time.monotonic() >= task.due):
                raise Abandoned  # whoever waits is answered by the alarm that comes next

        with contextlib.suppress(Abandoned):
            self._deliver(run(task, poll, self._deliver))

    def _interrupt(self, *_: object) -> None:
        self._interrupted = True
        self.stop()

    def _handle_signals(self) -> None:
        if not self._settings.workers and threading.current_thread() is threading.main_thread():
            for name in (signal.SIGTERM, signal.SIGINT):
                with contextlib.suppress(NotImplementedError):  # Windows
                    # A signal that comes just before the loop sleeps would not be seen: this wakes it.
                    self._loop.add_signal_handler(name, lambda: None)
                signal.signal(name, self._interrupt)  # asyncio's own would wait for the computation
            return
        for name in (signal.SIGTERM, signal.SIGINT):
            try:
                self._loop.add_signal_handler(name, self._deliver, Stop())
            except (NotImplementedError, RuntimeError, ValueError):  # Windows, or not the main thread
                if threading.current_thread() is threading.main_thread():
                    signal.signal(name, lambda *_: self.stop())

    async def _farewell(self) -> None:
        """Close sockets, record and workers; none is left behind."""
        if self._pool is not None:
            self._pool.close()
        if hasattr(self, "_writer"):
            await asyncio.to_thread(self._writer.close, 1.0)
        end = self._loop.time() + FAREWELL_SECONDS
        while self._peers.over_tcp and self._loop.time() < end:
            await asyncio.sleep(0.005)
        if self._zmq is not None:
            self._zmq.close()
        self._turns.close()

    # Events in

    def _post(self, call: Callable[[], None]) -> None:
        """From any thread: run `call` in the loop's, unless that has ended."""
        with contextlib.suppress(RuntimeError):
            self._loop.call_soon_threadsafe(call)

    def _stored(self, events: Sequence[Event]) -> None:
        """From the writer's thread."""
        self._post(lambda: self._deliver(*events))

    def _opened(self, fault: BaseException | None) -> None:
        """From the writer's thread: the record is open, or can't be."""
        if fault is not None:
            self._fault = fault
            self._post(self._halted.set)

    def _deliver(self, *events: Event) -> None:
        """Give events to the engine, one after the other, and carry out what it wants."""
        self._events.extend(events)
        if self._handling:
            return
        self._handling = True
        try:
            while self._events:
                event = self._events.popleft()
                now = Now(time.monotonic(), datetime.now(UTC))
                for what in (partial(self._engine.handle, event, now), self._engine.consider):
                    for effect in what():
                        try:
                            self._carry_out(effect)
                        except Exception as error:
                            self._could_not(effect, error)
                if isinstance(event, Gone):
                    self._peers.forget(event.connection)
        finally:
            self._handling = False

    # Effects out

    def _could_not(self, effect: Effect, error: Exception) -> None:
        """An effect raised (no process could be started, say): nobody else may suffer from it."""
        found = fault(error)
        about = getattr(effect, "connection", None)
        self._log(Log("error", f"{type(effect).__name__} failed", about, fault=found))
        if isinstance(effect, Compute):
            answer = FechnerError("internal", "a computation could not be started")
            self._events.append(ComputeFailed(effect.task, answer, found))

    def _carry_out(self, effect: Effect) -> None:
        if isinstance(effect, Send):
            peer = self._peers.get(effect.connection)
            if peer is not None:
                fail_point("before_reply")
                peer.send(effect.data)
        elif isinstance(effect, Commit | Load | Find | ReadHistory | ReadSeedData):
            self._writer.put(effect)
        elif isinstance(effect, Compute):
            if self._pool is None:
                self._loop.call_soon(self._compute_inline, effect)
            else:
                self._pool.submit(effect)
        elif isinstance(effect, Promote):
            if self._pool is not None:
                self._pool.promote(effect.task, effect.priority)
        elif isinstance(effect, Abandon):
            if self._pool is not None:
                self._pool.abandon(effect.task)
        elif isinstance(effect, Wake):
            self._set_alarm(effect)
        elif isinstance(effect, Silence):
            timer = self._alarms.pop(effect.token, None)
            if timer is not None:  # else its time has come already
                timer.cancel()
        elif isinstance(effect, Trust):
            peer = self._peers.get(effect.connection)
            if peer is not None:
                peer.trust(self._settings.limits)
        elif isinstance(effect, Pause):
            peer = self._peers.get(effect.connection)
            if peer is not None:
                peer.pause(effect.paused)
        elif isinstance(effect, Close):
            peer = self._peers.get(effect.connection)
            if peer is not None:
                peer.close(0.0) if effect.at_once else peer.close()
        elif isinstance(effect, Log):
            self._log(effect)
        elif isinstance(effect, Halt):
            self._halted.set()

    def _set_alarm(self, wake: Wake) -> None:
        wait = max(0.0, wake.seconds - time.monotonic())
        self._alarms[wake.token] = self._loop.call_later(wait, self._alarmed, wake.token)

    def _alarmed(self, token: int) -> None:
        self._alarms.pop(token, None)
        self._deliver(Woken(token))

    def _log(self, line: Log) -> None:
        self._counters.count_line(line.level)
        emit(line)

    def _unexpected(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        """A callback raised. What asyncio would log shows the callback's arguments, and so messages."""
        error, message = context.get("exception"), str(context.get("message"))
        found = fault(error) if isinstance(error, BaseException) else Fault()
        detail = Fault(found.trace, f"{message}\n{found.detail}")
        self._log(Log("error", "unexpected fault of the loop", fault=detail))

    def _thread_ended(self, about: threading.ExceptHookArgs) -> None:
        """A thread raised; what Python would print quotes the exception's text."""
        found = None if about.exc_value is None else fault(about.exc_value)
        name = about.thread.name if about.thread is not None else "a thread"
        self._log(Log("error", f"{name} ended by a fault", fault=found))

    def _machine(self) -> dict[str, Any]:
        """Workers, and computations in them and before them, for `status`."""
        workers, busy = (0, 0) if self._pool is None else (len(self._pool.pids), self._pool.busy)
        running, waiting = ({}, {}) if self._pool is None else self._pool.load
        return {
            "workers": {"n": workers, "busy": busy, "deaths": self._counters.worker_deaths},
            "computations": {"running": running, "waiting": waiting},
        }


def _warm_up() -> None:
    """Import what the first sessions need while the loop already answers."""
    handlers.load()
    environment()
