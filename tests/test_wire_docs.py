"""The published page of the wire is what the code does: types, fields, codes, limits, dialects, reply shapes.

Read from docs/reference/wire.md alone; what servers really reply comes from the golden transcripts.
"""

from __future__ import annotations

import importlib.util
import json
import re
import sys
import types
import typing
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from fechner.server.protocol.dialects import AEPSYCH_01, AEPSYCH_08, DIALECTS, VERSIONS, choose
from fechner.server.protocol.errors import CODES, FechnerError
from fechner.server.protocol.kinds import MESSAGES
from fechner.server.protocol.limits import Limits
from fechner.server.session.handlers.hello import hello
from fechner.server.session.handlers.registry import HANDLERS, load
from fechner.strategies.space.parameters import Parameter, space

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "reference" / "wire.md").read_text("utf-8")
#: Types that no handler has: the engine answers them, or makes two of them.
ELSEWHERE = {"hello", "ping", "status", "auth", "update", "replay", "shutdown"}


def tables(text: str) -> list[tuple[list[str], list[list[str]]]]:
    """Every table of a page: its titles and its rows; an escaped bar is no border."""
    found: list[tuple[list[str], list[list[str]]]] = []
    inside = False
    for line in text.splitlines():
        if not line.startswith("|"):
            inside = False
            continue
        cells = [cell.strip().replace("\\|", "|") for cell in re.split(r"(?<!\\)\|", line)[1:-1]]
        if not inside:
            found.append((cells, []))
            inside = True
        elif set("".join(cells)) != {"-"}:
            found[-1][1].append(cells)
    return found


def table(*titles: str, behind: str = "") -> list[list[str]]:
    """The rows of the first table of these titles, behind a text."""
    assert behind in PAGE
    for has, rows in tables(PAGE[PAGE.index(behind) :]):
        if has == list(titles):
            return rows
    raise AssertionError(f"docs/reference/wire.md has no table {titles}")


def code(cell: str) -> str:
    """What stands in a cell as code."""
    found = re.match(r"`([^`]*)`", cell)
    return found[1] if found else ""


def keys(shape: str) -> set[str]:
    """The outermost keys of an object as the page writes it, `{"a":1,"b":[{"c"}]}`."""
    depth, found, before = 0, set(), ""
    for token in re.findall(r'"[^"]*"|[^\s"]', shape):
        if depth == 1 and before in ("{", ",") and token.startswith('"'):
            found.add(token[1:-1])
        depth += {"{": 1, "[": 1, "}": -1, "]": -1}.get(token, 0)
        before = token
    return found


