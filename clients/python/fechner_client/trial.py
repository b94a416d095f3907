"""One trial: what to present, and the place to say what came of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Optional, Protocol, Union

from fechner_client.results import Told

#: A number, a level, or a value for each outcome by its name.
Outcome = Union[bool, int, float, str, Mapping[str, Any]]


class Teller(Protocol):
    """Who brings a trial's outcome to the server: the client that handed the trial out."""

    def tell(
        self,
        trial: Trial,
        outcome: Outcome,
        *,
        model_data: bool = True,
        shown: Optional[Mapping[str, Any]] = None,
        response_time: Optional[float] = None,
        confidence: Optional[float] = None,
        client_time: Union[float, str, None] = None,
        extra: Optional[Mapping[str, Any]] = None,
    ) -> Told: ...

    def skip(self, trial: Trial, reason: Optional[str] = None, *, again: bool = False) -> None: ...


class Trial:
    """A trial that the server handed out; ``trial["frequency"]`` is what to present.

    Attributes:
        number: counted from 1 in the session.
        config: a value for each parameter; a list of two where two stimuli are compared.
        told: whether its outcome is on record.
        skipped: whether it was closed without an outcome.
        outcome: the outcome told here; None before, or if another program told it.
        response_time: in seconds; set it and ``tell`` sends it along. Nothing is measured by itself.
    """

    def __init__(self, client: Teller, number: int, config: Mapping[str, Any]) -> None:
        self._client = client
        self.number = number
        self.config: dict[str, Any] = dict(config)
        self.told = False
        self.skipped = False
        self.outcome: Optional[Outcome] = None
        self.response_time: Optional[float] = None

    def __getitem__(self, name: str) -> Any:
        try:
            return self.config[name]
        except KeyError:
            known = ", ".join(map(repr, self.config))
            raise KeyError(f"trial {self.number} has no parameter {name!r}; it has {known}") from None

    @property
    def stimuli(self) -> list[dict[str, Any]]:
        """The stimuli one by one (one, or two where two are compared), each a value for each parameter."""
        count = max((len(value) for value in self.config.values() if isinstance(value, list)), default=1)
        return [
            {name: value[i] if isinstance(value, list) else value for name, value in self.config.items()}
            for i in range(count)
        ]

    def tell(
        self,
        outcome: Outcome,
        *,
        model_data: bool = True,
        shown: Optional[Mapping[str, Any]] = None,
        response_time: Optional[float] = None,
        confidence: Optional[float] = None,
        client_time: Union[float, str, None] = None,
        extra: Optional[Mapping[str, Any]] = None,
    ) -> Told:
        """Tell this trial's outcome; it is on record when this returns. Options as in Client.tell."""
        return self._client.tell(
            self,
            outcome,
            model_data=model_data,
            shown=shown,
            response_time=response_time,
            confidence=confidence,
            client_time=client_time,
            extra=extra,
        )

    def skip(self, reason: Optional[str] = None, *, again: bool = False) -> None:
        """Close this trial without an outcome. Arguments as in Client.skip."""
        self._client.skip(self, reason, again=again)

    def __repr__(self) -> str:
        values = ", ".join(f"{name}={value!r}" for name, value in self.config.items())
        outcome = f" -> {self.outcome!r}" if self.told else ", skipped" if self.skipped else ""
        return f"<Trial {self.number}: {values}{outcome}>"
