"""What can be asked without changing anything: of the model, the session, the server."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any, Optional

from fechner_client.answers import Answer, Estimate, Threshold, answer_of, thresholds_of
from fechner_client.messages import columns, drop_none, only_parameter, replay_message
from fechner_client.results import Replayed, replayed_of
from fechner_client.standing import Standing


class Queries(Standing):
    """The client's questions. Those to the model take these options:

    - ``space``: ``"probability"``, ``"latent"`` or ``"outcome"``; the server's default fits the outcome type.
    - ``outcome``: the name of the outcome, where there are several.
    - ``constraints``: for some parameters a value they have, or ``[lower, upper]``.
    - ``interval``: the credible interval's level (0.95 unless given).
    """

    def request(
        self, kind: str, message: Optional[Mapping[str, Any]] = None, *, in_session: bool = True
    ) -> dict[str, Any]:
        """Send a request and return its reply's message."""
        raise NotImplementedError

    def query(
        self,
        query: str,
        *,
        x: Optional[Mapping[str, Any]] = None,
        y: Optional[float] = None,
        parameter: Optional[str] = None,
        space: Optional[str] = None,
        outcome: Optional[str] = None,
        constraints: Optional[Mapping[str, Any]] = None,
        interval: Optional[float] = None,
    ) -> Answer:
        """Any query; the answer in columns. ``x`` holds a value or a list of values for each parameter."""
        message = drop_none(
            {
                "query": query,
                "x": None if x is None else columns(x),
                "y": y,
                "parameter": parameter,
                "space": space,
                "outcome": outcome,
                "constraints": constraints,
                "interval": interval,
            }
        )
        return answer_of(self.request("query", message))

    def max(self, **options: Any) -> Estimate:
        """Where the prediction is highest, and its value there."""
        return self.query("max", **options)[0]

    def min(self, **options: Any) -> Estimate:
        """Where the prediction is lowest, and its value there."""
        return self.query("min", **options)[0]

    def prediction(self, x: Mapping[str, Any], **options: Any) -> Answer:
        """The prediction at one place or at many: a value or a list of values for each parameter."""
        return self.query("prediction", x=x, **options)

    def inverse(self, y: float, **options: Any) -> Estimate:
        """The place whose prediction is nearest to y."""
        return self.query("inverse", y=y, **options)[0]

    def threshold(
        self,
        y: float = 0.75,
        parameter: Optional[str] = None,
        x: Optional[Mapping[str, Any]] = None,
        **options: Any,
    ) -> Threshold:
        """The value of ``parameter`` at which y is reached, with a joint credible interval.

        Args:
            y: the probability (or other outcome) to reach.
            parameter: needs no mention if it is the only one that x doesn't give.
            x: a value for each of the other parameters.
        """
        found = self.thresholds(y, parameter, x, **options)
        if len(found) != 1:
            raise ValueError(f"x holds {len(found)} places: use thresholds() for the list")
        return found[0]

    def thresholds(
        self,
        y: float = 0.75,
        parameter: Optional[str] = None,
        x: Optional[Mapping[str, Any]] = None,
        **options: Any,
    ) -> list[Threshold]:
        """The thresholds at several places: ``x`` holds lists; a single value holds for all places."""
        if parameter is None:
            parameter = only_parameter(self.request("parameters"), x or {})
        answer = self.query("threshold", y=y, parameter=parameter, x=x, **options)
        return thresholds_of(answer, parameter, y)

    def parameters(self) -> dict[str, dict[str, Any]]:
        """For each parameter its type and bounds, scale, choices or value."""
        return self.request("parameters")

    def info(self) -> dict[str, Any]:
        """Where the session stands: strategies, stage, trials asked, told and pending, model, finished."""
        return self.request("info")

    def get_config(self, section: Optional[str] = None, key: Optional[str] = None) -> dict[str, Any]:
        """The configuration as the server has it: all, one section, or one key."""
        return self.request("get_config", drop_none({"section": section, "key": key}))

    def hello(self) -> dict[str, Any]:
        """The server's name and version, the protocol versions it answers, its limits."""
        return self.request("hello", in_session=False)

    def replay(self, session: Optional[str] = None, *, verify: bool = True) -> Replayed:
        """Have the server compute every ask of a recorded session again, and compare; nothing is written.

        It takes as long as the session's own computations did: ``timeout`` holds for it too.

        Args:
            session: by name; None for the current one.
            verify: False only reads it back.
        """
        message = replay_message(session or self.session, verify)
        return replayed_of(self.request("replay", message, in_session=False))

    def ping(self) -> float:
        """Seconds for a round trip."""
        begin = time.perf_counter()
        self.request("ping", in_session=False)
        return time.perf_counter() - begin
