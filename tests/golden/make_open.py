"""Makes a golden record of sessions that are still open, and what they are asked next.

    python tests/golden/make_open.py tests/golden/record-VERSION-open.db

Run it once for each release, with that release: it writes the record, one file without a log beside it, and a
JSON file of the same name with what each session says after `resume`. Both are kept for ever: every later
version has to resume these sessions and to hand out the same trials.
"""

from __future__ import annotations

import json
import random
import shutil
import sqlite3
import sys
import tempfile
from pathlib import Path
from typing import Any

from fechner.server import Server

Reply = dict[str, Any]

_SPACE = {
    "a": {"par_type": "continuous", "lower_bound": 0, "upper_bound": 1},
    "b": {"par_type": "continuous", "lower_bound": -5, "upper_bound": 40},
}
_SEARCH = {"OptimizeAcqfGenerator": {"samps": 256}}


def _config(outcomes: list[str], model: str, **sections: Any) -> dict[str, Any]:
    """Two stages: points that fill the space, and points of an acquisition function."""
    return {
        "common": {
            "parnames": ["a", "b"],
            "outcome_types": outcomes,
            "strategy_names": ["init", "opt"],
            **sections.pop("common", {}),
        },
        **_SPACE,
        "init": {"generator": "SobolGenerator", "min_asks": 4, "min_total_outcome_occurrences": 0},
        "opt": {"generator": "OptimizeAcqfGenerator", "model": model, "min_asks": 40},
        **_SEARCH,
        **sections,
    }


#: Configurations by session; each session asks its model when it is left.
CONFIGS: dict[str, dict[str, Any]] = {
    "classification": _config(
        ["binary"],
        "GPClassificationModel",
        common={"target": 0.75},
        OptimizeAcqfGenerator={"samps": 256, "acqf": "EAVC"},
    ),
    "pairwise": _config(
        ["binary"],
        "PairwiseProbitModel",
        common={"stimuli_per_trial": 2},
        OptimizeAcqfGenerator={"samps": 256, "acqf": "AnalyticExpectedUtilityOfBestOption"},
    ),
    "ordinal": _config(["ordinal"], "OrdinalGPModel", OrdinalLikelihood={"n_levels": 3}),
    "several outcomes": _config(
        ["binary", "continuous"],
        "IndependentGPsModel",
        opt={
            "generator": "IndependentOptimizeAcqfGenerator",
            "model": "IndependentGPsModel",
            "min_asks": 40,
            "min_total_outcome_occurrences": 0,
        },
        IndependentGPsModel={"models": ["GPClassificationModel", "GPRegressionModel"]},
    ),
    "aepsych": _config(
        ["binary"],
        "GPClassificationModel",
        OptimizeAcqfGenerator={"samps": 256, "acqf": "MCLevelSetEstimation"},
    ),
}
#: Trials of a session that is left with one more of them pending.
TRIALS = 7


def answer(name: str, config: Reply, trial: int) -> Any:
    """What a participant answers, always the same."""
    a, b = (value[-1] if isinstance(value, list) else value for value in (config["a"], config["b"]))
    height = a + b / 40
    if name == "pairwise":
        return int(height > config["a"][0] + config["b"][0] / 40)
    if name == "ordinal":
        return min(2, max(0, int(height * 1.5)))
    detected = int(height > 0.8) if trial % 4 else trial // 4 % 2
    if name == "several outcomes":
        return {"outcome_1": detected, "outcome_2": round(height, 3)}
    return detected


class Client:
    """One client of a server in this process; who answers is the participant of that session's name."""

    def __init__(self, server: Server, name: str, run: str, aepsych: bool = False) -> None:
        self._channel, self._name, self._run, self._aepsych = server.connect(), name, run, aepsych
        self._count = 0

    def _send(self, type_: str, message: Reply) -> Reply:
        if self._aepsych:
            said: Reply = self._channel.request({"type": type_, "message": message})
            return said
        self._count += 1
        id_ = f"{self._run} {self._count}"  # an id that was used is answered from the record
        reply = self._channel.request({"version": "1", "type": type_, "id": id_, "message": message})
        assert reply["ok"], reply
        return dict(reply["message"])

    def setup(self, seed: int) -> None:
        """Begin the session."""
        config = CONFIGS[self._name]
        if self._aepsych:
            self._send("setup", {"config_dict": {**config, "common": {**config["common"], "seed": seed}}})
        else:
            self._send("setup", {"config": config, "seed": seed, "name": self._name})

    def resume(self, session: str) -> list[Reply]:
        """Go on with a session on record; what is pending."""
        return list(self._send("resume", {"session": session})["pending"])

    def ask(self) -> Reply:
        """The next trial: its parameters and, where the dialect says it, its number."""
        reply = self._send("ask", {})
        return {"config": reply["config"]} if self._aepsych else dict(reply["trials"][0])

    def tell(self, trial: Reply, number: int) -> None:
        """Answer a trial, the session's `number`-th."""
        where = {"trial": trial["trial"]} if "trial" in trial else {"config": trial["config"]}
        self._send("tell", {**where, "outcome": answer(self._name, trial["config"], number)})


def make(to: Path) -> dict[str, str]:
    """Make the record; the sessions' ids by name."""
    sessions = {}
    with Server(to, entropy=random.Random(15).randbytes) as server:
        for seed, name in enumerate(CONFIGS, start=21):
            client = Client(server, name, "first", aepsych=name == "aepsych")
            client.setup(seed)
            for number in range(1, TRIALS + 1):
                client.tell(client.ask(), number)
            client.ask()
            sessions[name] = str(server.record.last())
    with sqlite3.connect(to) as connection:  # one file, without a log beside it
        connection.execute("PRAGMA journal_mode=DELETE")
        connection.execute("VACUUM")
    connection.close()
    return sessions


def go_on(file: Path, name: str, session: str) -> Reply:
    """Go on with a session, on record: what is pending, the next ask, and one after a tell."""
    with Server(file, entropy=random.Random(16).randbytes) as server:
        client = Client(server, name, "second")
        pending = client.resume(session)
        trial = client.ask()
        client.tell(trial, trial["trial"])
        return {"pending": pending, "next": trial, "after a tell": client.ask()}


def main(to: Path) -> None:
    """Write the record and, beside it, what its sessions say next."""
    with tempfile.TemporaryDirectory() as folder:
        made = Path(folder) / "made.db"
        sessions, said = make(made), {}
        shutil.copy(made, to)
        for name, id_ in sessions.items():
            copy = Path(shutil.copy(made, Path(folder) / "copy.db"))
            said[name] = {"session": id_, **go_on(copy, name, id_)}
    text = json.dumps({"environment": environment(to), "sessions": said}, indent=1)
    to.with_suffix(".json").write_text(text + "\n", "utf-8")


def environment(record: Path) -> Reply:
    """What computed a record's sessions."""
    connection = sqlite3.connect(record)
    [(text,)] = connection.execute("SELECT DISTINCT environment_json FROM sessions").fetchall()
    connection.close()
    return dict(json.loads(text))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
