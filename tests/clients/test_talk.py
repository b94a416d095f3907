"""What is said to a server and what follows from its replies, by hand: no socket, no clock, no waiting."""

from __future__ import annotations

import asyncio
import itertools
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fechner_client.channel import Broken, NoHost, NotTrusted, Slow
from fechner_client.errors import (
    ConnectionFailed,
    FechnerError,
    FechnerWarning,
    Refused,
    SessionError,
    Timeout,
    TrialError,
)
from fechner_client.steps import Action, Close, Open, Outcome, Send, Steps, Wait
from fechner_client.talk import Talk

Request = dict[str, Any]


class Ok(dict[str, Any]):
    """A reply's message, to be put into the reply to whatever was sent."""


class No(str):
    """An error's code, to be put into the reply to whatever was sent."""


def reply_to(request: Request, what: Ok | No) -> Request:
    head = {"version": "1", "type": request["type"], "id": request["id"]}
    if isinstance(what, Ok):
        return {**head, "ok": True, "session": "s", "message": dict(what)}
    return {**head, "ok": False, "error": {"code": str(what), "detail": f"it is {what}"}}


class World:
    """A talk, its clock, and what it wanted so far."""

    def __init__(
        self, token: str | None = None, retry_for: float = 1.0, timeout: float | None = 60.0
    ) -> None:
        self.now = 100.0
        self.sent: list[Request] = []
        self.waits: list[float] = []
        self.applied: list[tuple[str, Any, Any, str | None]] = []
        numbers = itertools.count(1)
        self.talk = Talk(
            "lab:5555",
            token,
            60.0,
            retry_for,
            lambda *taken: self.applied.append(taken),
            lambda: self.now,
            lambda: f"id{next(numbers)}",
        )

    def name(self, action: Action) -> str:
        """What an action is, in a word or two; time passes, and what is sent is kept."""
        if isinstance(action, Wait):
            self.waits.append(action.seconds)
            self.now += action.seconds
        if isinstance(action, Send):
            self.sent.append(json.loads(json.dumps(action.request)))
            return str(action.request["type"])
        return {Open: "open", Close: "close", Wait: "wait"}[type(action)]

    def play(self, steps: Steps[Any], *script: tuple[str, Any]) -> Any:
        """Take the steps, which must want just what the script has."""
        outcome: Outcome = None
        for wanted, came in script:
            action = steps.send(outcome)
            assert self.name(action) == wanted
            outcome = came
            if isinstance(action, Send) and isinstance(came, Ok | No):
                outcome = reply_to(action.request, came)
        try:
            action = steps.send(outcome)
        except StopIteration as end:
            return end.value
        raise AssertionError(f"more is wanted: {action}")

    def connected(self) -> World:
        """The same with a channel."""
        self.play(self.talk.connect(), ("open", None))
        return self

    def in_session(self) -> World:
        """The same with a channel and a session, and nothing kept of how they came about."""
        self.connected().play(self.talk.call("setup", session="s", changes=True), ("setup", Ok()))
        self.sent.clear()
        return self

    def cut(self) -> World:
        """The same with another channel than the session was joined by."""
        self.talk.forget_channel()
        return self.connected()

    def left(self, kind: str, message: Request | None = None) -> World:
        """The same with a request that changes the session, left unanswered."""
        with pytest.raises(Timeout):
            self.play(self.talk.call(kind, message, changes=True), (kind, Slow()))
        return self


GONE = Broken("it went")
REFUSED = OSError("nobody there")
MEANINGS: dict[str, Any] = {
    "": None,
    "ok": Ok(),
    "broken": GONE,
    "slow": Slow(),
    "refused": REFUSED,
    "no host": NoHost("no"),
    "not trusted": NotTrusted("no"),
}


def script_of(text: str) -> list[tuple[str, Any]]:
    """``open, ask: broken, close``: actions and what came of them, which is an error's code if not above."""
    steps = [step.strip().partition(": ") for step in text.split(",")]
    return [(wanted, MEANINGS[came] if came in MEANINGS else No(came)) for wanted, _, came in steps]


