"""The counters of a running server as metrics in Prometheus's text format.

This is the only module that knows `prometheus_client`; its import takes a fifth of a second, so whoever wants
a page imports it when nothing waits for that. Its own server isn't used: it has a thread for each connection,
without bounds, and would read the counters while the loop writes them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import accumulate
from typing import TYPE_CHECKING, Any

from prometheus_client import ProcessCollector, generate_latest
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    InfoMetricFamily,
    Metric,
)

from fechner.server.engine.status import in_progress
from fechner.server.observing.counters import Histogram
from fechner.server.shell.pool import SOURCES

if TYPE_CHECKING:
    from fechner.server.engine.state import EngineState


class Page:
    """Metrics of one server.

    Args:
        engine: the state whose counters are shown. Pages are made in its thread.
    """

    def __init__(self, engine: EngineState) -> None:
        self._engine = engine
        self._process = ProcessCollector(registry=None)  # memory, processor time, open files; on Linux

    def parts(self) -> Iterator[bytes]:
        """The page in pieces, each of few milliseconds, so that whoever makes it can do others in between."""
        for family in families(self._engine):
            yield _text(_Families([family]))
        yield _text(_Families(self._process.collect()))


class _Families:
    """What `generate_latest` takes."""

    def __init__(self, families: Iterable[Metric]) -> None:
        self._families = families

    def collect(self) -> Iterable[Metric]:
        return self._families


def _text(families: _Families) -> bytes:
    """In version 0.0.4 of the format."""
    text: bytes = generate_latest(families)
    return text


def families(engine: EngineState) -> Iterator[Metric]:
    """Every metric of ours, as it is now."""
    for show in (_traffic, _computing, _keeping):
        yield from show(engine)


def _traffic(engine: EngineState) -> Iterator[Metric]:
    """Connections, requests, replies."""
    c = engine.counters
    name, _, version = engine.server.partition(" ")
    yield InfoMetricFamily("fechner_server", "Name and version", {"name": name, "version": version})
    yield _gauge("connections", "Open connections", len(engine.connections))
    yield _counter("connections_opened", "Connections since the server began", {(): c.connections})
    yield _gauge("sessions", "Sessions that somebody holds or waits for", len(in_progress(engine)))
    labels = ("type", "dialect", "code")
    yield _counter("requests", "Answered requests; code is ok or an error's", c.requests, labels)
    times = {(type_,): found for type_, found in c.request_seconds.items()}
    yield _histogram("request_seconds", "From a request's receipt to its reply", times, ("type",))
    yield _counter("replies", "Replies sent", {(): c.replies})
    yield _counter("received_bytes", "Bytes of requests", {(): c.bytes_in})
    yield _counter("sent_bytes", "Bytes of replies", {(): c.bytes_out})


def _computing(engine: EngineState) -> Iterator[Metric]:
    """Asks, computations, workers."""
    c, machine = engine.counters, engine.machine()
    by = ("tier", "source")
    yield _counter("asks", "Answered asks, and whether they were computed ahead", c.answers, by)
    yield _histogram("computation_seconds", "Time of computations", c.computations, ("function", *by))
    failed = {(function,): n for function, n in c.failed_computations.items()}
    yield _counter("computations_failed", "Computations that raised", failed, ("function",))
    queued = {(source,): found for source, found in c.queued.items()}
    yield _histogram("computation_queue_seconds", "Wait for a worker", queued, ("source",))
    for state in ("running", "waiting"):
        here = GaugeMetricFamily(f"fechner_computations_{state}", f"Computations {state}", labels=("source",))
        found = machine.get("computations", {}).get(state, {})
        for source in SOURCES.values():
            here.add_metric((source,), found.get(source, 0))
        yield here
    workers = machine.get("workers", {})
    yield _gauge("workers", "Worker processes", workers.get("n", 0))
    yield _gauge("workers_busy", "Worker processes that compute", workers.get("busy", 0))
    yield _counter("worker_starts", "Worker processes started", {(): c.worker_starts})
    yield _counter("worker_deaths", "Worker processes that died", {(): c.worker_deaths})


def _keeping(engine: EngineState) -> Iterator[Metric]:
    """The record, its disk, the log."""
    c = engine.counters
    yield _histogram("commit_seconds", "Time of durable commits", {(): c.commits})
    yield _histogram("commit_requests", "Requests in a commit", {(): c.groups})
    yield _counter("commits_failed", "Requests that are not on record", {(): c.failed_commits})
    if c.free_bytes is not None:
        yield _gauge("record_free_bytes", "Room on the disk of the record", c.free_bytes)
    if c.record_bytes is not None:
        yield _gauge("record_bytes", "Size of the record's file", c.record_bytes)
    lines = {(level,): n for level, n in c.log_lines.items()}
    yield _counter("log_lines", "Lines for the log, shown or not", lines, ("level",))


def _gauge(name: str, text: str, value: float) -> Metric:
    return GaugeMetricFamily(f"fechner_{name}", text, value)


def _counter(name: str, text: str, values: Mapping[Any, int], labels: Sequence[str] = ()) -> Metric:
    family = CounterMetricFamily(f"fechner_{name}", text, labels=labels)
    for one, value in values.items():
        family.add_metric(one, value)
    return family


def _histogram(name: str, text: str, found: Mapping[Any, Histogram], labels: Sequence[str] = ()) -> Metric:
    family = HistogramMetricFamily(f"fechner_{name}", text, labels=labels)
    for one, values in found.items():
        family.add_metric(one, list(_bins(values)), values.sum)
    return family


def _bins(values: Histogram) -> Iterable[tuple[str, float]]:
    bounds = [*map(str, map(float, values.bounds)), "+Inf"]
    return zip(bounds, accumulate(values.counts), strict=True)
