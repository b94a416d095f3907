"""What the client does about tokens and encryption, without the real server."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from fechner_client import Client
from fechner_client.errors import ConnectionFailed, FechnerWarning, Refused
from fechner_client.security import context_of, travels_openly

TOKEN = "t" * 40


def auth(role: str | None) -> Any:
    """A fault of the fake server: answer auth, with a role or a refusal."""

    def answer(request: dict[str, Any]) -> dict[str, Any]:
        assert (request["type"], request["message"]) == ("auth", {"token": TOKEN})
        head = {"version": "1", "type": "auth", "id": request["id"], "ok": role is not None}
        if role is not None:
            return {**head, "message": {"role": role}}
        return {**head, "error": {"code": "unauthorized", "detail": "no"}}

    return answer


def test_the_token_is_shown_on_every_connection(fake: Any) -> None:
    """Before anything else, also after a break."""
    fake.faults.append(auth("experimenter"))
    with Client(port=fake.port, token=TOKEN) as client:
        fake.faults.append(auth("experimenter"))
        client.reconnect()
    assert [request["type"] for request in fake.requests[:2]] == ["auth", "auth"]


def test_a_refused_token_is_said_at_once(fake: Any) -> None:
    """It won't get better by trying again."""
    fake.faults.append(auth(None))
    with pytest.raises(Refused, match="no"):
        Client(port=fake.port, token=TOKEN, retry_for=60)
    assert fake.connections == 1


def test_the_environment_gives_a_token(fake: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """An argument goes before it, an empty one shows none."""
    monkeypatch.setenv("FECHNER_TOKEN", TOKEN)
    fake.faults.append(auth("observer"))
    Client(port=fake.port).close()
    Client(port=fake.port, token="").close()
    assert len(fake.requests) == 1


def test_a_connection_that_breaks_before_the_token_is_answered(fake: Any) -> None:
    """Is tried again, and in the end the fault names what may be missing."""
    fake.faults.append("mute")
    fake.faults.append(auth("experimenter"))
    Client(port=fake.port, token=TOKEN).close()
    fake.faults.append("lose")
    with pytest.raises(ConnectionFailed, match="tls="):
        Client(port=fake.port, token=TOKEN, retry_for=0)


@pytest.mark.parametrize(
    ("host", "encrypted", "openly"),
    [
        ("127.0.0.1", False, False),
        ("::1", False, False),
        ("localhost", False, False),
        ("192.0.2.1", False, True),
        ("192.0.2.1", True, False),
        ("lab-server", False, True),
    ],
)
def test_a_token_that_others_could_read(host: str, encrypted: bool, openly: bool) -> None:
    """Is one that leaves this machine unencrypted."""
    assert travels_openly(host, encrypted, TOKEN) is openly
    assert not travels_openly(host, encrypted, "")


def test_the_client_warns_of_it() -> None:
    """Before it connects."""
    with pytest.warns(FechnerWarning, match="unencrypted; use tls="), pytest.raises(ConnectionFailed):
        Client("host.invalid", token=TOKEN, retry_for=0)


def test_a_certificate_that_is_none(tmp_path: Path) -> None:
    """The file is named."""
    with pytest.raises(FileNotFoundError, match=r"nowhere\.crt"):
        context_of(tmp_path / "nowhere.crt")
    (tmp_path / "empty.crt").write_text("x")
    with pytest.raises(OSError, match=r"no certificate.*empty\.crt"):
        context_of(tmp_path / "empty.crt")
