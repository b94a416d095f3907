"""Statements compiled once for SQLite, so that a group's rows go to it with little between.

SQLAlchemy keeps a statement's compiled form too, but looks it up, sets an execution context up and asks each
parameter's type again every time; of a small group that is half of all the work. A tell alone in its group
takes 0.18 ms of a processor that has other work too instead of 0.35, an ask 0.23 instead of 0.39
(`benchmarks/prepared.py`). The compiled text goes to the driver, on the same connection in the same
transaction, and its errors are SQLAlchemy's.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

Row = Mapping[str, Any]
Process = Callable[[Any], Any]


@dataclass(frozen=True)
class Prepared:
    """A statement's text, and for each place in it a row's value by name, what its type does to that (None:
    nothing), and the value that it has in all rows where they have none."""

    text: str
    places: tuple[tuple[str, Process | None, Any], ...]

    def values(self, row: Row) -> tuple[Any, ...]:
        """A row as the text takes it."""
        return tuple(
            fixed if name not in row else row[name] if process is None else process(row[name])
            for name, process, fixed in self.places
        )


def prepare(statement: sa.Insert | sa.Update, names: Sequence[str], dialect: sa.Dialect) -> Prepared:
    """Compile a statement for rows with these names."""
    columns = list(names) if isinstance(statement, sa.Insert) else None
    compiled = statement.compile(dialect=dialect, column_keys=columns)
    assert isinstance(compiled, sa.sql.compiler.SQLCompiler)
    assert compiled.positiontup is not None
    places = []
    for name in compiled.positiontup:
        bind = compiled.binds[name]
        process = bind.type.dialect_impl(dialect).bind_processor(dialect)
        fixed = None if name in names else bind.value
        places.append((name, process, fixed if process is None else process(fixed)))
    return Prepared(str(compiled), tuple(places))


class Statements:
    """The prepared statements of one connection."""

    def __init__(self) -> None:
        self._prepared: dict[tuple[int, tuple[str, ...]], Prepared] = {}

    def execute(
        self, connection: sa.Connection, statement: sa.Insert | sa.Update, rows: Sequence[Row]
    ) -> int:
        """Execute a statement for each row, all with the same names; how many rows it met.

        Raises:
            sqlalchemy.exc.SQLAlchemyError: the database refuses one.
        """
        if connection.dialect.name != "sqlite":
            return connection.execute(statement, list(rows)).rowcount
        names = tuple(rows[0])
        found = self._prepared.get((id(statement), names))
        if found is None:
            found = prepare(statement, names, connection.dialect)
            self._prepared[id(statement), names] = found
        values = [found.values(row) for row in rows]
        cursor = connection.connection.cursor()
        try:
            if len(values) > 1:
                cursor.executemany(found.text, values)
            else:
                cursor.execute(found.text, values[0])
            return cursor.rowcount
        except sqlite3.Error as error:
            raise sa.exc.DBAPIError.instance(
                found.text, values, error, sqlite3.Error, dialect=connection.dialect
            ) from error
        finally:
            cursor.close()
