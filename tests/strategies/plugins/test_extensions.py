"""Extensions: local files with plug-ins, run only where that was allowed, known by their bytes."""

from __future__ import annotations

import hashlib
import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from fechner.strategies import Strategy
from fechner.strategies.config import check
from fechner.strategies.config.describing.describe import describe
from fechner.strategies.core.dumps import dump, load
from fechner.strategies.core.strategy import propose
from fechner.strategies.errors import ConfigError, FechnerError, Problem
from fechner.strategies.plugins import extensions
from fechner.strategies.plugins.declare import PluginError
from fechner.strategies.plugins.extensions import allow, forbid
from fechner.strategies.plugins.resolve import resolve
from fechner.strategies.testing import check_acquisition, check_generator, check_model

EXAMPLES = Path(__file__).parents[3] / "examples" / "extensions"
CONFIG = (EXAMPLES / "latin.ini").read_text("utf-8")


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """A folder whose files this process may run; it has the example."""
    one = tmp_path / "extensions"
    one.mkdir()
    shutil.copy(EXAMPLES / "latin.py", one)
    allow(one)
    yield one
    forbid()


def problems(config: str) -> tuple[Problem, ...]:
    with pytest.raises(ConfigError) as caught:
        check(config)
    return caught.value.problems


def refusal(config: str) -> Problem:
    """What is said about the extension; the names that it would have had are problems too."""
    [found] = [one for one in problems(config) if one.key == "extensions"]
    assert found.code == "extension_refused"
    return found


def test_nothing_is_run_where_that_was_not_allowed(tmp_path: Path) -> None:
    """A named error says how to start; the file isn't touched."""
    forbid()
    (tmp_path / "a.py").write_text("raise SystemExit")
    found = refusal(CONFIG.replace("latin.py", str(tmp_path / "a.py")))
    assert "not allowed" in found.detail
    assert "--allow-extensions DIR" in found.hint


def test_the_example_runs(folder: Path) -> None:
    """A generator, a model and an acquisition function of one file, through a whole strategy."""
    specification = check(CONFIG)
    [extension] = specification.extensions
    assert extension.file == "latin.py"
    assert extension.path == str((folder / "latin.py").resolve())
    assert extension.sha256 == hashlib.sha256((folder / "latin.py").read_bytes()).hexdigest()
    strategy = Strategy(CONFIG, seed=3)
    first = np.array([[p["contrast"], (p["size"] - 1) / 4] for p in strategy.ask(8)])
    assert (np.sort((first * 8).astype(int), axis=0) == np.arange(8)[:, None]).all()
    for contrast, size in first:
        strategy.tell({"contrast": contrast, "size": 1 + 4 * size}, 1 - (contrast - 0.7) ** 2)
    for _ in range(6):
        point = strategy.ask()
        strategy.tell(point, 1 - (point["contrast"] - 0.7) ** 2)
    assert strategy.finished is not None
    assert strategy.query("max")["x"]["contrast"][0] == pytest.approx(0.7, abs=0.15)
    assert propose(load(dump(strategy.state))) == propose(strategy.state)


def test_check_says_what_they_do(folder: Path) -> None:
    """In words, with the file that was run."""
    words = describe(check(CONFIG))
    assert "FixedScaleGP: a smooth function with a length scale that is given" in words
    assert "latin.py was run (SHA-256 " in words


def test_the_examples_conform(folder: Path) -> None:
    """They pass what every class of ours passes."""
    stages = check(CONFIG).stages
    check_generator(stages[0].generator)
    check_generator(stages[0].generator, stimuli=2)
    check_generator(stages[1].generator, model=stages[1].model, outcome="continuous")
    assert stages[1].model is not None
    check_model(stages[1].model)
    check_acquisition(stages[1].generator.keys["acqf"])


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("../outside.py", "without '..'"),
        ("sub/../latin.py", "without '..'"),
        ("/etc/passwd", "outside the folder"),
        ("link.py", "outside the folder"),
        ("missing.py", "no such file"),
        ("latin.txt", "must end in .py"),
        (".", "no such file"),
    ],
)
def test_only_files_inside_the_folder_are_run(folder: Path, name: str, said: str) -> None:
    """After links are followed, and without '..'."""
    (folder.parent / "outside.py").write_text("raise SystemExit")
    (folder / "sub").mkdir()
    (folder / "latin.txt").write_text("")
    os.symlink(folder.parent / "outside.py", folder / "link.py")
    if name == ".":
        said = "lies outside"  # a folder is no file
    assert said in refusal(CONFIG.replace("latin.py", f'"{name}"')).detail


def test_links_inside_the_folder_are_followed(folder: Path) -> None:
    """And a name may say which folder inside."""
    (folder / "sub").mkdir()
    os.symlink(folder / "latin.py", folder / "sub" / "same.py")
    assert check(CONFIG.replace("latin.py", "sub/same.py")).extensions[0].path.endswith("latin.py")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("1 / 0", "ZeroDivisionError in line 2"),
        ("raise SystemExit(3)", "SystemExit in line 2: 3"),
        ("def broken(:", "SyntaxError"),
        ("x = 1", "needs PLUGINS"),
        ("PLUGINS = [1]", "int is no plug-in"),
        ("PLUGINS = [g('SobolGenerator', generate=print)]", "Fechner has a class SobolGenerator"),
        ("PLUGINS = [g('kmeans++', generate=print)]", "no name of a class"),
        ("PLUGINS = [g('G', generate=print), g('G', generate=print)]", "declares G twice"),
        ("PLUGINS = [g('G', generate=print, outcome='nominal')]", "for nominal outcomes"),
        ("PLUGINS = [g('G', generate=print, keys={'Rows': 1})]", "a key is a Key"),
        ("import surely_heavy", "No module named 'surely_heavy'"),
    ],
)
def test_what_is_wrong_with_a_file_is_said(folder: Path, text: str, said: str) -> None:
    """With the line; the name of a class of ours is refused."""
    (folder / "wrong.py").write_text(f"from fechner.strategies.plugins import generator as g\n{text}\n")
    before = set(sys.modules)
    assert said in refusal(CONFIG.replace("latin.py", "wrong.py")).detail
    assert not [name for name in set(sys.modules) - before if name.startswith("fechner_extension")]


