"""The log's lines: their form, their files, and that they quote nobody."""

from __future__ import annotations

import json
import logging
import re
import stat
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from fechner.server.observing.faults import Fault
from fechner.server.observing.logs import JsonLines, Log, TextLines, configure, emit
from fechner.server.session.handlers.registry import HANDLERS, load
from fechner.server.shell.execution import run

from ..rig import Rig

SECRET = "Ada-Lovelace-4711"
SESSION = "6f1d2c3b-0000-4000-8000-000000000001"


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    """The log of the tests themselves is put back."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    root.handlers[:] = []
    yield
    for handler in root.handlers:
        handler.close()
    root.handlers[:] = handlers
    root.setLevel(level)


def record_of(line: Log) -> logging.LogRecord:
    record = logging.LogRecord("fechner", logging.INFO, "", 0, line.text, (), None)
    record.line = line
    return record


def test_a_line_for_people() -> None:
    """Time in UTC with microseconds, level, event, what it is about; one line without a fault."""
    line = Log("info", "session set up\nx", 3, SESSION)
    assert re.fullmatch(
        r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z INFO session set up\\nx connection=3 session=6f1d2c3b",
        TextLines().format(record_of(line)),
    )


def test_a_line_for_programs() -> None:
    """A JSON object with the fields that are known; traces without texts, which debugging adds."""
    line = Log("error", "incident ab", 3, SESSION, "ab", Fault("ValueError\n  a.py:1 in f", SECRET))
    found = json.loads(JsonLines().format(record_of(line)))
    assert list(found) == ["time", "level", "event", "connection", "session", "incident", "trace"]
    assert found["session"] == "6f1d2c3b"
    assert json.loads(JsonLines(debugging=True).format(record_of(line)))["detail"] == SECRET


def test_lines_of_libraries_are_shown_without_their_arguments(tmp_path: Path) -> None:
    """And their exceptions without texts; debugging shows both."""
    for level, shown in (("info", False), ("debug", True)):
        configure(level, "json", str(tmp_path / level))
        try:
            raise ValueError(SECRET)
        except ValueError:
            logging.getLogger("library").warning("can't take %s", SECRET, exc_info=True)
        text = (tmp_path / level).read_text("utf-8")
        assert (SECRET in text) is shown
        assert "ValueError" in text


def test_files_rotate_and_belong_to_their_owner(tmp_path: Path) -> None:
    """A new one is begun at the size wanted; so many old ones are kept; nobody else reads any."""
    file = tmp_path / "server.log"
    file.touch(0o644)
    configure("info", "text", str(file), file_bytes=1000, files=2)
    for number in range(100):
        emit(Log("info", f"line {number}"))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["server.log", "server.log.1", "server.log.2"]
    assert all(path.stat().st_size <= 1000 for path in tmp_path.iterdir())
    assert file.read_text("utf-8").splitlines()[-1].endswith("INFO line 99")
    if sys.platform != "win32":
        assert {stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()} == {0o600}


def test_nothing_steers_a_terminal_or_begins_a_line() -> None:
    """Also what debugging shows of an exception that quotes a message."""
    line = Log("error", "a\x1b[2J\nb", 1, fault=Fault("trace\x9b", "said\x1b]0;x\x07\u202e\nERROR forged"))
    text = TextLines(debugging=True).format(record_of(line))
    assert all(c.isprintable() or c == "\n" for c in text)
    assert [one[:4] for one in text.split("\n")[1:]] == ["    "] * 3


def test_what_is_below_the_level_is_not_written(tmp_path: Path) -> None:
    """Warnings are, at `warning`."""
    configure("warning", "text", str(tmp_path / "log"))
    emit(Log("info", "no"))
    emit(Log("warning", "yes"))
    assert "no" not in (tmp_path / "log").read_text("utf-8")
    assert "yes" in (tmp_path / "log").read_text("utf-8")


def lines(rig: Rig) -> str:
    """All that a rig's engine said, as the log shows it at `info`."""
    return "\n".join(form.format(record_of(line)) for form in (TextLines(), JsonLines()) for line in rig.logs)


