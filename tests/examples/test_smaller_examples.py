"""The examples that fit on one page run as they are."""

from __future__ import annotations

import functools
import re
import runpy
import subprocess
import sys
from pathlib import Path

import pytest

import fechner_client
from fechner.server import Server

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "examples"


def test_the_minimal_client_finds_a_threshold(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """It runs to the end of its stages and prints where the stimulus is seen in 75 % of the trials."""
    with Server() as server:
        client = functools.partial(fechner_client.Client, server=server)
        monkeypatch.setattr(fechner_client, "Client", client)
        runpy.run_path(str(EXAMPLES / "minimal_client.py"))
        assert server.record.sessions()[0]["n_told"] >= 40
    assert re.match(r"seen in 75 % at (0\.\d+|None)", capsys.readouterr().out)


def test_the_readme_shows_the_minimal_client() -> None:
    """The README's first program is the example, letter for letter."""
    shown = re.findall(r"^```python\n(.*?)^```", (ROOT / "README.md").read_text("utf-8"), re.M | re.S)
    assert shown[0] == (EXAMPLES / "minimal_client.py").read_text("utf-8")


def test_the_notebook_runs_without_a_server_program() -> None:
    """Setup, trials, thresholds, dataframe and verification in one process."""
    command = [sys.executable, str(EXAMPLES / "notebook_in_process.py")]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "every ask recomputed is identical: True" in done.stdout


def test_the_favourite_setting_is_found(capsys: pytest.CaptureFixture[str]) -> None:
    """Fifty comparisons find the listener's favourite: the program, and bass and treble within 5 dB."""
    example = runpy.run_path(str(EXAMPLES / "pairwise.py"))
    best = example["run"]()
    assert best["program"] == example["FAVOURITE"]["program"]
    for name in ("bass", "treble"):
        assert abs(best[name] - example["FAVOURITE"][name]) < 5.0
    assert "preferred to the flat setting with probability 0." in capsys.readouterr().out


def test_the_comfortable_level_is_found(capsys: pytest.CaptureFixture[str]) -> None:
    """Fifty ratings find the comfortable level at three frequencies within 8 dB."""
    example = runpy.run_path(str(EXAMPLES / "ordinal.py"))
    for frequency, level in example["run"]().items():
        assert abs(level - example["comfortable"](frequency)) < 8.0
    assert "ratings of 80 dB at 1000 Hz: 0: 0." in capsys.readouterr().out


@pytest.mark.timeout(1200)  # many listeners
@pytest.mark.long
def test_the_comfortable_level_is_found_over_twenty_seeds() -> None:
    """Of 20 listeners the comfortable levels are 3 dB off on average, and never more than 12."""
    example = runpy.run_path(str(EXAMPLES / "ordinal.py"))
    found = [one for seed in range(20) for one in example["run"](seed).items()]
    away = [abs(level - example["comfortable"](frequency)) for frequency, level in found]
    assert sum(away) / len(away) < 3.0
    assert max(away) < 12.0


def test_two_outcomes_are_learned_at_once(capsys: pytest.CaptureFixture[str]) -> None:
    """Sixty trials find where words are understood within 10 dB, and what is most comfortable within 8."""
    example = runpy.run_path(str(EXAMPLES / "several_outcomes.py"))
    level, best = example["run"]()
    assert abs(level - example["threshold"](2.0)) < 10.0
    assert abs(best["level"] - example["BEST"]["level"]) < 8.0
    assert abs(best["compression"] - example["BEST"]["compression"]) < 0.5
    assert "three words in four at compression 2: " in capsys.readouterr().out


@pytest.mark.timeout(1200)  # many listeners
@pytest.mark.long
def test_two_outcomes_are_learned_over_twenty_seeds() -> None:
    """Threshold and most comfortable level are 4 dB off on average, 10 at most; compression .2 and .5."""
    example = runpy.run_path(str(EXAMPLES / "several_outcomes.py"))
    found = [example["run"](seed) for seed in range(20)]
    away = {
        "threshold": [abs(level - example["threshold"](2.0)) for level, _ in found],
        "level": [abs(best["level"] - example["BEST"]["level"]) for _, best in found],
        "compression": [abs(best["compression"] - example["BEST"]["compression"]) for _, best in found],
    }
    for name, (average, most) in {"threshold": (4, 10), "level": (4, 10), "compression": (0.2, 0.5)}.items():
        assert sum(away[name]) / 20 < average, name
        assert max(away[name]) < most, name


@pytest.mark.timeout(1200)  # many listeners
@pytest.mark.long
def test_the_favourite_setting_is_found_over_twenty_seeds() -> None:
    """Of 20 listeners' favourites 18 programs are right, and bass and treble 2 dB off on average."""
    example = runpy.run_path(str(EXAMPLES / "pairwise.py"))
    found = [example["run"](seed) for seed in range(20)]
    assert sum(best["program"] == example["FAVOURITE"]["program"] for best in found) >= 18
    away = [abs(best[n] - example["FAVOURITE"][n]) for best in found for n in ("bass", "treble")]
    assert sum(away) / len(away) < 2.0


def test_the_monotone_example_finds_thresholds(capsys: pytest.CaptureFixture[str]) -> None:
    """Forty trials find thresholds across pitch, 5 dB off on average at most."""
    example = runpy.run_path(str(EXAMPLES / "monotone.py"))
    found = example["run"]()
    assert sum(abs(found[o] - example["threshold"](o)) for o in found) / len(found) < 5.0
    assert "truly 22.625" in capsys.readouterr().out


@pytest.mark.timeout(1200)  # many listeners
@pytest.mark.long
def test_the_monotone_example_over_twenty_seeds() -> None:
    """Over 20 listeners thresholds are 3.5 dB off on average, and no listener's more than 6."""
    example = runpy.run_path(str(EXAMPLES / "monotone.py"))
    away = []
    for seed in range(20):
        found = example["run"](seed)
        away.append(sum(abs(found[o] - example["threshold"](o)) for o in found) / len(found))
    assert sum(away) / len(away) < 3.5
    assert max(away) < 6.0


def test_the_semi_parametric_example_finds_thresholds(capsys: pytest.CaptureFixture[str]) -> None:
    """Forty trials find thresholds across pitch, 5 dB off on average at most."""
    example = runpy.run_path(str(EXAMPLES / "semi_parametric.py"))
    found = example["run"]()
    assert sum(abs(found[o] - example["threshold"](o)) for o in found) / len(found) < 5.0
    assert "truly 22.625" in capsys.readouterr().out


@pytest.mark.timeout(1200)  # many listeners
@pytest.mark.long
def test_the_semi_parametric_example_over_twenty_seeds() -> None:
    """Over 20 listeners thresholds are 3.5 dB off on average, and no listener's more than 7."""
    example = runpy.run_path(str(EXAMPLES / "semi_parametric.py"))
    away = []
    for seed in range(20):
        found = example["run"](seed)
        away.append(sum(abs(found[o] - example["threshold"](o)) for o in found) / len(found))
    assert sum(away) / len(away) < 3.5
    assert max(away) < 7.0


@pytest.mark.timeout(1200)  # many listeners
@pytest.mark.long
def test_the_constrained_example_over_twenty_seeds() -> None:
    """Thirty trials of 20 observers: contrast thresholds .07 off on average, none's more than .15."""
    example = runpy.run_path(str(EXAMPLES / "constrained.py"))
    away = []
    for seed in range(20):
        found = example["run"](seed)
        away.append(sum(abs(found[o] - example["threshold"](o)) for o in found) / len(found))
    assert sum(away) / len(away) < 0.07
    assert max(away) < 0.15
