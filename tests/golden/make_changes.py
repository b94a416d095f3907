"""Makes the golden changes: an example of each, exactly as its column has it.

    python tests/golden/make_changes.py

They are kept for ever, like the records: what a record says of a session has to be read by every later
version. An example that is there already stays as it is.
"""

from __future__ import annotations

import random
import sqlite3
import sys
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from fechner.database.aepsych.sessions import Event, ForeignSession
from fechner.database.form.message import to_json
from fechner.server import Server
from fechner.server.importing.session import entries
from fechner.server.protocol.dialects.traits import Traits
from fechner.server.protocol.limits import Limits
from fechner.server.protocol.messages import Setup
from fechner.server.session.handlers.registry import HANDLERS, load
from fechner.server.session.handlers.results import Answer, Context
from fechner.server.session.session import Session

HERE = Path(__file__).parent
SESSION = "6f1d2c3b-0000-4000-8000-000000000001"
#: A file of plug-ins, which also is a package's only module.
PLUG_INS = """
from fechner.strategies import plugins

def points(component, request):
    import numpy as np
    return np.full((request.n, request.stimuli, request.space.d), 0.25)

def plug_in(name):
    return plugins.generator(name, generate=points, keys={}, about="always the same point")

PLUGINS = [plug_in("LocalGenerator")]
installed = plug_in("InstalledGenerator")
"""
PLUGGED = """
[common]
parnames = [p]
outcome_types = [binary]
strategy_names = [here, there]
extensions = [booth.py]
[p]
par_type = continuous
lower_bound = 0
upper_bound = 1
[here]
generator = LocalGenerator
min_asks = 1
[there]
generator = InstalledGenerator
min_asks = 1
"""
WARM = """
[common]
parnames = [p]
outcome_types = [binary]
strategy_names = [opt]
use_gpu = True
[p]
par_type = continuous
lower_bound = 0
upper_bound = 1
unit = dB
[opt]
generator = OptimizeAcqfGenerator
model = GPClassificationModel
min_asks = 3
min_post_range = 0.4
log_post_var = True
seed_data_conditions = earlier
[OptimizeAcqfGenerator]
acqf = EAVC
samps = 64
[EAVC]
target = 0.75
[earlier]
experiment_name = pilot
"""


def columns(file: Path) -> Iterator[str]:
    """The changes of a record, as its column has them."""
    connection = sqlite3.connect(f"{file.as_uri()}?mode=ro&immutable=1", uri=True)
    for (text,) in connection.execute("SELECT change FROM messages WHERE change IS NOT NULL ORDER BY seq"):
        yield str(text)
    connection.close()


def asked_for(folder: Path, requests: list[tuple[str, dict[str, Any]]], **options: Any) -> list[str]:
    """The changes that requests make."""
    file = folder / "record.db"
    file.unlink(missing_ok=True)
    with Server(file, entropy=random.Random(17).randbytes, **options) as server:
        channel = server.connect()
        for type_, message in requests:
            reply = channel.request({"version": "1", "type": type_, "message": message})
            assert reply["ok"], reply
    connection = sqlite3.connect(file)
    connection.execute("PRAGMA journal_mode=DELETE")
    connection.close()
    return list(columns(file))


def warm(folder: Path) -> list[str]:
    """A model that is warm from the start, asked with a deadline, some of its points handed out again."""
    told = [{"config": {"p": p / 8}, "outcome": int(p > 4)} for p in range(9)]
    requests: list[tuple[str, dict[str, Any]]] = [
        ("setup", {"config": WARM, "seed": 3}),
        ("ask", {"n": 2, "deadline_ms": 60_000}),
        ("skip", {"trial": 1, "again": True}),
        ("ask", {"n": 2, "beyond": True}),
    ]
    return asked_for(folder, requests, seed_data=told)


def plugged(folder: Path) -> list[str]:
    """A setup with a local file's plug-in, and an installed one."""
    (folder / "booth.py").write_text(PLUG_INS)
    package = folder / "booth-1.0.dist-info"
    package.mkdir()
    (package / "METADATA").write_text("Metadata-Version: 2.1\nName: booth\nVersion: 1.0\n")
    (package / "entry_points.txt").write_text("[fechner.generators]\nInstalledGenerator = booth:installed\n")
    sys.path.insert(0, str(folder))
    return asked_for(folder, [("setup", {"config": PLUGGED, "seed": 3})], allow_extensions=folder)


def imported() -> list[str]:
    """A session of another program's file, whose configuration can't be used."""
    noon = datetime(2026, 1, 2, 12, tzinfo=UTC)
    trial = {
        "config": {"p": "0.5"},
        "outcome": {"outcome_1": 1.0},
        "model_data": True,
        "extra": {"eye": "left"},
    }
    events = [
        Event("setup 1", noon, "setup", {"config_str": "[common]\nparnames = [p]\n"}),
        Event("raw_data 1", noon, "trial", trial),
    ]
    session = ForeignSession(SESSION, "1", "hearing", None, "P 7", {}, events)
    return [to_json(entry.change) for entry in entries(session, noon).entries]


def owned() -> str:
    """A setup of somebody who has a token."""
    context = Context(
        session=Session(SESSION),
        limits=Limits(),
        version="1",
        traits=Traits(),
        draw_seed=lambda: 3,
        server="fechner",
        record="golden.db",
        environment=lambda: {"threads": 1},
        owner="5f" * 32,
    )
    load()
    answer = HANDLERS["setup", "1"](
        context, Setup(config=WARM.replace("seed_data_conditions = earlier\n", ""))
    )
    assert isinstance(answer, Answer)
    return to_json(answer.change)


def examples(folder: Path) -> Iterator[tuple[str, str]]:
    """Each example by its file's name."""
    [text] = plugged(folder)  # first, since packages are looked for once
    yield "setup with plug-ins", text
    record = list(columns(HERE / "record-0.1.0.db"))
    first = list(columns(HERE / "record-revision-0001.db"))
    for name, seq in (
        ("setup", 0), ("ask", 1), ("tell", 2), ("skip", 3), ("ask again", 4), ("tell not asked", 6),
        ("ask of a model", 7), ("tell shown", 10), ("correct", 11), ("correct removes", 13),
        ("finish_strategy", 14), ("setup of pairs", 15), ("ask of pairs", 16), ("exit", 18), ("resume", 19),
    ):  # fmt: skip
        yield name, record[seq]
    yield "setup of revision 0001", first[0]
    yield "resume of revision 0001", first[19]
    for name, text in zip(
        ("setup warm", "ask with a deadline", "skip again", "ask warm"), warm(folder), strict=True
    ):
        yield name, text
    for name, text in zip(("setup", "tell", "finish_strategy", "exit"), imported(), strict=True):
        yield f"{name} imported", text
    yield "setup owned", owned()


def main() -> None:
    """Write the examples that aren't there."""
    (HERE / "changes").mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        for name, text in examples(Path(folder)):
            file = HERE / "changes" / f"{name.replace(' ', '-')}.json"
            if not file.exists():
                file.write_text(text, "ascii")


if __name__ == "__main__":
    main()
