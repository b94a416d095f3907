"""What the commands of `fechner …` do, each imported when it runs; `fechner.server.cli` declares them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fechner.strategies._lazy import homes

if TYPE_CHECKING:
    from fechner.server.commands import (
        check,
        combine,
        copies,
        doctor,
        export,
        forget,
        import_aepsych,
        keys,
        plot,
        record,
        replay,
        serve,
        status,
        verify,
    )

__all__ = [
    "check",
    "combine",
    "copies",
    "doctor",
    "export",
    "forget",
    "import_aepsych",
    "keys",
    "plot",
    "record",
    "replay",
    "serve",
    "status",
    "verify",
]

__getattr__ = homes(__name__, {name: name for name in __all__})
