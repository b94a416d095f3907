"""A blocking driver of a talk: does what each step says, over a channel that it opens as it is told."""

from __future__ import annotations

import threading
import time
from typing import Callable, Optional, TypeVar

from fechner_client.channel import Broken, Channel, NoHost, NotTrusted, Slow
from fechner_client.steps import Open, Outcome, Send, Steps, Wait
from fechner_client.talk import Talk

_T = TypeVar("_T")


def pause(seconds: float) -> None:
    """Wait between two attempts."""
    time.sleep(seconds)


class Connection:
    """The way to one place; callers from several threads take turns."""

    def __init__(self, open_channel: Callable[[float], Channel], talk: Talk) -> None:
        self._open_channel = open_channel
        self._talk = talk
        self._channel: Optional[Channel] = None
        self._lock = threading.RLock()

    def run(self, steps: Steps[_T]) -> _T:
        """Take the steps to their end: what they return; raises what they raise."""
        outcome: Outcome = None
        with self._lock:
            while True:
                try:
                    action = steps.send(outcome)
                except StopIteration as end:
                    result: _T = end.value
                    return result
                if isinstance(action, Send):
                    outcome = self._send(action)
                    continue
                outcome = None
                if isinstance(action, Open):
                    outcome = self._open(action)
                elif isinstance(action, Wait):
                    pause(action.seconds)
                else:
                    self.close()

    def close(self) -> None:
        """Let go of the channel; the next request opens another."""
        channel, self._channel = self._channel, None
        self._talk.forget_channel()
        if channel is not None:
            channel.close()

    def _open(self, action: Open) -> Outcome:
        self.close()
        try:
            self._channel = self._open_channel(action.timeout)
        except (NoHost, NotTrusted, OSError) as fault:
            return fault
        return None

    def _send(self, action: Send) -> Outcome:
        channel = self._channel
        if channel is None:
            return Broken("it was closed from here")
        try:
            return channel.request(action.request, action.timeout)
        except (Broken, Slow) as fault:
            return fault
        except BaseException:
            # Interrupted between two bytes: what this channel says next can't be trusted.
            self.close()
            raise
