"""The client: an experiment's side of the conversation."""

from __future__ import annotations

import functools
import os
import uuid
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Literal, Optional, Union, overload

from fechner_client.configuration import configuration
from fechner_client.connection import Connection
from fechner_client.conversation import Conversation
from fechner_client.errors import Finished, error_of, warn
from fechner_client.memory_channel import Server
from fechner_client.messages import What, ask_message, correct_message, given, number_of, tell_message
from fechner_client.opening import opener
from fechner_client.progress import Progress, Resumed, resumed_of
from fechner_client.queries import Queries
from fechner_client.results import (
    Corrected,
    Replayed,
    Setup,
    Told,
    corrected_of,
    replayed_of,
    setup_of,
    told_of,
)
from fechner_client.security import Tls, authenticated, context_of, travels_openly
from fechner_client.trial import Outcome, Trial


class Client(Queries):
    """A connection to a Fechner server, over TCP, over ZMQ (``zmq=True``) or in memory (``server=``).

    Args:
        host, port: where the server listens.
        server: a server in this process, ``fechner.server.Server``, instead of an address.
        zmq: speak ZMQ to the server's ``--zmq-port``; needs pyzmq.
        token: what a server with ``--token-file`` asks for; the environment's ``FECHNER_TOKEN`` if not given.
        tls: encrypt TCP, for a server with ``--tls-cert``: True where a known authority signed its
            certificate, else the file of the certificate, or an ``ssl.SSLContext``.
        curve: encrypt ZMQ, for a server with ``--curve-key``: its public key.
        timeout: seconds to wait for a reply; None waits for ever. Not used with ``server``.
        retry_for: seconds to go on trying to connect, at the beginning and whenever a connection breaks.
    """

    def __init__(
        self,
        host: str = "127.0.0.1",
        port: int = 5555,
        *,
        server: Optional[Server] = None,
        zmq: bool = False,
        token: Optional[str] = None,
        tls: Tls = False,
        curve: Optional[str] = None,
        timeout: Optional[float] = 60.0,
        retry_for: float = 10.0,
    ) -> None:
        where = f"{host}:{port}" if server is None else "the server in this process"
        context = context_of(tls)
        encrypted = curve is not None if zmq else context is not None
        if server is None and travels_openly(host, encrypted, token):
            warn(f"the token goes to {host} unencrypted; use {'curve=' if zmq else 'tls='}")
        open_channel = authenticated(opener(host, port, server, zmq, context, curve), token)
        self._connection = Connection(open_channel, where, timeout, retry_for)
        self._progress = Progress(functools.partial(Trial, self))
        self._conversation = Conversation(self._connection, self._progress.apply)
        self._connection.open()

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connection. The session stays and can be resumed; ``exit`` ends it."""
        self._connection.close()

    def reconnect(self) -> None:
        """Close the connection and open another; the session goes on over it."""
        self._connection.close()
        self._connection.open()

    @property
    def session(self) -> Optional[str]:
        """The current session's name; None before setup or resume and after exit."""
        return self._conversation.session

    @property
    def pending(self) -> list[Trial]:
        """The trials handed out in this session and not told, oldest first."""
        return self._progress.pending

    @property
    def stage(self) -> Optional[str]:
        """The stage that the last ask came from."""
        return self._progress.stage

    @property
    def finished(self) -> bool:
        """Whether nothing more is needed after the trials handed out."""
        return self._progress.finished

    @property
    def reason(self) -> Optional[str]:
        """The rule that finished the experiment; None before."""
        return self._progress.reason

    @property
    def remaining(self) -> dict[str, Any]:
        """What is left, as far as the server can count it, for instance ``{"trials": 12}``."""
        return self._progress.remaining

    @property
    def timing(self) -> dict[str, Any]:
        """What the last reply said about its time, for instance ``compute_ms`` and ``tier``."""
        return self._conversation.timing

    @property
    def timeout(self) -> Optional[float]:
        """Seconds to wait for a reply; None waits for ever."""
        return self._connection.timeout

    @timeout.setter
    def timeout(self, seconds: Optional[float]) -> None:
        self._connection.timeout = seconds

    def setup(
        self,
        config: Union[str, Mapping[str, Any], None] = None,
        file: Union[str, os.PathLike[str], None] = None,
        *,
        name: Optional[str] = None,
        participant: Optional[str] = None,
        description: Optional[str] = None,
        seed: Optional[int] = None,
        metadata: Optional[Mapping[str, Any]] = None,
    ) -> Setup:
        """Begin a session, or add a strategy to the current one.

        Args:
            config: INI text, or ``{section: {key: value}}``.
            file: instead, the name of a file with INI text, or with JSON if it ends in ``.json``.
            name, participant, description, metadata: kept in the record and exported with the trials.
            seed: makes the asks reproducible; drawn and recorded if none is given anywhere.

        Raises:
            ConfigError: with every problem found in the configuration.
        """
        message = {
            "config": configuration(config, file),
            "name": name,
            "participant": participant,
            "description": description,
            "seed": seed,
            "metadata": metadata,
        }
        # The session's name is chosen here, so that a setup sent again can't begin a second session.
        reply = self.request("setup", given(message), session=self.session or str(uuid.uuid4()), changes=True)
        return setup_of({"session": self.session, **reply})

    @overload
    def ask(
        self,
        n: Literal[1] = 1,
        *,
        fixed: Optional[Mapping[str, Any]] = None,
        beyond: bool = False,
        deadline_ms: Optional[float] = None,
    ) -> Trial: ...

    @overload
    def ask(
        self,
        n: int,
        *,
        fixed: Optional[Mapping[str, Any]] = None,
        beyond: bool = False,
        deadline_ms: Optional[float] = None,
    ) -> Union[Trial, list[Trial]]: ...

    def ask(
        self,
        n: int = 1,
        *,
        fixed: Optional[Mapping[str, Any]] = None,
        beyond: bool = False,
        deadline_ms: Optional[float] = None,
    ) -> Union[Trial, list[Trial]]:
        """The next trial, or for n > 1 a list of the next n.

        Args:
            n: how many; fewer may come when the experiment ends.
            fixed: values that these trials must have, by parameter.
            beyond: go on after the experiment is finished.
            deadline_ms: answer so long after the request's receipt at the latest, by the best that is
                computed until then; `timing["tier"]` says how far that was.

        Raises:
            Finished: there are no more trials.
        """
        trials = self._ask(n, fixed, beyond, deadline_ms)
        return trials[0] if n == 1 else trials

    def trials(
        self,
        *,
        n: int = 1,
        fixed: Optional[Mapping[str, Any]] = None,
        beyond: bool = False,
        deadline_ms: Optional[float] = None,
    ) -> Iterator[Trial]:
        """Trial after trial until the experiment is finished.

        Trials handed out earlier and not told come first: those of a resumed session, and the one that was
        on screen when the loop was interrupted. A trial that the loop's body neither tells nor skips stays
        pending.

        Args:
            n: how many to ask at a time.
            fixed, beyond, deadline_ms: as in ask.
        """
        self._conversation.settle()
        asked, last, warned = self.pending, False, False
        while True:
            for trial in asked:
                if trial.told or trial.skipped:
                    continue
                yield trial
                if not (trial.told or trial.skipped or warned):
                    warned = True
                    warn(f"trial {trial.number} was not told: it stays pending")
            if last:
                return
            try:
                asked = self._ask(n, fixed, beyond, deadline_ms)
            except Finished:
                return
            last = self.finished and not beyond

    def tell(
        self,
        trial: What,
        outcome: Outcome,
        *,
        model_data: bool = True,
        shown: Optional[Mapping[str, Any]] = None,
        response_time: Optional[float] = None,
        confidence: Optional[float] = None,
        client_time: Union[float, str, None] = None,
        extra: Optional[Mapping[str, Any]] = None,
    ) -> Told:
        """Tell an outcome; it is on record when this returns.

        Args:
            trial: a trial, its number, or the parameters of a stimulus the server didn't ask for.
            outcome: number or level (True is 1), or a value for each outcome by name.
            model_data: False records the outcome without showing it to the model.
            shown: the stimulus really shown, if it was another than asked.
            response_time: in seconds.
            confidence, client_time, extra: kept in the record.
        """
        options = {
            "model_data": model_data,
            "shown": shown,
            "response_time": response_time,
            "confidence": confidence,
            "client_time": client_time,
            "extra": extra,
        }
        return told_of(self.request("tell", tell_message(trial, outcome, options), changes=True))

    def tell_many(self, tells: Iterable[tuple[What, Outcome]]) -> Told:
        """Tell several outcomes as pairs of trial and outcome: all of them are recorded, or none."""
        trials = [tell_message(trial, outcome, {}) for trial, outcome in tells]
        return told_of(self.request("tell", {"trials": trials}, changes=True))

    def skip(self, trial: Union[Trial, int], reason: Optional[str] = None, *, again: bool = False) -> None:
        """Close a trial that was handed out without an outcome; it counts as asked.

        Args:
            trial: the trial or its number.
            reason: kept in the record, for instance ``"no response"``.
            again: hand the same point out again, unless the experiment is finished by then.
        """
        message = {
            "trial": number_of(trial),
            **given({"reason": reason}),
            **({"again": True} if again else {}),
        }
        self.request("skip", message, changes=True)

    def correct(
        self, trial: Union[Trial, int], outcome: Optional[Outcome] = None, *, remove: bool = False
    ) -> Corrected:
        """Give a told trial another outcome, or none with ``remove``; what was told stays on record.

        The model sees the corrected data from then on.
        """
        message = correct_message(trial, outcome, remove)
        found = corrected_of(self.request("correct", message, changes=True))
        if isinstance(trial, Trial):
            trial.outcome = message.get("outcome")
        return found

    def update(
        self,
        trial: What,
        outcome: Outcome,
        *,
        fixed: Optional[Mapping[str, Any]] = None,
        beyond: bool = False,
        deadline_ms: Optional[float] = None,
        **options: Any,
    ) -> Trial:
        """Tell and ask in one round trip: the next trial. ``options`` are those of tell.

        The tell is recorded first and stands even if this raises what the ask alone would have raised.
        """
        asking = ask_message(1, fixed, beyond, deadline_ms)
        message = {"tell": tell_message(trial, outcome, options), "ask": asking}
        reply = self.request("update", message, changes=True)
        for part in ("tell", "ask"):
            if "error" in reply[part]:
                raise error_of(reply[part]["error"])
        return self._progress.handed_out(reply["ask"])[0]

    def finish_strategy(self) -> Optional[str]:
        """Finish the current stage; the next begins at the next ask. Returns the finished stage's name."""
        finished = self.request("finish_strategy", changes=True).get("finished")
        return None if finished is None else str(finished)

    def resume(
        self, session: Optional[str] = "last", *, strategy: Optional[int] = None, observe: bool = False
    ) -> Resumed:
        """Take a session up again: by name, the ``"last"`` one, or None for the current one.

        Args:
            strategy: which of its strategies to make current.
            observe: look on while another connection holds it.
        """
        message = given({"session": session or self.session, "strategy": strategy})
        reply = self.request(
            "resume", {**message, **({"observe": True} if observe else {})}, in_session=False, changes=True
        )
        return resumed_of(reply, self.session, self.pending)

    def replay(self, session: Optional[str] = None, *, verify: bool = True) -> Replayed:
        """Have the server compute every ask of a recorded session again, and compare; nothing is written.

        It takes as long as the session's own computations did: ``timeout`` holds for it too.

        Args:
            session: by name; None for the current one.
            verify: False only reads it back.
        """
        wanted = session or self.session
        if wanted is None:
            raise TypeError("no session is current: name the session to replay")
        message = {"session": wanted, **({} if verify else {"verify": False})}
        return replayed_of(self.request("replay", message, in_session=False))

    def exit(self) -> dict[str, Any]:
        """End the session (it can be resumed); returns its numbers of trials."""
        return dict(self.request("exit", changes=True).get("trials", {}))

    def request(
        self,
        kind: str,
        message: Optional[Mapping[str, Any]] = None,
        *,
        session: Optional[str] = None,
        in_session: bool = True,
        changes: bool = False,
    ) -> dict[str, Any]:
        """Send any request and return its reply's message, for what has no method here.

        Args:
            session: the session to name instead of the current one; ``in_session=False`` names none.
            changes: True for a request that changes the session: left unanswered, it is sent again.
        """
        return self._conversation.call(kind, message, session=session, in_session=in_session, changes=changes)

    def _ask(
        self, n: int, fixed: Optional[Mapping[str, Any]], beyond: bool, deadline_ms: Optional[float]
    ) -> list[Trial]:
        message = ask_message(n, fixed, beyond, deadline_ms)
        return self._progress.handed_out(self.request("ask", message, changes=True))
