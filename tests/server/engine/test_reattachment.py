"""An AEPsych client whose connection broke goes on; never do the answers of two participants meet.

Each way in which they could meet has a test: by two sessions left behind, by one that is held or silent or
still being left, by another address, too late, after an end, by another transport, another dialect, another
name, by a sender with a session of its own, by a setup in between, by two senders at once, by a restart.
"""

from __future__ import annotations

import json
from typing import Any

import pytest

from fechner.server.engine.events import Connected

from ..rig import Peer, Rig


def connect(rig: Rig, address: str = "10.0.0.1", stream: bool = True) -> Peer:
    """A peer at an address."""
    peer = rig.connect(stream)
    rig.event(Connected(peer.number, stream, f"{address}:{4000 + peer.number}"))
    return peer


def begun(rig: Rig, config: str, address: str = "10.0.0.1") -> tuple[Peer, str]:
    """A session of the older dialect with a pending trial, and its id."""
    peer = connect(rig, address)
    peer.aepsych("setup", {"config_str": config})
    peer.aepsych("ask", {})
    return peer, rig.session(peer).id


def refused(reply: Any) -> bool:
    return "nothing is set up on this connection" in json.dumps(reply)


TELL = {"config": {"p": [0.25]}, "outcome": 1}


def test_a_tell_on_a_new_connection_goes_on(rig: Rig, space_filling: str) -> None:
    """With the session that the lost one from there left behind; it is logged, and more may follow."""
    first, session = begun(rig, space_filling)
    first.vanish()
    second = connect(rig)
    assert second.aepsych("tell", TELL) == {"trials_recorded": 1, "model_data_added": 1}
    assert rig.session(second).id == session
    assert any(session == log.session and "goes on" in log.text for log in rig.logs)
    assert second.aepsych("ask", {})["num_points"] == 1
    assert second.aepsych("info")["exp_id"] == session


def test_an_ask_goes_on_too_and_after_a_closed_connection(rig: Rig, space_filling: str) -> None:
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
def test_other_requests_do_not(rig: Rig, space_filling: str, type_: str) -> None:
    """Nothing else may take a session up, and a session that is left stays to be taken up."""
    first, session = begun(rig, space_filling)
    first.vanish()
    second = connect(rig)
    assert "server_error" in second.aepsych(type_, {"strat_id": 0} if type_ == "resume" else {})
    assert "server_error" not in second.aepsych("tell", TELL)
    assert rig.session(second).id == session


def test_another_address_is_another_participant(rig: Rig, space_filling: str) -> None:
    """Only from where the session was begun."""
    begun(rig, space_filling)[0].vanish()
    assert refused(connect(rig, "10.0.0.2").aepsych("tell", TELL))


def test_two_sessions_left_behind_are_none(rig: Rig, space_filling: str) -> None:
    """Nobody can say which is meant: refused, and logged."""
    for _ in range(2):
        begun(rig, space_filling)[0].vanish()
    assert refused(connect(rig).aepsych("tell", TELL))
    assert any("2 were left behind" in log.text for log in rig.logs)


def test_a_session_that_is_held_is_nobody_elses(rig: Rig, space_filling: str) -> None:
    """Beside a client that is there, a second one from the same address gets nothing."""
    begun(rig, space_filling)
    assert refused(connect(rig).aepsych("tell", TELL))


def test_it_is_taken_up_once(rig: Rig, space_filling: str) -> None:
    """The second who comes finds nothing, also while the first is being answered."""
    begun(rig, space_filling)[0].vanish()
    second, third = connect(rig), connect(rig)
    second.send_value({"type": "tell", "message": TELL})
    third.send_value({"type": "tell", "message": TELL})
    rig.settle()
    assert "trials_recorded" in second.last
    assert refused(third.last)


def test_after_ten_minutes_it_is_too_late(rig: Rig, space_filling: str) -> None:
    """Somebody else may sit there by then."""
    begun(rig, space_filling)[0].vanish()
    rig.wait(601)
    assert refused(connect(rig).aepsych("tell", TELL))


