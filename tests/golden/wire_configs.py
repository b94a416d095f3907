"""Configurations of the golden transcripts, and what a script of one is made of.

A script is a generator: it yields what to send and is given the reply's text. What it yields is the value of
a request, the bytes of a request as text, or a `Step` with either and how its reply is kept.
"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass
from typing import Any

#: A model is never asked for the next trial: what it says has other last digits on other machines.
CONFIG = """
[common]
parnames = [p, q]
outcome_types = [binary]
strategy_names = [init_strat, listed, last]
[p]
par_type = continuous
lower_bound = 0
upper_bound = 1
[q]
par_type = continuous
lower_bound = -20
upper_bound = 120
[init_strat]
generator = SobolGenerator
min_asks = 8
[listed]
generator = ManualGenerator
min_asks = 2
[ManualGenerator]
points = [[0.25, 30], [0.75, 60.5]]
shuffle = False
[last]
generator = RandomGenerator
min_asks = 2
[SobolGenerator]
seed = 5
[RandomGenerator]
seed = 6
[metadata]
experiment_name = golden
"""
MODEL = """
[common]
parnames = [p, q]
outcome_types = [binary]
strategy_names = [init_strat]
target = 0.75
seed = 8
[p]
par_type = continuous
lower_bound = 0
upper_bound = 1
[q]
par_type = continuous
lower_bound = -20
upper_bound = 120
[init_strat]
generator = SobolGenerator
model = GPClassificationModel
min_asks = 100
"""
PAIRS = """
[common]
parnames = [p, q]
outcome_types = [binary]
stimuli_per_trial = 2
strategy_names = [pairs]
seed = 9
[p]
par_type = continuous
lower_bound = 0
upper_bound = 1
[q]
par_type = continuous
lower_bound = -20
upper_bound = 120
[pairs]
generator = SobolGenerator
min_asks = 4
"""
MIXED = """
[common]
parnames = [p, word, count, flag, side]
outcome_types = [binary, continuous]
outcome_names = [heard, loudness]
strategy_names = [init_strat]
seed = 10
[p]
par_type = continuous
lower_bound = 0
upper_bound = 1
[word]
par_type = categorical
choices = [red, green, blue]
[count]
par_type = integer
lower_bound = 2
upper_bound = 7
[flag]
par_type = binary
[side]
par_type = fixed
value = left
[init_strat]
generator = SobolGenerator
min_asks = 4
"""
ORDINAL = """
[common]
parnames = [p]
outcome_types = [ordinal]
strategy_names = [init_strat]
seed = 14
[p]
par_type = continuous
lower_bound = 0
upper_bound = 1
[init_strat]
generator = SobolGenerator
model = OrdinalGPModel
min_asks = 100
[OrdinalLikelihood]
n_levels = 3
"""
#: A file of the first generation.
OLD = """
[common]
lb = [0, -20]
ub = [1, 120]
outcome_type = single_probit
parnames = [p, q]
strategy_names = [init_strat, opt_strat]
[init_strat]
generator = SobolGenerator
n_trials = 3
[opt_strat]
generator = RandomGenerator
n_trials = 2
[SobolGenerator]
seed = 5
[RandomGenerator]
seed = 6
"""
OLD_MODEL = OLD.replace("[init_strat]\n", "[init_strat]\nmodel = GPClassificationModel\n")
OLD_PAIRS = OLD.replace("single_probit", "pairwise_probit").replace("SobolGen", "PairwiseSobolGen")

#: Told before a model is asked: heard beyond p = 0.8.
GRID = [(p / 8, q) for p in range(9) for q in (0, 50, 100)]


@dataclass(frozen=True)
class Step:
    """What to send, and how its reply is kept.

    Attributes:
        send: a request's value, or its text.
        near: a model's numbers, by the reply's keys, each with how near they have to be.
        again: the number of the step whose reply has to come again.
        closes: the connection ends with the reply.
        tcp: not over ZMQ.
        least: what has to be in a part of the reply, by the part's key.
    """

    send: Any
    near: tuple[tuple[str, float], ...] = ()
    again: int | None = None
    closes: bool = False
    tcp: bool = False
    least: tuple[str, ...] = ()


Script = Generator[Any, str, None]

PREDICTED = (("y", 0.01), ("lower", 0.01), ("upper", 0.01), ("sd", 0.01))
FOUND = (("x", 0.05), *PREDICTED)
#: Of the latent function, in standard deviations.
LATENT = (("x", 0.05), ("y", 0.05))


def sections(text: str) -> list[tuple[str, list[tuple[str, str]]]]:
    """An INI text as sections of keys."""
    found: list[tuple[str, list[tuple[str, str]]]] = []
    for line in filter(None, text.splitlines()):
        if line.startswith("["):
            found.append((line[1:-1], []))
        else:
            key, _, value = line.partition(" = ")
            found[-1][1].append((key, value))
    return found
