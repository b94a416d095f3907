"""Extensions: local files with plug-ins, run only from folders that this process was told to allow.

A file is named by a configuration, relative to the folder, and known by the SHA-256 of its bytes: what was
checked is what computes, here and in every worker, and a replay can say that the file is another one now.
"""

from __future__ import annotations

import hashlib
import os
import sys
import threading
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

from fechner.strategies.config.tables.entries import Entry
from fechner.strategies.errors import ConfigError, FechnerError
from fechner.strategies.plugins.declare import Plugin, PluginError, entry_of
from fechner.strategies.plugins.light import fault, light
from fechner.strategies.specification import Extension

#: Where a changed extension is at fault.
PLACE = "config.common.extensions"

_allowed: list[Path] = []
_loaded: dict[str, dict[str, Plugin]] = {}
_turn = threading.RLock()


def allow(directory: str | os.PathLike[str]) -> None:
    """Let configurations of this process run extensions that lie in a folder.

    Raises:
        PluginError: there is no such folder.
    """
    folder = Path(directory).resolve()
    if not folder.is_dir():
        raise PluginError(f"there is no folder {directory}")
    if folder not in _allowed:
        _allowed.append(folder)


def forbid() -> None:
    """Allow no folder any more."""
    _allowed.clear()


@dataclass(frozen=True)
class Loaded:
    """An extension that was run, and its classes by name."""

    extension: Extension
    entries: dict[str, Entry]


def load(name: str) -> Loaded:
    """Run the extension that a configuration names.

    Raises:
        PluginError: it isn't allowed, isn't there, or can't be run; the text says which.
    """
    path = _find(name)
    try:
        data = path.read_bytes()
    except OSError as error:
        raise PluginError(f"can't be read: {error.strerror}") from error
    sha256 = hashlib.sha256(data).hexdigest()
    reference = f"file:{sha256}:{path}"
    plugins = _run(data, path, sha256)
    entries = {one: entry_of(plugin, reference) for one, plugin in plugins.items()}
    return Loaded(Extension(name, str(path), sha256), entries)


def again(place: str, name: str) -> Plugin:
    """The plug-in `name` of an extension that was checked before, perhaps in another process.

    Raises:
        FechnerError: bad_config: the file is gone, or another one.
    """
    sha256, _, path = place.partition(":")
    if sha256 not in _loaded:
        try:
            data = Path(path).read_bytes()
        except OSError as error:
            raise changed(Path(path).name, sha256, "can't be read") from error
        if hashlib.sha256(data).hexdigest() != sha256:
            raise changed(Path(path).name, sha256)
        _run(data, Path(path), sha256)
    return _loaded[sha256][name]


def changed(file: str, sha256: str, what: str = "was changed since") -> FechnerError:
    """That an extension isn't the one with which a session was set up."""
    return FechnerError(
        "bad_config",
        f"the extension {file}, with which the session was set up, {what}",
        PLACE,
        f"put the file with the SHA-256 {sha256[:16]}… back, or set another session up",
    )


def at_fault(error: Exception) -> bool:
    """Whether a plug-in that is gone, changed or not allowed keeps a session from being read back."""
    if isinstance(error, ConfigError):
        return any(one.code in _MISSED for one in error.problems)
    return isinstance(error, FechnerError) and error.where == PLACE


#: Codes of problems that a configuration has where its plug-ins are missing.
_MISSED = ("extension_refused", "plugin_refused", "unknown_name")


def _find(name: str) -> Path:
    """The file that a name means, inside an allowed folder after links are followed."""
    if not _allowed:
        raise PluginError(
            "extensions are not allowed here: start with --allow-extensions DIR, the folder that holds them"
        )
    given = Path(name)
    if ".." in given.parts or not name.isprintable():
        raise PluginError("must be a file's name without '..'")
    folders = ", ".join(str(folder) for folder in _allowed)
    for folder in _allowed:
        path = (folder / given).resolve()
        if path.is_relative_to(folder) and path.is_file():
            if path.suffix != ".py":
                raise PluginError("is no Python file: its name must end in .py")
            return path
    if any((folder / given).exists() for folder in _allowed):
        raise PluginError(f"lies outside the folder of extensions, {folders}")
    raise PluginError(f"there is no such file in the folder of extensions, {folders}")


def _run(data: bytes, path: Path, sha256: str) -> dict[str, Plugin]:
    """The plug-ins of a file by name; its bytes are run once in a process."""
    with _turn:
        if sha256 in _loaded:
            return _loaded[sha256]
        module = ModuleType(f"fechner_extension_{sha256[:16]}", f"The extension {path}.")
        module.__file__ = str(path)
        sys.modules[module.__name__] = module
        try:
            with light():
                exec(compile(data, str(path), "exec"), module.__dict__)
            plugins = _declared(module.__dict__.get("PLUGINS"))
        except PluginError:
            del sys.modules[module.__name__]
            raise
        except BaseException as error:
            del sys.modules[module.__name__]
            if isinstance(error, KeyboardInterrupt):
                raise
            raise PluginError(f"can't be run: {fault(error, str(path))}") from error
        _loaded[sha256] = plugins
        return plugins


def _declared(given: Any) -> dict[str, Plugin]:
    if not isinstance(given, list | tuple) or not given:
        raise PluginError("declares nothing: it needs PLUGINS = [...], a list of plug-ins")
    plugins: dict[str, Plugin] = {}
    for plugin in given:
        entry_of(plugin, "")
        if plugin.name in plugins:
            raise PluginError(f"declares {plugin.name} twice")
        plugins[plugin.name] = plugin
    return plugins
