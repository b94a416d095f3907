"""An AEPsych client whose connection broke goes on; never do the answers of two participants meet."""

from __future__ import annotations

import json
from typing import Any

import pytest
from fechner.server.events import Connected


def connect(rig: Any, address: str = "10.0.0.1", stream: bool = True) -> Any:
    """A peer at an address."""
    peer = rig.connect(stream)
    rig.event(Connected(peer.number, stream, f"{address}:{4000 + peer.number}"))
    return peer


def begun(rig: Any, config: str, address: str = "10.0.0.1") -> tuple[Any, str]:
    """A session of the older dialect with a pending trial, and its id."""
    peer = connect(rig, address)
    peer.aepsych("setup", {"config_str": config})
    peer.aepsych("ask", {})
    return peer, rig.session(peer).id


def refused(reply: Any) -> bool:
    return "nothing is set up on this connection" in json.dumps(reply)


TELL = {"config": {"p": [0.25]}, "outcome": 1}


def test_a_tell_on_a_new_connection_goes_on(rig: Any, space_filling: str) -> None:
    """With the session that the lost one from there left behind; it is logged, and more may follow."""
    first, session = begun(rig, space_filling)
    first.vanish()
    second = connect(rig)
    assert second.aepsych("tell", TELL) == {"trials_recorded": 1, "model_data_added": 1}
    assert rig.session(second).id == session
    assert any(session == log.session and "goes on" in log.text for log in rig.logs)
    assert second.aepsych("ask", {})["num_points"] == 1
    assert second.aepsych("info")["exp_id"] == session


def test_an_ask_goes_on_too_and_after_a_closed_connection(rig: Any, space_filling: str) -> None:
    """A client that connects anew for every message is served."""
    peer, session = begun(rig, space_filling)
    for type_, message in (("tell", TELL), ("ask", {}), ("tell", TELL)):
        peer.end()
        rig.settle()
        peer.vanish()
        peer = connect(rig)
        assert "server_error" not in peer.aepsych(type_, message)
        assert rig.session(peer).id == session


@pytest.mark.parametrize("type_", ["info", "query", "parameters", "exit", "resume", "finish_strategy"])
def test_other_requests_do_not(rig: Any, space_filling: str, type_: str) -> None:
    """Nothing else may take a session up, and a session that is left stays to be taken up."""
    first, session = begun(rig, space_filling)
    first.vanish()
    second = connect(rig)
    assert "server_error" in second.aepsych(type_, {"strat_id": 0} if type_ == "resume" else {})
    assert "server_error" not in second.aepsych("tell", TELL)
    assert rig.session(second).id == session


def test_another_address_is_another_participant(rig: Any, space_filling: str) -> None:
    """Only from where the session was begun."""
    begun(rig, space_filling)[0].vanish()
    assert refused(connect(rig, "10.0.0.2").aepsych("tell", TELL))


def test_two_sessions_left_behind_are_none(rig: Any, space_filling: str) -> None:
    """Nobody can say which is meant: refused, and logged."""
    for _ in range(2):
        begun(rig, space_filling)[0].vanish()
    assert refused(connect(rig).aepsych("tell", TELL))
    assert any("2 were left behind" in log.text for log in rig.logs)


def test_a_session_that_is_held_is_nobody_elses(rig: Any, space_filling: str) -> None:
    """Beside a client that is there, a second one from the same address gets nothing."""
    begun(rig, space_filling)
    assert refused(connect(rig).aepsych("tell", TELL))


def test_it_is_taken_up_once(rig: Any, space_filling: str) -> None:
    """The second who comes finds nothing, also while the first is being answered."""
    begun(rig, space_filling)[0].vanish()
    second, third = connect(rig), connect(rig)
    second.send_value({"type": "tell", "message": TELL})
    third.send_value({"type": "tell", "message": TELL})
    rig.settle()
    assert "trials_recorded" in second.last
    assert refused(third.last)


def test_after_ten_minutes_it_is_too_late(rig: Any, space_filling: str) -> None:
    """Somebody else may sit there by then."""
    begun(rig, space_filling)[0].vanish()
    rig.wait(601)
    assert refused(connect(rig).aepsych("tell", TELL))


def test_an_ended_session_stays_ended(rig: Any, space_filling: str) -> None:
    """Exit said that the participant is done."""
    first, _ = begun(rig, space_filling)
    first.aepsych("exit")
    first.vanish()
    assert refused(connect(rig).aepsych("tell", TELL))


def test_one_that_was_resumed_elsewhere_is_not_left_any_more(rig: Any, space_filling: str) -> None:
    """Whoever names it has it."""
    first, session = begun(rig, space_filling)
    first.vanish()
    native = connect(rig)
    native.ok("resume", {"session": session})
    assert refused(connect(rig).aepsych("tell", TELL))


def test_version_1_names_its_session(rig: Any, space_filling: str) -> None:
    """A native client gets `no_session` with a hint, and leaves nothing to older ones."""
    begun(rig, space_filling)[0].vanish()
    error = connect(rig).error("tell", {"config": {"p": 0.5}, "outcome": 1})
    assert error["code"] == "no_session"
    assert "resume" in error["hint"]
    other = connect(rig, "10.0.0.3")
    other.ok("setup", {"config": space_filling})
    other.vanish()
    assert refused(connect(rig, "10.0.0.3").aepsych("tell", TELL))


def test_over_zmq_nobody_is_known_again(rig: Any, space_filling: str) -> None:
    """A ZMQ peer has no address of its own."""
    begun(rig, space_filling)[0].vanish()
    assert refused(connect(rig, stream=False).aepsych("tell", TELL))


def test_it_can_be_turned_off(new_rig: Any, space_filling: str) -> None:
    """`--reattach off`."""
    rig = new_rig(reattach=False)
    begun(rig, space_filling)[0].vanish()
    assert refused(connect(rig).aepsych("tell", TELL))


def test_exit_with_client(new_rig: Any, space_filling: str) -> None:
    """The server stops once an exit is on record and answered."""
    rig = new_rig(exit_with_client=True)
    peer, _ = begun(rig, space_filling)
    peer.send_value({"type": "exit"})
    assert not rig.halted
    rig.settle()
    assert peer.last == {"termination_type": "Terminate", "success": True}
    assert peer.closed
    assert rig.halted
