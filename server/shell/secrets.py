"""The files of secrets: tokens with their roles, and the keys of encrypted transports.

A token is a secret text of at least 32 characters. Its file has one `role:token` a line, and nobody else can
read it.
"""

from __future__ import annotations

import os
import secrets
import stat
from pathlib import Path
from typing import TYPE_CHECKING

from fechner.server.engine.principals import ROLES, Role, Tokens
from fechner.strategies._lazy import Lazy

if TYPE_CHECKING:
    import ssl

    import zmq
    from zmq import auth
else:
    ssl, zmq, auth = map(Lazy, ("ssl", "zmq", "zmq.auth"))

#: Characters that a token must have, and may have: it has to fit into a stranger's message.
SHORTEST, LONGEST = 32, 1024


class SecurityError(ValueError):
    """A token file, certificate or key can't be used; says why and what would mend it."""


def read_tokens(file: str | os.PathLike[str]) -> Tokens:
    """The tokens in a file: `role:token`, one a line; empty lines and lines that begin with # don't count.

    Raises:
        SecurityError: it can't be read, others can read it, or a line is wrong.
    """
    text = _private_text(file, "token file")
    roles: dict[str, Role] = {}
    for number, line in enumerate(text.splitlines(), start=1):
        line = line.strip()
        if not line or line.startswith("#"):
            continue
        given, _, token = line.partition(":")
        token = token.strip()
        role = next((role for role in ROLES if role == given.strip()), None)
        where = f"{os.fspath(file)}, line {number}"
        if role is None:
            raise SecurityError(f"{where}: a line is role:token, the role one of {', '.join(ROLES)}")
        if len(token) < SHORTEST:
            raise SecurityError(
                f"{where}: the token has fewer than {SHORTEST} characters; `fechner token` makes one"
            )
        if len(token) > LONGEST:
            raise SecurityError(f"{where}: the token has more than {LONGEST} characters")
        if token in roles:
            raise SecurityError(f"{where}: the token stands in the file twice")
        roles[token] = role
    if not roles:
        raise SecurityError(f"{os.fspath(file)} holds no token; `fechner token` makes one")
    return Tokens(roles)


def new_token() -> str:
    """A fresh token: 256 random bits in 43 characters."""
    return secrets.token_urlsafe(32)


def add_token(file: str | os.PathLike[str], role: Role, token: str) -> None:
    """Add a line to a token file, which is made if there is none, readable by its owner only.

    Raises:
        SecurityError: it can't be written, or others can read it.
    """
    try:
        if os.path.exists(file):
            text = _private_text(file, "token file")
            before = "" if not text or text.endswith("\n") else "\n"
        else:
            before = ""
        with open(file, "a", encoding="utf-8", opener=_private) as opened:
            opened.write(f"{before}{role}:{token}\n")
    except OSError as error:
        raise SecurityError(f"can't write {os.fspath(file)}: {error.strerror}") from error


def tls(cert: str | os.PathLike[str], key: str | os.PathLike[str]) -> ssl.SSLContext:
    """What encrypts TCP: a certificate (with its chain) and its private key, PEM; TLS 1.2 and newer.

    Raises:
        SecurityError: they can't be read or don't belong together, or others can read the key.
    """
    _private_text(key, "private key")
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.options |= ssl.OP_NO_RENEGOTIATION  # it costs a server more than a client
    try:
        context.load_cert_chain(cert, key, password=_no_password)
    except (OSError, ValueError) as error:  # ssl.SSLError is an OSError
        reason = getattr(error, "reason", None) or getattr(error, "strerror", None) or str(error)
        names = f"{os.fspath(cert)} and {os.fspath(key)}"
        raise SecurityError(
            f"{names} are no certificate and private key that belong together: {reason}"
        ) from error
    return context


def curve_key(file: str | os.PathLike[str]) -> tuple[bytes, bytes]:
    """The server's CURVE keys for ZMQ, public and secret, from the file that `fechner curve-key` wrote.

    Raises:
        SecurityError: it can't be read, others can read it, or it holds no secret key.
    """
    _private_text(file, "CURVE key")
    try:
        public, secret = auth.load_certificate(file)
    except (OSError, ValueError) as error:
        raise SecurityError(f"{os.fspath(file)} is no CURVE key file: {error}") from error
    if secret is None:
        raise SecurityError(f"{os.fspath(file)} holds the public key only; the server needs the secret one")
    return public, secret


def new_curve_key(file: str | os.PathLike[str]) -> tuple[Path, str]:
    """Write a new pair of CURVE keys; gives the file of the public one, beside, and its text.

    Raises:
        SecurityError: a file is there already or can't be written.
    """
    public, secret = (key.decode("ascii") for key in zmq.curve_keypair())
    open_file = Path(f"{os.fspath(file)}.public")
    keys = f'metadata\ncurve\n    public-key = "{public}"\n'
    both = f'#   The CURVE keys of a server: keep this file secret.\n{keys}    secret-key = "{secret}"\n'
    try:
        with open(file, "x", encoding="ascii", opener=_private) as opened:
            opened.write(both)
        with open(open_file, "x", encoding="ascii") as opened:
            opened.write(f"#   The public CURVE key of a server, for its clients.\n{keys}")
    except FileExistsError as error:
        raise SecurityError(f"{error.filename} is there already") from error
    except OSError as error:
        raise SecurityError(f"can't write {error.filename}: {error.strerror}") from error
    return open_file, public


def _private_text(file: str | os.PathLike[str], what: str) -> str:
    """The text of a file that its owner alone may read."""
    name = os.fspath(file)
    try:
        with open(file, encoding="utf-8-sig") as opened:  # some editors begin a file with a mark
            mode = os.fstat(opened.fileno()).st_mode
            if os.name == "posix" and mode & (stat.S_IRWXG | stat.S_IRWXO):
                shown = f"{stat.S_IMODE(mode):04o}"
                raise SecurityError(f"others can read the {what} {name} (mode {shown}): `chmod 600 {name}`")
            return opened.read()
    except OSError as error:
        raise SecurityError(f"can't read the {what} {name}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise SecurityError(f"the {what} {name} is no text") from error


def _private(path: str, flags: int) -> int:
    """`open`'s opener for a file that its owner alone may read."""
    return os.open(path, flags, 0o600)


def _no_password() -> str:
    raise ValueError("the key is encrypted; a server can't ask for its password")
