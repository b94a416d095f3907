"""A record isn't written in a folder of another machine, unless somebody insists."""

from __future__ import annotations

from pathlib import Path

import pytest

from fechner.database.keeping import network
from fechner.database.keeping.network import network_file_system, refuse_network
from fechner.database.record import Record, RecordError

MOUNTS = """\
/dev/vda / ext4 rw,relatime 0 0
server:/home /home nfs4 rw,vers=4.2 0 0
/dev/vdb /home/local ext4 rw 0 0
//server/lab\\040data /mnt/lab\\040data cifs rw 0 0
me@host:/ /mnt/ssh fuse.sshfs rw 0 0
portal /run/user/0/doc fuse.portal rw 0 0
C: /mnt/c 9p rw 0 0
broken
"""


@pytest.mark.parametrize(
    ("file", "kind"),
    [
        ("/data/x.db", None),
        ("/home/me/x.db", "nfs4"),
        ("/homes/me/x.db", None),
        ("/home/local/x.db", None),
        ("/mnt/lab data/x.db", "cifs"),
        ("/mnt/lab/x.db", None),
        ("/mnt/ssh/deep/er/x.db", "fuse.sshfs"),
        ("/run/user/0/doc/x.db", None),
        ("/mnt/c/Users/x.db", "9p"),
    ],
)
def test_the_kind_of_a_folder(file: str, kind: str | None) -> None:
    """The nearest mount decides, with odd characters in its name too."""
    assert network_file_system(Path(file), MOUNTS) == kind


def test_a_later_mount_hides_an_earlier_one() -> None:
    """And a sandbox whose whole disk is 9p is no network."""
    assert network_file_system(Path("/x.db"), "a / nfs rw 0 0\nb / ext4 rw 0 0\n") is None
    assert network_file_system(Path("/x.db"), "a / 9p rw 0 0\n") is None


@pytest.fixture
def on_nfs(file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file that seems to lie on a network file system."""
    mounts = tmp_path / "mounts"
    mounts.write_text(f"/dev/vda / ext4 rw 0 0\nserver:/x {file.parent} nfs rw 0 0\n")
    monkeypatch.setattr(network, "_MOUNTS", mounts)
    return file


def test_a_network_folder_is_refused_by_name(on_nfs: Path) -> None:
    """The error says what it is and what to do, and nothing is made."""
    for where in (on_nfs, f"sqlite:///{on_nfs}"):
        with pytest.raises(RecordError, match=r"record\.db is in a folder of another machine \(nfs\).*force"):
            Record.open(where)
    assert not on_nfs.exists()
    refuse_network("postgresql://host/db")
    refuse_network(":memory:")


def test_a_network_folder_can_be_forced_and_read(on_nfs: Path) -> None:
    """Who insists may write; reading is no danger."""
    Record.open(on_nfs, allow_network=True).close()
    Record.open(on_nfs, read_only=True).close()


def test_where_the_system_does_not_say_nothing_is_refused(
    file: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Not every system has a table of mounts."""
    monkeypatch.setattr(network, "_MOUNTS", tmp_path / "missing")
    Record.open(file).close()
