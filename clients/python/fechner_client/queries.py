"""What can be asked without changing anything: of the model, the session, the server."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any, Optional

from fechner_client.answers import Answer, Estimate, Threshold, answer_of, thresholds_of
from fechner_client.messages import columns, given


class Queries:
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
        message = given(
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
            parameter = self._only_parameter(x or {})
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
        return self.request("get_config", given({"section": section, "key": key}))

    def hello(self) -> dict[str, Any]:
        """The server's name and version, the protocol versions it answers, its limits."""
        return self.request("hello", in_session=False)

    def ping(self) -> float:
        """Seconds for a round trip."""
        begin = time.perf_counter()
        self.request("ping", in_session=False)
        return time.perf_counter() - begin

    def _only_parameter(self, x: Mapping[str, Any]) -> str:
        parameters = self.request("parameters")
        names = [name for name, about in parameters.items() if about["type"] != "fixed" and name not in x]
        if len(names) != 1:
            which = "none is left" if not names else f"parameter= or values in x for all but one of {names}"
            raise ValueError(f"the threshold of which parameter? {which}")
        return names[0]
