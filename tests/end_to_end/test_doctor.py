"""`fechner doctor` beside a running server."""

from __future__ import annotations

import json
from typing import Any


def test_a_server_that_runs(serve: Any, fechner: Any, tools: Any, experiments: Any) -> None:
    """It is recognised by its port and by its record, which stays as it is; another record is a warning."""
    server = serve("--workers", "0")
    server.wire().call("setup", {"config": experiments.config(), "seed": 1})
    where = ["--port", str(server.port), "--json"]
    before = server.record.read_bytes()
    done = fechner("doctor", "--db", str(server.record), *where)
    found = json.loads(done.stdout)
    assert done.returncode == (0 if found["ok"] else 1)
    lines = {one["check"]: one for one in found["findings"]}
    assert lines["port"]["verdict"] == "ok"
    assert "fechner 0.1.0 runs there" in lines["port"]["value"]
    assert f"process {server.pid} writes it" in lines["writer"]["value"]
    assert lines["record"]["details"]["sessions"] == 1
    assert server.record.read_bytes() == before
    other = json.loads(fechner("doctor", "--db", "other.db", *where).stdout)["findings"]
    (port,) = [one for one in other if one["check"] == "port"]
    assert port["verdict"] == "warning"
    server.wire().call("ping")
