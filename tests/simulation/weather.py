"""What goes wrong, how often, and how long everything takes: drawn from the schedule's seed, then calm."""

from __future__ import annotations

import random
from dataclasses import dataclass


@dataclass
class Weather:
    """Probabilities and longest times (seconds) of one schedule."""

    rng: random.Random
    latency: float = 0.01
    commit: float = 0.01
    compute: float = 0.5
    commit_fails: float = 0.0
    unsettled: float = 0.0
    read_fails: float = 0.0
    worker_dies: float = 0.0
    idle_worker_dies: float = 0.0
    computation_fails: float = 0.0
    connection_breaks: float = 0.0
    cuts: float = 0.0
    held: float = 0.0
    long_requests: float = 0.0

    @classmethod
    def drawn(cls, rng: random.Random) -> Weather:
        """The weather of a schedule: most kinds of fault are absent, some are frequent."""

        def some(*values: float) -> float:
            return rng.choice((0.0, 0.0, *values))

        return cls(
            rng,
            latency=rng.choice((0.001, 0.05, 0.5, 3.0)),
            commit=rng.choice((0.001, 0.01, 0.3, 5.0)),
            compute=rng.choice((0.01, 0.5, 5.0, 40.0)),
            commit_fails=some(0.02, 0.1, 0.4),
            unsettled=some(0.02, 0.1, 0.4),
            read_fails=some(0.02, 0.2),
            worker_dies=some(0.05, 0.3, 0.8),
            idle_worker_dies=some(0.2),
            computation_fails=some(0.05, 0.3),
            connection_breaks=some(0.02, 0.1, 0.3),
            cuts=some(0.1, 0.5, 1.0),
            held=some(0.1, 0.5),
            long_requests=some(0.02, 0.2),
        )

    def calm(self) -> None:
        """From now on nothing fails and nothing takes long."""
        self.latency, self.commit, self.compute = 0.01, 0.01, 0.2
        self.commit_fails = self.unsettled = self.read_fails = 0.0
        self.worker_dies = self.idle_worker_dies = self.computation_fails = 0.0
        self.connection_breaks = self.held = self.long_requests = 0.0

    def happens(self, probability: float) -> bool:
        """Whether something of this probability happens now."""
        return probability > 0 and self.rng.random() < probability

    def lasts(self, longest: float) -> float:
        """How long something takes now: mostly much less than the longest."""
        return longest * float(self.rng.random() ** 3)

    def pieces(self, data: bytes) -> list[bytes]:
        """The bytes as the network cuts them."""
        if not self.happens(self.cuts):
            return [data]
        n = self.rng.choice((1, 1, 2, 5, 30))
        places = sorted(self.rng.randrange(len(data) + 1) for _ in range(n))
        return [data[a:b] for a, b in zip([0, *places], [*places, len(data)], strict=True) if a < b]
