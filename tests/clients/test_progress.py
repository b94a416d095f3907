"""Where an experiment stands, as the replies tell."""

from __future__ import annotations

import warnings
from typing import Any

import pytest

from fechner_client.errors import FechnerWarning, Finished, RequestError
from fechner_client.progress import Presenter, Progress
from fechner_client.results import Told
from fechner_client.trial import Trial


class Nobody:
    """Tells nothing."""

    def tell(self, trial: Trial, outcome: Any, **_: Any) -> Told:
        raise AssertionError

    def skip(self, trial: Trial, reason: str | None = None, *, again: bool = False) -> None:
        raise AssertionError


def trial_of(number: int, config: Any = None) -> Trial:
    return Trial(Nobody(), number, config or {"level": 1.0})


def entry(number: int) -> dict[str, Any]:
    return {"trial": number, "config": {"level": float(number)}}


def test_trials_come_and_go_with_the_replies() -> None:
    """Asked, told, skipped; a session resumed keeps the trials it knows; another begins anew."""
    progress = Progress(trial_of)
    progress.apply("setup", {}, {}, "s")
    progress.apply("ask", {"n": 3}, {"trials": [entry(1), entry(2), entry(3)], "stage": "init"}, "s")
    first, second, third = progress.pending
    progress.apply("tell", {"trial": 1, "outcome": 1}, {"trials": [1]}, "s")
    progress.apply("skip", {"trial": 2}, {}, "s")
    assert (first.told, first.outcome, second.skipped) == (True, 1, True)
    assert progress.pending == [third]
    progress.apply("resume", {}, {"session": "s", "pending": [entry(3), entry(4)]}, "s")
    assert progress.pending[0] is third
    assert [trial.number for trial in progress.pending] == [3, 4]
    progress.apply("setup", {}, {}, "s")
    assert len(progress.pending) == 2
    progress.apply("setup", {}, {"session": "t"}, "t")
    assert progress.pending == []


def test_an_update_gives_its_errors_in_order() -> None:
    """The tell's, then the ask's, then that there is no more."""
    progress = Progress(trial_of)
    tell, ask = {"trials": [1]}, {"trials": [entry(2)]}
    bad = {"error": {"code": "bad_value", "detail": "so"}}
    for reply in ({"tell": bad, "ask": ask}, {"tell": tell, "ask": bad}):
        with pytest.raises(RequestError):
            progress.next_trial(reply)
    with pytest.raises(Finished):
        progress.next_trial({"tell": tell, "ask": {"trials": []}})
    message = {"tell": {"trial": 1, "outcome": 0}, "ask": {}}
    progress.apply("update", message, {"tell": tell, "ask": ask}, "s")
    assert progress.next_trial({"tell": tell, "ask": ask}) is progress.pending[0]


def test_a_loop_presents_what_is_open() -> None:
    """One warning for the first trial left open, none for those closed, also over several rounds."""
    trials = [trial_of(number) for number in range(1, 7)]
    trials[0].told = trials[1].skipped = True
    presenter = Presenter()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for trial in presenter.present(trials[:3]):
            trial.told = True
    with pytest.warns(FechnerWarning, match="trial 4 was not told") as caught:
        presented = [*presenter.present(trials[3:5]), *presenter.present(trials[5:])]
    assert presented == trials[3:]
    assert len(caught) == 1
