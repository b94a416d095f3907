"""`fechner serve`: its options are made from the one list of them (commands/serve_options.py)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import Field, fields
from enum import StrEnum
from inspect import Parameter, Signature
from typing import Annotated, Any, get_type_hints

import typer

from fechner.server import commands
from fechner.server.cli.options import Switch, allow
from fechner.server.commands.serve_options import ServeOptions
from fechner.server.protocol.limits import Limits


def option_of(field: Field[Any]) -> str:
    """The option that sets a limit, or another field of the options."""
    return "--" + field.name.replace("_", "-")


def _option(field: Field[Any], kind: Any) -> Parameter:
    """A field of the options as typer takes it from a command's signature."""
    about, default = dict(field.metadata), field.default
    if about.pop("switch", False):
        kind, default = Switch, Switch.on if default else Switch.off
    elif choices := about.pop("choices", None):
        kind, default = choices, choices(default)
    option = typer.Option(option_of(field), **about)  # without its name a flag would get an opposite
    return Parameter(field.name, Parameter.KEYWORD_ONLY, default=default, annotation=Annotated[kind, option])


def _limit(field: Field[Any]) -> Parameter:
    """A limit as typer takes it from a command's signature."""
    kind, least = (int, 1) if isinstance(field.default, int) else (float, 0.001)
    option = typer.Option(option_of(field), min=least, metavar="N", help=f"Limit: {field.metadata['of']}.")
    taken = Annotated[kind, option]  # type: ignore[valid-type]
    return Parameter(field.name, Parameter.KEYWORD_ONLY, default=field.default, annotation=taken)


def _with_options(command: Callable[[ServeOptions], None]) -> Callable[..., None]:
    """The command as typer wants it, with a parameter for each option and each limit."""
    kinds = get_type_hints(ServeOptions)
    options = [_option(field, kinds[field.name]) for field in fields(ServeOptions) if field.name != "limits"]
    limits = [_limit(field) for field in fields(Limits)]

    def given(**values: Any) -> None:
        of_limits = Limits(**{limit.name: values.pop(limit.name) for limit in limits})
        values = {name: _plain(value) for name, value in values.items()}
        command(ServeOptions(**values, limits=of_limits))

    given.__name__, given.__doc__ = command.__name__, command.__doc__
    given.__signature__ = Signature([*options, *limits])  # type: ignore[attr-defined]
    given.__annotations__ = {one.name: one.annotation for one in (*options, *limits)}
    return given


def _plain(value: Any) -> Any:
    """What an option's field holds."""
    if isinstance(value, Switch):
        return value is Switch.on
    return value.value if isinstance(value, StrEnum) else value


@_with_options
def serve(options: ServeOptions) -> None:
    """Serve experiments until Ctrl-C."""
    allow(options.allow_extensions)
    commands.serve.serve(options)