def test_torch_is_refused_to_declarations(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a file imports outside its functions is imported where configurations are checked."""
    for name in [one for one in sys.modules if one.split(".")[0] == "torch"]:
        monkeypatch.delitem(sys.modules, name)
    (folder / "heavy.py").write_text("import torch\n")
    detail = refusal(CONFIG.replace("latin.py", "heavy.py")).detail
    assert "torch must be imported inside the functions" in detail
    assert not [finder for finder in sys.meta_path if type(finder).__name__ == "_Light"]


def test_two_files_may_not_have_one_name(folder: Path) -> None:
    """Nobody could say which is meant."""
    text = (folder / "latin.py").read_text("utf-8")
    (folder / "other.py").write_text(text + "\n")
    found = problems(CONFIG.replace("latin.py", "latin.py, other.py"))
    assert len(found) == 3
    assert all("a name that another plug-in has" in one.detail for one in found)


def test_an_edited_file_is_another_extension(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each configuration has the file of its check; a process that never ran that one refuses by name."""
    old = check(CONFIG)
    text = (folder / "latin.py").read_text("utf-8")
    (folder / "latin.py").write_text(text.replace("whole(8", "whole(9"))
    new = check(CONFIG)
    assert [one.stages[0].generator.keys["rows"] for one in (old, new)] == [8, 9]
    plugins = [resolve(one.stages[0].generator) for one in (old, new)]
    assert [plugin.keys["rows"].default for plugin in plugins] == [8, 9]
    monkeypatch.setattr(extensions, "_loaded", {})
    with pytest.raises(FechnerError, match=r"latin\.py, with which the session was set up, was changed"):
        resolve(old.stages[0].generator)
    assert resolve(new.stages[0].generator).name == "LatinHypercubeGenerator"
    (folder / "latin.py").unlink()
    with pytest.raises(FechnerError, match="can't be read"):
        resolve(old.stages[0].generator)


def test_a_folder_that_is_not_there_is_refused(tmp_path: Path) -> None:
    """By name."""
    with pytest.raises(PluginError, match="there is no folder"):
        allow(tmp_path / "nowhere")


def test_points_outside_the_box_are_no_ask(folder: Path) -> None:
    """The generator is named, and nothing is handed out."""
    (folder / "wild.py").write_text(
        "from fechner.strategies.plugins import generator\n"
        "def wild(component, request):\n    return [[[2.0, 0.5]]] * request.n\n"
        "PLUGINS = [generator('Wild', generate=wild)]\n"
    )
    config = CONFIG.replace("latin.py", "latin.py, wild.py").replace("LatinHypercubeGenerator", "Wild")
    with pytest.raises(FechnerError, match="Wild gave points outside the unit box"):
        Strategy(config).ask()


NEEDY = """
from fechner.strategies.plugins import generator

def likeliest(component, request):
    import numpy as np
    from fechner.strategies.numerics.randomness import rng
    points = rng(request.seed, "points", request.first).uniform(size=(64, request.space.d))
    mean, _ = request.posterior.moments(points, "latent")
    best = points[np.argsort(-mean)[: request.n * request.stimuli]]
    return best.reshape(request.n, request.stimuli, request.space.d)

PLUGINS = [generator("Likeliest", generate=likeliest, needs_model=True)]
"""


@pytest.mark.parametrize("stimuli", [1, 2])
def test_a_generator_that_needs_a_model_has_its_posterior(folder: Path, stimuli: int) -> None:
    """The stage's model, chosen where none is named; before there are data the points fill the space."""
    (folder / "needy.py").write_text(NEEDY)
    config = CONFIG.replace("latin.py", "needy.py").replace("continuous]", "binary]")
    config = config.replace("[explore, climb]", "[explore]").replace("LatinHypercubeGenerator", "Likeliest")
    config = config.replace("[common]", f"[common]\nstimuli_per_trial = {stimuli}")
    specification = check(config)
    [stage] = specification.stages
    wanted = "GPClassificationModel" if stimuli == 1 else "PairwiseProbitModel"
    assert stage.model is not None
    assert stage.model.name == wanted
    strategy = Strategy(config, seed=1)
    assert propose(strategy.state)["tier"] == "space_filling"
    for _ in range(6):
        point = strategy.ask()
        values = point["contrast"] if stimuli == 2 else [0.5, point["contrast"]]
        strategy.tell(point, int(values[1] > values[0]))
    proposal = propose(strategy.state)
    assert proposal["tier"] == "model"
    assert ("post_mean" in proposal) is (stimuli == 1)
    check_generator(stage.generator, model=stage.model, stimuli=stimuli)


def test_a_generator_that_needs_a_model_is_for_one_outcome(folder: Path) -> None:
    """Of several it would see one alone: refused."""
    (folder / "needy.py").write_text(NEEDY)
    config = CONFIG.replace("latin.py", "needy.py").replace("[continuous]", "[binary, continuous]")
    config = config.replace("[explore, climb]", "[explore]").replace("LatinHypercubeGenerator", "Likeliest")
    [problem] = problems(config)
    assert (problem.section, problem.key, problem.code) == ("explore", "generator", "does_not_fit")
