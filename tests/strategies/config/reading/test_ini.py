"""INI text is read line by line, and every broken line is told with its number."""

from __future__ import annotations

from fechner.strategies.config.reading import ini
from fechner.strategies.config.reading.report import Report


def read(text: str) -> tuple[ini.Raw, list[str], list[str]]:
    report = Report()
    raw = ini.read(text, report)
    return raw, [str(note) for note in report.problems], [str(note) for note in report.warnings]


def test_the_format():
    """Comments, continued values, keys without value, `:` for `=`, upper and lower case, any line ends."""
    raw, problems, warnings = read(
        "\ufeff# first\r\n[common]\r\nParNames = [a,\r\n   b]  # two\r\n\r\n"
        "lonely\rx: a=b#c\n; note\n[Sect]\n  y =\n"
    )
    assert raw == {
        "common": {"parnames": "[a,\nb]", "lonely": None, "x": "a=b#c"},
        "Sect": {"y": ""},
    }
    assert (problems, warnings) == ([], [])


def test_every_broken_line_is_told():
    """What can't be read is told with its line, and the rest is read all the same."""
    raw, problems, warnings = read(
        "early = 1\n[a] late\nx = 1\nX = 2\n= 3\nz\n   more\n[a]\ny = 4\n[common]\n[common]\n"
    )
    assert problems == [
        "configuration: line 1 stands before the first section: 'early = 1' (begin with [common])",
        "[a] x = 2: stands twice, in lines 3 and 4 (keep one of them)",
        "[a]: line 5 has no key: '= 3' (write key = value)",
        "[a] z: line 7 is indented below a key without value: 'more' (begin it at the margin)",
        "[a]: the section stands twice, again in line 8 (put all its keys under one heading)",
    ]
    assert warnings == [
        "[a]: 'late' after the heading in line 2 is not read",
        "[common]: the section stands twice, again in line 11",
    ]
    assert raw == {"a": {"x": "1", "z": None, "y": "4"}, "common": {}}
