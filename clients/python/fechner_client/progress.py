"""Where an experiment stands, as the replies tell: the trials in hand, the stage, whether it is finished."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Callable, Optional

from fechner_client.errors import Finished, error_of, warn
from fechner_client.trial import Trial


@dataclass(frozen=True)
class Resumed:
    """A session, taken up again.

    Attributes:
        session: its name.
        strategy: the current strategy.
        trials: how many were asked, told, pending.
        pending: the trials handed out and not told; ``client.trials()`` hands them out first.
    """

    session: str
    strategy: int
    trials: dict[str, int]
    pending: list[Trial]


class Progress:
    """Follows the replies, also those to requests that were settled later than they were made.

    Args:
        make_trial: a trial from its number and its config.
    """

    def __init__(self, make_trial: Callable[[int, Mapping[str, Any]], Trial]) -> None:
        self._make_trial = make_trial
        self._session: Optional[str] = None
        self._pending: dict[int, Trial] = {}
        self.stage: Optional[str] = None
        self.finished = False
        self.reason: Optional[str] = None
        self.remaining: dict[str, Any] = {}

    @property
    def pending(self) -> list[Trial]:
        """The trials handed out and not told, oldest first."""
        return [trial for _, trial in sorted(self._pending.items())]

    def apply(
        self, kind: str, message: Mapping[str, Any], reply: Mapping[str, Any], session: Optional[str]
    ) -> None:
        """Take a reply in, and the session that is current since."""
        if kind == "setup":
            self._begin(str(reply.get("session") or session))
        elif kind == "resume":
            self._begin(str(reply.get("session") or session))
            known, self._pending = self._pending, {}
            for entry in reply.get("pending", []):
                trial = known.get(entry["trial"]) or self._make_trial(entry["trial"], entry["config"])
                self._pending[trial.number] = trial
        elif kind == "ask":
            self._asked(reply)
        elif kind == "tell":
            self._told(message, reply)
        elif kind == "update":
            self._told(message["tell"], reply.get("tell", {}))
            self._asked(reply.get("ask", {}))
        elif kind == "skip":
            self._skipped(message)
        elif kind == "exit":
            self._begin(None)

    def asked_trials(self, reply: Mapping[str, Any]) -> list[Trial]:
        """The trials of an ask's reply (taken in before); raises Finished if there are none."""
        numbers = [entry["trial"] for entry in reply.get("trials", [])]
        if not numbers:
            reason = f": {self.reason}" if self.reason else ""
            raise Finished(
                "finished", f"the experiment is finished{reason}", hint="beyond=True asks for more"
            )
        return [self._pending[number] for number in numbers]

    def next_trial(self, reply: Mapping[str, Any]) -> Trial:
        """The trial of an update's reply (taken in before); raises its error, or Finished."""
        for part in ("tell", "ask"):
            if "error" in reply[part]:
                raise error_of(reply[part]["error"])
        return self.asked_trials(reply["ask"])[0]

    def _begin(self, session: Optional[str]) -> None:
        if session is None or session != self._session:
            self._pending = {}
        self._session = session
        self.stage, self.finished, self.reason, self.remaining = None, False, None, {}

    def _asked(self, reply: Mapping[str, Any]) -> None:
        if "error" in reply:
            return
        for entry in reply.get("trials", []):
            self._pending[entry["trial"]] = self._make_trial(entry["trial"], entry["config"])
        self.stage = reply.get("stage", self.stage)
        self.finished = bool(reply.get("finished", False))
        self.reason = reply.get("reason")
        self.remaining = dict(reply.get("remaining") or {})

    def _skipped(self, message: Mapping[str, Any]) -> None:
        trial = self._pending.pop(message["trial"], None)
        if trial is not None:
            trial.skipped = True

    def _told(self, message: Mapping[str, Any], reply: Mapping[str, Any]) -> None:
        outcomes = [tell.get("outcome") for tell in message.get("trials", [message])]
        for number, outcome in zip(reply.get("trials", []), outcomes):  # noqa: B905 (not in Python 3.9)
            trial = self._pending.pop(number, None)
            if trial is not None:
                trial.told = True
                trial.outcome = outcome


class Presenter:
    """Hands out the trials of one loop; warns once if the loop's body leaves one open."""

    def __init__(self) -> None:
        self._warned = False

    def present(self, trials: Iterable[Trial]) -> Iterator[Trial]:
        """Those still open, one by one."""
        for trial in trials:
            if trial.told or trial.skipped:
                continue
            yield trial
            if not (trial.told or trial.skipped or self._warned):
                self._warned = True
                warn(f"trial {trial.number} was not told: it stays pending")


def resumed_of(message: Mapping[str, Any], session: Optional[str], pending: list[Trial]) -> Resumed:
    """A resume's reply."""
    return Resumed(
        session=session or "",
        strategy=int(message.get("strategy", 0)),
        trials=dict(message.get("trials", {})),
        pending=pending,
    )