@pytest.mark.parametrize(
    ("token", "retry_for", "script", "ending"),
    [
        ("", 1, "open", None),
        ("", 1, "open: no host", "for 1 s: the host name is not known"),
        ("", 1, "open: not trusted", "is not who it should be"),
        ("", 1, "open: refused, wait, open: refused, wait, open", None),
        ("", 0, "open: refused", "for 0 s: nobody there"),
        ("t", 1, "open, auth: ok", None),
        ("t", 1, "open, auth: unauthorized, close", "it is unauthorized"),
        ("t", 1, "open, auth: broken, close, wait, open, auth: ok", None),
        ("t", 1, "open, auth: broken, close, wait, open: refused, wait, open, auth: ok", None),
        ("t", 0, "open, auth: broken, close", "it went, as one that wants tls= would"),
        ("t", 1, "open, auth: slow, close", "does not answer; does it want tls="),
    ],
)
def test_opening_and_showing(token: str, retry_for: float, script: str, ending: str | None) -> None:
    """Each row of the states before anything is asked; once there is a channel, nothing is to be done."""
    world = World(token, retry_for)
    if ending is None:
        world.play(world.talk.connect(), *script_of(script))
        world.play(world.talk.connect())
    else:
        with pytest.raises((ConnectionFailed, Refused), match=ending):
            world.play(world.talk.connect(), *script_of(script))
    assert all(sent["message"] == {"token": "t"} for sent in world.sent)


@pytest.mark.parametrize(
    ("joined", "retry_for", "script", "ending"),
    [
        ("here", 1, "ask: ok", None),
        ("here", 1, "ask: slow", (Timeout, "no reply to ask from lab:5555 within 60 s")),
        ("here", 1, "ask: broken, close, wait, open, ask: ok", None),
        ("here", 1, "ask: broken, close, wait, open, ask: broken, close, wait, open, ask: ok", None),
        ("here", 0, "ask: broken, close", (ConnectionFailed, "no connection to lab:5555 for 0 s: it went")),
        ("here", 1, "ask: shutting_down, close, wait, open: refused, wait, open, ask: ok", None),
        ("here", 0, "ask: shutting_down, close", (Refused, "it is shutting_down")),
        ("here", 1, "ask: unknown_trial", (TrialError, "it is unknown_trial")),
        ("here", 1, "ask: no_session", (SessionError, "it is no_session")),
        ("here", 1, "ask: session_busy", (SessionError, "it is session_busy")),
        ("elsewhere", 1, "ask: no_session, resume: ok, ask: ok", None),
        ("elsewhere", 1, "ask: session_busy, resume: ok, ask: ok", None),
        ("elsewhere", 1, "ask: no_session, resume: ok, ask: no_session", (SessionError, "it is no_session")),
        ("here", 1, "ask: broken, close, wait, open, ask: no_session, resume: ok, ask: ok", None),
        (
            "elsewhere",
            1,
            "ask: no_session, resume: session_busy, wait, resume: session_busy, wait, resume: ok, ask: ok",
            None,
        ),
        ("elsewhere", 0, "ask: no_session, resume: session_busy", (SessionError, "it is session_busy")),
        ("elsewhere", 1, "ask: no_session, resume: unknown_session", (SessionError, "it is unknown_session")),
        ("elsewhere", 1, "ask: no_session, resume: broken, close, wait, open, resume: ok, ask: ok", None),
        ("elsewhere", 1, "ask: no_session, resume: slow", (Timeout, "no reply to resume")),
    ],
)
def test_asking_and_rejoining(
    joined: str, retry_for: float, script: str, ending: tuple[type[FechnerError], str] | None
) -> None:
    """Each row of the states of a request; whatever is sent again is the same."""
    world = World(retry_for=retry_for).in_session()
    if joined == "elsewhere":
        world.cut()
    call = world.talk.call("ask", {"n": 2}, changes=True)
    if ending is None:
        world.play(call, *script_of(script))
        assert world.applied[-1] == ("ask", {"n": 2}, {}, "s")
    else:
        with pytest.raises(ending[0], match=ending[1]):
            world.play(call, *script_of(script))
    for kind in ("ask", "resume"):
        sent = [request for request in world.sent if request["type"] == kind]
        assert all(request == sent[0] for request in sent)


