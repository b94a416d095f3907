"""Sessions of AEPsych's files as sessions of the record: a setup, then every trial as told.

A configuration that is valid here sets the session up, so that it can be resumed. Another one stays on record
as it is, and a stand-in made from the data takes its place: the session can be listed, shown, exported and
replayed, but its only stage is finished.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from pydantic import ValidationError

from fechner.database.aepsych.sessions import Event, ForeignSession
from fechner.database.aepsych.shapes import config_of
from fechner.database.form.change_parts import Described, ToldTrial
from fechner.database.form.changes import (
    Change,
    FinishStrategyChange,
    ResumeChange,
    SetupChange,
)
from fechner.database.form.message import Entry, to_json
from fechner.server.importing.stand_in import stand_in
from fechner.server.importing.values import convert, outcome_by_name, response_time, unwrap
from fechner.server.protocol.dialects.aepsych_tells import parse_trials
from fechner.server.protocol.errors import FechnerError
from fechner.server.protocol.messages import Told
from fechner.strategies.config import check
from fechner.strategies.errors import ConfigError
from fechner.strategies.numerics.randomness import key
from fechner.strategies.space.outcomes import clean_outcome
from fechner.strategies.space.parameters import Space, space
from fechner.strategies.specification import Specification

DIALECT = "import-aepsych"
#: Types of the messages that close an imported session; they stand for nothing in the file.
CLOSING = ("finish_strategy", "exit")

Changes = Mapping[str, Change | None]


@dataclass
class _Strategy:
    """A setup that was met: its specification, and whether that stands in for another configuration."""

    index: int
    specification: Specification
    space: Space
    stands_in: bool


@dataclass
class Imported:
    """The entries of a session, how many trials they tell, and what couldn't be done, in words."""

    entries: list[Entry] = field(default_factory=list)
    n_trials: int = 0
    notes: list[str] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)


def entries(session: ForeignSession, now: datetime, recorded: Changes | None = None) -> Imported:
    """What goes on record for a session, always the same for the same file.

    Args:
        session: as read from the file.
        now: the time of what has none.
        recorded: of a session on record already, the changes of its messages by their ids; setups then stay
            as they are.
    """
    return _Importer(session, now, recorded or {}).run()


