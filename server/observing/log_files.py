"""Log files that rotate and that only their owner can read."""

from __future__ import annotations

import os
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import IO


class OwnersFile(RotatingFileHandler):
    """Files that only their owner can read, also each one that rotation begins."""

    def _open(self) -> IO[str]:  # type: ignore[override]
        path = Path(self.baseFilename)
        if path.exists():
            path.chmod(0o600)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        return open(descriptor, "a", encoding="utf-8", errors="backslashreplace")