@pytest.mark.parametrize(
    ("left", "again"),
    [
        *((kind, True) for kind in ("ask", "tell", "update", "finish_strategy")),
        *((kind, False) for kind in ("skip", "correct", "setup", "exit")),
    ],
)
def test_what_was_left_unanswered(left: str, again: bool) -> None:
    """The same call sends it again; another gets its reply first, or drops it; a question does neither."""
    message = {"trial": 7}
    world = World().in_session().left(left, message)
    world.play(world.talk.call("info"), ("info", Ok()))
    world.left(left, message)
    first = [(left, Ok(tell={}, ask={}))] if again else []
    world.play(world.talk.call("ask", {"n": 3}, changes=True), *first, ("ask", Ok()))
    sent = [request for request in world.sent if request["type"] == left and request["message"] == message]
    assert len(sent) == 2 + again
    assert all(request == sent[0] for request in sent)
    assert [kind for kind, *_ in world.applied[2:]] == [*([left] if again else []), "ask"]

    world.play(world.talk.call("ask", {"n": 3}, changes=True), ("ask", Ok()))
    assert world.sent[-1]["id"] != world.sent[-2]["id"]


def test_what_was_left_unanswered_and_failed_is_a_warning() -> None:
    """The error of the earlier request doesn't hit the later one."""
    world = World().in_session().left("tell")
    ask = world.talk.call("ask", changes=True)
    with pytest.warns(FechnerWarning, match=r"an earlier tell without reply .* it is unknown_trial"):
        world.play(ask, *script_of("tell: unknown_trial, ask: ok"))


def test_settling_after_a_break() -> None:
    """The earlier request goes out with its id over the new channel, and takes the session along."""
    world = World().in_session().left("ask")
    script = "ask: broken, close, wait, open, ask: no_session, resume: ok, ask: ok"
    world.play(world.talk.settle(), *script_of(script))
    asks = [request for request in world.sent if request["type"] == "ask"]
    assert len(asks) == 4
    assert all(request == asks[0] for request in asks)
    world.play(world.talk.settle())


def test_a_failure_while_settling_keeps_both_in_order() -> None:
    """The later request isn't sent before the earlier one has its reply."""
    world = World(retry_for=0).in_session().left("tell")
    tell = world.sent[0]
    with pytest.raises(ConnectionFailed):
        world.play(world.talk.call("ask", changes=True), *script_of("tell: broken, close"))
    world.play(world.talk.call("ask", changes=True), *script_of("open, tell: ok"), ("ask", Ok()))
    assert world.sent[-2] == tell


def test_a_call_that_was_given_up_goes_on_with_the_same_id() -> None:
    """As after an interrupt, which closes the channel."""
    world = World().in_session()
    given_up = world.talk.call("tell", {"trial": 1}, changes=True)
    assert world.name(given_up.send(None)) == "tell"
    given_up.close()
    world.talk.forget_channel()
    again = world.talk.call("tell", {"trial": 1}, changes=True)
    world.play(again, *script_of("open, tell: ok"))
    assert world.sent[0] == world.sent[1]


def test_patience_is_counted_from_the_beginning_of_an_outage() -> None:
    """Pauses grow and the last is cut short; an attempt that takes long counts."""
    world = World(retry_for=1.0).connected()
    ping = world.talk.call("ping")
    script = "ping: broken, close" + ", wait, open: refused" * 6
    with pytest.raises(ConnectionFailed, match="for 1 s"):
        world.play(ping, *script_of(script))
    assert world.waits == pytest.approx([0.02, 0.05, 0.1, 0.2, 0.4, 0.23])

    steps = world.talk.connect()
    assert world.name(steps.send(None)) == "open"
    world.now += 1.0
    with pytest.raises(ConnectionFailed):
        steps.send(REFUSED)


@pytest.mark.parametrize(("retry_for", "patience", "waits"), [(60, 3.0, 11), (1, 1.0, 6), (0, 0.0, 0)])
def test_a_resume_waits_a_moment_for_a_busy_session(retry_for: float, patience: float, waits: int) -> None:
    """At most 3 s, also where a connection would be waited for longer."""
    world = World(retry_for=retry_for).connected()
    resume = world.talk.call("resume", {"session": "last"}, in_session=False, changes=True)
    with pytest.raises(SessionError, match="session_busy"):
        world.play(resume, *script_of("resume: session_busy" + ", wait, resume: session_busy" * waits))
    assert sum(world.waits) == pytest.approx(patience)


