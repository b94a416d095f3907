"""A whole experiment in two minutes: the audiogram of a simulated listener, through a real server.

Starts `fechner serve` on a free port with a fresh record, lets a simulated listener with a real hearing loss
(metabolic and sensory, Dubno et al. 2013, doi 10.1007/s10162-013-0396-x) answer about 60 tones through the
Python client, asks for the thresholds with 95 % intervals, prints them beside the truth, draws the audiogram,
verifies the record by replaying it, and stops the server.

    python examples/audiogram_demo.py --out demo
"""

from __future__ import annotations

import argparse
import configparser
import io
import re
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from rich import box
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from fechner.strategies.random import rng
from fechner.strategies.simulation import FREQUENCIES_KHZ, THRESHOLDS_DB, Observer, audiogram
from fechner_client import Client, Threshold

CONFIGURATION = Path(__file__).with_name("audiogram.ini")
FECHNER = (sys.executable, "-m", "fechner.server.cli")
PHENOTYPE = "metabolic+sensory"
BETA_DB = 5.0
LEVELS_DB = (-20.0, 120.0)

Column = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Tone:
    """One trial, answered."""

    frequency_khz: float
    level_db: float
    heard: bool


@dataclass(frozen=True)
class Result:
    """What the demo found.

    Attributes:
        tones: the trials, in order.
        thresholds: at the eight audiometric frequencies.
        curve: thresholds on a fine grid of frequencies.
        truth_db: the listener's own thresholds at the eight frequencies.
    """

    tones: list[Tone]
    thresholds: list[Threshold]
    curve: list[Threshold]
    truth_db: list[float]

    def errors_db(self) -> list[float]:
        """Estimate minus truth; where there is no estimate, the farther end of the levels counts."""
        low, high = LEVELS_DB
        return [
            (found.value if found.value is not None else (low if truth > (low + high) / 2 else high)) - truth
            for found, truth in zip(self.thresholds, self.truth_db, strict=True)
        ]


def configuration(target: float, trials: int | None) -> str:
    """The text of audiogram.ini with another target or number of trials."""
    parser = configparser.ConfigParser(default_section="common", interpolation=None)
    parser.read_string(CONFIGURATION.read_text("utf-8"))
    parser["common"]["target"] = f"{target:g}"
    if trials is not None:
        first = min(parser.getint("explore", "min_asks"), trials - 1)
        parser["explore"]["min_asks"] = str(first)
        parser["refine"]["min_asks"] = str(trials - first)
    text = io.StringIO()
    parser.write(text)
    return text.getvalue()


@contextmanager
def served(record: Path) -> Iterator[int]:
    """A server on a free port of this machine, stopped in the end."""
    command = [*FECHNER, "serve", "--port", "0", "--db", str(record)]
    server = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        assert server.stdout is not None
        said = []
        for line in server.stdout:
            said.append(line)
            if found := re.match(r"listening on .*?:(\d+)", line):
                yield int(found[1])
                break
        else:
            raise SystemExit(f"the server did not start: {''.join(said).strip()}")
    finally:
        server.terminate()
        server.communicate(timeout=30)


def listen(client: Client, listener: Observer, seed: int, console: Console) -> list[Tone]:
    """Run the trials: the simulated listener answers each tone."""
    random, tones = rng(seed, "listener"), []
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("{task.fields[tone]}"),
    )
    with Progress(*columns, console=console) as progress:
        task = progress.add_task("listening", total=None, tone="")
        for trial in client.trials():
            heard = bool(listener.sample(trial.config, random))
            trial.tell(heard)
            tone = Tone(float(trial["frequency"]), float(trial["level"]), heard)
            tones.append(tone)
            shown = f"{tone.frequency_khz:5.2f} kHz {tone.level_db:6.1f} dB HL  {'heard' if heard else '-'}"
            left = client.remaining.get("trials")
            progress.update(
                task, completed=len(tones), total=len(tones) + left if left is not None else None, tone=shown
            )
        progress.update(task, total=len(tones), tone="")
    return tones


def audiometry(client: Client, listener: Observer, seed: int, target: float, console: Console) -> Result:
    """The trials and the questions of one session."""
    tones = listen(client, listener, seed, console)
    fine = np.geomspace(FREQUENCIES_KHZ[0], FREQUENCIES_KHZ[-1], 61).tolist()
    offset = BETA_DB * listener.latent_target()
    return Result(
        tones,
        client.thresholds(target, "level", x={"frequency": list(FREQUENCIES_KHZ)}, interval=0.95),
        client.thresholds(target, "level", x={"frequency": fine}, interval=0.95),
        [truth + offset for truth in THRESHOLDS_DB[PHENOTYPE]],
    )


