"""Who is gone on with next."""

from __future__ import annotations

from fechner.server.engine.agenda import Agenda
from fechner.server.engine.lanes import Connection


def some(n: int) -> list[Connection]:
    """Connections."""
    return [Connection(number, True, f"10.0.0.1:{number}", 0.0) for number in range(n)]


def order_of(agenda: Agenda, leads_to: dict[Connection, list[list[Connection]]]) -> list[Connection]:
    """Who is gone on with, in order; each time somebody is, the next ones of a list are noted."""
    order: list[Connection] = []

    def step(state: Agenda, one: Connection) -> bool:
        order.append(one)
        noted = leads_to.get(one)
        for other in noted.pop(0) if noted else []:
            state.note(other)
        return bool(noted)

    agenda.go_on(agenda, {Connection: step})
    assert len(agenda) == 0
    return order


def test_what_was_noted_last_comes_first() -> None:
    """Then what was noted before."""
    a, b = some(2)
    agenda = Agenda()
    agenda.note(a)
    agenda.note(b)
    assert order_of(agenda, {}) == [b, a]


def test_what_is_noted_again_comes_earlier_unless_it_is_gone_on_with() -> None:
    """Each stands there once, and whoever is gone on with stays until nothing can be done there."""
    a, b, c = some(3)
    agenda = Agenda()
    agenda.note(a)
    agenda.note(b)
    assert order_of(agenda, {b: [[c, a, b], []]}) == [b, a, c, b]


def test_what_a_step_leads_to_is_done_before_the_next_step() -> None:
    """A lane whose job is done at once lets its connection go first, each time."""
    lane, connection = some(2)
    agenda = Agenda()
    agenda.note(connection)
    agenda.note(lane)
    order = order_of(agenda, {lane: [[connection], [connection], []]})
    assert order == [lane, connection, lane, connection, lane]


def test_of_thousands_none_is_done_inside_of_another() -> None:
    """Two that lead to each other again and again."""
    a, b = some(2)
    agenda = Agenda()
    agenda.note(a)
    n = 10_000
    order = order_of(agenda, {a: [[b]] * n + [[]], b: []})
    assert order == [a, b] * n + [a]


def test_equal_connections_are_two() -> None:
    """Lanes and connections are told apart by what they are, not by what they look like."""
    agenda = Agenda()
    for _ in range(2):
        agenda.note(Connection(1, True, "10.0.0.1:1", 0.0))
    assert len(agenda) == 2
