"""The client's methods, against a scripted server."""

from __future__ import annotations

import json
import warnings
from pathlib import Path
from typing import Any

import pytest

from fechner_client import (
    Client,
    ConfigError,
    Corrected,
    FechnerWarning,
    Finished,
    Replayed,
    RequestError,
    SessionError,
    TrialError,
)

np = pytest.importorskip("numpy")


@pytest.fixture
def ready(client: Client, config: str) -> Client:
    client.setup(config)
    return client


def test_a_loop_over_the_trials_runs_the_experiment_to_its_end(ready: Client, fake: Any) -> None:
    """Every trial is handed out once, told, and the loop ends with the experiment."""
    levels = []
    for trial in ready.trials():
        levels.append(trial["level"])
        told = trial.tell(1)
        assert told.trials == [trial.number]
        assert trial.told
    assert levels == [10.0, 20.0, 30.0]
    assert ready.finished
    assert ready.reason == "min_asks"
    assert fake.kinds() == ["setup"] + ["ask", "tell"] * 3


def test_setup_says_what_was_set_up(client: Client, config: str, fake: Any) -> None:
    """The reply's session, parameters, outcomes, stages and seed come back; options go along."""
    setup = client.setup(config, name="pilot", participant="p1", seed=5, metadata={"room": 3})
    assert setup.session == client.session
    assert setup.seed == 5
    assert setup.stages == ["init"]
    assert setup.parameters["level"]["upper"] == 100
    message = fake.requests[-1]["message"]
    assert message == {
        "config": config,
        "name": "pilot",
        "participant": "p1",
        "seed": 5,
        "metadata": {"room": 3},
    }


def test_setup_from_a_file(client: Client, config: str, fake: Any, tmp_path: Path) -> None:
    """INI text goes as text, a .json file as sections."""
    ini = tmp_path / "é.ini"
    ini.write_text("\ufeff" + config, encoding="utf-8")
    client.setup(file=ini)
    assert fake.requests[-1]["message"]["config"] == config
    sections = {"common": {"parnames": ["level"]}}
    (tmp_path / "c.json").write_text(json.dumps(sections))
    client.setup(file=str(tmp_path / "c.json"))
    assert fake.requests[-1]["message"]["config"] == sections


def test_setup_names_a_mistaken_argument(client: Client, config: str) -> None:
    """A file name in place of text, both, or neither: the error says what to write."""
    with pytest.raises(ValueError, match=r"file='pilot\.ini'"):
        client.setup("pilot.ini")
    with pytest.raises(TypeError, match="one of the two"):
        client.setup(config, file="pilot.ini")
    with pytest.raises(TypeError, match="one of the two"):
        client.setup()


def test_a_bad_configuration_lists_its_problems(client: Client) -> None:
    """The exception shows every problem with section, key and mend."""
    with pytest.raises(ConfigError) as caught:
        client.setup("[wrong]")
    assert caught.value.problems[0]["key"] == "par_typ"
    assert "[level] par_typ = x: unknown (par_type)" in str(caught.value)
    assert client.session is None


def test_a_second_setup_adds_a_strategy_to_the_session(ready: Client, config: str) -> None:
    """The session stays; after exit a setup begins another."""
    session = ready.session
    assert ready.setup(config).strategy == 1
    assert ready.session == session
    assert ready.exit() == {"asked": 0}
    assert ready.session is None
    ready.setup(config)
    assert ready.session != session


def test_ask_for_one_and_for_several(ready: Client) -> None:
    """One trial by itself, several as a list, fewer at the end, then Finished."""
    assert ready.ask().number == 1
    several = ready.ask(5)
    assert isinstance(several, list)
    assert [trial.number for trial in several] == [2, 3]
    with pytest.raises(Finished, match="min_asks"):
        ready.ask()
    assert ready.ask(beyond=True).number == 4


def test_tell_options_reach_the_server(ready: Client, fake: Any) -> None:
    """Only what differs from the defaults is sent."""
    trial = ready.ask()
    trial.response_time = 0.4
    trial.tell(True, model_data=False, confidence=0.9, extra={"eye": "left"}, shown={"level": 11})
    assert fake.requests[-1]["message"] == {
        "trial": 1,
        "outcome": 1,
        "response_time": 0.4,
        "model_data": False,
        "confidence": 0.9,
        "extra": {"eye": "left"},
        "shown": {"level": 11},
    }