def test_an_ended_session_stays_ended(rig: Rig, space_filling: str) -> None:
    """Exit said that the participant is done."""
    first, _ = begun(rig, space_filling)
    first.aepsych("exit")
    first.vanish()
    assert refused(connect(rig).aepsych("tell", TELL))


def test_one_that_was_resumed_elsewhere_is_not_left_any_more(rig: Rig, space_filling: str) -> None:
    """Whoever names it has it."""
    first, session = begun(rig, space_filling)
    first.vanish()
    native = connect(rig)
    native.ok("resume", {"session": session})
    assert refused(connect(rig).aepsych("tell", TELL))


def test_version_1_names_its_session(rig: Rig, space_filling: str) -> None:
    """A native client gets `no_session` with a hint, and leaves nothing to older ones."""
    begun(rig, space_filling)[0].vanish()
    error = connect(rig).error("tell", {"config": {"p": 0.5}, "outcome": 1})
    assert error["code"] == "no_session"
    assert "resume" in error["hint"]
    other = connect(rig, "10.0.0.3")
    other.ok("setup", {"config": space_filling})
    other.vanish()
    assert refused(connect(rig, "10.0.0.3").aepsych("tell", TELL))


def test_over_zmq_nobody_is_known_again(rig: Rig, space_filling: str) -> None:
    """A ZMQ peer has no address of its own."""
    begun(rig, space_filling)[0].vanish()
    assert refused(connect(rig, stream=False).aepsych("tell", TELL))


def test_it_can_be_turned_off(new_rig: type[Rig], space_filling: str) -> None:
    """`--reattach off`."""
    rig = new_rig(reattach=False)
    begun(rig, space_filling)[0].vanish()
    assert refused(connect(rig).aepsych("tell", TELL))


def test_a_silent_connection_keeps_its_session(rig: Rig, space_filling: str) -> None:
    """A participant may think for as long as it takes: who comes new from there gets nothing."""
    first, session = begun(rig, space_filling)
    rig.wait(500)
    assert refused(connect(rig).aepsych("tell", TELL))
    assert "server_error" not in first.aepsych("tell", TELL)
    assert rig.session(first).id == session


def test_beside_a_silent_connection_none_is_taken_up(rig: Rig, space_filling: str) -> None:
    """It may be lost without anybody having heard, and then the newcomer may be its participant."""
    silent, _ = begun(rig, space_filling)
    lost, session = begun(rig, space_filling)
    lost.vanish()
    rig.wait(11)
    newcomer = connect(rig)
    assert refused(newcomer.aepsych("tell", TELL))
    assert any("may be lost as well" in log.text for log in rig.logs)
    assert "server_error" not in silent.aepsych("tell", TELL)  # it was only silent
    assert "server_error" not in newcomer.aepsych("tell", TELL)
    assert rig.session(newcomer).id == session


def test_a_reply_does_not_break_the_silence(rig: Rig, with_model: str, space_filling: str) -> None:
    """Whether the connection still stands shows when its client speaks, not when it is answered."""
    silent, _ = begun(rig, with_model)
    silent.aepsych("tell", {"config": {"p": [0.5]}, "outcome": 1})
    silent.send_value({"type": "ask"})
    rig.store_all()
    rig.wait(11)
    rig.settle()
    lost, _ = begun(rig, space_filling)
    lost.vanish()
    assert refused(connect(rig).aepsych("ask", {}))


def test_silence_elsewhere_does_not_matter(rig: Rig, space_filling: str) -> None:
    """Only who sits at the same address, and holds a session without a name for it."""
    begun(rig, space_filling, "10.0.0.2")
    native = connect(rig)
    native.ok("setup", {"config": space_filling})
    lost, session = begun(rig, space_filling)
    lost.vanish()
    rig.wait(60)
    newcomer = connect(rig)
    assert "server_error" not in newcomer.aepsych("tell", TELL)
    assert rig.session(newcomer).id == session


