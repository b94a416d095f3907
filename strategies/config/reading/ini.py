"""The lines of an INI text as keys by section; every broken line is noted, and the rest is read all the same.

The rules are those of Python's configparser with inline ``#`` comments and keys without value
(docs/reference/config.md, Format); its own reader is not used because it stops at the first fault and doesn't
say where the others are.
"""

from __future__ import annotations

import re

from fechner.strategies.config.reading.report import Report
from fechner.strategies.values import clip

Raw = dict[str, dict[str, str | None]]  # option names in lower case; None for a key without value

LONGEST = 1 << 20  # characters of a configuration
MOST_SECTIONS = 500
MOST_KEYS = 200  # in one section
LONGEST_NAME = 256  # characters of a section's name or a key, as in a message

_SECTION = re.compile(r"\[(.+)\](.*)")
_OPTION = re.compile(r"([^=:]*)(?:([=:])(.*))?")
_COMMENT = re.compile(r"(?:^|(?<=\s))#.*")


def read(text: str, report: Report) -> Raw:
    """The keys of each section, as written."""
    lines: dict[str, dict[str, list[str] | None]] = {}
    places: dict[tuple[str, str], int] = {}
    section: dict[str, list[str] | None] | None = None
    value: list[str] | None = None  # of the key read last
    name, option, indent = "", "", 0
    for number, line in enumerate(_unified(text).split("\n"), start=1):
        bare = _COMMENT.sub("", line)
        content = "" if line.lstrip().startswith((";", "#")) else bare.strip()
        if not content:
            if value is not None and not line.strip():
                value.append("")
            continue
        depth = len(bare) - len(bare.lstrip())
        if option and depth > indent:
            if value is None:
                detail = f"line {number} is indented below a key without value: '{clip(content)}'"
                report.problem(name, option, "", detail, "begin it at the margin", "bad_line")
            else:
                value.append(content)
            continue
        indent, option, value = depth, "", None
        header = _SECTION.match(content)
        if header:
            name = header[1].strip()
            if name not in lines and len(lines) >= MOST_SECTIONS:
                report.problem("", "", "", f"more than {MOST_SECTIONS} sections", code="too_large")
                break
            check_name(name, name, report)
            _check_header(name, header[2].strip(), number, name in lines, report)
            section = lines.setdefault(name, {})
            continue
        if section is None:
            detail = f"line {number} stands before the first section: '{clip(content)}'"
            report.problem("", "", "", detail, "begin with [common]", "bad_line")
            continue
        found = _OPTION.fullmatch(content)
        option = found[1].strip().lower() if found else ""
        if not found or not option:
            detail = f"line {number} has no key: '{clip(content)}'"
            report.problem(name, "", "", detail, "write key = value", "bad_line")
            continue
        check_name(name, option, report)
        value = None if found[2] is None else [found[3].strip()]
        if option in section:
            again = (found[3] or "").strip()
            detail = f"stands twice, in lines {places[name, option]} and {number}"
            report.problem(name, option, again, detail, "keep one of them", "duplicate_key")
        elif len(section) >= MOST_KEYS:
            report.problem(name, "", "", f"more than {MOST_KEYS} keys in one section", code="too_large")
        else:
            section[option] = value
            places[name, option] = number
    return {
        name: {key: None if value is None else "\n".join(value).rstrip() for key, value in keys.items()}
        for name, keys in lines.items()
    }


def check_name(section: str, name: str, report: Report) -> None:
    """Refuse a section's name, or a key, that no message could hold."""
    if len(name) > LONGEST_NAME:
        detail = f"'{clip(name)}' has more than {LONGEST_NAME} characters"
        report.problem(section, "", "", detail, code="too_large")


def _check_header(name: str, rest: str, number: int, again: bool, report: Report) -> None:
    if rest:
        report.warn(
            name, "", "", f"'{clip(rest)}' after the heading in line {number} is not read", code="bad_line"
        )
    if again and name == "common":
        report.warn(
            name, "", "", f"the section stands twice, again in line {number}", code="duplicate_section"
        )
    elif again:
        detail = f"the section stands twice, again in line {number}"
        report.problem(name, "", "", detail, "put all its keys under one heading", "duplicate_section")


def _unified(text: str) -> str:
    return text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")
