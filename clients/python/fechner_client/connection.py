"""A connection that comes back: connect with retry, and the same bytes again after a break."""

from __future__ import annotations

import socket
import ssl
import time
from typing import Any, Callable, Optional

from fechner_client.channel import Broken, Channel, Slow
from fechner_client.errors import ConnectionFailed, Timeout, error_of

_PAUSES = (0.02, 0.05, 0.1, 0.2, 0.4)
_CONNECT_TIMEOUT = 5.0


def pause(seconds: float) -> None:
    """Wait between two attempts."""
    time.sleep(seconds)


class Connection:
    """Opens channels to one place as needed.

    Attributes:
        opened: how often a channel was opened so far.
        timeout: seconds to wait for a reply; None waits for ever.
        retry_for: seconds to go on trying when no connection can be had.
    """

    def __init__(
        self, open_channel: Callable[[float], Channel], where: str, timeout: Optional[float], retry_for: float
    ) -> None:
        self._open_channel = open_channel
        self._where = where
        self._channel: Optional[Channel] = None
        self.timeout = timeout
        self.retry_for = retry_for
        self.opened = 0

    def open(self) -> None:
        """Connect, trying for ``retry_for`` seconds."""
        if self._channel is None:
            self._open(Attempts(self.retry_for))

    def close(self) -> None:
        """Let go of the channel; the next request opens another."""
        channel, self._channel = self._channel, None
        if channel is not None:
            channel.close()

    def exchange(self, request: dict[str, Any]) -> dict[str, Any]:
        """The reply to a request, which must have no second effect when it is sent again."""
        attempts: Optional[Attempts] = None
        while True:
            try:
                channel = self._open(attempts or Attempts(self.retry_for))
                reply = channel.request(request, self.timeout)
            except Slow:
                raise Timeout(
                    "timeout",
                    f"no reply to {request['type']} from {self._where} within {self.timeout:g} s",
                    hint="make the same call again to go on waiting, or raise client.timeout",
                ) from None
            except Broken as fault:
                self.close()
                attempts = attempts or Attempts(self.retry_for)
                if not attempts.another():
                    raise self._failed(str(fault)) from fault
            except BaseException:
                # Interrupted between two bytes: what this channel says next can't be trusted.
                self.close()
                raise
            else:
                if reply["ok"] or (reply.get("error") or {}).get("code") != "shutting_down":
                    return reply
                self.close()
                attempts = attempts or Attempts(self.retry_for)
                if not attempts.another():
                    raise error_of(reply["error"])

    def _open(self, attempts: Attempts) -> Channel:
        while self._channel is None:
            try:
                self._channel = self._open_channel(_CONNECT_TIMEOUT)
                self.opened += 1
            except socket.gaierror as fault:
                raise self._failed(f"the host name is not known ({fault})") from fault
            except ssl.SSLCertVerificationError as fault:
                raise ConnectionFailed(
                    "connection_failed",
                    f"{self._where} is not who it should be: {fault.verify_message}",
                    hint="tls= takes the server's certificate, whose name must be the one connected to",
                ) from fault
            except Broken as fault:  # before it had answered a token
                if not attempts.another():
                    raise self._failed(f"{fault}, as one that wants tls= would") from fault
            except Slow as fault:
                raise self._failed("what listens there does not answer; does it want tls=?") from fault
            except OSError as fault:
                if not attempts.another():
                    raise self._failed(str(fault)) from fault
        return self._channel

    def _failed(self, fault: str) -> ConnectionFailed:
        return ConnectionFailed(
            "connection_failed",
            f"no connection to {self._where} for {self.retry_for:g} s: {fault}",
            hint="is `fechner serve` running there?",
        )


class Attempts:
    """Paces the attempts during one outage and ends them."""

    def __init__(self, retry_for: float) -> None:
        self._until = time.monotonic() + retry_for
        self._made = 0

    def another(self) -> bool:
        """Wait a little and say True, or False when the time is over."""
        left = self._until - time.monotonic()
        if left <= 0:
            return False
        pause(min(_PAUSES[min(self._made, len(_PAUSES) - 1)], left))
        self._made += 1
        return True
