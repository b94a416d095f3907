"""Client of Fechner, the ask/tell server for adaptive experiments: standard library only.

``Client`` connects (TCP, ZMQ or in memory), sets a session up, hands out trials and takes their outcomes.
What a server refuses arrives as a ``FechnerError`` with its code, place and hint; what it doubts as a
``FechnerWarning``. Every request carries an id, so that nothing happens twice when a connection breaks.
"""

from fechner_client.answers import Answer, Estimate, Threshold
from fechner_client.client import Client
from fechner_client.errors import (
    ConfigError,
    ConnectionFailed,
    FechnerError,
    FechnerWarning,
    Finished,
    ModelError,
    ProtocolError,
    Refused,
    RequestError,
    ServerFault,
    SessionError,
    Timeout,
    TrialError,
    ValueRefused,
)
from fechner_client.progress import Resumed
from fechner_client.results import Corrected, Replayed, Setup, Told
from fechner_client.trial import Trial

__version__ = "0.1.0"

__all__ = [
    "Answer",
    "Client",
    "ConfigError",
    "ConnectionFailed",
    "Corrected",
    "Estimate",
    "FechnerError",
    "FechnerWarning",
    "Finished",
    "ModelError",
    "ProtocolError",
    "Refused",
    "Replayed",
    "RequestError",
    "Resumed",
    "ServerFault",
    "SessionError",
    "Setup",
    "Threshold",
    "Timeout",
    "Told",
    "Trial",
    "TrialError",
    "ValueRefused",
]
