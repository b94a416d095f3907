"""The single-threaded server loop: carries the engine's effects out over sockets, record and workers."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from fechner.server.engine.effects import Compute, Effect
from fechner.server.engine.engine import Engine
from fechner.server.engine.events import ComputeFailed, Event, Now, Stop, Woken
from fechner.server.observing.faults import Fault, fault
from fechner.server.observing.logs import Log, emit
from fechner.server.protocol.errors import FechnerError
from fechner.server.protocol.limits import of_strangers
from fechner.server.shell.alarms import Alarms
from fechner.server.shell.driver import Driver
from fechner.server.shell.environment import environment
from fechner.server.shell.inline import Inline
from fechner.server.shell.peers import HANDSHAKE_SECONDS, Peers
from fechner.server.shell.pool import Pool
from fechner.server.shell.ports import Executor
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
        self._settings, self._listening = settings, listening
        with_workers = settings.workers > 0  # inline, it would keep everybody waiting
        options = replace(
            settings.engine,
            eager=settings.engine.eager and with_workers,
            speculate=settings.engine.speculate and with_workers,
        )
        self._limits, self._has_tokens = options.limits, options.tokens is not None
        self._engine = Engine(
            os.urandom,
            record,
            options,
            environment=environment,
            machine=self._machine,
            begun=time.monotonic(),
        )
        self._counters = self._engine.counters
        self._driver = Driver(self._engine, _now, self)
        self._deliver = self._driver.deliver
        self.store = Writer(open_record, self._record_opens, self._post_events, self._counters)
        self._turns = Turns(lambda: self.store.behind, lambda: self.store.busy)
        known = options.tokens is None or options.nameless  # this machine's programs, or anybody
        self._strangers = options.limits if known else of_strangers(options.limits)
        self.peers = Peers(self._strangers, self._deliver, self._turns, self._counters)
        self.timers = Alarms(lambda token: self._deliver(Woken(token)))
        self._inline = Inline(lambda call, task: self._loop.call_soon(call, task), self._deliver)
        self.executor: Executor = self._inline
        self._zmq: zmq_transport.ZmqTransport | None = None
        self._metrics: metrics.MetricsServer | None = None
        self._fault: BaseException | None = None

    def run(self) -> None:
        """Serve until a signal or `stop`.

        Raises:
            OSError: a port can't be bound; the error's filename is `metrics` or `zmq` if it is one of those.
            Exception: the record can't be opened.
        """
        before, hook = sys.getswitchinterval(), threading.excepthook
        sys.setswitchinterval(SWITCH_SECONDS)
        threading.excepthook = self._log_fault_of_thread
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
        self._loop.set_exception_handler(self._log_fault_of_loop)
        self._halted = asyncio.Event()
        settings = self._settings
        warning = self.peers.make_room(self._limits.connections, encrypted=settings.tls is not None)
        if warning:
            self.log(Log("warning", warning))
        server = await self._listen()
        try:
            port = server.sockets[0].getsockname()[1]
            zmq_port = self._bind_zmq() if settings.zmq_port is not None else None
            metrics_port = await self._serve_metrics()
            self.store.start()
            self._handle_signals()
            self._listening(port, zmq_port, metrics_port)
            also = "" if zmq_port is None else f", ZMQ on port {zmq_port}"
            self.log(Log("info", f"listening on port {port}{also}"))
            if settings.workers:
                self.executor = Pool(settings.workers, self._post, self._deliver, self.log, self._counters)
            threading.Thread(target=_warm_up, name="fechner-warm-up", daemon=True).start()
            await self._halted.wait()
        finally:
            server.close()
            if self._metrics is not None:
                self._metrics.close()
            await self._farewell()
            self.log(Log("info", "stopped"))

    async def _listen(self) -> asyncio.Server:
        """Listen on TCP, encrypted where there is a certificate."""
        settings = self._settings
        times: dict[str, Any] = {}
        if settings.tls is not None:
            times = {"ssl_handshake_timeout": HANDSHAKE_SECONDS, "ssl_shutdown_timeout": LINGER_SECONDS}
        return await self._loop.create_server(
            self.peers.accept, settings.host, settings.port, backlog=1024, ssl=settings.tls, **times
        )

    def _bind_zmq(self) -> int:
        host = f"[{self._settings.host}]" if ":" in self._settings.host else self._settings.host
        address = f"tcp://{host}:{self._settings.zmq_port or '*'}"
        settings = self._settings
        try:
            self._zmq = zmq_transport.ZmqTransport(
                address,
                self._limits,
                self.peers.add,
                self._deliver,
                self._turns,
                self._counters,
                settings.curve,
                strict=self._has_tokens,
                strangers=self._strangers,
            )
        except zmq.ZMQError as error:
            raise OSError(error.errno, str(error), "zmq") from error
        return self._zmq.port

    async def _serve_metrics(self) -> int | None:
        settings = self._settings
        if settings.metrics_port is None:
            return None
        self._metrics = metrics.MetricsServer(metrics.pages(self._engine.state, self.store.look))
        try:
            return await self._metrics.start(settings.metrics_host, settings.metrics_port)
        except OSError as error:
            raise OSError(error.errno, error.strerror, "metrics") from error

    def _interrupt(self, *_: object) -> None:
        self._inline.interrupt()
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
        self.executor.close()
        await asyncio.to_thread(self.store.close, 1.0)
        end = self._loop.time() + FAREWELL_SECONDS
        while self.peers.over_tcp and self._loop.time() < end:
            await asyncio.sleep(0.005)
        if self._zmq is not None:
            self._zmq.close()
        self._turns.close()

    # Events in

    def _post(self, call: Callable[[], None]) -> None:
        """From any thread: run `call` in the loop's, unless that has ended."""
        with contextlib.suppress(RuntimeError):
            self._loop.call_soon_threadsafe(call)

    def _post_events(self, events: Sequence[Event]) -> None:
        """From the writer's thread."""
        self._post(lambda: self._deliver(*events))

    def _record_opens(self, fault: BaseException | None) -> None:
        """From the writer's thread: the record is open, or can't be."""
        if fault is not None:
            self._fault = fault
            self._post(self.halt)

    # Effects out: what `Ports` wants beside `peers`, `store`, `executor` and `timers`

    def log(self, line: Log) -> None:
        """Count a line and write it to the log."""
        self._counters.count_line(line.level)
        emit(line)

    def halt(self) -> None:
        """End `run`."""
        self._halted.set()

    def fail(self, effect: Effect, error: Exception) -> None:
        """An effect raised (no process could be started, say): nobody else may suffer from it."""
        found = fault(error)
        about = getattr(effect, "connection", None)
        self.log(Log("error", f"{type(effect).__name__} failed", about, fault=found))
        if isinstance(effect, Compute):
            answer = FechnerError("internal", "a computation could not be started")
            self._deliver(ComputeFailed(effect.task, answer, found))

    # What went wrong elsewhere

    def _log_fault_of_loop(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        """A callback raised. What asyncio would log shows the callback's arguments, and so messages."""
        error, message = context.get("exception"), str(context.get("message"))
        found = fault(error) if isinstance(error, BaseException) else Fault()
        detail = Fault(found.trace, f"{message}\n{found.detail}")
        self.log(Log("error", "unexpected fault of the loop", fault=detail))

    def _log_fault_of_thread(self, about: threading.ExceptHookArgs) -> None:
        """A thread raised; what Python would print quotes the exception's text."""
        found = None if about.exc_value is None else fault(about.exc_value)
        name = about.thread.name if about.thread is not None else "a thread"
        self.log(Log("error", f"{name} ended by a fault", fault=found))

    def _machine(self) -> dict[str, Any]:
        """Workers, and computations in them and before them, for `status`."""
        load = self.executor.load
        return {
            "workers": {"n": load.workers, "busy": load.busy, "deaths": self._counters.worker_deaths},
            "computations": {"running": dict(load.running), "waiting": dict(load.waiting)},
        }


def _now() -> Now:
    return Now(time.monotonic(), datetime.now(UTC))


def _warm_up() -> None:
    """Import what the first sessions need while the loop already answers."""
    handlers.load()
    environment()
