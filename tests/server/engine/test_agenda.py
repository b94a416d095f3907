"""Who is gone on with next."""

from __future__ import annotations

from fechner.server.engine.agenda import Agenda
from fechner.server.engine.lanes import Connection


def some(n: int) -> list[Connection]:
    """Connections."""
    return [Connection(number, True, f"10.0.0.1:{number}", 0.0) for number in range(n)]


def test_what_was_noted_last_comes_first() -> None:
    """Until it is struck off; then what was noted before."""
    a, b = some(2)
    agenda = Agenda()
    agenda.note(a)
    agenda.note(b)
    assert (agenda.next(), agenda.next()) == (b, b)
    agenda.strike(b)
    assert agenda.next() is a
    agenda.strike(a)
    assert agenda.next() is None
    assert len(agenda) == 0


def test_what_is_noted_again_comes_earlier_unless_it_is_gone_on_with() -> None:
    """Each stands there once."""
    a, b, c = some(3)
    agenda = Agenda()
    agenda.note(a)
    agenda.note(b)
    assert agenda.next() is b
    agenda.note(c)
    agenda.note(a)  # it waits: it comes before c now
    agenda.note(b)  # it is being gone on with: it stays where it is
    order = []
    while (one := agenda.next()) is not None:
        order.append(one)
        agenda.strike(one)
    assert order == [a, c, b]


def test_equal_connections_are_two() -> None:
    """Lanes and connections are told apart by what they are, not by what they look like."""
    agenda = Agenda()
    for _ in range(2):
        agenda.note(Connection(1, True, "10.0.0.1:1", 0.0))
    assert len(agenda) == 2
