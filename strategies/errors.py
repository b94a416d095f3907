"""The one error type of Fechner's core: it names the fault, the place and the mend.

Its codes are those of docs/reference/wire.md, Codes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


class FechnerError(Exception):
    """A fault that is answered to the client.

    Attributes:
        code: one of the codes of the wire contract, for instance ``"out_of_bounds"``.
        detail: what is wrong, for a person.
        where: the place, for instance ``"message.config.frequency"``; empty if there is none.
        hint: what would be right; empty if there is nothing to suggest.
    """

    def __init__(self, code: str, detail: str, where: str = "", hint: str = "") -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail
        self.where = where
        self.hint = hint

    def __reduce__(self) -> tuple[type[FechnerError], tuple[str, str, str, str]]:
        return FechnerError, (self.code, self.detail, self.where, self.hint)

    def __str__(self) -> str:
        place = f" (at {self.where})" if self.where else ""
        mend = f"; {self.hint}" if self.hint else ""
        return f"{self.detail}{place}{mend}"


@dataclass(frozen=True)
class Problem:
    """One fault or doubt in a configuration.

    Attributes:
        section: the section's name as written; empty for the file as a whole.
        key: the option's name; empty for the section as a whole.
        value: the offending text; empty if the fault is an absence.
        detail: what is wrong.
        hint: what would be right.
        code: a short stable name, for instance ``"unknown_key"``.
    """

    section: str
    key: str
    value: str
    detail: str
    hint: str = ""
    code: str = "bad_value"

    def __str__(self) -> str:
        place = f"[{self.section}]" if self.section else "configuration"
        if self.key:
            place += f" {self.key}"
            if self.value:
                place += f" = {self.value}"
        return f"{place}: {self.detail}{f' ({self.hint})' if self.hint else ''}"


class ConfigError(FechnerError):
    """A configuration that can't be used, with every problem found in it."""

    def __init__(self, problems: Sequence[Problem], warnings: Sequence[Problem] = ()) -> None:
        self.problems = tuple(problems)
        self.warnings = tuple(warnings)
        count = len(self.problems)
        head = f"{count} problem{'s' if count != 1 else ''} in the configuration: "
        super().__init__(
            "bad_config",
            head + "; ".join(str(problem) for problem in self.problems),
            where="message.config",
            hint=self.problems[0].hint if count == 1 else "",
        )

    def __reduce__(self) -> tuple[type[ConfigError], tuple[tuple[Problem, ...], tuple[Problem, ...]]]:  # type: ignore[override]
        return ConfigError, (self.problems, self.warnings)
