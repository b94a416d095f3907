"""What a check of `fechner doctor` found."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

Verdict = Literal["ok", "warning", "bad"]


@dataclass(frozen=True)
class Finding:
    """One line of the diagnosis.

    Attributes:
        check: what was looked at.
        verdict: `bad` is what keeps a server from serving, or makes it lose data.
        value: what was measured.
        advice: what to do; empty where nothing is to be done.
        details: figures for programs.
    """

    check: str
    verdict: Verdict
    value: str
    advice: str = ""
    details: dict[str, Any] = field(default_factory=dict)


def judge(value: float, warning: float, bad: float = float("inf")) -> Verdict:
    """The verdict on a value of which less is better."""
    return "ok" if value < warning else "warning" if value < bad else "bad"
