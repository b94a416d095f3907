"""`fechner doctor`: what it finds, in words and with a verdict; it writes nothing to a record."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from fechner.database.keeping.lock import RecordLock
from fechner.database.record import Record
from fechner.server.commands import doctor, doctor_machine, doctor_programs, doctor_record
from fechner.server.commands.asking import Address
from fechner.server.commands.finding import Finding, judged

from .command_line import Run

GOLDEN = Path(__file__).parents[2] / "golden"


def verdicts(findings: list[Finding]) -> dict[str, str]:
    return {finding.check: finding.verdict for finding in findings}


def files(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


# Programs


def test_libraries_against_their_lower_bounds() -> None:
    """One line for those that are new enough, one for each that is not; extras don't count."""
    found = doctor_programs.libraries(
        ["numpy>=1.26", "typer[all]>=999", "no-such-library>=2", 'pytest>=999; extra == "dev"', "rich"]
    )
    assert verdicts(found) == {"libraries": "ok", "library typer": "bad", "library no-such-library": "bad"}
    assert set(found[0].details["versions"]) == {"numpy", "rich"}
    assert found[1].advice == "pip install 'typer>=999'"
    assert found[2].value == "missing"


def test_what_is_installed_here_is_new_enough() -> None:
    """As the package itself asks for it."""
    assert {finding.verdict for finding in doctor_programs.libraries()} == {"ok"}
    assert doctor_programs.versions().verdict == "ok"


@pytest.mark.parametrize(
    ("program", "said"),
    [
        ("raise ImportError('libgomp.so.1 is missing')", "libgomp.so.1 is missing"),
        ("import os; os.kill(os.getpid(), 9)", "killed by signal 9"),
    ],
)
def test_a_broken_torch_is_a_finding(program: str, said: str) -> None:
    """Also one that ends its process without a word."""
    found = doctor_programs.torch(program)
    assert found.verdict == "bad"
    assert said in found.value
    assert "pip install torch" in found.advice


def test_torch_is_described() -> None:
    """Version, build and arithmetic, as a process of its own has them."""
    found = doctor_programs.torch()
    assert found.verdict in ("ok", "warning")  # it may be slow where much else runs
    assert {"version", "cuda", "threads", "blas", "seconds"} <= set(found.details)
    assert found.details["version"] in found.value


def test_a_worker_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    """And one that dies when it begins is bad."""
    found = doctor_programs.worker()
    assert found.value.startswith("answers after ")
    monkeypatch.setattr("sys.executable", shutil.which("false"))
    assert doctor_programs.worker().verdict == "bad"


# Machine


def test_cores(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Those that this process may use; a container's share counts."""
    assert doctor_machine.cores().details["workers"] >= 1
    (tmp_path / "cpu.max").write_text("150000 100000\n")
    assert doctor_machine._quota(tmp_path / "cpu.max") == 1.5
    (tmp_path / "cpu.max").write_text("max 100000\n")
    assert doctor_machine._quota(tmp_path / "cpu.max") is None
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: set(range(8)), raising=False)
    monkeypatch.setattr(doctor_machine, "_quota", lambda file: 2.0)
    found = doctor_machine.cores()
    assert (found.verdict, found.advice.split(":")[0]) == ("warning", "--workers 1")


def test_descriptors_against_the_connections(monkeypatch: pytest.MonkeyPatch) -> None:
    """What counts is how far a server may raise its limit; too little is a warning that says how much."""
    resource = pytest.importorskip("resource")
    monkeypatch.setattr(resource, "getrlimit", lambda what: (256, 4096))
    assert doctor_machine.descriptors(1000).verdict == "ok"
    found = doctor_machine.descriptors(4000)
    assert found.verdict == "warning"
    assert f"ulimit -Hn {found.details['needed']}" in found.advice
    monkeypatch.setattr(resource, "getrlimit", lambda what: (256, resource.RLIM_INFINITY))
    assert doctor_machine.descriptors(4000).verdict == "ok"


