"""`fechner plot`: a picture, or the reason why there is none."""

from __future__ import annotations

from pathlib import Path

import pytest

from .command_line import Run

FIRST = "6f1d2c3b-0000-4000-8000-000000000001"


@pytest.mark.parametrize(
    ("name", "begin"), [("out.png", b"\x89PNG"), ("out.pdf", b"%PDF"), ("out.svg", b"<?xml")]
)
def test_a_picture_is_written(run: Run, db: Path, tmp_path: Path, name: str, begin: bytes) -> None:
    """In the format of its ending."""
    result = run("plot", FIRST, "--to", name, "--db", db)
    assert result.exit_code == 0, result.stderr
    assert f"strategy 0 of session {FIRST} drawn in {name}" in result.stdout
    assert (tmp_path / name).read_bytes().startswith(begin)


@pytest.mark.parametrize(
    ("arguments", "code", "reason"),
    [
        (["--to", "out.txt"], 2, ".png"),
        (["--to", "out.png", "--x", "p"], 2, "NAME=VALUE"),
        (["--to", "out.png", "--x", "p=0.5"], 1, "every parameter is held"),
        (["--to", "out.png", "--x", "q=0.5"], 1, "unknown: 'q'"),
        (["--to", "out.png", "--strategy", "3"], 1, "no strategy 3"),
        (["--to", "out.png", "--target", "nan"], 2, "--target"),
        (["--to", "no-folder/out.png"], 1, "can't write"),
    ],
)
def test_no_picture(run: Run, db: Path, tmp_path: Path, arguments: list[str], code: int, reason: str) -> None:
    """The reason stands on standard error."""
    result = run("plot", FIRST, *arguments, "--db", db)
    assert result.exit_code == code
    assert reason in result.stderr
    assert list(tmp_path.glob("out*")) == []