def test_a_session_that_is_still_being_left_counts(rig: Rig, with_model: str, space_filling: str) -> None:
    """A lost connection's last ask is in work: beside it, another one that was left is not the only one."""
    other, _ = begun(rig, space_filling)
    first, session = begun(rig, with_model)
    first.aepsych("tell", {"config": {"p": [0.5]}, "outcome": 1})
    first.send_value({"type": "ask"})
    rig.store_all()
    assert rig.tasks
    first.vanish()
    other.vanish()
    assert refused(connect(rig).aepsych("tell", TELL))
    assert session


def test_a_client_lost_during_a_computation_goes_on_at_once(rig: Rig, with_model: str) -> None:
    """Its session is being left: the new request waits for the old one's end."""
    first, session = begun(rig, with_model)
    first.aepsych("tell", {"config": {"p": [0.5]}, "outcome": 1})
    first.send_value({"type": "ask"})
    rig.store_all()
    first.vanish()
    second = connect(rig)
    assert "server_error" not in second.aepsych("ask")
    assert rig.session(second).id == session
    third = connect(rig)
    assert refused(third.aepsych("ask"))


def test_a_second_sender_finds_a_session_that_is_being_left_taken(rig: Rig, with_model: str) -> None:
    """Both have come while the lost one's ask was in work; only one goes on."""
    first, session = begun(rig, with_model)
    first.aepsych("tell", {"config": {"p": [0.5]}, "outcome": 1})
    first.send_value({"type": "ask"})
    rig.store_all()
    first.vanish()
    second, third = connect(rig), connect(rig)
    second.send_value({"type": "tell", "message": {"config": {"p": [0.25]}, "outcome": 0}})
    third.send_value({"type": "tell", "message": {"config": {"p": [0.75]}, "outcome": 1}})
    rig.settle()
    assert "trials_recorded" in second.last
    assert "server_error" in third.last
    assert rig.session(second).id == session
    assert rig.session(second).told == 2


def test_who_had_a_session_takes_up_no_other(rig: Rig, space_filling: str) -> None:
    """Its own was resumed elsewhere while it was silent; what another one left is not its."""
    first, session = begun(rig, space_filling)
    rig.wait(11)
    connect(rig, "10.0.0.9").ok("resume", {"session": session})
    other, _ = begun(rig, space_filling)
    other.vanish()
    assert refused(first.aepsych("tell", TELL))


@pytest.mark.parametrize("config", ["[common]", None])
def test_after_a_setup_that_failed_nothing_is_taken_up(rig: Rig, space_filling: str, config: Any) -> None:
    """A newcomer whose configuration is wrong goes on as if nothing were: its asks are not the last one's."""
    begun(rig, space_filling)[0].vanish()
    rig.wait(1)
    newcomer = connect(rig)
    assert "server_error" in newcomer.aepsych("setup", {"config_str": config} if config else {})
    assert refused(newcomer.aepsych("ask"))
    newcomer.vanish()
    assert refused(connect(rig).aepsych("ask"))  # also if it connects anew for each message
    assert any("begun anew" in log.text for log in rig.logs)


def test_a_setup_begins_a_session_of_its_own(rig: Rig, space_filling: str) -> None:
    """And after the next participant's exit, a late message of theirs is not the earlier one's."""
    first, session = begun(rig, space_filling)
    first.vanish()
    second, other = begun(rig, space_filling)
    assert other != session
    second.aepsych("exit")
    second.vanish()
    assert refused(connect(rig).aepsych("tell", TELL))
    assert len(rig.recorded(session)) == 2


def test_a_setup_elsewhere_or_of_version_1_changes_nothing(rig: Rig, space_filling: str) -> None:
    """Only a newcomer at the same address, with the same kind of client, speaks for another participant."""
    first, session = begun(rig, space_filling)
    first.vanish()
    begun(rig, space_filling, "10.0.0.2")
    connect(rig).ok("setup", {"config": space_filling})
    second = connect(rig)
    assert "server_error" not in second.aepsych("tell", TELL)
    assert rig.session(second).id == session