def test_a_clock_before_the_installation_is_wrong() -> None:
    """The date of a board without a battery, say."""
    assert doctor_machine.clock().verdict == "ok"
    assert doctor_machine.clock(datetime(2001, 1, 1, tzinfo=UTC)).verdict == "bad"


@pytest.mark.skipif(not hasattr(time, "tzset"), reason="time zones are set by the system here")
@pytest.mark.parametrize(
    ("zone", "verdict"), [("UTC", "ok"), ("Nowhere/City", "warning"), ("CET-1CEST,M3.5.0,M10.5.0/3", "ok")]
)
def test_a_time_zone_that_there_isnt(zone: str, verdict: str) -> None:
    """Is taken for UTC by the system without a word: in a process with that zone."""
    code = "from fechner.server.commands.doctor_machine import clock; print(clock().verdict)"
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "TZ": zone},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == verdict


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        yield taken


def test_a_port_that_is_free_or_taken(listener: socket.socket) -> None:
    """By something that isn't a server; nobody answers there."""
    address = Address(port=listener.getsockname()[1])
    listener.listen(0)
    listener.close()
    assert doctor_machine.port(address, "fechner.db").verdict == "ok"
    with socket.create_server(("127.0.0.1", address.port)) as other:

        def hang_up() -> None:
            other.accept()[0].close()

        thread = threading.Thread(target=hang_up)
        thread.start()
        found = doctor_machine.port(address, "fechner.db")
        thread.join()
    assert found.verdict == "bad"
    assert "another program has it" in found.advice


# Record


def test_a_folder_that_keeps_what_is_written(tmp_path: Path) -> None:
    """File system, room, and the time of a durable commit; nothing stays behind."""
    found = doctor_record.folder(str(tmp_path / "fechner.db"))
    assert [finding.check for finding in found] == ["file system", "room", "commit"]
    assert found[0].verdict == "ok"
    assert 0 < found[2].details["median_ms"] <= found[2].details["worst_ms"]
    assert list(tmp_path.iterdir()) == []


def test_folders_that_will_not_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """None at all, one of another machine, one that is full, one that can't be written to."""
    (missing,) = doctor_record.folder(str(tmp_path / "nowhere" / "fechner.db"))
    assert (missing.verdict, missing.check) == ("bad", "folder")
    mounts = tmp_path / "mounts"
    mounts.write_text(f"server:/x {tmp_path} nfs rw 0 0\n")
    monkeypatch.setattr("fechner.database.keeping.network._MOUNTS", mounts)
    monkeypatch.setattr(shutil, "disk_usage", lambda where: (10**12, 10**12 - 10**6, 10**6))

    def read_only(**options: Any) -> None:
        raise OSError("Read-only file system")

    monkeypatch.setattr(tempfile, "TemporaryDirectory", read_only)
    found = doctor_record.folder(str(tmp_path / "fechner.db"))
    assert verdicts(found) == {"file system": "bad", "room": "bad", "commit": "bad"}
    assert "nfs" in found[0].value
    assert "fechner backup" in found[0].advice


@pytest.mark.parametrize(("free", "verdict"), [(10**12, "ok"), (10**8, "warning"), (10**7, "bad")])
def test_room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, free: int, verdict: str) -> None:
    """As the server itself warns of it."""
    monkeypatch.setattr(shutil, "disk_usage", lambda where: (2 * 10**12, 0, free))
    assert doctor_record._room(tmp_path).verdict == verdict


def test_slow_commits_are_judged() -> None:
    """By their median."""
    assert [judged(ms, doctor_record.SLOW_MS, doctor_record.BAD_MS) for ms in (1, 50, 500)] == [
        *("ok", "warning", "bad")
    ]


def test_a_record_is_opened_and_not_touched(db: Path) -> None:
    """Its revision and its sessions are told; its folder is as before."""
    before = files(db.parent)
    record, writer = doctor_record.record(str(db))
    assert (record.verdict, record.details["sessions"]) == ("ok", 2)
    assert record.details["revision"] == record.details["newest_revision"]
    assert (writer.verdict, writer.value) == ("ok", "nobody writes it")
    assert files(db.parent) == before


