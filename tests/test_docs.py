"""The documentation is complete and true: it names what there is, and what it shows works."""

from __future__ import annotations

import functools
import json
import re
import shlex
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer

import fechner_client
from fechner.database.form.change_parts import PARTS
from fechner.database.form.changes import CHANGES
from fechner.server.cli import app
from fechner.server.protocol.dialects import DIALECTS
from fechner.server.protocol.errors import CODES
from fechner.server.protocol.kinds import MESSAGES
from fechner.server.protocol.limits import Limits
from fechner.strategies.config import check
from fechner.strategies.config.tables.keys import COMMON_KEYS, METADATA_KEYS, PARAMETER_KEYS, STAGE_KEYS
from fechner.strategies.config.tables.registry import CLASSES, OLDER_CLASSES

ROOT = Path(__file__).parents[1]
REFERENCE = ROOT / "docs" / "reference"
CLIENT = ROOT / "clients" / "python" / "README.md"
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), CLIENT])
COMMANDS: dict[str, Any] = typer.main.get_command(app).commands  # type: ignore[attr-defined]


def name(page: Path) -> str:
    return str(page.relative_to(ROOT))


def blocks(page: Path, language: str) -> list[str]:
    """The fenced blocks of a language, also indented ones."""
    found = re.findall(rf"^( *)```{language}\n(.*?)^ *```", page.read_text("utf-8"), re.M | re.S)
    return [re.sub(rf"^{indent}", "", text, flags=re.M) for indent, text in found]


def with_blocks(language: str) -> list[Any]:
    return [pytest.param(page, id=name(page)) for page in PAGES if blocks(page, language)]


def unmentioned(page: str, names: Any) -> list[str]:
    """The names that a page of the reference doesn't show as code."""
    text = (REFERENCE / page).read_text("utf-8")
    return [
        one for one in names if not re.search(rf"`[^`\n]*(?<![\w.-]){re.escape(one)}(?![\w-])[^`\n]*`", text)
    ]


def test_every_command_and_option_is_documented() -> None:
    """docs/reference/cli.md has a heading for each command and names each option below it."""
    text = (REFERENCE / "cli.md").read_text("utf-8")
    parts = dict(re.findall(r"^## `fechner (\w[\w-]*)(.*?)(?=^## )", text + "\n## ", re.M | re.S))
    assert sorted(parts) == sorted(COMMANDS)
    for command, one in COMMANDS.items():
        for option in one.params:
            wanted = option.opts[0] if option.opts[0].startswith("-") else option.metavar
            assert f"`{wanted}" in parts[command], f"fechner {command} {wanted}"


def test_every_error_code_is_documented() -> None:
    """docs/reference/errors.md has them all."""
    assert unmentioned("errors.md", CODES) == []


def test_every_limit_is_documented() -> None:
    """docs/reference/limits.md has them all."""
    assert unmentioned("limits.md", Limits().as_message()) == []


def test_every_message_and_dialect_is_documented() -> None:
    """docs/reference/wire.md has the message types with their fields, and what --dialect takes."""
    fields = {field for message in MESSAGES.values() for field in message.model_fields}
    assert unmentioned("wire.md", [*MESSAGES, *fields, *DIALECTS]) == []


def test_every_configuration_name_is_documented() -> None:
    """docs/reference/config.md has the classes, also those that come later, and every key."""
    keys = {key for entry in CLASSES.values() if entry.supported for key in entry.keys} - {"class"}
    wanted = [*CLASSES, *OLDER_CLASSES, *COMMON_KEYS, *STAGE_KEYS, *PARAMETER_KEYS, *METADATA_KEYS, *keys]
    missing = unmentioned("config.md", wanted)
    assert missing == []


@pytest.mark.parametrize("one", [*CHANGES.values(), *PARTS], ids=lambda one: one.__name__)
def test_every_field_of_a_change_is_documented(one: Any) -> None:
    """Where its type is, in the order of its fields, and in docs/reference/record.md."""
    listed = (one.__doc__ or "").partition("Attributes:\n")[2]
    assert re.findall(r"^ {8}(\w+): ", listed, re.M) == list(one.__annotations__)
    page = (REFERENCE / "record.md").read_text("utf-8")
    rows = "\n".join(rf"\| `{name}` \| .+ \|" for name in one.__annotations__)
    assert re.search(rf"^\| field \| holds \|\n\|---\|---\|\n{rows}\n(?!\|)", page + "\n", re.M)


