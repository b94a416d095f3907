"""Records the golden transcripts of a release: `python tests/golden/make_wire.py [NAME …]`.

Run once for each release; its transcripts are kept for ever. What is recorded is what every later server has
to say, so look at each line beside the contract (docs/reference/wire.md) before it is committed: a recorded
fault is a promised one.
"""

from __future__ import annotations

import json
import re
import socket
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))

from transcripts import FOLDER, Run
from wire_aepsych_01 import matlab, python_01_unversioned, python_01_versioned
from wire_aepsych_08 import python_08, unity
from wire_configs import Step
from wire_native import native

from fechner.server import __version__

#: What there is: the file's name, who speaks, its version, the server's options, its script, its seed.
SCRIPTS: dict[str, tuple[str, str | None, list[str], Any, int]] = {
    "native-1": ("fechner_client (Python)", "1", [], native, 11),
    "0.8-python": ("AEPsych 0.5 to 0.8 (Python)", None, [], python_08, 5),
    "0.8-unity": ("Unity", "0.01", [], unity, 5),
    "0.1-python-unversioned": (
        "AEPsych 0.1 (Python)", None, ["--dialect", "aepsych-0.1"], python_01_unversioned, 5,
    ),
    "0.1-python-versioned": ("AEPsych 0.1 (Python)", "0.01", [], python_01_versioned, 5),
    "0.1-matlab": ("MATLAB", "0.01", [], matlab, 5),
}  # fmt: skip

_UUID = re.compile(r'"([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})"')


def encoded(value: Any) -> str:
    """A request's text: as it is, or as the Python client of this release writes it."""
    return (
        value
        if isinstance(value, str)
        else json.dumps(value, ensure_ascii=False, separators=(",", ":")) + "\n"
    )


def rendered(value: Any) -> str:
    """As the server writes JSON."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def kept(step: Step, text: str, run: Run) -> str:
    """The reply as the transcript has it."""
    assert "«" not in text
    try:
        value = json.loads(text)
    except ValueError:
        return text  # a bare word
    body, ending = text.rstrip("\n"), text[len(text.rstrip("\n")) :]
    if rendered(value) != body:
        raise AssertionError(f"written in another way: {body}")
    if isinstance(value, dict):
        if isinstance(value.get("timing"), dict):
            value["timing"] |= {"queue_ms": "«ms»", "compute_ms": "«ms»"}
        inner = value.get("message")
        for part in step.least:
            inner[part] = f"«at least {rendered(inner[part])}»"
        nearly(inner if isinstance(inner, dict) and value.get("version") == "1" else value, step)
    plain = rendered(value)
    plain = re.sub(r'"«at least .*?»"', lambda found: str(json.loads(found[0])), plain)  # JSON within JSON
    plain = re.sub(r'"(«(?:ms|-?[\d.e+-]+±[\d.]+)»)"', r"\1", plain)
    plain = plain.replace(json.dumps(run.db)[1:-1], "«db»").replace(f"fechner {__version__}", "«server»")
    for found in _UUID.findall(plain):
        if found not in run.names.values():
            run.names["session"] = found  # the newest that the server drew
    for name, id_ in run.names.items():
        plain = plain.replace(id_, f"«{name}»")
    return plain + ending


def nearly(value: dict[str, Any], step: Step) -> None:
    """Let a model's numbers be as near as the step says."""

    def mark(item: Any, width: float) -> Any:
        if isinstance(item, list):
            return [mark(one, width) for one in item]
        if isinstance(item, dict):
            return {key: mark(one, width) for key, one in item.items()}
        return item if item is None else f"«{round(item, 6)}±{width:g}»"

    for key, width in step.near:
        if key in value:
            value[key] = mark(value[key], width)


def record(script: Any, server: tuple[str, int], db: str) -> list[dict[str, Any]]:
    """The steps of a script."""
    run, steps = Run(db), []
    with socket.create_connection(server, 60) as connection:
        talk, text = script(), None
        while True:
            try:
                given = talk.send(text)
            except StopIteration:
                return steps
            step = given if isinstance(given, Step) else Step(given)
            line: dict[str, Any] = {"in": encoded(step.send)}
            connection.sendall(run.request(line))
            text = connection.recv(1 << 20).decode()
            print(f"{len(steps) + 1:3} > {line['in'][:600].rstrip()}\n    < {text[:1500].rstrip()}")
            if step.again is not None:
                line["again"] = step.again
                assert text == run.replies[step.again - 1], text
            else:
                line["out"] = kept(step, text, run)
            run.replies.append(text)
            if step.closes:
                line["closes"] = True
                assert connection.recv(1) == b""
            if step.tcp:
                line["only"] = "tcp"
            steps.append(line)


def main(names: list[str]) -> None:
    """Write the transcripts of these scripts, or of all."""
    folder = FOLDER / __version__
    folder.mkdir(parents=True, exist_ok=True)
    for name in names or SCRIPTS:
        client, version, options, script, seed = SCRIPTS[name]
        print(f"\n== {name}")
        with tempfile.TemporaryDirectory() as scratch:
            db = str(Path(scratch) / "golden.db")
            command = [sys.executable, "-m", "fechner.server.cli", "serve", "--port", "0", "--workers", "0"]
            with subprocess.Popen(
                [*command, "--db", db, *options], stdout=subprocess.PIPE, text=True
            ) as server:
                try:
                    assert server.stdout is not None
                    server.stdout.readline()
                    port = int(re.findall(r":(\d+)", server.stdout.readline())[0])
                    steps = record(script, ("127.0.0.1", port), db)
                finally:
                    server.terminate()
        head = {"client": client, "version": version, "release": __version__, "server": options, "seed": seed}
        lines = [json.dumps(line, ensure_ascii=False) for line in (head, *steps)]
        (folder / f"{name}.jsonl").write_text("\n".join(lines) + "\n", "utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
