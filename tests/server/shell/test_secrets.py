"""Files of tokens, certificates and keys: what files may hold, who may read them, and what they open."""

from __future__ import annotations

import os
import ssl
import stat
from pathlib import Path

import pytest
import trustme

from fechner.server.shell.secrets import (
    SHORTEST,
    SecurityError,
    add_token,
    curve_key,
    new_curve_key,
    new_token,
    read_tokens,
    tls,
)

FIRST, SECOND = "a" * SHORTEST, "b" * 40


def written(file: Path, text: str, mode: int = 0o600) -> Path:
    file.write_text(text)
    file.chmod(mode)
    return file


def test_each_line_is_a_role_and_a_token(tmp_path: Path) -> None:
    """Comments, empty lines and spaces at the ends don't matter."""
    text = f"\ufeff# the booths\n\n experimenter: {FIRST} \r\nadmin:{SECOND}\n"
    tokens = read_tokens(written(tmp_path / "tokens", text))
    first, second = tokens.principal(FIRST), tokens.principal(SECOND)
    assert first is not None
    assert second is not None
    assert (first.role, first.sees_all, second.role, second.sees_all) == (
        "experimenter",
        False,
        "admin",
        True,
    )
    assert first.owner != second.owner
    assert tokens.principal(FIRST + "a") is None
    assert tokens.principal("") is None


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "holds no token"),
        ("# nothing\n", "holds no token"),
        (f"experimentr:{FIRST}\n", "line 1"),
        (FIRST + "\n", "role:token"),
        (f"\nobserver:{'a' * (SHORTEST - 1)}\n", "line 2: the token has fewer than 32"),
        (f"observer:{FIRST}\nadmin:{FIRST}\n", "twice"),
        (f"admin:{'a' * 1025}\n", "line 1: the token has more than 1024"),
    ],
)
def test_what_is_wrong_with_a_token_file(tmp_path: Path, text: str, said: str) -> None:
    """The file and the line are named; never the token."""
    with pytest.raises(SecurityError, match=said) as raised:
        read_tokens(written(tmp_path / "tokens", text))
    assert FIRST not in str(raised.value)


@pytest.mark.skipif(os.name != "posix", reason="modes of files are POSIX's")
@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o601])
def test_a_file_that_others_can_read_is_refused(tmp_path: Path, mode: int) -> None:
    """With the command that mends it."""
    with pytest.raises(SecurityError, match="chmod 600"):
        read_tokens(written(tmp_path / "tokens", f"admin:{FIRST}\n", mode))


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    """Is named."""
    with pytest.raises(SecurityError, match=r"can't read the token file .*nowhere"):
        read_tokens(tmp_path / "nowhere")


def test_a_new_token_in_a_file(tmp_path: Path) -> None:
    """The file is made for its owner only, and lines are added to it."""
    file = tmp_path / "tokens"
    first, second = new_token(), new_token()
    assert first != second
    assert len(first) >= SHORTEST
    add_token(file, "experimenter", first)
    file.write_text(file.read_text().rstrip("\n"))
    add_token(file, "observer", second)
    if os.name == "posix":
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
    tokens = read_tokens(file)
    found = [tokens.principal(token) for token in (first, second)]
    assert [one and one.role for one in found] == ["experimenter", "observer"]


def test_curve_keys_are_written_once(tmp_path: Path) -> None:
    """The secret for its owner only, the public one beside it; neither is overwritten."""
    file = tmp_path / "server.key"
    public_file, public = new_curve_key(file)
    assert curve_key(file)[0].decode() == public
    if os.name == "posix":
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
    secret = curve_key(file)[1].decode()
    assert secret not in public_file.read_text()
    assert public in public_file.read_text()
    with pytest.raises(SecurityError, match="is there already"):
        new_curve_key(file)
    public_file.chmod(0o600)
    with pytest.raises(SecurityError, match="public key only"):
        curve_key(public_file)


def test_what_tls_allows(tmp_path: Path) -> None:
    """No old versions, and no second handshake on a connection, which costs a server more than a client."""
    cert, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    issued = trustme.CA().issue_cert("localhost")
    issued.cert_chain_pems[0].write_to_path(cert)
    issued.private_key_pem.write_to_path(key)
    key.chmod(0o600)
    context = tls(cert, key)
    assert context.minimum_version == ssl.TLSVersion.TLSv1_2
    assert ssl.OP_NO_RENEGOTIATION in context.options


def test_a_certificate_that_is_none(tmp_path: Path) -> None:
    """Both files are named."""
    cert, key = written(tmp_path / "cert.pem", "x"), written(tmp_path / "key.pem", "y")
    with pytest.raises(SecurityError, match=r"cert\.pem and .*key\.pem"):
        tls(cert, key)
    key.chmod(0o644)
    with pytest.raises(SecurityError, match="chmod 600"):
        tls(cert, key)