def test_another_dialect_is_another_program(rig: Rig, space_filling: str) -> None:
    """A session of AEPsych 0.8 doesn't go on in 0.1, nor the other way."""
    begun(rig, space_filling)[0].vanish()
    rig.wait(1)
    matlab = connect(rig)
    matlab.send_value({"type": "tell", "version": "0.01", "message": TELL})
    rig.settle()
    assert matlab.raw[-1] == b"bad request"
    assert any("spoke aepsych-0.8" in log.text for log in rig.logs)
    again = connect(rig)
    assert "trials_recorded" in again.aepsych("tell", TELL)


def unity(participant: str | None) -> Any:
    extra = None if participant is None else {"responseTime": 0.5, "participantID": participant}
    return {"version": "0.01", "extra_info": extra}


@pytest.mark.parametrize(
    ("before", "after", "goes_on"),
    [("P 7", "P 7", True), ("P 7", "P 8", False), ("P 7", None, True), (None, "P 8", True)],
)
def test_a_participant_who_is_named_is_known_again(
    rig: Rig, space_filling: str, before: str | None, after: str | None, goes_on: bool
) -> None:
    """The Unity client names its participant in extra_info; another name is another participant."""
    first = connect(rig)
    first.aepsych("setup", {"config_str": space_filling}, **unity(None))
    first.aepsych("tell", TELL, **unity(before))
    first.aepsych("ask", "", **unity(None))
    first.vanish()
    reply = connect(rig).aepsych("tell", TELL, **unity(after))
    assert refused(reply) is not goes_on


def test_a_request_that_fails_leaves_the_session_behind(rig: Rig, space_filling: str) -> None:
    """It can still be taken up, by the same connection or by the next."""
    first, session = begun(rig, space_filling)
    first.vanish()
    second = connect(rig)
    wrong = {"config": {"p": [7]}, "outcome": 1}
    assert "outside" in second.aepsych("tell", wrong)["server_error"]
    assert "outside" in second.aepsych("tell", wrong)["server_error"]
    second.vanish()
    third = connect(rig)
    assert "trials_recorded" in third.aepsych("tell", TELL)
    assert rig.session(third).id == session


def test_a_tell_and_an_ask_in_one_packet_go_on_together(rig: Rig, space_filling: str) -> None:
    """The second waits for what the first finds."""
    first, session = begun(rig, space_filling)
    first.vanish()
    second = connect(rig)
    second.send_value({"type": "tell", "message": TELL})
    second.send_value({"type": "ask"})
    rig.settle()
    told, asked = second.replies
    assert "trials_recorded" in told
    assert asked["num_points"] == 1
    assert rig.session(second).id == session


def test_one_that_version_1_held_last_is_not_left_to_older_clients(rig: Rig, space_filling: str) -> None:
    """A session begun by an older client, resumed by name, and lost there."""
    first, session = begun(rig, space_filling)
    first.vanish()
    native = connect(rig)
    native.ok("resume", {"session": session})
    native.vanish()
    assert refused(connect(rig).aepsych("tell", TELL))


def test_what_a_zmq_peer_leaves_is_nobodys(rig: Rig, space_filling: str) -> None:
    """Neither another ZMQ peer nor a TCP client goes on with it."""
    peer = connect(rig, stream=False)
    peer.aepsych("setup", {"config_str": space_filling})
    peer.aepsych("ask", {})
    peer.vanish()
    assert refused(connect(rig).aepsych("tell", TELL))
    assert refused(connect(rig, stream=False).aepsych("tell", TELL))


def test_a_restart_forgets_who_left(new_rig: type[Rig], space_filling: str) -> None:
    """Who sits there now, a server that has just begun can't know."""
    rig = new_rig()
    first, session = begun(rig, space_filling)
    first.vanish()
    later = new_rig(disk=rig.disk)
    assert refused(connect(later).aepsych("tell", TELL))
    assert connect(later).ok("resume", {"session": session})["pending"]


