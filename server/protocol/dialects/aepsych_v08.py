"""The AEPsych 0.8 dialect (docs/reference/wire.md, AEPsych).

A script written for AEPsych runs by changing the port.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from fechner.server.protocol.dialects.aepsych_tells import parse_trials
from fechner.server.protocol.dialects.base import Reply, Request
from fechner.server.protocol.dialects.traits import Traits
from fechner.server.protocol.errors import FechnerError
from fechner.server.protocol.jsontext import render as to_json
from fechner.server.protocol.messages import (
    Ask,
    Exit,
    FinishStrategy,
    GetConfig,
    Info,
    Message,
    Parameters,
    Query,
    Resume,
    Setup,
    Tell,
    validate,
)

#: What AEPsych's clients of all generations are used to.
HABITS = Traits(
    asks_go_on=True,
    end_optional=True,
    outcome_optional=True,
    useless_fields_pass=True,
    constraints_by_index=True,
    only_bounds=True,
    knows_record=True,
    tokenless=True,
    sessions_unnamed=True,
)


class Aepsych08:
    """Translates the 0.8 generation (0.4 and newer)."""

    name = "aepsych-0.8"
    versions: tuple[str | None, ...] = ("0.01", None)
    handlers = "aepsych-0.8"
    traits = HABITS
    ending = b""
    recall = None

    def speaks(self, value: dict[str, Any]) -> bool:
        """Who names no version, and the Unity client, which names that of an older generation."""
        version = value.get("version")
        return version is None or (version == "0.01" and "extra_info" in value)

    def parse(self, value: dict[str, Any]) -> Request:
        """A request of the 0.8 generation; a `version` key is ignored."""
        type_ = value.get("type")
        request = Request(raw=value, type=type_ if isinstance(type_, str) else "")
        try:
            if not isinstance(type_, str):
                raise FechnerError("bad_request", "a request has a `type`, a text", where="type")
            parse = _PARSE.get(type_)
            if parse is None:
                raise FechnerError(
                    "unknown_type",
                    f"there is no message type '{type_[:60]}'",
                    where="type",
                    hint=f"the types are {', '.join(_PARSE)}",
                )
            request.message = parse(value, _content(value))
        except FechnerError as error:
            request.fault = error
        return request

    def render(self, request: Request, reply: Reply) -> str:
        """The reply in the shapes of the 0.8 column."""
        if reply.error is not None:
            return to_json({"server_error": str(_in_its_words(reply.error, request)), "message": request.raw})
        return to_json(_RENDER[request.type](request, reply.message))


#: Fields that this dialect has other words for, by type.
_WORDS = {
    "ask": {"n": "num_points", "fixed": "fixed_pars"},
    "query": {"query": "query_type", "space": "probability_space"},
    "resume": {"strategy": "strat_id"},
    "get_config": {"key": "property"},
}
_QUERIES = ("max", "min", "prediction", "inverse")


def _in_its_words(error: FechnerError, request: Request) -> FechnerError:
    """The error with its place as the client knows it."""
    message, *path = error.where.split(".")
    if message != "message" or not path:
        return error
    if request.type == "tell" and path[0] == "trials":
        path = path[2:]  # a tell's trials stand in lists by key
    elif request.type == "setup" and path[0] == "config":
        path[0] = "config_str" if _content(request.raw).get("config_str") is not None else "config_dict"
    elif path[0] in _WORDS.get(request.type, {}):
        path[0] = _WORDS[request.type][path[0]]
    return FechnerError(error.code, error.detail, ".".join([message, *path]), error.hint)


def _content(value: dict[str, Any]) -> dict[str, Any]:
    """The request's message; an empty text, null or an absent one count as empty."""
    content = value.get("message")
    if content is None or content == "":
        return {}
    if not isinstance(content, dict):
        raise FechnerError("bad_request", "`message` is an object", where="message")
    return content


def parse_setup(value: dict[str, Any], content: dict[str, Any]) -> Message:
    """A setup, of any generation."""
    given = [key for key in ("config_str", "config_dict") if content.get(key) is not None]
    if len(given) != 1:
        raise FechnerError(
            "bad_value", "setup needs `config_str` or `config_dict`, one of the two", where="message"
        )
    config = content[given[0]]
    if not isinstance(config, str if given[0] == "config_str" else dict):
        raise FechnerError("bad_value", f"`{given[0]}` has a wrong type", where=f"message.{given[0]}")
    metadata = value.get("metadata") or {}
    if not isinstance(metadata, dict):
        metadata = {"metadata": metadata}
    return validate(Setup, {"config": config, "metadata": metadata})