def test_outcomes_by_name_by_number_and_of_numpy(ready: Client, fake: Any) -> None:
    """Truth values become 0 and 1, numpy's numbers plain ones, names stay."""
    ready.tell({"level": np.float32(0.5)}, np.bool_(True))
    assert fake.requests[-1]["message"] == {"config": {"level": 0.5}, "outcome": 1}
    trial = ready.ask()
    ready.tell(trial.number, {"seen": False, "rating": np.int64(3)})
    assert fake.requests[-1]["message"] == {"trial": trial.number, "outcome": {"seen": 0, "rating": 3}}
    assert trial.told


def test_a_number_that_is_not_finite_never_leaves(ready: Client, fake: Any) -> None:
    """The error names the place, and nothing was sent."""
    before = len(fake.requests)
    with pytest.raises(ValueError, match="outcome is nan"):
        ready.tell({"level": 1.0}, float("nan"))
    with pytest.raises(ValueError, match=r"message\.config\.level is inf"):
        ready.tell({"level": float("inf")}, 1)
    assert len(fake.requests) == before


def test_an_option_that_tell_does_not_have_is_named(ready: Client) -> None:
    """A misspelt option of update is refused here."""
    with pytest.raises(TypeError, match="'respones_time'"):
        ready.update(ready.ask(), 1, respones_time=0.3)


def test_tell_many_is_one_request(ready: Client, fake: Any) -> None:
    """Several outcomes go together and mark their trials."""
    trials = ready.ask(3)
    assert isinstance(trials, list)
    assert ready.tell_many(zip(trials, [1, 0, 1], strict=True)).trials == [1, 2, 3]
    assert fake.kinds()[-1] == "tell"
    assert [trial.outcome for trial in trials] == [1, 0, 1]
    assert ready.pending == []


def test_update_tells_and_asks(ready: Client, fake: Any) -> None:
    """One round trip, the next trial comes back, the end raises Finished with the tell on record."""
    trial = ready.ask()
    for _ in range(2):
        trial = ready.update(trial, 1, response_time=0.2)
    with pytest.raises(Finished):
        ready.update(trial, 0)
    assert trial.told
    assert fake.kinds() == ["setup", "ask", "update", "update", "update"]


def test_update_whose_ask_fails_has_told(ready: Client, fake: Any, replies: Any) -> None:
    """The ask's error is raised; the trial counts as told."""
    trial = ready.ask()
    parts = {
        "tell": {"trials": [1], "modelled": 1, "finished": False},
        "ask": {"error": {"code": "bad_value", "detail": "n"}},
    }
    fake.faults.append(lambda request: replies[0](request, parts))
    with pytest.raises(RequestError, match="bad_value"):
        ready.update(trial, 1)
    assert trial.told


def test_server_errors_carry_code_and_place(ready: Client) -> None:
    """A trial told twice raises TrialError with the server's words."""
    trial = ready.ask()
    trial.tell(1)
    with pytest.raises(TrialError) as caught:
        trial.tell(1)
    assert caught.value.code == "trial_already_told"
    assert caught.value.where == "message.trial"
    assert "trial 1 was told (at message.trial) [trial_already_told]" in str(caught.value)


def test_without_setup_the_server_says_so(client: Client) -> None:
    """An ask before setup raises SessionError with the hint."""
    with pytest.raises(SessionError, match="send setup"):
        client.ask()


def test_warnings_point_to_the_experiments_line(client: Client, config: str, fake: Any, replies: Any) -> None:
    """A warning in a reply is a FechnerWarning at the line that made the call."""
    fake.faults.append(
        lambda request: replies[0](
            request, {"session": "s"}, warnings=[{"code": "unknown_key", "detail": "lowr_bound?"}]
        )
    )
    with pytest.warns(FechnerWarning, match=r"lowr_bound\? \[unknown_key\]") as caught:
        client.setup(config)
    assert caught[0].filename == __file__