class _Importer:
    def __init__(self, session: ForeignSession, now: datetime, recorded: Changes) -> None:
        self.session, self.recorded = session, recorded
        self.strategies: list[_Strategy] = []
        self.current = 0
        self.at = next((event.at for event in session.events if event.at is not None), now)
        self.not_modelled = 0
        self.result = Imported(refused=list(session.refused))

    def run(self) -> Imported:
        told = [self._parse(event) for event in self.session.events]
        events = list(zip(self.session.events, told, strict=True))
        if any(told) and (not events or events[0][0].type != "setup"):
            events.insert(0, (Event("no setup", self.at, "setup", None), []))
        for i, (event, trials) in enumerate(events):
            self.at = event.at or self.at
            if event.type == "setup":
                later = next(
                    (j for j in range(i + 1, len(events)) if events[j][0].type == "setup"), len(events)
                )
                # Trials up to the next setup; a resume may bring more, rarely.
                self._setup(event, [one for _, of_one in events[i + 1 : later] for one in of_one])
            elif event.type == "resume":
                self._resume(event)
            elif trials:
                self._tell(event, trials)
        self._end()
        return self.result

    def _parse(self, event: Event) -> list[Told]:
        try:
            if event.type == "trial":
                extra = event.content["extra"]
                return [Told(**event.content, response_time=response_time(extra))]
            if event.type == "tell":
                contents = event.content if isinstance(event.content, list) else [event.content]
                return [
                    one.model_copy(update={"response_time": one.response_time or response_time(one.extra)})
                    for content in contents
                    for one in parse_trials(content if isinstance(content, dict) else {}, event.extra)
                ]
        except (FechnerError, ValidationError) as error:
            self.result.refused.append(f"{event.key}: {error}")
        return []

    def _put(self, event_key: str, type_: str, source: Any, change: Change, reply: Any) -> None:
        warnings = reply.pop("warnings", [])
        answer: dict[str, Any] = {"type": type_, "ok": True, "message": reply}
        if warnings:
            answer["warnings"] = [{"code": "imported", "detail": text} for text in warnings]
        self.result.entries.append(
            Entry(
                session=self.session.id,
                client_id=event_key,
                dialect=DIALECT,
                type=type_,
                request=to_json({"type": type_, "message": source}),
                reply=to_json(answer),
                ok=True,
                received_at=self.at,
                duration_ms=0.0,
                change=change,
            )
        )

    def _setup(self, event: Event, trials: list[Told]) -> None:
        index = len(self.strategies)
        given = config_of(event.content)
        before = self.recorded.get(event.key)
        config, warnings, stands_in = given, [], False
        if before is not None and before["type"] == "setup":
            config, stands_in = before["config"], bool(before.get("stand_in"))
        else:
            try:
                if given is None:
                    raise ConfigError(())
                check(given, no_end="warning")
            except ConfigError as error:
                why = "there is no configuration" if given is None else _words(error)
                config, stands_in = stand_in(trials), True
                warnings.append(f"{why}; the session can be exported and replayed, not continued")
                self.result.notes.append(f"{event.key}: {warnings[0]}")
        assert config is not None
        specification = check(config, no_end="warning")
        strategy = _Strategy(index, specification, space(specification.parameters), stands_in)
        self.strategies.append(strategy)
        self.current = index
        outcomes: list[Described] = [{"name": one.name, "type": one.type} for one in specification.outcomes]
        stages = [stage.name for stage in specification.stages]
        seed = specification.seed if specification.seed is not None else key(0, self.session.id, index)
        session, metadata = self.session, specification.metadata
        change: SetupChange = {
            "type": "setup",
            "strategy": index,
            "name": session.name or metadata.get("experiment_name"),
            "participant": session.participant or metadata.get("participant_id"),
            "description": session.description or metadata.get("experiment_description"),
            "metadata": {**metadata, **session.metadata},
            "config": config,
            "no_end": "warning",
            "seed": seed,
            "stages": stages,
            "outcomes": outcomes,
            "parameters": [{"name": p.name, "type": p.type} for p in specification.parameters],
        }
        if stands_in:
            change["stand_in"], change["given_config"] = True, given
        reply = {"session": session.id, "strategy": index, "stages": stages, "warnings": warnings}
        source = {"content": event.content, "extra_info": event.extra}
        self._put(event.key, "setup", source, change, reply)

    def _resume(self, event: Event) -> None:
        wanted = event.content.get("strat_id") if isinstance(event.content, dict) else None
        index = int(wanted) if isinstance(wanted, str) and wanted.isdecimal() and len(wanted) < 6 else wanted
        if not isinstance(index, int) or not 0 <= index < len(self.strategies):
            self.result.notes.append(f"{event.key}: resumes a strategy that isn't there, left out")
            return
        self.current = index
        change: ResumeChange = {"type": "resume", "strategy": index}
        self._put(event.key, "resume", event.content, change, {"strategy": index})

    def _tell(self, event: Event, trials: list[Told]) -> None:
        rows = [self._row(one, self.result.n_trials + i) for i, one in enumerate(trials, start=1)]
        self.result.n_trials += len(rows)
        source = {"content": event.content, "extra_info": event.extra}
        reply = {"trials": [row["trial"] for row in rows], "modelled": sum(r["model_data"] for r in rows)}
        self._put(event.key, "tell", source, {"type": "tell", "trials": rows}, reply)

    def _row(self, told: Told, number: int) -> ToldTrial:
        """A trial as the record keeps it; one that the configuration doesn't allow isn't modelled."""
        strategy = self.strategies[self.current]
        specification = strategy.specification
        config: dict[str, Any] = {
            name: convert(unwrap(value), specification, name) for name, value in (told.config or {}).items()
        }
        outcome = outcome_by_name(told.outcome, specification)
        modelled, extra = told.model_data and outcome is not None, dict(told.extra)
        try:
            config = strategy.space.validate(config, specification.stimuli_per_trial, "config")
            if outcome is not None:
                outcome = clean_outcome(specification, outcome, "outcome")
        except FechnerError as error:
            if modelled:
                extra["not_modelled"] = str(error)
                self.not_modelled += 1
            modelled = False
        return {
            "trial": number,
            "strategy": strategy.index,
            "asked": False,
            "stage": None,
            "config": config or None,
            "shown": None,
            "outcome": outcome,
            "model_data": modelled,
            "response_time": told.response_time,
            "confidence": None,
            "client_time": None,
            "extra": extra,
        }

    def _end(self) -> None:
        """Stages of stand-ins are finished; the session has ended."""
        if not self.result.entries:
            return
        for strategy in self.strategies:
            name = f"finish {strategy.index}"
            if strategy.stands_in and name not in self.recorded:
                stage = strategy.specification.stages[0].name
                change: FinishStrategyChange = {
                    "type": "finish_strategy",
                    "strategy": strategy.index,
                    "stage": stage,
                }
                self._put(name, "finish_strategy", {}, change, {"finished": stage})
        if self.not_modelled:
            why = "not modelled, since the configuration doesn't allow them; extra.not_modelled says why"
            self.result.notes.append(f"{self.not_modelled} of its trials are {why}")
        last = self.result.entries[-1].client_id
        self._put(
            f"end after {last}", "exit", {}, {"type": "exit"}, {"trials": {"told": self.result.n_trials}}
        )


def _words(error: ConfigError) -> str:
    count = len(error.problems)
    more = f" and {count - 1} more" if count > 1 else ""
    return f"the configuration can't be used here ({error.problems[0]}{more})"
