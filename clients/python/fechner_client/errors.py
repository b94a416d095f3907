"""What can go wrong, as exceptions: what the server refuses (one class per family of codes) and what never
reached it. All are ``FechnerError``, so that one ``except`` catches everything from here.
"""

from __future__ import annotations

import os
import sys
import warnings
from collections.abc import Mapping
from typing import Any

_PACKAGE = os.path.dirname(os.path.abspath(__file__))


class FechnerError(Exception):
    """Something that was asked for did not happen.

    Attributes:
        code: a short stable name, for instance ``"out_of_bounds"``.
        detail: what is wrong, for a person.
        where: the place in the request, for instance ``"message.config.frequency"``; may be empty.
        hint: what would be right; may be empty.
        more: whatever else the server's error said.
    """

    def __init__(
        self,
        code: str,
        detail: str,
        where: str = "",
        hint: str = "",
        more: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail
        self.where = where
        self.hint = hint
        self.more: dict[str, Any] = dict(more or {})

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.code, self.detail, self.where, self.hint, self.more)

    def __str__(self) -> str:
        place = f" (at {self.where})" if self.where else ""
        hint = f"; {self.hint}" if self.hint else ""
        return f"{self.detail}{place}{hint} [{self.code}]"


class FechnerWarning(UserWarning):
    """Something that was done, but is doubtful: an unknown key in a configuration, say."""


class RequestError(FechnerError):
    """The request has the wrong form: too large, an unknown field, a value of the wrong type."""


class ValueRefused(RequestError):
    """A parameter or outcome the experiment doesn't have, or a value outside its range."""


class ConfigError(FechnerError):
    """The configuration can't be used; ``problems`` lists everything that is wrong with it."""

    @property
    def problems(self) -> list[dict[str, Any]]:
        """Each problem: section, key, value, detail, hint (as far as the server named them)."""
        return [
            dict(problem) if isinstance(problem, Mapping) else {"detail": str(problem)}
            for problem in self.more.get("problems") or []
        ]

    def __str__(self) -> str:
        lines = [_problem_line(problem) for problem in self.problems]
        if not lines:
            return super().__str__()
        count = f"{len(lines)} problem{'s' if len(lines) != 1 else ''}"
        return "\n  ".join([f"the configuration has {count} [{self.code}]:", *lines])


class SessionError(FechnerError):
    """No session is set up, the named one doesn't exist, or another connection holds it."""


class TrialError(FechnerError):
    """No such strategy or trial, or the trial was told already."""


class ModelError(FechnerError):
    """The current stage has no model, or its model has no data yet."""


class Refused(FechnerError):
    """The server may not or can't do it now: unauthorized, a limit, read only, storage failed."""


class ServerFault(FechnerError):
    """A fault inside the server; its detail names the incident that the server's log explains."""


class ConnectionFailed(FechnerError, ConnectionError):
    """No connection to the server, for longer than ``retry_for``. Making the same call again goes on with
    the same request: it has no second effect if the server had recorded it.
    """


class Timeout(FechnerError, TimeoutError):
    """No reply within ``timeout``. Making the same call again goes on waiting for the same request."""


class ProtocolError(FechnerError):
    """What answered doesn't speak version 1 of Fechner's protocol."""


class Finished(FechnerError):
    """The experiment is finished: there are no more trials. ``detail`` holds the reason."""


_FAMILIES: tuple[tuple[type[FechnerError], str], ...] = (
    (
        RequestError,
        "bad_json too_large too_deep bad_request unknown_type unknown_version unknown_field bad_value",
    ),
    (ValueRefused, "unknown_parameter out_of_bounds bad_outcome"),
    (ConfigError, "bad_config"),
    (SessionError, "no_session unknown_session session_busy"),
    (TrialError, "no_strategy unknown_strategy unknown_trial trial_already_told"),
    (ModelError, "no_model not_enough_data"),
    (Refused, "unauthorized id_reused limit_reached read_only shutting_down storage_failed"),
    (ServerFault, "internal"),
)
_CLASSES = {code: family for family, codes in _FAMILIES for code in codes.split()}


def error_of(error: Any) -> FechnerError:
    """The exception for the ``error`` of a reply; for an unknown code a plain FechnerError."""
    if not isinstance(error, Mapping):
        return ProtocolError("protocol", f"the server's error has the wrong form: {error!r}")
    code = str(error.get("code", "unknown"))
    more = {key: value for key, value in error.items() if key not in ("code", "detail", "where", "hint")}
    return _CLASSES.get(code, FechnerError)(
        code,
        str(error.get("detail") or code),
        str(error.get("where") or ""),
        str(error.get("hint") or ""),
        more,
    )


def warn(text: str) -> None:
    """Warn at the line of the experiment that made the call, not at one in here."""
    frame = sys._getframe(1)
    level = 2
    while frame.f_back is not None and os.path.dirname(os.path.abspath(frame.f_code.co_filename)) == _PACKAGE:
        frame = frame.f_back
        level += 1
    warnings.warn(text, FechnerWarning, stacklevel=level)


def _problem_line(problem: Mapping[str, Any]) -> str:
    place = f"[{problem['section']}] " if problem.get("section") else ""
    if problem.get("key"):
        value = f" = {problem['value']}" if problem.get("value") not in (None, "") else ""
        place += f"{problem['key']}{value}"
    hint = f" ({problem['hint']})" if problem.get("hint") else ""
    return f"{place.strip()}{': ' if place else ''}{problem.get('detail', '')}{hint}"