def show(result: Result, console: Console) -> None:
    """Print the thresholds beside the truth."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for title in ("kHz", "threshold", "95 % interval", "true value", "error"):
        table.add_column(title, justify="right")
    errors = result.errors_db()
    for found, truth, error in zip(result.thresholds, result.truth_db, errors, strict=True):
        low, high = LEVELS_DB
        lower = f"below {low:.0f}" if found.lower is None else f"{found.lower:.1f}"
        upper = f"above {high:.0f}" if found.upper is None else f"{found.upper:.1f}"
        value = "none" if found.value is None else f"{found.value:.1f}"
        table.add_row(
            f"{found.x['frequency']:g}", value, f"{lower} to {upper}", f"{truth:.1f}", f"{error:+.1f}"
        )
    console.print(table)
    console.print(f"mean absolute error {np.mean(np.abs(errors)):.1f} dB after {len(result.tones)} tones")


def draw(result: Result, target: float, to: Path) -> None:
    """Draw the audiogram: frequency on a log axis, level downwards, as audiologists do."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6.4, 5.6), layout="constrained")
    axes = figure.add_subplot()
    low, high = LEVELS_DB
    blue, orange, grey = "#0072B2", "#D55E00", "0.4"
    where, middle, lower, upper = bounds(result.curve)
    axes.plot(where, middle, color=blue, lw=1.8, label=f"Estimated threshold, P(heard) = {target:g}")
    axes.fill_between(where, lower, upper, color=blue, alpha=0.15, lw=0, label="95 % credible interval")
    axes.plot(
        FREQUENCIES_KHZ, result.truth_db, "D", color=orange, ms=5.5, mec="white", mew=0.8, zorder=5,
        label="True threshold",
    )  # fmt: skip
    where, middle, lower, upper = bounds(result.thresholds)
    axes.errorbar(
        where, middle, yerr=(middle - lower, upper - middle), fmt="none", ecolor=blue, elinewidth=1.2,
        capsize=2.5, capthick=1.2, zorder=3,
    )  # fmt: skip
    for heard, marker, label in ((True, "o", "Tone heard"), (False, "x", "Tone not heard")):
        axes.plot(
            [tone.frequency_khz for tone in result.tones if tone.heard is heard],
            [tone.level_db for tone in result.tones if tone.heard is heard],
            marker, color=grey, mfc="white", ms=4.2, mew=1.0, label=label, zorder=4, clip_on=False,
        )  # fmt: skip
    axes.set_xscale("log", base=2)
    axes.set_xlim(FREQUENCIES_KHZ[0] / 1.12, FREQUENCIES_KHZ[-1] * 1.12)
    axes.set_xticks(FREQUENCIES_KHZ, [f"{frequency:g}" for frequency in FREQUENCIES_KHZ])
    axes.minorticks_off()
    axes.set_ylim(high, low)
    axes.set_yticks(np.arange(low, high + 1, 20))
    axes.grid(color="0.9", lw=0.7)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)
    axes.set_xlabel("Frequency (kHz)")
    axes.set_ylabel("Level (dB HL)")
    figure.legend(loc="outside upper center", ncols=2, frameon=False, fontsize=9)
    figure.savefig(to, dpi=200)


def bounds(found: Sequence[Threshold]) -> tuple[Column, Column, Column, Column]:
    """Frequency, threshold and interval in columns; where the interval is open, the end of the levels."""
    low, high = LEVELS_DB
    rows = [
        (
            one.x["frequency"],
            np.nan if one.value is None else one.value,
            low if one.lower is None else one.lower,
            high if one.upper is None else one.upper,
        )
        for one in found
    ]
    where, middle, lower, upper = np.array(rows, dtype=float).T
    return where, middle, lower, upper


def free_names(out: Path) -> tuple[Path, Path]:
    """Names for record and picture that no earlier run has taken."""
    out.mkdir(parents=True, exist_ok=True)
    number = 1
    while True:
        stem = "audiogram" if number == 1 else f"audiogram-{number}"
        record, picture = out / f"{stem}.db", out / f"{stem}.png"
        if not (record.exists() or picture.exists()):
            return record, picture
        number += 1


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the demo; 0 if the replay was identical."""
    parser = argparse.ArgumentParser(description="The audiogram of a simulated listener, start to finish.")
    parser.add_argument("--seed", type=int, default=1, help="of strategy and listener [1]")
    parser.add_argument("--trials", type=int, help="how many tones [what audiogram.ini says]")
    parser.add_argument("--out", type=Path, default=Path("demo"), help="folder for record and picture [demo]")
    parser.add_argument("--target", type=float, default=0.5, help="the probability of hearing sought [0.5]")
    given = parser.parse_args(arguments)
    if given.trials is not None and given.trials < 2:
        parser.error("--trials: at least 2")
    if not 0.01 <= given.target <= 0.99:
        parser.error("--target: between 0.01 and 0.99")
    console = Console(highlight=False)
    record, picture = free_names(given.out)
    listener = audiogram(PHENOTYPE, beta_db=BETA_DB, target=given.target, in_khz=True)
    begin = time.perf_counter()
    with served(record) as port:
        console.print(f"server on port {port}; a simulated listener ({PHENOTYPE} hearing loss)")
        with Client(port=port) as client:
            client.setup(
                configuration(given.target, given.trials),
                name="audiogram demo", participant="simulated", seed=given.seed,
                metadata={"phenotype": PHENOTYPE, "beta_db": BETA_DB},
            )  # fmt: skip
            result = audiometry(client, listener, given.seed, given.target, console)
            client.exit()
        show(result, console)
        draw(result, given.target, picture)
        console.print("\nreplaying the record, every ask computed again:")
        replay = subprocess.run([*FECHNER, "replay", "last", "--verify", "--db", str(record)])
    console.print(f"\nserver stopped after {time.perf_counter() - begin:.0f} s")
    console.print(f"record   {record}\npicture  {picture}", soft_wrap=True)
    return replay.returncode


if __name__ == "__main__":
    sys.exit(main())
