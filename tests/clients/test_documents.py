"""The client's README and reference are true, and the package keeps its promises."""

from __future__ import annotations

import ast
import functools
import inspect
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import fechner_client

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "clients" / "python" / "fechner_client"
README = ROOT / "clients" / "python" / "README.md"
REFERENCE = ROOT / "docs" / "reference" / "python-client.md"


def blocks(document: Path, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", document.read_text("utf-8"), re.M | re.S)


@pytest.mark.parametrize("document", [README, REFERENCE], ids=["README", "reference"])
def test_the_examples_run_as_written(
    document: Path, fake: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every Python block, in order, in one program; only the port is another."""
    fake.trials = 20
    monkeypatch.chdir(tmp_path)
    (tmp_path / "pilot.ini").write_text(blocks(README, "ini")[0], encoding="utf-8")
    monkeypatch.setattr(fechner_client, "Client", functools.partial(fechner_client.Client, port=fake.port))
    names: dict[str, Any] = {"server": fake}
    for block in blocks(document, "python"):
        exec(compile(block, str(document), "exec"), names)


def test_the_reference_names_everything_public() -> None:
    """Each exported name, each method and option of Client and Trial."""
    text = REFERENCE.read_text("utf-8")
    wanted = set(fechner_client.__all__)
    for owner in (fechner_client.Client, fechner_client.Trial):
        for name, member in inspect.getmembers(owner):
            if name.startswith("_") and name != "__init__":
                continue
            wanted |= {name} - {"__init__"}
            if inspect.isfunction(member):
                wanted |= set(inspect.signature(member).parameters) - {"self", "options"}
    assert [name for name in sorted(wanted) if not re.search(rf"\b{name}\b", text)] == []


@pytest.mark.parametrize("module", sorted(PACKAGE.glob("*.py")), ids=lambda path: path.stem)
def test_modules_are_python_3_9(module: Path) -> None:
    """They parse as 3.9, and annotations are never evaluated."""
    tree = ast.parse(module.read_text("utf-8"), feature_version=(3, 9))
    imports = [node.module for node in tree.body if isinstance(node, ast.ImportFrom)]
    assert module.stem == "__init__" or "__future__" in imports


def test_importing_the_client_imports_the_standard_library_only() -> None:
    """No numpy, no zmq, nothing of the server."""
    program = (
        "import sys, fechner_client; "
        "print(sorted({n.split('.')[0] for n in sys.modules} - set(sys.stdlib_module_names)))"
    )
    clean = [
        sys.executable,
        "-S",
        "-c",
        f"import sys; sys.path.insert(0, {str(PACKAGE.parent)!r}); {program}",
    ]
    found = subprocess.run(clean, capture_output=True, text=True, check=True).stdout
    assert set(ast.literal_eval(found)) <= {"__main__", "fechner_client"}
