"""Metrics in Prometheus's text format."""

from __future__ import annotations

import os

import pytest

if not os.environ.get("FECHNER_REQUIRE_ALL"):
    pytest.importorskip("prometheus_client")

from prometheus_client.parser import text_string_to_metric_families

from fechner.server.shell.metrics_text import Page

from ..rig import Rig

Samples = dict[tuple[str, frozenset[tuple[str, str]]], float]


def samples(page: bytes) -> Samples:
    """Every sample of a page, by name and labels."""
    families = text_string_to_metric_families(page.decode())
    return {
        (one.name, frozenset(one.labels.items())): one.value for family in families for one in family.samples
    }


def value(found: Samples, name: str, /, **labels: str) -> float:
    return found[f"fechner_{name}", frozenset(labels.items())]


def test_a_page_shows_what_happened(new_rig: type[Rig], with_model: str) -> None:
    """Requests, answers, computations with their times, sessions; a reader of the format understands it."""
    rig = new_rig(eager=True)
    peer = rig.setup(with_model)
    peer.ok("ask")
    peer.ok("tell", {"trial": 1, "outcome": 1})
    peer.ok("ask")
    peer.error("tell", {"trial": 9, "outcome": 1})
    found = samples(b"".join(Page(rig.engine.state).parts()))
    assert value(found, "requests_total", type="ask", dialect="1", code="ok") == 2
    assert value(found, "requests_total", type="tell", dialect="1", code="unknown_trial") == 1
    assert value(found, "asks_total", tier="model", source="eager") == 1
    times = {"function": "propose", "tier": "model", "source": "eager"}
    assert value(found, "computation_seconds_count", **times) == 1
    assert value(found, "computation_seconds_bucket", le="0.001", **times) == 0
    assert value(found, "computation_seconds_bucket", le="0.0025", **times) == 1
    assert value(found, "computation_seconds_bucket", le="+Inf", **times) == 1
    assert value(found, "sessions") == 1
    assert value(found, "connections") == 1
    assert value(found, "connections_opened_total") == 1
    assert value(found, "computations_waiting", source="request") == 0
    assert value(found, "server_info", name="fechner", version=rig.engine.state.server.split()[1]) == 1


def test_a_page_quotes_nobody(rig: Rig, space_filling: str) -> None:
    """Names, sessions, outcomes and what else peers send are no labels."""
    peer = rig.connect()
    setup = {"config": space_filling, "seed": 1, "name": "telltale", "participant": "telltale"}
    session = peer.request("setup", setup)["session"]
    peer.error("telltale")
    peer.error("tell", {"config": {"telltale": 1}, "outcome": 0.123456789})
    page = b"".join(Page(rig.engine.state).parts()).decode()
    assert [secret for secret in ("telltale", session[:8], "123456789") if secret in page] == []