def test_the_session_is_that_of_the_last_setup_or_resume() -> None:
    """It is named in what follows; a request for another or for none keeps it."""
    world = World().in_session()
    assert world.talk.session == "s"
    world.play(world.talk.call("info"), ("info", Ok(session="t")))
    world.play(world.talk.call("info", session="t"), ("info", Ok()))
    world.play(world.talk.call("hello", in_session=False), ("hello", Ok()))
    assert [sent.get("session") for sent in world.sent] == ["s", "t", None]
    assert world.talk.session == "s"
    world.play(world.talk.call("resume", in_session=False, changes=True), ("resume", Ok(session="t")))
    assert world.talk.session == "t"
    world.play(world.talk.call("exit", changes=True), ("exit", Ok()))
    assert world.talk.session is None


CAME = st.sampled_from(
    [Ok(), GONE, Slow(), *map(No, ("shutting_down", "no_session", "session_busy", "unknown_trial"))]
)


@given(
    st.lists(CAME, max_size=30),
    st.lists(st.sampled_from([None, REFUSED, NoHost("no")]), max_size=20),
    st.sampled_from(["ask", "tell", "resume", "exit", "info"]),
    st.sampled_from([0.0, 0.3, 20.0]),
)
def test_whatever_comes(replies: list[Any], openings: list[Any], kind: str, retry_for: float) -> None:
    """Nothing is sent without a channel, each request keeps its id, and every call ends as it should."""
    world = World(retry_for=retry_for).in_session()
    for _ in range(3):
        is_open = world.talk._connected
        call = world.talk.call(kind, changes=kind != "info")
        outcome: Outcome = None
        try:
            while True:
                action = call.send(outcome)
                wanted, outcome = world.name(action), None
                if wanted == "open":
                    assert not is_open
                    outcome = openings.pop() if openings else None
                    is_open = outcome is None
                elif wanted == "close":
                    assert is_open
                    is_open = False
                elif isinstance(action, Send):
                    assert is_open
                    came = replies.pop() if replies else Ok()
                    outcome = reply_to(action.request, came) if isinstance(came, Ok | No) else came
        except (StopIteration, FechnerError):
            assert world.talk._connected == is_open
    contents: dict[str, Request] = {}
    for sent in world.sent:
        assert contents.setdefault(sent["id"], sent) == sent


class AsyncDriver:
    """What asyncio needs to drive a talk: no more than this."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.writer: asyncio.StreamWriter | None = None

    async def run(self, steps: Steps[Any]) -> Any:
        outcome: Outcome = None
        while True:
            try:
                action = steps.send(outcome)
            except StopIteration as end:
                return end.value
            outcome = await self.act(action)

    async def act(self, action: Action) -> Outcome:
        if isinstance(action, Wait):
            await asyncio.sleep(action.seconds)
        elif isinstance(action, Open):
            self.reader, self.writer = await asyncio.open_connection("127.0.0.1", self.port)
        elif isinstance(action, Close):
            await self.close()
        else:
            assert self.writer is not None
            self.writer.write(json.dumps(action.request).encode() + b"\n")
            line = await self.reader.readline()
            return dict(json.loads(line)) if line else Broken("the server closed the connection")
        return None

    async def close(self) -> None:
        if self.writer is not None:
            self.writer.close()
            await self.writer.wait_closed()


def test_an_asyncio_driver_drives_the_same_talk(fake: Any, config: str) -> None:
    """Over a connection that breaks and a session that must be taken up again."""

    async def experiment() -> list[int]:
        world = World()
        driver = AsyncDriver(fake.port)
        await driver.run(world.talk.call("setup", {"config": config}, session="s", changes=True))
        numbers = []
        for fault in ("lose", "mute"):
            fake.needs_resume = True
            fake.faults.append(fault)
            asked = await driver.run(world.talk.call("ask", changes=True))
            numbers.append(asked["trials"][0]["trial"])
        await driver.close()
        return numbers

    assert asyncio.run(experiment()) == [1, 2]
    # The second ask was done before its reply was lost: the record answers it, without a resume.
    assert fake.kinds() == ["setup", "ask", "ask", "resume", "ask", "ask", "ask"]
