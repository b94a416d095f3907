"""What a running server counts: plain numbers, filled where things happen, shown by `status` and as metrics.

Nothing here locks: each field is written by one thread, the loop's or (`commits` and those after it) the
record writer's, and reading a number that another thread writes gives one of its values. Times are in
seconds. Labels come from fixed tables, never from what a peer sent.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass, field

from fechner.server.protocol.kinds import KINDS

#: Upper bounds of the bins of times, in seconds.
SECONDS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
#: Upper bounds of the bins of group sizes.
SIZES = (1, 2, 4, 8, 16, 32, 64, 128, 256)

#: Types that requests are counted under; others are `unknown`.
TYPES = frozenset(KINDS)


class Histogram:
    """How many values fell into each bin, and their sum.

    Attributes:
        bounds: the bins' upper bounds, inclusive, rising; a last bin has none.
        counts: of each bin, one more than there are bounds.
        sum: of all values.
    """

    __slots__ = ("bounds", "counts", "sum")

    def __init__(self, bounds: Sequence[float] = SECONDS) -> None:
        self.bounds = bounds
        self.counts = [0] * (len(bounds) + 1)
        self.sum = 0.0

    def observe(self, value: float) -> None:
        """Count a value."""
        self.counts[bisect_left(self.bounds, value)] += 1
        self.sum += value

    @property
    def n(self) -> int:
        """How many values there were."""
        return sum(self.counts)


@dataclass
class Counters:
    """What has happened since the server began.

    Attributes:
        requests: answered requests by type, dialect and result (`ok` or the error's code).
        request_seconds: from receipt to reply, by type.
        answers: asks answered, by tier and by where the answer came from.
        computations: times of computations by function, tier and what they were begun for.
        failed_computations: by function.
        queued: how long computations waited for a worker, by what they were begun for.
        replies, bytes_in, bytes_out: on all transports.
        connections: opened.
        worker_starts, worker_deaths: processes.
        log_lines: by level.
        commits: times of commits; each puts a group of requests on record.
        groups: how many requests were in each group.
        failed_commits: requests that are not on record.
        free_bytes, record_bytes: room on the record's disk, and its size, when last looked at.
    """

    requests: dict[tuple[str, str, str], int] = field(default_factory=dict)
    request_seconds: dict[str, Histogram] = field(default_factory=dict)
    answers: dict[tuple[str, str], int] = field(default_factory=dict)
    computations: dict[tuple[str, str, str], Histogram] = field(default_factory=dict)
    failed_computations: dict[str, int] = field(default_factory=dict)
    queued: dict[str, Histogram] = field(default_factory=dict)
    replies: int = 0
    bytes_in: int = 0
    bytes_out: int = 0
    connections: int = 0
    worker_starts: int = 0
    worker_deaths: int = 0
    log_lines: dict[str, int] = field(default_factory=dict)
    commits: Histogram = field(default_factory=Histogram)
    groups: Histogram = field(default_factory=lambda: Histogram(SIZES))
    failed_commits: int = 0
    free_bytes: int | None = None
    record_bytes: int | None = None

    def count_reply(self, type_: str, dialect: str, code: str, seconds: float) -> None:
        """A request has its reply."""
        if type_ not in TYPES:
            type_ = "unknown"
        key = type_, dialect, code
        self.requests[key] = self.requests.get(key, 0) + 1
        times = self.request_seconds.get(type_)
        if times is None:
            times = self.request_seconds[type_] = Histogram()
        times.observe(seconds)

    def count_computation(self, function: str, tier: str, source: str, seconds: float) -> None:
        """A computation has its result."""
        times = self.computations.get((function, tier, source))
        if times is None:
            times = self.computations[function, tier, source] = Histogram()
        times.observe(seconds)

    def count_failure(self, function: str) -> None:
        """A computation raised, or its workers died."""
        self.failed_computations[function] = self.failed_computations.get(function, 0) + 1

    def count_answer(self, tier: str, source: str) -> None:
        """An ask is answered by a tier, computed for the request itself or ahead of it."""
        self.answers[tier, source] = self.answers.get((tier, source), 0) + 1

    def count_wait(self, source: str, seconds: float) -> None:
        """A computation has got its worker."""
        times = self.queued.get(source)
        if times is None:
            times = self.queued[source] = Histogram()
        times.observe(seconds)

    def count_commit(self, requests: int, failed: int, seconds: float) -> None:
        """A group of requests was written, in the record writer's thread."""
        self.commits.observe(seconds)
        self.groups.observe(requests)
        self.failed_commits += failed

    def count_line(self, level: str) -> None:
        """A line went to the log, or would have if its level were shown."""
        self.log_lines[level] = self.log_lines.get(level, 0) + 1

    def totals(self) -> dict[str, int]:
        """The counts that `status` shows."""
        requests = sum(self.requests.values())
        return {
            "requests": requests,
            "errors": requests - sum(n for key, n in self.requests.items() if key[2] == "ok"),
            "replies": self.replies,
            "connections": self.connections,
            "computations": sum(times.n for times in self.computations.values()),
            "failed_computations": sum(self.failed_computations.values()),
            "commits": int(self.groups.sum),
            "failed_commits": self.failed_commits,
            "bytes_in": self.bytes_in,
            "bytes_out": self.bytes_out,
            "worker_deaths": self.worker_deaths,
            "log_warnings": self.log_lines.get("warning", 0),
            "log_errors": self.log_lines.get("error", 0),
        }
