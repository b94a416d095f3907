"""Which token a command shows to a running server."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from fechner.server.commands import asking


@pytest.mark.parametrize(
    ("text", "token"),
    [
        (f"experimenter:{'a' * 32}\nadmin: {'b' * 32}\n", "b" * 32),
        (f"\ufeff# booths\nexperimenter:{'a' * 32}\n", "a" * 32),
        (f"admin:{'a:b' * 12}\n", "a:b" * 12),
        ("a:b" * 12, "a:b" * 12),
    ],
)
def test_the_token_in_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, token: str) -> None:
    """Is read as the server reads it, or stands there alone."""
    asked: list[Any] = []

    @contextmanager
    def tcp(address: Any, seconds: float) -> Iterator[None]:
        yield None

    monkeypatch.setattr(asking, "_tcp", tcp)
    monkeypatch.setattr(asking, "ask", lambda line, type_, message: asked.append((type_, message)))
    (tmp_path / "tokens").write_text(text, encoding="utf-8")
    with asking.connect(asking.Address(token_file=str(tmp_path / "tokens"))):
        pass
    assert asked == [("auth", {"token": token})]
