"""Modules that are imported when something of them is first wanted, so that a process begins at once.

A module that needs another one only at times says so at its top:

    if TYPE_CHECKING:
        import fechner.database.record as records
    else:
        records = Lazy("fechner.database.record")

and a package that hands on names of its modules has `__getattr__ = homes(__name__, {"Record": "record"})`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import import_module
from types import ModuleType
from typing import Any


class Lazy(ModuleType):
    """A module that is imported when something of it is first wanted; any number of threads may want it.

    Args:
        name: of the module, in full.
    """

    def __getattr__(self, name: str) -> Any:
        return getattr(import_module(self.__name__), name)


def homes(package: str, modules: Mapping[str, str]) -> Callable[[str], Any]:
    """A package's `__getattr__`: each name is imported from its module when it is first asked for.

    Args:
        package: its name.
        modules: where each name is at home, named from the package on; a name may be that of the module.

    Raises:
        AttributeError: (by what is returned) the package has no such name.
    """

    def __getattr__(name: str) -> Any:
        if name not in modules:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        home = import_module(f"{package}.{modules[name]}")
        return home if modules[name].rpartition(".")[2] == name else getattr(home, name)

    return __getattr__