def test_a_trial_left_untold_stays_pending_with_one_warning(ready: Client) -> None:
    """The loop goes on; the trial comes first in the next loop."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        for trial in ready.trials():
            if trial.number == 3:
                trial.tell(1)
    assert [str(warning.message) for warning in caught] == ["trial 1 was not told: it stays pending"]
    assert caught[0].filename == __file__
    assert [trial.number for trial in ready.pending] == [1, 2]
    seen = []
    for trial in ready.trials():
        seen.append(trial.number)
        trial.tell(0)
    assert seen == [1, 2]


def test_resume_brings_the_pending_trials_back_first(client: Client, config: str, fake: Any) -> None:
    """Another client resumes the session and goes on where the first one stopped."""
    client.setup(config)
    client.ask()
    client.ask().tell(1)
    client.close()
    with Client(port=fake.port) as second:
        resumed = second.resume("last")
        assert resumed.session == client.session
        assert [trial.number for trial in resumed.pending] == [1]
        seen = []
        for trial in second.trials():
            seen.append((trial.number, trial["level"]))
            trial.tell(1)
    assert seen == [(1, 10.0), (3, 30.0)]


def test_pairwise_trials_show_their_two_stimuli(ready: Client, fake: Any, replies: Any) -> None:
    """A list per parameter; fixed values belong to both."""
    trials = [{"trial": 1, "config": {"level": [1.0, 2.0], "site": "left"}}]
    fake.faults.append(lambda request: replies[0](request, {"trials": trials, "finished": False}))
    trial = ready.ask()
    assert trial["level"] == [1.0, 2.0]
    assert trial.stimuli == [{"level": 1.0, "site": "left"}, {"level": 2.0, "site": "left"}]
    with pytest.raises(KeyError, match="'lvl'; it has 'level', 'site'"):
        trial["lvl"]


def test_fixed_values_reach_the_ask(ready: Client, fake: Any) -> None:
    """fixed goes along with ask and with trials()."""
    assert ready.ask(fixed={"site": "left"})["site"] == "left"
    next(iter(ready.trials(fixed={"site": "right"}, n=2)))
    assert fake.requests[-1]["message"] == {"fixed": {"site": "left"}}


def test_deadlines_reach_the_ask(ready: Client, fake: Any) -> None:
    """deadline_ms goes along with ask, trials() and update."""
    trial = ready.ask(deadline_ms=50)
    assert fake.requests[-1]["message"] == {"deadline_ms": 50}
    ready.update(trial, 1, deadline_ms=30)
    assert fake.requests[-1]["message"]["ask"] == {"deadline_ms": 30}


def test_small_requests(ready: Client) -> None:
    """hello, ping, info, get_config and finish_strategy give what the server says."""
    assert ready.hello() == {"server": "fake 0"}
    assert ready.ping() > 0
    assert ready.info()["trials"] == {"asked": 0, "pending": 0}
    assert ready.get_config("common", "parnames") == {"common": {}}
    assert ready.finish_strategy() == "init"
    ready.ask()
    assert ready.timing == {"tier": "generator"}
    assert ready.remaining == {"trials": 2}


def test_a_skipped_trial_is_no_longer_pending(ready: Client, fake: Any) -> None:
    """By the trial itself or by its number; its reason and whether it comes again go along."""
    several = ready.ask(2)
    assert isinstance(several, list)
    first, second = several
    first.skip("no response", again=True)
    assert fake.requests[-1]["message"] == {"trial": 1, "reason": "no response", "again": True}
    assert (first.skipped, first.told) == (True, False)
    assert ready.pending == [second]
    ready.skip(second.number)
    assert fake.requests[-1]["message"] == {"trial": 2}
    assert second.skipped
    with pytest.raises(TrialError):
        ready.skip(second)
    assert repr(second) == "<Trial 2: level=20.0, skipped>"


def test_a_loop_goes_on_after_a_skipped_trial(ready: Client, fake: Any) -> None:
    """Without a warning, to the end."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for trial in ready.trials():
            trial.skip(again=True)
    assert fake.kinds() == ["setup", *["ask", "skip"] * 3]


def test_a_correction_and_a_removal(ready: Client, fake: Any) -> None:
    """Another outcome for a told trial, or none; the trial has it from then on."""
    trial = ready.ask()
    trial.tell(1)
    assert ready.correct(trial, np.bool_(False)) == Corrected(trial=1, modelled=1)
    assert fake.requests[-1]["message"] == {"trial": 1, "outcome": 0}
    assert trial.outcome == 0
    assert ready.correct(1, {"seen": 1}).modelled == 1
    assert fake.requests[-1]["message"] == {"trial": 1, "outcome": {"seen": 1}}
    assert ready.correct(trial, remove=True) == Corrected(trial=1, modelled=0)
    assert fake.requests[-1]["message"] == {"trial": 1, "remove": True}
    assert trial.outcome is None
    for mistaken in ({}, {"outcome": 1, "remove": True}):
        with pytest.raises(TypeError, match="one of the two"):
            ready.correct(trial, **mistaken)


def test_a_replay_says_what_differs(ready: Client, fake: Any) -> None:
    """Of the current session, or of another by its name."""
    ready.ask()
    found = ready.replay()
    assert fake.requests[-1]["message"] == {"session": ready.session}
    assert (found.identical, found.asks) == (False, 1)
    assert found.first_difference is not None
    assert found.first_difference["seq"] == 2
    assert found.broken_chain == 2
    assert ready.replay("other", verify=False) == Replayed(identical=None, asks=1)
    assert fake.requests[-1]["message"] == {"session": "other", "verify": False}
    ready.exit()
    with pytest.raises(TypeError, match="name the session"):
        ready.replay()