def test_a_fault_of_a_handler_quotes_no_message(
    rig: Rig, space_filling: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its place and kind are in the log under the incident that the client is told."""

    def broken(context: Any, message: Any) -> Any:
        raise RuntimeError(f"{SECRET} {message}")

    load()
    monkeypatch.setitem(HANDLERS, ("tell", "1"), broken)
    peer = rig.setup(space_filling)
    error = peer.error("tell", {"config": {"p": 0.5}, "outcome": 1, "extra": {"who": SECRET}})
    (line,) = [line for line in rig.logs if line.level == "error"]
    assert line.incident in error["detail"]
    assert (line.connection, line.session) == (peer.number, rig.session(peer).id)
    assert line.fault is not None
    assert "RuntimeError" in line.fault.trace
    assert SECRET in line.fault.detail
    assert SECRET not in lines(rig)


def test_a_fault_of_a_computation_quotes_no_message(new_rig: type[Rig], with_model: str) -> None:
    """Also where it comes from a worker."""

    def broken(task: Any) -> Any:
        object.__setattr__(task, "arguments", (SECRET,))
        return run(task)

    rig = new_rig(compute=broken)
    peer = rig.setup(with_model)
    peer.ok("ask")
    peer.ok("tell", {"trial": 1, "outcome": 1})
    assert peer.error("ask")["code"] == "internal"
    (line,) = [line for line in rig.logs if line.level == "error"]
    assert line.fault is not None
    assert "proposals.py" in line.fault.trace
    assert SECRET not in lines(rig)


def test_a_fault_of_the_record_quotes_no_message(rig: Rig, space_filling: str) -> None:
    """The database's own words may: they are for debugging."""
    peer = rig.setup(space_filling)
    peer.send("tell", {"config": {"p": 0.5}, "outcome": 1, "extra": {"who": SECRET}})
    rig.fail_commit(f"Key (name)=({SECRET}) already exists")
    assert peer.last["error"]["code"] == "storage_failed"
    peer.send("info")
    rig.fail_commit(SECRET)
    peer.send("setup", {"config": SECRET})
    rig.fail_commit(SECRET)
    peer.send_value([SECRET])
    peer.unreadable()
    rig.settle()
    assert "not on record" in lines(rig)
    assert SECRET not in lines(rig)


def test_what_happens_to_sessions_and_connections_is_told(rig: Rig, space_filling: str) -> None:
    """Opened, set up, ended, resumed, closed: each with its session and connection."""
    peer = rig.setup(space_filling)
    id_ = rig.session(peer).id
    peer.ok("exit")
    peer.ok("resume", {"session": id_})
    peer.vanish()
    told = [(line.text.split(" by ")[0], line.connection, line.session) for line in rig.logs]
    assert told == [
        ("connection opened", 1, None),
        ("session set up", 1, id_),
        ("session ended", 1, id_),
        ("session resumed", 1, id_),
        ("connection closed", 1, None),
    ]


def test_a_worker_that_breaks_quotes_no_task() -> None:
    """What it says as it ends has places and kinds only."""
    from fechner.server.shell.execution import send

    command = [sys.executable, "-m", "fechner.server.shell.worker"]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as worker:
        assert worker.stdin is not None
        assert worker.stderr is not None
        send(worker.stdin, ("task", {SECRET: SECRET}))
        said = worker.stderr.read()
    assert said.startswith(b"AttributeError\n")
    assert b"  server/shell/worker.py:" in said
    assert SECRET.encode() not in said
    assert b"Traceback" not in said


def test_a_thread_that_breaks_is_in_the_log(tmp_path: Path) -> None:
    """By its name and place, without the text."""
    from fechner.server.shell.loop import Loop
    from fechner.server.shell.settings import Settings

    configure("info", "text", str(tmp_path / "log"))

    def open_record() -> Any:
        raise AssertionError("not called")

    loop = Loop(Settings(port=0), "x.db", open_record)
    try:
        raise ValueError(SECRET)
    except ValueError as error:
        thread = threading.Thread(name="fechner-warm-up")
        loop._log_fault_of_thread(threading.ExceptHookArgs((ValueError, error, error.__traceback__, thread)))
    text = (tmp_path / "log").read_text("utf-8")
    assert "ERROR fechner-warm-up ended by a fault" in text
    assert "ValueError" in text
    assert SECRET not in text


def test_a_line_that_cannot_be_written_is_said_shortly(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """On standard error, without what it would have been."""

    class Full:
        def write(self, text: str) -> None:
            raise OSError(28, SECRET)

        def flush(self) -> None: ...

    configure("info")
    (handler,) = logging.getLogger().handlers
    assert isinstance(handler, logging.StreamHandler)
    handler.setStream(Full())
    logging.getLogger("library").warning("can't take %s", SECRET)
    assert capsys.readouterr().err == "fechner: a line can't be logged: OSError (ENOSPC)\n"
