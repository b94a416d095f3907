"""Plug-ins of installed packages are found by their entry points, each with what is wrong with it."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from fechner.strategies.config import check
from fechner.strategies.errors import ConfigError
from fechner.strategies.plugins import installed

CONFIG = """
[common]
parnames = [p]
outcome_types = [binary]
strategy_names = [only]
[p]
par_type = continuous
lower_bound = 0
upper_bound = 1
[only]
generator = GENERATOR
min_asks = 3
"""
MODULE = """
from fechner.strategies import plugins
middle = plugins.generator(
    "Middle", generate="lab_{name}_computing:middle", keys={{"at": plugins.number(0.5, low=0.0, high=1.0)}}
)
taken = plugins.generator("SobolGenerator", generate="lab:x")
model = plugins.model("Middle", fit="lab:x", posterior="lab:x")
"""
COMPUTING = """
import numpy as np
def middle(component, request):
    return np.full((request.n, request.stimuli, request.space.d), component.keys["at"])
"""

Install = Callable[..., None]


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Install]:
    """Puts a package with entry points where Python finds it."""
    caches = (installed.found, installed.plugin_of, installed.entries)
    name = tmp_path.name  # of this test alone

    def put(**points: str) -> None:
        (tmp_path / f"lab_{name}.py").write_text(MODULE.format(name=name))
        (tmp_path / f"lab_{name}_computing.py").write_text(COMPUTING)
        info = tmp_path / "lab_plugins-1.2.dist-info"
        info.mkdir()
        (info / "METADATA").write_text("Metadata-Version: 2.1\nName: lab-plugins\nVersion: 1.2\n")
        lines = "".join(f"{key} = lab_{name}:{value}\n" for key, value in points.items())
        (info / "entry_points.txt").write_text(f"[fechner.generators]\n{lines}")
        monkeypatch.syspath_prepend(str(tmp_path))
        for cache in caches:
            cache.cache_clear()

    yield put
    monkeypatch.undo()
    for cache in caches:
        cache.cache_clear()
    for module in (f"lab_{name}", f"lab_{name}_computing"):
        sys.modules.pop(module, None)


def test_an_installed_plug_in_is_found(install: Install) -> None:
    """Its keys are read; what computes is imported when it computes."""
    from fechner.strategies import Strategy

    install(Middle="middle")
    config = CONFIG.replace("GENERATOR", "Middle") + "[Middle]\nat = 0.25\n"
    specification = check(config)
    assert specification.stages[0].generator.plugin == "installed:lab-plugins 1.2"
    assert not [name for name in sys.modules if name.endswith("_computing") and name.startswith("lab_")]
    assert Strategy(config).ask() == {"p": 0.25}
    with pytest.raises(ConfigError, match="at most 1"):
        check(config.replace("0.25", "2"))


def test_a_name_of_ours_is_refused(install: Install) -> None:
    """Ours is used, and whoever names it is told."""
    install(SobolGenerator="taken")
    specification = check(CONFIG.replace("GENERATOR", "SobolGenerator"))
    assert specification.stages[0].generator.plugin == ""
    [warning] = specification.warnings
    assert warning.code == "plugin_refused"
    assert "lab-plugins 1.2" in warning.detail
    assert check(CONFIG.replace("GENERATOR", "RandomGenerator")).warnings == ()


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("nothing", "can't be loaded: AttributeError"),
        ("model", "is the model Middle, not the generator Middle"),
        ("plugins", "is no plug-in"),
    ],
)
def test_one_that_cannot_be_used_says_why_where_it_is_named(install: Install, value: str, said: str) -> None:
    """Others are not concerned."""
    install(Middle=value)
    with pytest.raises(ConfigError, match=said):
        check(CONFIG.replace("GENERATOR", "Middle"))
    assert check(CONFIG.replace("GENERATOR", "RandomGenerator")).warnings == ()
