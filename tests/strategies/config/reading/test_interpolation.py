"""References between keys, as in configparser, but with bounds."""

from __future__ import annotations

import configparser

import pytest

from fechner.strategies.config import check
from fechner.strategies.config.reading import ini, interpolation
from fechner.strategies.config.reading.report import Report

TEXT = """
[common]
base = 10
twice = ${base}${base}
who = ${name}

[a]
name = anna
base = 3
mine = ${twice} ${b:name} $${kept}
chain = ${b:chain}

[b]
name = bert
chain = <${common:base}>
"""


def test_the_same_as_configparser():
    """Values are those of configparser's extended interpolation, common's keys seen from each section."""
    parser = configparser.ConfigParser(
        default_section="common", interpolation=configparser.ExtendedInterpolation()
    )
    parser.read_string(TEXT)
    report = Report()
    raw = ini.read(TEXT, report)
    full = interpolation.with_common(raw, interpolation.resolve(raw, report), report)
    assert {name: full[name] for name in ("a", "b")} == {
        name: dict(parser.items(name)) for name in ("a", "b")
    }
    assert report.problems == ()


def test_common_may_lead_nowhere():
    """A reference in common that no section can follow is a problem, at its place in common."""
    report = Report()
    raw: ini.Raw = {"common": {"x": "${name}"}, "a": {}}
    assert interpolation.with_common(raw, interpolation.resolve(raw, report), report)["a"] == {"x": ""}
    (problem,) = report.problems
    assert (problem.section, problem.key) == ("common", "x")


def test_each_stage_sees_common_with_its_own_keys():
    """A key of common that refers to a key of the section gives each section its own value."""
    spec = check(
        "[common]\nparnames = [p]\noutcome_types = [binary]\nstrategy_names = [a, b]\nmin_asks = ${n_own}\n"
        "[p]\npar_type = continuous\nlower_bound = 0\nupper_bound = 1\n[a]\nn_own = 3\n[b]\nn_own = 4\n"
    )
    assert [stage.min_asks for stage in spec.stages] == [3, 4]


@pytest.mark.parametrize(
    ("value", "detail"),
    [
        ("${nowhere:x}", "there is no section [nowhere]"),
        ("${a:nothing}", "[a] has no key 'nothing'"),
        ("${x}", "in a circle"),
        ("${a:x:y}", "[a] has no key 'x:y'"),
        ("5$", "begins no ${section:key}"),
        ("${open", "begins no ${section:key}"),
    ],
)
def test_references_that_lead_nowhere(value: str, detail: str):
    """A bad reference is a problem at its key."""
    report = Report()
    assert interpolation.resolve({"a": {"x": value}}, report) == {"a": {"x": ""}}
    (problem,) = report.problems
    assert (problem.section, problem.key, problem.code) == ("a", "x", "bad_reference")
    assert detail in problem.detail


def test_doubling_references_stay_small():
    """References that double at every level are stopped, not carried out."""
    report = Report()
    keys: dict[str, str | None] = {f"k{i}": f"${{k{i + 1}}}" * 9 for i in range(9)}
    resolved = interpolation.resolve({"a": {**keys, "k9": "x" * 999}}, report)
    assert sum(map(len, resolved["a"].values())) < interpolation.MOST
    assert "grows too large" in report.problems[0].detail
