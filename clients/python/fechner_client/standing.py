"""What a client knows without asking: the session, the trials in hand, whether the experiment is finished."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from typing import Any, Callable, Optional

from fechner_client.progress import Progress
from fechner_client.talk import Talk
from fechner_client.trial import Trial


class Standing:
    """Where an experiment stands, as of the last reply.

    Args:
        where: the server's address, for errors.
        token: what is shown to the server, if anything.
        timeout, retry_for: as in Client.
        make_trial: a trial from its number and its config.
    """

    def __init__(
        self,
        where: str,
        token: Optional[str],
        timeout: Optional[float],
        retry_for: float,
        make_trial: Callable[[int, Mapping[str, Any]], Trial],
    ) -> None:
        self._progress = Progress(make_trial)
        self._talk = Talk(where, token, timeout, retry_for, self._progress.apply, time.monotonic, _new_id)

    @property
    def session(self) -> Optional[str]:
        """The current session's name; None before setup or resume and after exit."""
        return self._talk.session

    @property
    def pending(self) -> list[Trial]:
        """The trials handed out in this session and not told, oldest first."""
        return self._progress.pending

    @property
    def stage(self) -> Optional[str]:
        """The stage that the last ask came from."""
        return self._progress.stage

    @property
    def finished(self) -> bool:
        """Whether nothing more is needed after the trials handed out."""
        return self._progress.finished

    @property
    def reason(self) -> Optional[str]:
        """The rule that finished the experiment; None before."""
        return self._progress.reason

    @property
    def remaining(self) -> dict[str, Any]:
        """What is left, as far as the server can count it, for instance ``{"trials": 12}``."""
        return self._progress.remaining

    @property
    def timing(self) -> dict[str, Any]:
        """What the last reply said about its time, for instance ``compute_ms`` and ``tier``."""
        return self._talk.timing

    @property
    def timeout(self) -> Optional[float]:
        """Seconds to wait for a reply; None waits for ever."""
        return self._talk.timeout

    @timeout.setter
    def timeout(self, seconds: Optional[float]) -> None:
        self._talk.timeout = seconds


def _new_id() -> str:
    return os.urandom(16).hex()
