"""Imports point one way, the listening process stays light, and nothing has two names."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import fechner.database
import fechner.server
import fechner.strategies
import fechner_client

FOLDERS = {
    name: Path(str(package.__file__)).parent
    for name, package in {
        "fechner.server": fechner.server,
        "fechner.strategies": fechner.strategies,
        "fechner.database": fechner.database,
        "fechner_client": fechner_client,
    }.items()
}

#: What each package may import of ours.
ALLOWED = {
    "fechner.server": {"fechner.server", "fechner.strategies", "fechner.database"},
    "fechner.strategies": {"fechner.strategies"},
    "fechner.database": {"fechner.database"},
    "fechner_client": {"fechner_client"},
}


def imports(path: Path) -> Iterator[str]:
    """The modules that a file imports, anywhere in it."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield "." * node.level + (node.module or "")


@pytest.mark.parametrize("package", FOLDERS)
def test_imports_point_one_way(package: str) -> None:
    """The server imports strategies and database; those, and the client, import none of the others."""
    wrong = []
    for path in FOLDERS[package].rglob("*.py"):
        for name in imports(path):
            ours = next((other for other in FOLDERS if name == other or name.startswith(f"{other}.")), None)
            if ours is not None and ours not in ALLOWED[package]:
                wrong.append(f"{path.relative_to(FOLDERS[package])} imports {name}")
    assert wrong == []


@pytest.mark.parametrize("package", ["fechner.server", "fechner.strategies", "fechner.database"])
def test_imports_are_absolute(package: str) -> None:
    """From `fechner…`, so that nothing is imported under two names."""
    top = {"server", "strategies", "database", "clients"}
    for path in FOLDERS[package].rglob("*.py"):
        for name in imports(path):
            assert not name.startswith("."), path
            assert name.split(".")[0] not in top, path
            assert name != "fechner", path


def test_the_client_needs_the_standard_library_only() -> None:
    """And pyzmq where ZMQ is asked for."""
    for path in FOLDERS["fechner_client"].rglob("*.py"):
        for name in imports(path):
            head = name.split(".")[0]
            assert head in sys.stdlib_module_names or head in ("fechner_client", "zmq"), (path, name)


def modules_after(code: str) -> set[str]:
    """The modules that a fresh interpreter has loaded after `code`."""
    script = f"{code}\nimport sys\nprint('\\n'.join(sys.modules))"
    result = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    return set(result.stdout.split())


HEAVY = {"torch", "botorch", "gpytorch", "scipy", "pandas", "matplotlib", "sklearn"}


@pytest.mark.parametrize(
    ("module", "also"),
    [
        ("fechner.server", {"numpy", "sqlalchemy", "pydantic"}),
        ("fechner.strategies", {"numpy"}),
        ("fechner.strategies.config", {"numpy"}),
        ("fechner.database.record", {"alembic"}),
        ("fechner.server.cli", {"numpy", "sqlalchemy", "asyncio", "zmq"}),
        ("fechner.server.engine.engine", {"sqlalchemy", "zmq", "asyncio"}),
        ("fechner.server.shell.worker", {"numpy", "sqlalchemy", "pydantic", "zmq", "asyncio"}),
        (
            "fechner.server.shell.loop",
            {"sqlalchemy", "alembic", "zmq", "rich", "prometheus_client", "logging.handlers"},
        ),
    ],
)
def test_what_an_import_does_not_load(module: str, also: set[str]) -> None:
    """The listening process is there at once: what is heavy is loaded when it is needed, if at all."""
    loaded = modules_after(f"import {module}")
    assert loaded & (HEAVY | also) == set()


def test_a_served_space_filling_session_loads_no_model_library() -> None:
    """Setup, ask, tell, parameters, info: none of them computes with a model."""
    code = """
from fechner.server import Server
config = "[common]\\nparnames=[p]\\noutcome_types=[binary]\\nstrategy_names=[i]\\n"
config += "[p]\\npar_type=continuous\\nlower_bound=0\\nupper_bound=1\\n"
config += "[i]\\ngenerator=SobolGenerator\\nmin_asks=2\\n"
with Server() as server:
    channel = server.connect()
    for type_, message in [("setup", {"config": config}), ("ask", {}), ("tell", {"trial": 1, "outcome": 1}),
                           ("parameters", {}), ("info", {}), ("exit", {})]:
        assert channel.request({"version": "1", "type": type_, "message": message})["ok"]
"""
    assert modules_after(code) & {"torch", "botorch", "gpytorch", "pandas", "matplotlib"} == set()


def test_nothing_is_imported_under_two_names() -> None:
    """No file of ours is loaded twice."""
    code = """
import sys, pkgutil, importlib
import fechner.server, fechner.strategies, fechner.database
for package in (fechner.server, fechner.strategies, fechner.database):
    for found in pkgutil.walk_packages(package.__path__, package.__name__ + "."):
        if not found.name.endswith(("migrations.env", ".worker")) and ".versions." not in found.name:
            importlib.import_module(found.name)
files = {}
for name, module in list(sys.modules.items()):
    file = getattr(module, "__file__", None)
    if file and name.split(".")[0] in ("fechner", "server", "strategies", "database"):
        files.setdefault(file, set()).add(name)
twice = {file: names for file, names in files.items() if len(names) > 1}
assert not twice, twice
"""
    assert "fechner.server.engine.engine" in modules_after(code)
