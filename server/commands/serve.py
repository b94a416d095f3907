"""`fechner serve`."""

from __future__ import annotations

import errno
import ipaddress
import logging
import os
import sys
import uuid
from typing import TYPE_CHECKING, Any

from fechner.server.commands.output import FAILED, USAGE, fail, without_password
from fechner.strategies.threads import fix

if TYPE_CHECKING:
    from fechner.database.lock import RecordLock
    from fechner.database.record import Record


def is_loopback(host: str) -> bool:
    """Whether the host names this machine only."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


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


def serve(
    host: str,
    port: int,
    zmq_port: int | None,
    db: str,
    config: str | None,
    resume: str | None,
    read_only: bool,
    force_network: bool,
    workers: int | None,
    eager: bool,
    speculate: bool,
    dialect: str,
    reattach: bool,
    exit_with_client: bool,
    log_level: str,
) -> None:
    """Serve until SIGTERM or SIGINT."""
    fix()
    if not is_loopback(host):
        fail(
            f"won't listen on {host}: this version has no authentication yet and serves this machine only; "
            "use --host 127.0.0.1 (a tunnel such as `ssh -L` reaches it from elsewhere)",
            USAGE,
        )
    logging.basicConfig(
        stream=sys.stderr, level=log_level.upper(), format="%(asctime)s %(levelname)s %(message)s"
    )
    from fechner.server.loop import Loop, Settings

    text = None if config is None else _checked(config)
    if resume is not None and resume != "last" and not is_session_id(resume):
        fail(
            f"{resume} is no session id; --resume takes one as `fechner sessions` shows it, or 'last'", USAGE
        )
    if read_only and config is not None:
        fail("--config sets sessions up; it can't go with --read-only", USAGE)
    many = default_workers() if workers is None else workers
    settings = Settings(
        host,
        port,
        zmq_port,
        many,
        dialect,
        text,
        resume=resume,
        read_only=read_only,
        eager=eager,
        speculate=speculate,
        reattach=reattach,
        exit_with_client=exit_with_client,
    )

    def listening(port: int, zmq_port: int | None) -> None:
        also = "" if zmq_port is None else f", ZMQ on port {zmq_port}"
        where = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
        workers = "1 worker" if settings.workers == 1 else f"{settings.workers} workers"
        print(f"listening on {where}{also}; {workers}; stop with Ctrl-C", flush=True)

    def open_record() -> Record:
        from fechner.database.record import Record, RecordError

        record = Record.open(db, read_only=read_only, allow_network=force_network)
        if resume is not None and resume != "last" and not record.exists(resume.lower()):
            record.close()
            raise RecordError(f"there is no session {resume} to resume in the record {name}")
        return record

    name = without_password(db)
    print(f"record: {name}" + (" (read-only)" if read_only else ""), flush=True)
    if not_a_record(db):
        fail(f"{db} is no record: it is not an SQLite file")
    who = f"fechner serve on {host}" + (f":{port}" if port else "")
    lock = None if read_only else _lock(db, who, force_network)
    try:
        Loop(settings, name, open_record, listening).run()
    except OSError as error:
        taken = f"port {port} is taken; --port names another, 0 a free one"
        fail(
            f"can't listen on {host}: {taken if error.errno == errno.EADDRINUSE else error.strerror or error}"
        )
    except Exception as error:
        from fechner.database.errors import RecordError

        if type(error).__name__ == "ZMQError":
            fail(f"can't listen on ZMQ port {zmq_port}: {error}", FAILED)
        if not isinstance(error, RecordError):
            raise
        fail(str(error), FAILED)
    finally:
        if lock is not None:
            lock.release()


def _lock(db: str, text: str, force_network: bool) -> RecordLock:
    """The right to write the record."""
    from fechner.database.errors import RecordError
    from fechner.database.lock import RecordLock
    from fechner.database.network import refuse_network

    try:
        if not force_network:
            refuse_network(db)
        return RecordLock(db, text)
    except RecordError as error:
        fail(str(error))


def _checked(config: str) -> str | dict[str, Any]:
    """The configuration in a file without a problem."""
    from fechner.server.commands.check import read_config
    from fechner.strategies.config import check
    from fechner.strategies.errors import ConfigError

    found = read_config(config)
    try:
        check(found, no_end="warning")
    except ConfigError as error:
        lines = "\n".join(f"  {problem}" for problem in error.problems)
        fail(f"{config} can't be used:\n{lines}")
    return found
