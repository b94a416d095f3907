"""Modules that are imported late: what only some uses of a record need, so that the others begin at once.

`pd = Lazy("pandas")` stands at a module's top, beside the true import under `TYPE_CHECKING`. (What
`strategies` has of the same kind is out of reach: neither package imports the other.)
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import import_module
from types import ModuleType
from typing import Any


class Lazy(ModuleType):
    """Stands for the module of a name, which is imported when one of its names is first wanted."""

    def __getattr__(self, name: str) -> Any:
        return getattr(import_module(self.__name__), name)


def homes(package: str, modules: Mapping[str, str]) -> Callable[[str], Any]:
    """The `__getattr__` of a package that hands names on, each from its module when it is first wanted.

    Args:
        package: its name.
        modules: by name, the module within the package.
    """

    def __getattr__(name: str) -> Any:
        try:
            home = import_module(f"{package}.{modules[name]}")
        except KeyError:
            raise AttributeError(f"module {package!r} has no attribute {name!r}") from None
        return getattr(home, name)

    return __getattr__
