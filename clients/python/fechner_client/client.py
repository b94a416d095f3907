"""The client: an experiment's side of the conversation."""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterable, Iterator, Mapping
from functools import partial
from typing import Any, Literal, Optional, Union, overload

from fechner_client.connection import Connection
from fechner_client.errors import Finished
from fechner_client.memory_channel import Server
from fechner_client.messages import (
    What,
    ask_message,
    correct_message,
    resume_message,
    setup_message,
    skip_message,
    tell_message,
)
from fechner_client.opening import locate
from fechner_client.progress import Presenter, Resumed, resumed_of
from fechner_client.queries import Queries
from fechner_client.results import Corrected, Setup, Told, corrected_of, setup_of, told_of
from fechner_client.security import Tls, find_token
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
        place = locate(host, port, server, zmq, token, tls, curve)
        super().__init__(str(place), find_token(token), timeout, retry_for, partial(Trial, self))
        self._connection = Connection(place.open_channel, self._talk)
        self._connection.run(self._talk.connect())

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
        self._connection.run(self._talk.connect())

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
        message = setup_message(config, file, name, participant, description, seed, metadata)
        # The session's name is chosen here, so that a setup sent again can't begin a second session.
        reply = self.request("setup", message, session=self.session or str(uuid.uuid4()), changes=True)
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
        trials = self._ask(ask_message(n, fixed, beyond, deadline_ms))
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
        self._connection.run(self._talk.settle())
        presenter = Presenter()
        yield from presenter.present(self.pending)
        last = False
        while not last:
            try:
                asked = self._ask(ask_message(n, fixed, beyond, deadline_ms))
            except Finished:
                return
            last = self.finished and not beyond
            yield from presenter.present(asked)

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
        self.request("skip", skip_message(trial, reason, again), changes=True)

    def correct(
        self, trial: Union[Trial, int], outcome: Optional[Outcome] = None, *, remove: bool = False
    ) -> Corrected:
        """Give a told trial another outcome, or none with ``remove``; what was told stays on record.

        The model sees the corrected data from then on.
        """
        message = correct_message(trial, outcome, remove)
        corrected = corrected_of(self.request("correct", message, changes=True))
        if isinstance(trial, Trial):
            trial.outcome = message.get("outcome")
        return corrected

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
        asking, telling = ask_message(1, fixed, beyond, deadline_ms), tell_message(trial, outcome, options)
        reply = self.request("update", {"tell": telling, "ask": asking}, changes=True)
        return self._progress.next_trial(reply)

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
        message = resume_message(session or self.session, strategy, observe)
        reply = self.request("resume", message, in_session=False, changes=True)
        return resumed_of(reply, self.session, self.pending)

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
        steps = self._talk.call(kind, message, session=session, in_session=in_session, changes=changes)
        return self._connection.run(steps)

    def _ask(self, message: Mapping[str, Any]) -> list[Trial]:
        return self._progress.asked_trials(self.request("ask", message, changes=True))
