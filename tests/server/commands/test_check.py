"""`fechner check FILE`: problems and warnings, or what the configuration will do."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from .command_line import Run


def test_a_configuration_that_can_be_used(run: Run, tmp_path: Path, space_filling: str) -> None:
    """Its words, and exit 0."""
    file = tmp_path / "good.ini"
    file.write_text(space_filling)
    result = run("check", file)
    assert result.exit_code == 0
    assert result.stdout.splitlines()[0] == f"{file}: ready to use"
    assert "Sobol" in result.stdout
    found = json.loads(run("check", file, "--json").stdout)
    assert found["ok"] is True
    assert found["warnings"] == []
    assert "Sobol" in found["words"]


def test_a_configuration_with_doubts(run: Run, tmp_path: Path, space_filling: str) -> None:
    """They are told; it can be used all the same."""
    file = tmp_path / "doubt.ini"
    file.write_text(space_filling + "max_aks = 4\n")
    result = run("check", file)
    assert result.exit_code == 0
    assert "ready to use, 1 warning" in result.stdout
    assert "max_aks" in result.stdout
    [warning] = json.loads(run("check", file, "--json").stdout)["warnings"]
    assert (warning["section"], warning["key"]) == ("init", "max_aks")


def test_a_configuration_that_cannot_be_used(run: Run, tmp_path: Path, space_filling: str) -> None:
    """Every problem, and exit 1."""
    file = tmp_path / "bad.ini"
    file.write_text(space_filling.replace("upper_bound = 1", "").replace("Sobol", "Sobbol"))
    result = run("check", file)
    assert result.exit_code == 1
    assert "2 problems" in result.stdout
    assert result.stdout.count("  error ") == 2
    result = run("check", file, "--json")
    assert result.exit_code == 1
    found = json.loads(result.stdout)
    assert found["ok"] is False
    assert {problem["section"] for problem in found["problems"]} == {"p", "init"}


def test_a_configuration_in_json(run: Run, tmp_path: Path) -> None:
    """Nested objects in a file whose name ends in .json; what is no JSON is said."""
    sections: dict[str, dict[str, Any]] = {
        "common": {"parnames": ["p"], "outcome_types": ["binary"], "strategy_names": ["init"]},
        "p": {"par_type": "continuous", "lower_bound": 0, "upper_bound": 1},
        "init": {"generator": "SobolGenerator", "min_asks": 4},
    }
    file = tmp_path / "good.json"
    file.write_text(json.dumps(sections))
    result = run("check", file)
    assert result.exit_code == 0
    assert result.stdout.splitlines()[0] == f"{file}: ready to use"
    sections["p"]["upper_bound"] = -1
    file.write_text(json.dumps(sections))
    [problem] = json.loads(run("check", file, "--json").stdout)["problems"]
    assert (problem["section"], problem["key"]) == ("p", "lower_bound")
    for text, reason in [('{"common": ', "not JSON"), ("[1, 2]", "no object of sections")]:
        file.write_text(text)
        result = run("check", file)
        assert result.exit_code == 1
        assert str(file) in result.stderr
        assert reason in result.stderr


def test_a_file_that_cannot_be_read(run: Run, tmp_path: Path) -> None:
    """Missing, a folder, or not UTF-8: the reason on standard error, exit 1."""
    (tmp_path / "latin.ini").write_bytes(b"[common]\n# caf\xe9\n")
    for name, reason in [
        ("none.ini", "can't read"),
        (".", "can't read"),
        ("latin.ini", "not UTF-8 at byte 14"),
    ]:
        result = run("check", tmp_path / name)
        assert result.exit_code == 1
        assert reason in result.stderr


def test_extensions_are_run_where_that_is_allowed(run: Run) -> None:
    """With the folder; without it the file is refused by name."""
    examples = Path(__file__).parents[3] / "examples" / "extensions"
    refused = run("check", examples / "latin.ini")
    assert refused.exit_code == 1
    assert "extensions are not allowed here (start with --allow-extensions DIR" in refused.stdout
    allowed = run("check", examples / "latin.ini", "--allow-extensions", examples)
    assert allowed.exit_code == 0
    assert "LatinHypercubeGenerator: points fill Latin hypercubes, one after another" in allowed.stdout
