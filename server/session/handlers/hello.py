"""hello: who is there, which versions, which limits. It belongs to no session."""

from __future__ import annotations

from typing import Any, Literal

from fechner.server.protocol.dialects import VERSIONS
from fechner.server.protocol.kinds import MESSAGES
from fechner.server.protocol.limits import Limits

#: What a client may rely on beyond the message types.
CAPABILITIES = ("several_points", "fixed", "joint_intervals", "observe", "zmq")


def hello(server: str, limits: Limits, auth: Literal["none", "token"] = "none") -> dict[str, Any]:
    """hello's reply."""
    return {
        "server": server,
        "versions": VERSIONS,
        "limits": limits.as_message(),
        "capabilities": [*MESSAGES, *CAPABILITIES],
        "auth": auth,
    }