@pytest.fixture(scope="module")
def golden() -> Any:
    """The golden transcripts' module."""
    file = ROOT / "tests" / "golden" / "transcripts.py"
    spec = importlib.util.spec_from_file_location("golden_transcripts_for_docs", file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def said(golden: Any, family: str) -> Iterator[tuple[dict[str, Any], str]]:
    """Requests of a golden transcript with the texts of their replies."""
    for transcript in golden.transcripts():
        if transcript.name.endswith(f"/{family}"):
            for step in transcript.steps:
                try:
                    request = json.loads(golden.plain(step["in"]))
                except ValueError:
                    continue
                if "out" in step and isinstance(request, dict):
                    yield request, golden.plain(step["out"])


def test_the_types_are_those_with_a_handler() -> None:
    """In both tables of messages, in the registry, and in what `hello` lists."""
    load()
    handled = {type_ for type_, version in HANDLERS if version == "1"}
    assert handled | ELSEWHERE == set(MESSAGES)
    assert sorted(row[0] for row in table("type", "does", "reply")) == sorted(MESSAGES)
    assert {code(row[0]) for row in table("type", "field", "takes", "default")} == set(MESSAGES)
    assert {code(row[0]) for row in table("type", "field", "what")} == set(MESSAGES)
    assert set(MESSAGES) <= set(hello("fechner", Limits())["capabilities"])


def test_the_request_fields_are_those_of_the_messages() -> None:
    """Each field with what it takes and what it is if it is left out."""
    documented = [
        (code(type_), code(field), takes, default)
        for type_, field, takes, default in table("type", "field", "takes", "default")
    ]
    assert documented == [row for type_, message in MESSAGES.items() for row in _fields(type_, message)]


def _fields(type_: str, message: type[BaseModel]) -> list[tuple[str, str, str, str]]:
    rows = []
    for name, info in message.model_fields.items():
        if info.is_required():
            default = "required"
        else:
            value = info.get_default(call_default_factory=True)
            empty = value == {} or isinstance(value, BaseModel)
            default = "-" if value is None else "`{}`" if empty else f"`{json.dumps(value)}`"
        rows.append((type_, name, _takes(info.annotation), default))
    return rows or [(type_, "", "", "")]


def _takes(annotation: Any) -> str:
    origin, inside = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is typing.Annotated:
        return _takes(inside[0])
    if origin is typing.Literal:
        return ", ".join(f"`{word}`" for word in inside)
    if origin in (types.UnionType, typing.Union):
        return " or ".join(dict.fromkeys(_takes(one) for one in inside if one is not type(None)))
    if origin is list:
        return "list of objects"
    words = {str: "text", int: "whole number", float: "number", bool: "true or false", Any: "anything"}
    return words.get(annotation, "object")


def test_the_reply_fields_are_those_that_are_sent(golden: Any) -> None:
    """Every ok reply of version 1 on a transcript has the fields of its type, and no others."""
    wanted: dict[str, set[str]] = {}
    perhaps: dict[str, set[str]] = {}
    by_name = set()
    for type_, field, what in table("type", "field", "what"):
        name = code(type_)
        wanted.setdefault(name, set())
        if field == "by name":
            by_name.add(name)
        elif field:
            optional = "where there is" in what or "where a stage has" in what or what.startswith("for ")
            (perhaps if optional else wanted).setdefault(name, set()).add(code(field))
    seen = set()
    for request, text in said(golden, "native-1"):
        reply = json.loads(text)
        if reply["ok"]:
            type_ = reply["type"]
            seen.add(type_)
            has = set(reply["message"])
            if type_ in by_name:
                continue
            assert wanted[type_] <= has, request
            assert has <= wanted[type_] | perhaps.get(type_, set()), request
    # Only an admin's token shuts down; a status is no two times the same, see test_status.py.
    assert seen == set(wanted) - {"status", "shutdown"}


def test_a_parameter_s_keys_are_those_that_are_sent() -> None:
    """Of all types together, with everything that can be configured about one."""
    kinds: list[Any] = [
        Parameter("a", "continuous", 0.0, 1.0, scale="log", step=0.5, unit="dB"),
        Parameter("b", "categorical", choices=("left", "right")),
        Parameter("c", "fixed", value=1),
    ]
    sent = {key for about in space(kinds).describe().values() for key in about}
    row = next(row for row in table("type", "field", "what") if row[0] == "`parameters`")
    assert keys(code(row[2])) == sent


def test_the_codes_are_those_of_the_server() -> None:
    """With the words of the code itself."""
    rows = table("code", "raised when", behind="## Codes")
    assert {code(name): meaning for name, meaning in rows} == CODES
    assert len(rows) == len(CODES)


def test_the_limits_are_those_of_the_server() -> None:
    """Names and values."""
    rows = table("limit", "default", "set by", "of what", behind="## Limits")
    documented = {code(row[0]): float(row[1].replace(",", "")) for row in rows}
    assert documented == Limits().as_message()


def test_the_dialect_is_chosen_as_the_page_says() -> None:
    """Each example of a first request; every dialect has one, and so has the error."""
    results = set()
    for example, dialect, _ in table("first request", "dialect", "who sends it"):
        value = json.loads(code(example))
        try:
            chosen = next(name for name, one in DIALECTS.items() if one is choose(value))
        except FechnerError as error:
            chosen = error.code
        named = re.search(r"`([^`]+)`", dialect)
        assert named is not None
        assert named[1] == chosen, example
        results.add(chosen)
    assert results == {*DIALECTS, "unknown_version"}
    for name in DIALECTS:
        assert f"`--dialect {name}`" in PAGE
        assert choose({"version": "0.01"}, name) is DIALECTS[name]
    assert f'"versions":{json.dumps(VERSIONS, separators=(",", ":"))}' in PAGE


def test_the_types_of_aepsych_08_are_documented_with_their_replies(golden: Any) -> None:
    """Each type that is handled has a row, with the keys that its ok replies have on transcripts."""
    load()
    rows = {code(row[0]) or row[0]: row[2] for row in table("type", "message", "reply")}
    handled = {type_ for type_, version in HANDLERS if version == AEPSYCH_08.handlers}
    assert set(rows) == {*handled, "an error"}
    seen = set()
    for family in ("0.8-python", "0.8-unity"):
        for request, text in said(golden, family):
            reply, type_ = json.loads(text), request.get("type")
            if type_ not in rows or "server_error" in reply:
                assert "error" in reply or set(reply) == keys(code(rows["an error"])), text
                continue
            seen.add(type_)
            if type_ not in ("parameters", "get_config"):  # their keys are the experimenter's
                assert set(reply) == keys(code(rows[type_])), text
    assert seen == handled


def test_the_types_of_aepsych_01_are_documented_with_their_replies(golden: Any) -> None:
    """Rows are what the dialect takes; bare words and shapes are those of the transcripts."""
    rows = table("type", "message", "reply", 'reply to `"version":"0.01"`')
    documented = {code(row[0]) or row[0]: row[2:] for row in rows}
    known = {*MESSAGES, *(type_ for type_, _ in HANDLERS)}
    taken = set()
    for type_ in known:
        fault = AEPSYCH_01.parse({"type": type_}).fault
        if fault is None or fault.code != "unknown_type":
            taken.add(type_)
    assert set(documented) == {*taken, "an error"}
    for family, column in (
        ("0.1-python-unversioned", 0),
        ("0.1-python-versioned", 1),
        ("0.1-matlab", 1),
    ):
        for request, text in said(golden, family):
            if text != "bad request":
                assert _is_of(text, documented[request["type"]][column], documented[request["type"]][0]), text
    assert code(documented["an error"][0]) == code(documented["an error"][1]) == "bad request"


def _is_of(text: str, cell: str, unversioned: str) -> bool:
    """Whether a reply is of a cell's shape."""
    if cell == "the same":
        cell = unversioned
    example = re.search(r"`(\{.*?\})`", cell)
    if example is not None:
        names = keys(example[1])
        return set(json.loads(text)) == ({"p", "q"} if names == {"p"} else names)  # the parameters
    if code(cell) == "0":
        return text.isdigit()
    return text == code(cell) if code(cell) else isinstance(json.loads(text), dict)
