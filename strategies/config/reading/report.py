"""Collects every problem and doubt of one check, so that they are all told at once."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

from fechner.strategies.errors import Problem
from fechner.strategies.values import clip

MOST = 100  # of problems and of warnings; a file with more is not mended from a longer list
GUESSES = 10_000  # names compared with each other: comparing is slow, and the text is a stranger's


class Report:
    """The problems and warnings found so far; equal ones are kept once."""

    def __init__(self) -> None:
        self._problems: dict[Problem, None] = {}
        self._warnings: dict[Problem, None] = {}
        self._left_out = {"problems": 0, "warnings": 0}
        self._guesses = GUESSES

    def problem(
        self,
        section: str,
        key: str,
        value: str | None,
        detail: str,
        hint: str = "",
        code: str = "bad_value",
    ) -> None:
        """Note something that makes the configuration unusable."""
        self._note(self._problems, "problems", section, key, value, detail, hint, code)

    def warn(
        self,
        section: str,
        key: str,
        value: str | None,
        detail: str,
        hint: str = "",
        code: str = "doubtful",
    ) -> None:
        """Note something that is doubtful, but does not stop anything."""
        self._note(self._warnings, "warnings", section, key, value, detail, hint, code)

    def near(self, text: str, candidates: Iterable[str]) -> str:
        """``did you mean 'x'?``, or an empty text if no candidate is near."""
        found = self.nearest(text, candidates, 1)
        return f"did you mean '{found[0]}'?" if found else ""

    def nearest(self, text: str, candidates: Iterable[str], count: int) -> list[str]:
        """The candidates most like the text, best first; case does not matter."""
        if len(text) > 60 or self._guesses <= 0:
            return []
        folded: dict[str, str] = {}
        for candidate in candidates:
            if len(folded) >= 500:
                break
            folded.setdefault(candidate.casefold(), candidate)
        self._guesses -= len(folded)
        near = difflib.get_close_matches(text.casefold(), folded, count, 0.65)
        alike = [difflib.SequenceMatcher(None, one, text.casefold()).ratio() for one in near]
        return [folded[one] for one, how in zip(near, alike, strict=True) if how > alike[0] - 0.1]

    def sort(self, sections: Iterable[str]) -> None:
        """Put everything into the order of the sections, what concerns no section first."""
        order = {clip(name): index for index, name in enumerate(sections)}
        for found in (self._problems, self._warnings):
            notes = sorted(found, key=lambda note: order.get(note.section, -1))
            found.clear()
            found.update(dict.fromkeys(notes))

    @property
    def failed(self) -> bool:
        """Whether any problem was found."""
        return bool(self._problems)

    @property
    def problems(self) -> tuple[Problem, ...]:
        """Every problem, in the order found."""
        return self._closed(self._problems, "problems")

    @property
    def warnings(self) -> tuple[Problem, ...]:
        """Every warning, in the order found."""
        return self._closed(self._warnings, "warnings")

    def _note(
        self,
        where: dict[Problem, None],
        kind: str,
        section: str,
        key: str,
        value: str | None,
        detail: str,
        hint: str,
        code: str,
    ) -> None:
        found = Problem(clip(section), clip(key), clip(value or ""), clip(detail, 400), clip(hint, 400), code)
        if found in where:
            return
        if len(where) >= MOST:
            self._left_out[kind] += 1
            return
        where[found] = None

    def _closed(self, found: dict[Problem, None], kind: str) -> tuple[Problem, ...]:
        more = self._left_out[kind]
        if not more:
            return tuple(found)
        return (*found, Problem("", "", "", f"and {more} more {kind}", code="more"))
