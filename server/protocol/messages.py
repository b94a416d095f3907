"""The core's messages: what every dialect translates requests into, and what handlers are given.

Replies travel as plain dicts in the form of docs/reference/wire.md, Messages; other dialects translate them.

`validate` puts pydantic's faults into the protocol's words. Of a union pydantic tells what each branch
wanted, and clients have come to know the first one's; a model that tells the branches apart by itself would
have other faults.
"""

from __future__ import annotations

import difflib
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StrictBool, StrictInt, StrictStr, ValidationError

from fechner.server.protocol.errors import FechnerError

Number = Annotated[float, Field(strict=True, allow_inf_nan=False)]
Text = Annotated[StrictStr, Field(max_length=65536)]
Seed = Annotated[StrictInt, Field(ge=0, lt=2**63)]
Count = Annotated[StrictInt, Field(ge=1)]
Index = Annotated[StrictInt, Field(ge=0, lt=2**31)]


class Message(BaseModel):
    """Base of the core's messages: frozen, strict, no further fields."""

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)


class Hello(Message):
    """Who is there, which versions, which limits."""


class Status(Message):
    """The server at a glance."""


class Ping(Message):
    """Are you there."""


class Auth(Message):
    """Show a token: who is it."""

    token: Text


class Shutdown(Message):
    """Stop the server."""


class Setup(Message):
    """Set up a strategy."""

    config: StrictStr | dict[str, Any]
    name: Text | None = None
    participant: Text | None = None
    description: Text | None = None
    seed: Seed | None = None
    metadata: dict[str, Any] = Field(default_factory=dict)


class Ask(Message):
    """Which trial next; `beyond` asks on after the rules are met."""

    n: Count = 1
    fixed: dict[str, Any] = Field(default_factory=dict)
    deadline_ms: Number | None = None
    beyond: StrictBool = False


class Told(Message):
    """One trial's outcome: of a trial by number, or at a config."""

    trial: Count | None = None
    config: dict[str, Any] | None = None
    outcome: Any = None
    model_data: StrictBool = True
    shown: dict[str, Any] | None = None
    response_time: Number | None = None
    confidence: Number | None = None
    client_time: Number | Text | None = None
    extra: dict[str, Any] = Field(default_factory=dict)


class Tell(Told):
    """One outcome, or many in `trials` (all or nothing)."""

    trials: list[Told] | None = None


class Update(Message):
    """A tell and an ask in one round trip."""

    tell: Tell
    ask: Ask = Ask()


class Begin(Message):
    """A setup and the first ask in one round trip."""

    setup: Setup
    ask: Ask = Ask()


class Skip(Message):
    """Close a pending trial without outcome; `again` queues the same point."""

    trial: Count
    reason: Text | None = None
    again: StrictBool = False


class Correct(Message):
    """Another outcome for a told trial, or none (`remove`)."""

    trial: Count
    outcome: Any = None
    remove: StrictBool = False


class Replay(Message):
    """Recompute the asks of a session on record and compare."""

    session: Text
    verify: StrictBool = True


class Query(Message):
    """A question to the model."""

    query: Literal["max", "min", "prediction", "inverse", "threshold"]
    space: Literal["probability", "latent", "outcome"] | None = None
    outcome: Text | None = None
    x: dict[str, Any] | None = None
    y: Number | None = None
    parameter: Text | None = None
    constraints: dict[str, Any] = Field(default_factory=dict)
    interval: Annotated[float, Field(strict=True, gt=0, lt=1)] = 0.95


class Parameters(Message):
    """The search space."""


class Info(Message):
    """The session at a glance."""


class GetConfig(Message):
    """The configuration, one section of it, or one key."""

    section: Text | None = None
    key: Text | None = None


class FinishStrategy(Message):
    """End the current stage."""


class Resume(Message):
    """Go on with a strategy, or with a session on record."""

    strategy: Index | None = None
    session: Text | None = None
    observe: StrictBool = False


class Exit(Message):
    """End the session."""


def validate(kind: type[Message], content: Any, where: str = "message") -> Message:
    """`content` as a message.

    Raises:
        FechnerError: unknown_field or bad_value, naming the first fault's place.
    """
    try:
        return kind.model_validate(_short(kind, content))
    except ValidationError as error:
        faults = error.errors(include_url=False)
        fault = next((f for f in faults if f["type"] == "extra_forbidden"), faults[0])
        # Inside a union pydantic names the branch it tried; that is no place in the message.
        *outer, last = fault["loc"] or ("",)
        named = fault["type"] in ("extra_forbidden", "missing")  # then the last part is a field's name
        place = [part for part in outer if not _is_branch(part)]
        place += [last] if named or not (_is_branch(last) or last == "") else []
        path = ".".join([where, *map(str, place)])
        if fault["type"] == "extra_forbidden":
            name = str(place[-1])
            known = _fields_at(kind, place[:-1])
            near = difflib.get_close_matches(name, known, 1)
            raise FechnerError(
                "unknown_field",
                f"'{name[:60]}' is no field here",
                where=path[:300],
                hint=f"did you mean '{near[0]}'?" if near else f"the fields are {', '.join(known) or 'none'}",
            ) from None
        if fault["type"] == "missing":
            raise FechnerError("bad_value", f"'{place[-1]}' is missing", where=path) from None
        shown = repr(fault["input"])
        shown = shown if len(shown) <= 60 else shown[:57] + "…"
        text = _WANTED.get(fault["type"], str(fault["msg"])).format(**fault.get("ctx", {}))
        raise FechnerError(
            "bad_value", f"{text[:1].lower()}{text[1:]}, not {shown}", where=path[:300]
        ) from None


def _short(kind: type[Message], content: Any) -> Any:
    """An object without all but the first of the fields that it shouldn't have: pydantic looks at each."""
    if not isinstance(content, dict):
        return content
    known = kind.model_fields
    if len(content) > len(known) + 1:
        first = next(key for key in content if key not in known)
        content = {key: value for key, value in content.items() if key in known or key == first}
    for field, inner in _INNER.get(kind, ()):
        found = content.get(field)
        if isinstance(found, list):
            content = {**content, field: [_short(inner, one) for one in found]}
        elif found is not None:
            content = {**content, field: _short(inner, found)}
    return content


#: Fields that hold messages, or lists of them.
_INNER: dict[type[Message], tuple[tuple[str, type[Message]], ...]] = {
    Update: (("tell", Tell), ("ask", Ask)),
    Tell: (("trials", Told),),
}

#: What pydantic's faults mean in this protocol's words.
_WANTED = {
    "model_type": "must be an object",
    "dict_type": "must be an object",
    "list_type": "must be a list",
    "int_type": "must be a whole number",
    "float_type": "must be a number",
    "finite_number": "must be a finite number",
    "string_type": "must be a text",
    "bool_type": "must be true or false",
    "greater_than": "must be greater than {gt:g}",
    "greater_than_equal": "must be at least {ge}",
    "less_than": "must be less than {lt:.19g}",
    "string_too_long": "must be at most {max_length} characters long",
    "literal_error": "must be {expected}",
}
_BRANCHES = {
    "str",
    "int",
    "float",
    "bool",
    "dict[str,any]",
    "list[Told]",
    "constrained-str",
    "constrained-float",
}


def _is_branch(part: int | str) -> bool:
    return isinstance(part, str) and (part in _BRANCHES or "[" in part)


def _fields_at(kind: type[Message], place: list[int | str]) -> list[str]:
    """The fields of the message nested at `place` inside `kind`."""
    for part in place:
        kind = dict(_INNER.get(kind, ())).get(str(part), kind)
    return list(kind.model_fields)