def test_with_a_default_configuration_a_newcomer_is_new(new_rig: type[Rig], space_filling: str) -> None:
    """`serve --config`: a connection that begins with an ask is the next participant."""
    rig = new_rig(default_config=space_filling)
    first = connect(rig)
    first.aepsych("ask", {})
    session = rig.session(first).id
    first.vanish()
    second = connect(rig)
    assert "server_error" not in second.aepsych("ask", {})
    assert rig.session(second).id != session


@pytest.mark.parametrize("native", [True, False])
def test_what_the_server_resumes_by_itself_is_not_taken_from_a_silent_client(
    new_rig: type[Rig], space_filling: str, native: bool
) -> None:
    """`serve --resume`: who thinks for long keeps the session; a newcomer who names none doesn't get it."""
    rig = new_rig()
    first, session = begun(rig, space_filling)
    first.vanish()
    rig = new_rig(disk=rig.disk, default_session=session)
    first, second = connect(rig), connect(rig)
    assert "server_error" not in first.aepsych("ask", {})
    rig.wait(60)
    if native:
        assert second.error("ask")["code"] == "no_session"
    else:
        assert refused(second.aepsych("ask", {}))
    assert any("session_busy" in log.text for log in rig.logs)
    assert "server_error" not in first.aepsych("ask", {})
    first.vanish()
    third = connect(rig)
    assert "server_error" not in third.aepsych("ask", {})
    assert rig.session(third).id == session


def test_beside_a_sender_who_was_turned_away_none_is_taken_up(rig: Rig, space_filling: str) -> None:
    """Somebody without a session is about, and the one that is left isn't theirs: its client spoke later."""
    first, _ = begun(rig, space_filling)
    for _ in range(3):
        rig.wait(7)
        assert refused(connect(rig).aepsych("ask", {}))
    first.aepsych("tell", TELL)
    first.vanish()
    assert refused(connect(rig).aepsych("ask", {}))
    assert any("turned away" in log.text for log in rig.logs)
    rig.wait(400)
    begun(rig, space_filling)[0].vanish()  # whoever it was has begun, or somebody else: two are left
    assert refused(connect(rig).aepsych("ask", {}))


def test_who_failed_to_begin_is_nobody_s_client(rig: Rig, space_filling: str) -> None:
    """Also when the server hears only later that another one was lost, who has said nothing since."""
    first, _ = begun(rig, space_filling)
    rig.wait(1)
    stranger = connect(rig)
    stranger.aepsych("setup", {"config_str": "nonsense"})
    rig.wait(60)
    first.vanish()
    stranger.vanish()
    assert refused(connect(rig).aepsych("ask", {}))


def test_who_was_turned_away_is_forgotten_after_ten_minutes(rig: Rig, space_filling: str) -> None:
    """As is a session that was left; by then a program that failed to begin has been mended."""
    assert refused(connect(rig).aepsych("ask", {}))
    assert "server_error" in connect(rig).aepsych("setup", {"config_str": "nonsense"})
    rig.wait(1)
    first, session = begun(rig, space_filling)
    rig.wait(601)
    first.aepsych("tell", TELL)
    first.vanish()
    second = connect(rig)
    assert "server_error" not in second.aepsych("tell", TELL)
    assert rig.session(second).id == session


def test_who_comes_before_its_own_loss_is_heard_of_may_come_again(rig: Rig, space_filling: str) -> None:
    """The first time its old connection still held the session; then the server hears that it is lost."""
    first, session = begun(rig, space_filling)
    rig.wait(1)
    assert refused(connect(rig).aepsych("tell", TELL))
    first.vanish()
    again = connect(rig)
    assert "server_error" not in again.aepsych("tell", TELL)
    assert rig.session(again).id == session


