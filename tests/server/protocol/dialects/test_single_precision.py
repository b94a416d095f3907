"""Clients that count in single precision tell every point as the one that was asked, whatever its type."""

from __future__ import annotations

import struct
from typing import Any

import pytest

from ...rig import Rig

ALL_TYPES = """
[common]
parnames = [a, b, c, d, e, f, g, h]
outcome_types = [binary]
strategy_names = [init]
seed = 3
[a]
par_type = continuous
lower_bound = 0.1
upper_bound = 0.7
[b]
par_type = continuous
lower_bound = 250
upper_bound = 8000
log_scale = True
[c]
par_type = integer
lower_bound = 2
upper_bound = 7
[d]
par_type = binary
[e]
par_type = discrete
values = [0.1, 0.2, 0.7]
[f]
par_type = categorical
choices = [red, green]
[g]
par_type = fixed
value = 0.1
[h]
par_type = continuous
lower_bound = -20.3
upper_bound = 120
step = 0.7
[init]
generator = SobolGenerator
min_asks = 40
"""


def single(value: Any) -> Any:
    """The value as such a client sends it."""
    return value if isinstance(value, str) else struct.unpack("f", struct.pack("f", value))[0]


@pytest.mark.parametrize("n", [1, 4])
def test_every_point_is_one_trial(rig: Rig, n: int) -> None:
    """Asked and told twelve times: as many trials, none pending; the model has the values that were asked."""
    peer = rig.connect()
    peer.aepsych("setup", {"config_str": ALL_TYPES})
    for _ in range(0, 12, n):
        asked = peer.aepsych("ask", {"num_points": n})["config"]
        told = {name: [single(value) for value in values] for name, values in asked.items()}
        reply = peer.aepsych("tell", {"config": told, "outcome": [1] * n})
        assert reply == {"trials_recorded": n, "model_data_added": n}
        rows = rig.change(rig.session(peer).id)["trials"]
        assert all(row["asked"] for row in rows)
    session = rig.session(peer)
    assert session.counts() == {"asked": 12, "told": 12, "pending": 0, "skipped": 0}


@pytest.mark.parametrize("end", [0, 1])
def test_the_ends_of_the_box_are_inside(rig: Rig, end: int) -> None:
    """Rounded outwards, they are clamped; fixed and listed values are known again."""
    peer = rig.connect()
    peer.aepsych("setup", {"config_str": ALL_TYPES})
    bounds = peer.aepsych("parameters")
    config = {name: [single(pair[end])] for name, pair in bounds.items()}
    config["f"] = ["green"]
    assert "server_error" not in peer.aepsych("tell", {"config": config, "outcome": 1})
    asked = {"num_points": 1, "fixed_pars": {"a": single(0.7), "e": single(0.7), "g": single(0.1)}}
    point = peer.aepsych("ask", asked)["config"]
    assert (point["e"], point["g"]) == ([0.7], [0.1])
    assert point["a"][0] <= 0.7
