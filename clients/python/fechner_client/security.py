"""How a client shows who it is, and keeps others from reading along: a token, TLS, ZMQ's CURVE."""

from __future__ import annotations

import errno
import ipaddress
import os
import ssl
from typing import Any, Callable, Optional, Union

from fechner_client.channel import Channel
from fechner_client.errors import error_of

#: False: none. True: a known authority signed the certificate. A file (PEM): that is it, or its authority's.
Tls = Union[bool, str, "os.PathLike[str]", ssl.SSLContext]

#: Where a token is looked for that no argument gives.
TOKEN_VARIABLE = "FECHNER_TOKEN"

_AUTH_TIMEOUT = 10.0


def context_of(tls: Tls) -> Optional[ssl.SSLContext]:
    """What encrypts a connection and checks who answers; None for no encryption.

    Raises OSError where the file can't be read or holds no certificate.
    """
    if isinstance(tls, ssl.SSLContext):
        return tls
    if tls is False:
        return None
    file = None if tls is True else os.fspath(tls)
    try:
        context = ssl.create_default_context(cafile=file)
    except ssl.SSLError:
        raise OSError(errno.EINVAL, "it holds no certificate", file) from None
    except OSError as fault:  # which names no file
        raise OSError(fault.errno, fault.strerror, file) from None
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


def travels_openly(host: str, encrypted: bool, token: Optional[str]) -> bool:
    """Whether whoever sits between here and the server could read the token."""
    if encrypted or not _given(token) or host == "localhost":
        return False
    try:
        return not ipaddress.ip_address(host).is_loopback
    except ValueError:
        return True


def _given(token: Optional[str]) -> Optional[str]:
    return os.environ.get(TOKEN_VARIABLE) if token is None else token


def authenticated(
    open_channel: Callable[[float], Channel], token: Optional[str]
) -> Callable[[float], Channel]:
    """The same, with the token shown on every new channel; raises the server's error if it isn't taken."""
    token = _given(token)
    if not token:
        return open_channel
    request: dict[str, Any] = {"version": "1", "type": "auth", "id": "auth", "message": {"token": token}}

    def open_authenticated(timeout: float) -> Channel:
        channel = open_channel(timeout)
        try:
            reply = channel.request(request, _AUTH_TIMEOUT)
        except BaseException:
            channel.close()
            raise
        if not reply["ok"]:
            channel.close()
            raise error_of(reply["error"])
        return channel

    return open_authenticated
