"""One program at a time writes a record."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from fechner.database.keeping.lock import RecordLock
from fechner.database.record import RecordError

HOLDER = """
import subprocess, sys
from fechner.database.keeping.lock import RecordLock
lock = RecordLock(sys.argv[1], "fechner serve, port 5555")
child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE, close_fds=False)
print(child.pid, flush=True)
sys.stdin.read()
"""


FORKER = """
import os, sys
from fechner.database.keeping.lock import RecordLock
lock = RecordLock(sys.argv[1])
(born, bear), (end, stop) = os.pipe(), os.pipe()
child = os.fork()
if not child:
    os.close(stop)
    os.write(bear, b"!")
    os.read(end, 1)
    os._exit(0)
os.read(born, 1)
lock.release()
RecordLock(sys.argv[1]).release()
print("taken again")
os.close(stop)
os.waitpid(child, 0)
"""


def test_a_second_taker_is_told_who_holds_the_lock(file: Path) -> None:
    """The refusal names the record, the process and what it is."""
    with RecordLock(file, "fechner serve, port 5555"), pytest.raises(RecordError) as refusal:
        RecordLock(f"sqlite:///{file}")
    assert str(refusal.value) == (
        f"the record {file} is in use by process {os.getpid()} (fechner serve, port 5555)"
    )


def test_a_released_lock_can_be_taken(file: Path) -> None:
    """After release, also twice, the next one gets it; other records have locks of their own."""
    lock = RecordLock(file)
    RecordLock(file.with_name("other.db")).release()
    lock.release()
    lock.release()
    with RecordLock(file, "next"):
        pass


def test_two_names_of_one_file_have_one_lock(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A link or a relative name doesn't get round the lock."""
    file.touch()
    link = file.with_name("link.db")
    link.symlink_to(file)
    monkeypatch.chdir(file.parent)
    with RecordLock(file):
        for name in (link, "record.db", "./record.db"):
            with pytest.raises(RecordError, match="in use"):
                RecordLock(name)


def test_a_record_in_memory_needs_no_lock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody else can reach it."""
    monkeypatch.chdir(tmp_path)
    with RecordLock(":memory:"), RecordLock("sqlite://"):
        assert list(tmp_path.iterdir()) == []


def test_a_lock_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    """A missing folder is an error about the record."""
    with pytest.raises(RecordError, match="can't be locked"):
        RecordLock(tmp_path / "missing" / "x.db")


@pytest.mark.skipif(sys.platform == "win32", reason="kills with SIGKILL")
def test_a_killed_holder_frees_the_lock_though_its_child_lives(file: Path) -> None:
    """kill -9 frees the lock at once, also when a program that the holder started goes on."""
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(file)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as holder:
        assert holder.stdout is not None
        child = int(holder.stdout.readline())
        with pytest.raises(RecordError, match=f"process {holder.pid} "):
            RecordLock(file)
        os.kill(child, 0)
        holder.send_signal(signal.SIGKILL)
        holder.wait()
    RecordLock(file).release()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_forked_child_does_not_keep_the_lock(file: Path) -> None:
    """A child forked while the lock is held doesn't hold it after the parent gives it up."""
    done = subprocess.run([sys.executable, "-c", FORKER, str(file)], capture_output=True, text=True)
    assert (done.stdout.strip(), done.returncode) == ("taken again", 0), done.stderr


@pytest.mark.skipif(not hasattr(os, "link"), reason="needs hard links")
def test_a_file_with_several_names_is_refused(file: Path) -> None:
    """By another name its log has another name too: two programs would write it and not see each other."""
    file.touch()
    other = file.with_name("other.db")
    os.link(file, other)
    for name in (file, other):
        with pytest.raises(RecordError, match="2 names"):
            RecordLock(name)
    other.unlink()
    RecordLock(file).release()
