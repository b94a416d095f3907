"""Golden transcripts of the wire: what a client of a generation sends, and what it has to hear.

A transcript is a file of JSON Lines. The first line says who speaks: `client`, `version`, `release`, the
options of the `server`, the `seed`. Each further line is a step: `in`, the request as text, and `out`, the
reply as text, byte for byte.

- `"again": k` in place of `out`: the very bytes of the k-th step's reply, times and all;
- `"closes": true`: the connection ends with this reply;
- `"only": "tcp"`: the step is of the byte stream alone.

What has to differ from run to run stands between « and »:

- `«session»`, `«other»`: a UUID, the same wherever the name stands; the client makes it up if it stands in
  the request first, else the server has;
- `«ms»`: milliseconds, to three decimals; `«db»`: the record's name; `«server»`: name and version;
- `«0.75±0.001»`: a number that near, where a model is asked;
- `«at least [1,2]»`: a list with at least these items, an object with at least these members.
"""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).with_name("wire")
_PLACEHOLDER = re.compile("«([^»]*)»")
_NUMBER = re.compile(r"-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?")
_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_MS = re.compile(r"\d+(?:\.\d{1,3})?(?![\d.])")
_SERVER = re.compile(r"fechner \d+\.\d+\.\d+(?:[a-z0-9.+-]*)")
_NAMES = ("session", "other")


class Mismatch(AssertionError):
    """A reply is not the one on the transcript."""


@dataclass(frozen=True)
class Transcript:
    """One file."""

    name: str
    head: Mapping[str, Any]
    steps: tuple[Mapping[str, Any], ...]


def load(file: Path) -> Transcript:
    """The transcript in a file."""
    head, *steps = map(json.loads, file.read_text("utf-8").splitlines())
    return Transcript(f"{file.parent.name}/{file.stem}", head, tuple(steps))


def transcripts() -> list[Transcript]:
    """All of all releases."""
    return [load(file) for file in sorted(FOLDER.glob("*/*.jsonl"))]


def plain(text: str) -> str:
    """A text with an example in place of each placeholder, so that it can be read as JSON."""

    def example(found: re.Match[str]) -> str:
        wanted = found[1]
        if wanted.startswith("at least "):
            return wanted.removeprefix("at least ")
        return wanted.partition("±")[0] if "±" in wanted else "0" if wanted == "ms" else wanted

    return _PLACEHOLDER.sub(example, text)


@dataclass
class Run:
    """One run of a transcript: what its placeholders stand for, and the replies so far.

    Args:
        db: the record's name.
    """

    db: str
    names: dict[str, str] = field(default_factory=dict)
    replies: list[str] = field(default_factory=list)

    def request(self, step: Mapping[str, Any]) -> bytes:
        """The bytes of a step's request."""

        def made_up(found: re.Match[str]) -> str:
            assert found[1] in _NAMES, found[0]
            return self.names.setdefault(found[1], str(uuid.uuid4()))

        return _PLACEHOLDER.sub(made_up, step["in"]).encode()

    def expected(self, step: Mapping[str, Any]) -> str:
        """The text of a step's reply, with its placeholders."""
        return self.replies[step["again"] - 1] if "again" in step else str(step["out"])

    def match(self, step: Mapping[str, Any], text: str, at: int = 0) -> int:
        """The end of the step's reply, which begins at `at`; it is kept for `again`.

        Raises:
            Mismatch: it is another one.
        """
        start, begin, expected = at, 0, self.expected(step)
        for placeholder in _PLACEHOLDER.finditer(expected) if "again" not in step else ():
            at = _literal(expected[begin : placeholder.start()], text, at)
            at = self._placeholder(placeholder[1], text, at)
            begin = placeholder.end()
        at = _literal(expected[begin:], text, at)
        self.replies.append(text[start:at])
        return at

    def _placeholder(self, wanted: str, text: str, at: int) -> int:
        if wanted in self.names:
            return _literal(self.names[wanted], text, at)
        if wanted in _NAMES:
            found = _take(_UUID, text, at, wanted)
            self.names[wanted] = found
            return at + len(found)
        if wanted == "db":
            return _literal(json.dumps(self.db, ensure_ascii=False)[1:-1], text, at)
        if wanted in ("ms", "server"):
            return at + len(_take(_MS if wanted == "ms" else _SERVER, text, at, wanted))
        if wanted.startswith("at least "):
            value, end = json.JSONDecoder().raw_decode(text, at)
            least = json.loads(wanted.removeprefix("at least "))
            lacking = (
                [item for item in least if item not in value]
                if isinstance(least, list)
                else {key: item for key, item in least.items() if key not in value or value[key] != item}
            )
            if lacking:
                raise Mismatch(f"lacking {lacking} in {value}")
            return end
        middle, _, width = wanted.partition("±")
        found = _take(_NUMBER, text, at, wanted)
        if abs(float(found) - float(middle)) > float(width):
            raise Mismatch(f"{found} is not {wanted}, behind {text[max(0, at - 60) : at]!r}")
        return at + len(found)


def _take(pattern: re.Pattern[str], text: str, at: int, wanted: str) -> str:
    found = pattern.match(text, at)
    if found is None:
        raise Mismatch(f"no «{wanted}» but {text[at : at + 40]!r}, behind {text[max(0, at - 60) : at]!r}")
    return found[0]


def _literal(wanted: str, text: str, at: int) -> int:
    if not text.startswith(wanted, at):
        same = next((i for i, (a, b) in enumerate(zip(wanted, text[at:], strict=False)) if a != b), 0)
        raise Mismatch(f"not {wanted[same : same + 80]!r} but {text[at + same : at + same + 80]!r}")
    return at + len(wanted)
