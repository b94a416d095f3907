"""How a record is named, by a file name or a URL, and what its database says, as anybody may read it."""

from __future__ import annotations

import os
from pathlib import Path

import sqlalchemy as sa

from fechner.database.errors import RecordError


def record_url(where: str | os.PathLike[str]) -> sa.URL:
    """The URL of a record named by a URL or by a bare file name (``:memory:`` for one that isn't kept)."""
    text = os.fspath(where)
    if "://" not in text:
        return sa.URL.create("sqlite", database=text)
    try:
        url = sa.make_url(text)
    except sa.exc.ArgumentError:
        raise RecordError(f"{text!r} is no database URL; sqlite:///FILE or a file name would be") from None
    if url.drivername in ("postgresql", "postgres"):
        url = url.set(drivername="postgresql+psycopg")
    return url


def record_file(url: sa.URL) -> Path | None:
    """The file that holds the record; None if it is in memory or on a database server."""
    if url.get_backend_name() != "sqlite" or url.database in (None, "", ":memory:"):
        return None
    return Path(str(url.database))


def hide_password(url: sa.URL) -> str:
    """A URL as anybody may read it."""
    if "password" in url.query:
        url = url.update_query_dict({"password": "***"})
    return url.render_as_string(hide_password=True)


def reason(error: BaseException) -> str:
    """What a database error says, without SQLAlchemy's statement and link."""
    return str(error.orig) if isinstance(error, sa.exc.DBAPIError) and error.orig else str(error)
