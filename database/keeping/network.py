"""Folders of another machine: SQLite can't lock, nor share its log, over a network file system."""

from __future__ import annotations

import os
import re
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from fechner.database._lazy import Lazy
from fechner.database.errors import RecordError

if TYPE_CHECKING:
    from fechner.database.keeping import urls
else:  # SQLAlchemy
    urls = Lazy("fechner.database.keeping.urls")

#: Kinds of file systems whose files are another machine's.
NETWORK = frozenset(
    ("9p", "afs", "beegfs", "ceph", "cifs", "davfs", "glusterfs", "gpfs", "lustre", "ncpfs", "nfs", "nfs3",
     "nfs4", "ocfs2", "gfs2", "orangefs", "prl_fs", "smb", "smb2", "smb3", "smbfs", "vboxsf", "vmhgfs")
)  # fmt: skip
#: The same behind FUSE, after ``fuse.``.
_FUSE = frozenset(
    ("sshfs", "glusterfs", "ceph", "ceph-fuse", "s3fs", "rclone", "davfs", "curlftpfs", "smbnetfs",
     "gvfsd-fuse", "vmhgfs-fuse", "lustre", "juicefs", "gcsfuse", "moosefs", "mfs")
)  # fmt: skip
_MOUNTS = Path("/proc/mounts")


def network_file_system(file: Path, mounts: str) -> str | None:
    """The kind of network file system that a file lies on, None on this machine's own.

    Args:
        file: an absolute path without links.
        mounts: the text of ``/proc/mounts``.
    """
    kind, longest = "", -1
    for line in mounts.splitlines():
        fields = line.split()
        if len(fields) < 3:
            continue
        point = re.sub(r"\\([0-7]{3})", lambda code: chr(int(code[1], 8)), fields[1])
        # A later mount on the same point hides the earlier one.
        if file.is_relative_to(point) and len(point) >= longest:
            kind, longest = fields[2], len(point)
    if kind == "9p" and longest == 1:  # a sandbox has its whole disk so; it is nobody else's
        return None
    if kind in NETWORK or kind.removeprefix("fuse.") in _FUSE:
        return kind
    return None


def refuse_network(where: str | os.PathLike[str]) -> None:
    """Raise if a record's file lies in a folder of another machine, as far as the system says.

    Raises:
        RecordError: it does; the text says what is wrong with that, and what to do.
    """
    text = os.fspath(where)
    if "://" in text:
        file = urls.record_file(urls.record_url(text))
    else:
        file = None if text in ("", ":memory:") else Path(text)
    if file is None:
        return
    resolved = file.resolve()
    kind: str | None = "Windows share" if str(resolved).startswith("\\\\") else None
    if kind is None:
        with suppress(OSError):  # elsewhere than on Linux the system doesn't say
            kind = network_file_system(resolved, _MOUNTS.read_text("utf-8", "surrogateescape"))
    if kind is not None:
        raise RecordError(
            f"the record {file} is in a folder of another machine ({kind}): SQLite can't keep messages safe "
            "there. Put it on a disk of this machine and copy it afterwards (`fechner backup`), or name a "
            "PostgreSQL server; `fechner serve --force-network` takes it all the same"
        )