def _parse_resume(value: dict[str, Any], content: dict[str, Any]) -> Message:
    index = content.get("strat_id")
    if isinstance(index, str) and index.isascii() and index.isdigit() and len(index) < 10:
        index = int(index)
    if not isinstance(index, int) or isinstance(index, bool):
        raise FechnerError("bad_value", "resume needs a `strat_id`, a whole number", where="message.strat_id")
    return validate(Resume, {"strategy": index})


def _parse_ask(value: dict[str, Any], content: dict[str, Any]) -> Message:
    n = content.get("num_points")
    if isinstance(n, float) and n.is_integer():
        n = int(n)
    fixed = content.get("fixed_pars")
    return validate(Ask, {"n": 1 if n is None else n, "fixed": fixed or {}})


def _parse_tell(value: dict[str, Any], content: dict[str, Any]) -> Message:
    return Tell(trials=parse_trials(content, value.get("extra_info")))


def _parse_query(value: dict[str, Any], content: dict[str, Any]) -> Message:
    kind = content.get("query_type", "max")
    if kind not in _QUERIES:
        raise FechnerError(
            "bad_value",
            f"`query_type` is 'max', 'min', 'prediction' or 'inverse', not {str(kind)[:40]!r}",
            where="message.query_type",
        )
    y = content.get("y")
    if isinstance(y, list) and len(y) < 2:
        y = y[0] if y else None
    constraints = content.get("constraints") or {}
    if not isinstance(constraints, dict):
        raise FechnerError("bad_value", "`constraints` is an object", where="message.constraints")
    return validate(
        Query,
        {
            "query": kind,
            "space": "probability" if content.get("probability_space") else "latent",
            "x": content.get("x") or None,
            "y": y,
            "constraints": constraints,
        },
    )


def _parse_get_config(value: dict[str, Any], content: dict[str, Any]) -> Message:
    section, key = content.get("section"), content.get("property")
    if (section is None) != (key is None):
        raise FechnerError("bad_value", "give both `section` and `property`, or neither", where="message")
    return validate(GetConfig, {"section": section, "key": key})


_PARSE: dict[str, Callable[[dict[str, Any], dict[str, Any]], Message]] = {
    "setup": parse_setup,
    "resume": _parse_resume,
    "ask": _parse_ask,
    "tell": _parse_tell,
    "query": _parse_query,
    "parameters": lambda value, content: Parameters(),
    "can_model": lambda value, content: Info(),
    "info": lambda value, content: Info(),
    "get_config": _parse_get_config,
    "finish_strategy": lambda value, content: FinishStrategy(),
    "exit": lambda value, content: Exit(),
}


def _render_ask(request: Request, reply: dict[str, Any]) -> dict[str, Any]:
    trials = reply["trials"]
    names = trials[0]["config"] if trials else {}
    config = {name: [trial["config"][name] for trial in trials] for name in names}
    return {"config": config, "is_finished": reply["finished"], "num_points": len(trials)}


def _render_query(request: Request, reply: dict[str, Any]) -> dict[str, Any]:
    content = _content(request.raw)
    y = reply["y"]
    return {
        "query_type": content.get("query_type", "max"),
        "probability_space": bool(content.get("probability_space")),
        "constraints": content.get("constraints") or {},
        "x": reply["x"],
        "y": y[0] if isinstance(y, list) and len(y) == 1 else y,
    }


def _render_info(request: Request, reply: dict[str, Any]) -> dict[str, Any]:
    return {
        "db_name": reply["record"],
        "exp_id": reply["session"],
        "strat_count": len(reply["strategies"]),
        "all_strat_names": reply["all_stages"],
        "current_strat_index": reply["strategy"],
        "current_strat_name": reply["stage"],
        "current_strat_data_pts": reply["data_points"],
        "current_strat_model": reply["model"] or "model not set",
        "current_strat_acqf": reply["acquisition"] or "acqf not set",
        "current_strat_finished": reply["stage_finished"],
        "current_strat_can_fit": reply["can_model"],
    }


_RENDER: dict[str, Callable[[Request, dict[str, Any]], Any]] = {
    "setup": lambda request, reply: {"strat_id": reply["strategy"]},
    "resume": lambda request, reply: {"strat_id": reply["strategy"]},
    "ask": _render_ask,
    "tell": lambda request, reply: {
        "trials_recorded": len(reply["trials"]),
        "model_data_added": reply["modelled"],
    },
    "query": _render_query,
    "parameters": lambda request, reply: reply,
    "can_model": lambda request, reply: reply,
    "info": _render_info,
    "get_config": lambda request, reply: reply,
    "finish_strategy": lambda request, reply: {
        "finished_strategy": reply["finished"],
        "finished_strat_idx": reply["strategy"],
    },
    "exit": lambda request, reply: {"termination_type": "Terminate", "success": True},
}

AEPSYCH_08 = Aepsych08()
