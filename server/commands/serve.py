"""`fechner serve`."""

from __future__ import annotations

import errno
import os
import sys
import uuid
from dataclasses import fields
from functools import partial
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, TypeVar

from fechner.database.errors import RecordError
from fechner.database.keeping.lock import RecordLock
from fechner.database.keeping.network import refuse_network
from fechner.server.commands.output import FAILED, USAGE, fail, without_password
from fechner.server.commands.securing import Secrets, is_loopback, secrets_of
from fechner.server.commands.serve_options import ServeOptions
from fechner.server.engine.options import EngineOptions
from fechner.server.observing.logs import configure
from fechner.server.shell.settings import Settings
from fechner.strategies._lazy import Lazy
from fechner.strategies.errors import ConfigError
from fechner.strategies.numerics.threads import fix

if TYPE_CHECKING:
    from fechner.database import record as records
    from fechner.server.commands import check as checking
    from fechner.server.shell import loop
    from fechner.strategies import config as configurations
else:
    records = Lazy("fechner.database.record")  # SQLAlchemy, in the writer's thread
    checking = Lazy("fechner.server.commands.check")
    loop = Lazy("fechner.server.shell.loop")
    configurations = Lazy("fechner.strategies.config")

Kind = TypeVar("Kind")


def not_a_record(db: str) -> bool:
    """Whether the file is there and can't be a record; the rest shows when it is opened."""
    try:
        with open(db, "rb") as file:
            head = file.read(16)
    except OSError:
        return False
    return head not in (b"", b"SQLite format 3\0")


def is_session_id(text: str) -> bool:
    """Whether the text is a UUID."""
    try:
        uuid.UUID(text)
    except ValueError:
        return False
    return len(text) == 36


def default_workers() -> int:
    """One core stays free for the loop, the writer and the kernel."""
    try:
        cores = len(os.sched_getaffinity(0))
    except AttributeError:  # not on Linux
        cores = os.cpu_count() or 1
    return max(1, cores - 1)


def serve(options: ServeOptions) -> None:
    """Serve until SIGTERM or SIGINT."""
    fix()
    secrets = secrets_of(options)
    _refuse_metrics(options)
    _log(options)
    settings = _settings(options, secrets)
    name = without_password(options.db)
    print(f"record: {name}" + (" (read-only)" if options.read_only else ""), flush=True)
    if not_a_record(options.db):
        fail(f"{options.db} is no record: it is not an SQLite file")
    who = f"fechner serve on {options.host}" + (f":{options.port}" if options.port else "")
    lock = None if options.read_only else _lock(options.db, who, options.force_network)
    listening = partial(_say_where, options, settings.workers)
    try:
        loop.Loop(settings, name, partial(_open_record, options), listening).run()
    except OSError as error:
        fail(_why_not_listening(options, error))
    except RecordError as error:
        fail(str(error), FAILED)
    finally:
        if lock is not None:
            lock.release()


def _say_where(
    options: ServeOptions, n_workers: int, port: int, zmq_port: int | None, metrics_port: int | None
) -> None:
    """The line that says that clients may connect, and where metrics are."""
    also = "" if zmq_port is None else f", ZMQ on port {zmq_port}"
    if options.insecure and not is_loopback(options.host):
        warning = "insecure: other machines can reach this server, and listen in"
        print(f"fechner: {warning}", file=sys.stderr, flush=True)
    workers = "1 worker" if n_workers == 1 else f"{n_workers} workers"
    print(f"listening on {_at(options.host, port)}{also}; {workers}; stop with Ctrl-C", flush=True)
    if metrics_port is not None:
        print(f"metrics on http://{_at(options.metrics_host, metrics_port)}/metrics", flush=True)


def _why_not_listening(options: ServeOptions, error: OSError) -> str:
    """What to say where a port can't be bound; the error's filename tells which, unless it is TCP's."""
    if error.filename == "zmq":
        return f"can't listen on ZMQ port {options.zmq_port}: {error.strerror}"
    host, port, option = options.host, options.port, "--port"
    if error.filename == "metrics":
        host, port, option = options.metrics_host, options.metrics_port or 0, "--metrics-port"
    taken = f"port {port} is taken; {option} names another, 0 a free one"
    reason = taken if error.errno == errno.EADDRINUSE else error.strerror or error
    return f"can't listen on {host}: {reason}"


def _refuse_metrics(options: ServeOptions) -> None:
    """End where metrics can't be shown as asked."""
    if options.metrics_port is None:
        return
    if not is_loopback(options.metrics_host) and not options.insecure:
        fail(
            f"won't show metrics on {options.metrics_host}: anybody there could read them. A tunnel or a "
            "proxy with authentication takes them from 127.0.0.1; --insecure shows them there without",
            USAGE,
        )
    if find_spec("prometheus_client") is None:
        fail("--metrics-port needs prometheus_client: pip install prometheus-client", USAGE)


def _log(options: ServeOptions) -> None:
    """Begin the log; ends where its file can't be written."""
    try:
        configure(
            options.log_level,
            options.log_format,
            options.log_file,
            options.log_file_bytes,
            options.log_files,
        )
    except OSError as error:
        fail(f"can't log to {options.log_file}: {error.strerror or error}")


def _settings(options: ServeOptions, secrets: Secrets) -> Settings:
    """What the loop is told; ends where options contradict each other or the configuration has problems."""
    config = None if options.config is None else _checked(options.config)
    resume = options.resume
    if resume is not None and resume != "last" and not is_session_id(resume):
        fail(
            f"{resume} is no session id; --resume takes one as `fechner sessions` shows it, or 'last'", USAGE
        )
    if options.read_only and config is not None:
        fail("--config sets sessions up; it can't go with --read-only", USAGE)
    engine = _named(
        EngineOptions,
        options,
        default_config=config,
        default_session=resume,
        tokens=secrets.tokens,
        nameless=secrets.nameless,
    )
    workers = default_workers() if options.workers is None else options.workers
    return _named(Settings, options, workers=workers, tls=secrets.tls, curve=secrets.curve, engine=engine)


def _named(kind: type[Kind], options: ServeOptions, **more: Any) -> Kind:
    """One of the kind: of what it is made of, `more`, and whatever options have the same name."""
    names = [field.name for field in fields(kind)]  # type: ignore[arg-type]
    return kind(**{name: getattr(options, name) for name in names if hasattr(options, name)} | more)


def _at(host: str, port: int) -> str:
    """An address as people write it."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _open_record(options: ServeOptions) -> records.Record:
    """Open the record, in the writer's thread.

    Raises:
        RecordError: it can't be opened, or lacks the session to resume.
    """
    record = records.Record.open(options.db, read_only=options.read_only, allow_network=options.force_network)
    resume = options.resume
    if resume is not None and resume != "last" and not record.exists(resume.lower()):
        record.close()
        name = without_password(options.db)
        raise RecordError(f"there is no session {resume} to resume in the record {name}")
    return record


def _lock(db: str, text: str, force_network: bool) -> RecordLock:
    """The right to write the record."""
    try:
        if not force_network:
            refuse_network(db)
        return RecordLock(db, text)
    except RecordError as error:
        fail(str(error))


def _checked(config: str) -> str | dict[str, Any]:
    """The configuration in a file without a problem."""
    found = checking.read_config(config)
    try:
        configurations.check(found, no_end="warning")
    except ConfigError as error:
        lines = "\n".join(f"  {problem}" for problem in error.problems)
        fail(f"{config} can't be used:\n{lines}")
    return found