def test_who_failed_to_begin_is_about_for_a_while(rig: Rig, space_filling: str) -> None:
    """A program whose setup failed comes again without one, when another participant's session is left."""
    first, _ = begun(rig, space_filling)
    assert "server_error" in connect(rig).aepsych("setup", {"config_str": "nonsense"})
    first.aepsych("tell", TELL)
    first.vanish()
    assert refused(connect(rig).aepsych("ask", {}))


def test_what_another_session_was_asked_is_not_told_to_this_one(rig: Rig, space_filling: str) -> None:
    """Two lose their connections at once, the server hears of one only: the other's tell gives it away."""
    first, session = begun(rig, space_filling)
    second = connect(rig)
    second.aepsych("setup", {"config_str": space_filling})
    (point,) = second.aepsych("ask", {})["config"]["p"]
    first.vanish()
    newcomer = connect(rig)
    assert refused(newcomer.aepsych("tell", {"config": {"p": [point + 1e-7]}, "outcome": 1}))
    assert any("another session" in log.text for log in rig.logs)
    assert len(rig.recorded(session)) == 2


def test_pending_trials_come_back(rig: Rig, space_filling: str) -> None:
    """What was asked before the break is told after it, as the trial that it is; a resume lists the rest."""
    peer, session = begun(rig, space_filling)
    asked = peer.aepsych("ask", {"num_points": 2})["config"]["p"]
    peer.vanish()
    peer = connect(rig)
    peer.aepsych("tell", {"config": {"p": [asked[1]]}, "outcome": 1})
    (row,) = rig.change(session)["trials"]
    assert (row["trial"], row["asked"]) == (3, True)
    peer.vanish()
    native = connect(rig)
    resumed = native.ok("resume", {"session": session})
    assert [trial["trial"] for trial in resumed["pending"]] == [1, 2]
    assert resumed["pending"][1]["config"] == {"p": asked[0]}


@pytest.mark.parametrize("gap_days", [0, 3])
def test_an_experiment_of_several_days_goes_on(new_rig: type[Rig], space_filling: str, gap_days: int) -> None:
    """Breaks within a day and nights between: the same asks as without any, and every trial told once."""
    config = space_filling.replace("max_asks = 4", "min_asks = 12").replace("[common]", "[common]\nseed = 3")

    def day(rig: Rig, peer: Peer, n: int) -> list[float]:
        asked = []
        for _ in range(n):
            point = peer.aepsych("ask", {})["config"]
            told = {"config": point, "outcome": int(point["p"][0] > 0.5)}
            assert peer.aepsych("tell", told)["trials_recorded"] == 1
            asked += point["p"]
        return asked

    whole = new_rig()
    peer = connect(whole)
    peer.aepsych("setup", {"config_str": config})
    expected = day(whole, peer, 12)

    rig = new_rig()
    peer = connect(rig)
    peer.aepsych("setup", {"config_str": config})
    session = rig.session(peer).id
    asked = []
    for _ in range(3):
        asked += day(rig, peer, 2)
        peer.vanish()
        rig.wait(120)
        peer = connect(rig)  # after a break
        asked += day(rig, peer, 2)
        peer.vanish()
        later = new_rig(disk=rig.disk, default_session=session)  # the next day: `serve --resume`
        later.wait(rig.seconds + gap_days * 86_400)
        rig, peer = later, connect(later)
    assert asked == expected
    assert peer.aepsych("info")["current_strat_data_pts"] == 12
    assert peer.aepsych("ask", {})["is_finished"] is True


def test_exit_with_client(new_rig: type[Rig], space_filling: str) -> None:
    """The server stops once an exit is on record and answered."""
    rig = new_rig(exit_with_client=True)
    peer, _ = begun(rig, space_filling)
    peer.send_value({"type": "exit"})
    assert not rig.halted
    rig.settle()
    assert peer.last == {"termination_type": "Terminate", "success": True}
    assert peer.closed
    assert rig.halted
