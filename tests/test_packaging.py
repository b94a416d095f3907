"""What is installed from the distributions is whole."""

from __future__ import annotations

import shutil
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
FOLDERS = ("server", "strategies", "database")


def build(source: Path, to: Path) -> Path:
    """The wheel of a source tree."""
    command = [sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "-w", str(to), str(source)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    (wheel,) = to.glob("*.whl")
    return wheel


def run(where: Path, program: str) -> str:
    """A program's output, with what `where` holds and without the repository (whose .pth -S leaves out)."""
    paths = [str(where), sysconfig.get_path("purelib"), sysconfig.get_path("platlib")]
    lines = f"import sys; sys.path[:0] = {paths!r}\n{program}"
    done = subprocess.run([sys.executable, "-S", "-c", lines], capture_output=True, text=True, cwd=where)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@pytest.mark.long
def test_the_server_s_wheel_has_every_module_and_works(tmp_path: Path) -> None:
    """All modules, migrations and py.typed; it says its version and makes a record."""
    source = tmp_path / "source"
    for folder in FOLDERS:
        shutil.copytree(ROOT / folder, source / folder, ignore=shutil.ignore_patterns("__pycache__"))
    for file in ("setup.py", "pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / file, source)
    installed = tmp_path / "installed"
    with zipfile.ZipFile(build(source, tmp_path / "wheels")) as wheel:
        found = {one for one in wheel.namelist() if one.startswith("fechner/")}
        wheel.extractall(installed)
    wanted = [*(f for folder in FOLDERS for f in (source / folder).rglob("*.py"))]
    wanted += [source / folder / "py.typed" for folder in FOLDERS]
    assert found == {f"fechner/{file.relative_to(source).as_posix()}" for file in wanted}

    version = "import sys; sys.argv[1:] = ['--version']\nfrom fechner.server.cli import main; main()"
    assert run(installed, version) == "fechner 0.1.0"
    record = "from fechner.database.record import Record\nwith Record.open('a.db') as r: print(r.sessions())"
    assert run(installed, record) == "[]"
    migration = (
        "import fechner.database.keeping.schema as schema\n"
        "print(any(schema.MIGRATIONS.glob('versions/0001*.py')))"
    )
    assert run(installed, migration) == "True"


@pytest.mark.long
def test_the_client_s_wheel_has_every_module(tmp_path: Path) -> None:
    """All modules and py.typed; it imports alone."""
    source, installed = tmp_path / "source", tmp_path / "installed"
    ignored = shutil.ignore_patterns("__pycache__", "*.egg-info", "build")
    shutil.copytree(ROOT / "clients" / "python", source, ignore=ignored)
    with zipfile.ZipFile(build(source, tmp_path / "wheels")) as wheel:
        found = {one for one in wheel.namelist() if one.startswith("fechner_client/")}
        wheel.extractall(installed)
    wanted = {file.relative_to(source).as_posix() for file in source.glob("fechner_client/*.py")}
    assert found == {*wanted, "fechner_client/py.typed"}
    assert run(installed, "import fechner_client; print(fechner_client.Client.__name__)") == "Client"
