"""How a client shows who it is, and keeps others from reading along: a token, TLS, ZMQ's CURVE."""

from __future__ import annotations

import errno
import ipaddress
import os
import ssl
from typing import Optional, Union

#: False: none. True: a known authority signed the certificate. A file (PEM): that is it, or its authority's.
Tls = Union[bool, str, "os.PathLike[str]", ssl.SSLContext]

#: Where a token is looked for that no argument gives.
TOKEN_VARIABLE = "FECHNER_TOKEN"


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
    if encrypted or not find_token(token) or host == "localhost":
        return False
    try:
        return not ipaddress.ip_address(host).is_loopback
    except ValueError:
        return True


def find_token(token: Optional[str]) -> Optional[str]:
    """The token given, else the environment's; empty or None if there is none."""
    return os.environ.get(TOKEN_VARIABLE) if token is None else token