def test_an_older_record_is_read_in_a_copy(tmp_path: Path) -> None:
    """What would migrate it is named; the file stays as it is."""
    file = shutil.copy(GOLDEN / "record-revision-0001.db", tmp_path / "old.db")
    before = files(tmp_path)
    record, _ = doctor_record.record(str(file))
    assert (record.verdict, record.details["revision"]) == ("warning", "0001")
    assert "fechner serve" in record.advice
    assert files(tmp_path) == before


def test_records_that_are_none(tmp_path: Path) -> None:
    """One that isn't there yet is fine and isn't made; another file is bad."""
    (found,) = doctor_record.record(str(tmp_path / "fechner.db"))
    assert found.verdict == "ok"
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "notes.txt").write_text("dear diary" * 100)
    assert doctor_record.record(str(tmp_path / "notes.txt"))[0].verdict == "bad"
    assert doctor_record.record("mysql://x/y")[0].verdict == "bad"


def test_a_record_on_a_database_server(postgres_schema: Callable[[], str]) -> None:
    """An empty database is fine and stays empty; of a record the revision is told; there is no folder."""
    url = postgres_schema()
    (found,) = doctor_record.record(url)
    assert (found.verdict, "is empty" in found.value) == ("ok", True)
    assert "is empty" in doctor_record.record(url)[0].value
    Record.open(url).close()
    (found,) = doctor_record.record(url)
    assert (found.verdict, found.details["sessions"]) == ("ok", 0)
    assert doctor_record.folder(url) == []


def test_who_writes_a_record(db: Path) -> None:
    """As long as it runs."""
    with RecordLock(db, "fechner serve on 127.0.0.1"):
        found = doctor_record.record(str(db))[1]
    assert found.value == f"process {os.getpid()} writes it (fechner serve on 127.0.0.1)"
    Path(f"{db}.lock").write_text(json.dumps({"pid": 2**22 + 1, "text": "gone"}))
    assert doctor_record.record(str(db))[1].value == "nobody writes it"


def test_a_record_of_the_future(db: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A message from tomorrow: the clock was put back."""

    class Yesterday(datetime):
        @classmethod
        def now(cls, tz: Any = None) -> Any:
            return datetime.now(tz) - timedelta(days=1)

    monkeypatch.setattr(doctor_record, "datetime", Yesterday)
    found = doctor_record.record(str(db))[0]
    assert found.verdict == "warning"
    assert "clock" in found.advice


# The command

Findings = Callable[..., None]


@pytest.fixture
def findings(monkeypatch: pytest.MonkeyPatch) -> Findings:
    """Makes the diagnosis say this."""

    def say(*found: Finding) -> None:
        monkeypatch.setattr(doctor, "diagnosis", lambda db, address, connections: iter(found))

    return say


def test_exit_codes(run: Run, findings: Findings) -> None:
    """0 while nothing is bad, 1 otherwise; each line has its verdict and what to do."""
    fine, doubtful = Finding("a", "ok", "12 ms"), Finding("b", "warning", "[bold]", "more of it")
    findings(fine, doubtful)
    result = run("doctor")
    assert result.exit_code == 0
    assert result.stdout.splitlines()[0] == "record: fechner.db"
    assert "1 ok, 1 to think about, 0 bad" in result.stdout
    (line,) = [line for line in result.stdout.splitlines() if "more of it" in line]
    assert line.split() == ["b", "warning", "[bold]", "more", "of", "it"]
    findings(fine, Finding("c", "bad", "x", "y"))
    assert run("doctor").exit_code == 1


def test_json(run: Run, findings: Findings) -> None:
    """Every finding with its figures."""
    findings(Finding("c", "bad", "x", "y", {"ms": 1.5}))
    result = run("doctor", "--json")
    assert result.exit_code == 1
    assert json.loads(result.stdout) == {
        "ok": False,
        "findings": [
            {"check": "c", "verdict": "bad", "value": "x", "advice": "y", "details": {"ms": 1.5}},
        ],
    }