def test_the_generated_parts_are_up_to_date() -> None:
    """`make docs` would change nothing."""
    command = [sys.executable, str(ROOT / "docs" / "generate.py"), "--check"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("page", with_blocks("sh"))
def test_shell_examples_call_what_there_is(page: Path) -> None:
    """Commands, options and make targets that examples use exist."""
    targets = re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text("utf-8"), re.M)
    for line in "".join(blocks(page, "sh")).splitlines():
        program, *words = shlex.split(line, comments=True) or [""]
        if program == "make":
            assert words[0] in targets, line
        if program == "fechner":
            options = [option for param in COMMANDS[words[0]].params for option in param.opts]
            assert [word for word in words if word.startswith("--") and word not in options] == [], line


@pytest.mark.parametrize("page", with_blocks("ini"))
def test_configurations_are_ready_to_use(page: Path) -> None:
    """Every INI example passes the check without a warning."""
    for text in blocks(page, "ini"):
        assert check(text).warnings == ()


@pytest.mark.parametrize("page", with_blocks("json"))
def test_json_examples_are_json(page: Path) -> None:
    """They parse."""
    for text in blocks(page, "json"):
        json.loads(text)


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_links_lead_somewhere(page: Path) -> None:
    """Files exist, and so do the headings named behind #."""
    text = re.sub(r"^```.*?^```", "", page.read_text("utf-8"), flags=re.M | re.S)
    for link in re.findall(r"\]\(([^)\s]+)\)", text):
        if link.startswith("https://"):
            continue
        file, _, anchor = link.partition("#")
        target = (page.parent / file).resolve() if file else page
        assert target.exists(), link
        if anchor:
            headings = re.findall(r"^#+ (.*)$", target.read_text("utf-8"), re.M)
            slugs = [re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings]
            assert anchor in slugs, link


@pytest.fixture
def booth(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, Any]]:
    """A folder as a reader has it, a server that seems to be on port 5555, and a session on record."""
    (tmp_path / "examples").mkdir()
    text = (ROOT / "examples" / "audiogram.ini").read_text("utf-8")
    (tmp_path / "examples" / "audiogram.ini").write_text(
        text.replace("min_asks = 50", "min_asks = 4"), "utf-8"
    )
    shutil.copy(ROOT / "examples" / "minimal_client.py", tmp_path)
    pilot = blocks(CLIENT, "ini")[0]
    (tmp_path / "pilot.ini").write_text(pilot, "utf-8")
    monkeypatch.chdir(tmp_path)
    command = [sys.executable, "-m", "fechner.server.cli", "serve", "--port", "0", "--workers", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        try:
            assert server.stdout is not None
            server.stdout.readline()
            port = int(re.findall(r":(\d+);", server.stdout.readline())[0])
            connect = socket.create_connection

            def create_connection(address: tuple[str, int], *rest: Any, **options: Any) -> socket.socket:
                host, wanted = address
                return connect((host, port if wanted == 5555 else wanted), *rest, **options)

            monkeypatch.setattr(socket, "create_connection", create_connection)
            monkeypatch.setattr(fechner_client, "Client", functools.partial(fechner_client.Client, port=port))
            with fechner_client.Client() as client:
                client.setup(pilot, name="pilot", participant="p01", seed=1)
                for level in (20, 40, 60, 80):
                    client.tell({"level": level}, level > 50)
                for _ in range(7):
                    trial = client.ask()
                    trial.tell(trial["level"] > 50)
                client.ask()
            yield {"present": lambda *_: True, "__name__": "__main__"}
        finally:
            server.terminate()


@pytest.mark.parametrize("page", with_blocks("python"))
def test_python_examples_run(page: Path, booth: dict[str, Any]) -> None:
    """Every Python block of a page, in order, as one program, with a real server."""
    for block in blocks(page, "python"):
        exec(compile(block, name(page), "exec"), booth)


def test_commands_in_units_and_crontabs_are_what_there_is() -> None:
    """Programs that others start for the reader are called with options that exist."""
    found = 0
    for page in PAGES:
        for text in (*blocks(page, "systemd"), *blocks(page, "text")):
            for line in text.replace("\\\n", " ").splitlines():
                match = re.search(r"/bin/fechner (\w[\w-]*)(.*)", line)
                if match is not None:
                    options = [option for one in COMMANDS[match[1]].params for option in one.opts]
                    assert [
                        word for word in re.findall(r"--[\w-]+", match[2]) if word not in options
                    ] == [], line
                    found += 1
    assert found >= 2


def test_the_checks_of_doctor_are_documented() -> None:
    """How to run a server has a row for each."""
    from fechner.server.commands import doctor_machine, doctor_programs, doctor_record

    text = (ROOT / "docs" / "how-to" / "run-a-server.md").read_text("utf-8")
    modules = (doctor_machine, doctor_programs, doctor_record)
    source = "".join(Path(module.__file__).read_text("utf-8") for module in modules)
    names = set(re.findall(r'Finding\(\s*"([\w ]+)"', source)) - {"folder"}
    assert [name for name in names if f"`{name}`" not in text] == []
