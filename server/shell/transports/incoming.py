"""What a client has sent over TCP, from its bytes to its requests, a little at a time."""

from __future__ import annotations

from collections import deque

from fechner.server.engine.events import Ended, Event, Received, Unreadable
from fechner.server.protocol import jsontext
from fechner.server.protocol.errors import FechnerError
from fechner.server.protocol.framing import Splitter
from fechner.server.protocol.limits import Limits

#: The longest input that is looked at as a whole, and at once: a begun request may come in many pieces.
WHOLE_BYTES = 8_192

#: Split at once.
SLICE_BYTES = 1_024


class Incoming:
    """Bytes that have arrived and aren't split, and requests that are split and not delivered.

    Args:
        number: of the connection.
        limits: of its client.
    """

    def __init__(self, number: int, limits: Limits) -> None:
        self._number, self._limits = number, limits
        self._splitter = Splitter(limits)
        self._bytes: memoryview = memoryview(b"")
        self._backlog: deque[bytes | Event] = deque()
        self._ends = False  # the client sends no more, and nobody was told yet
        self.deaf = False  # what follows can't be understood

    def allow(self, limits: Limits) -> None:
        """From now on these are the limits."""
        self._limits = limits
        self._splitter.allow(limits)

    # What there is

    @property
    def waiting(self) -> bool:
        """Whether anything has arrived and is not done."""
        return bool(self._backlog or self._bytes)

    @property
    def more(self) -> bool:
        """Whether there is something to do."""
        return bool(self._backlog or self._ends or (self._bytes and not self.deaf))

    @property
    def only_ends(self) -> bool:
        """Whether nothing is to be done but to tell of the end."""
        return not self._bytes and all(isinstance(item, Ended) for item in self._backlog)

    @property
    def begun(self) -> bool:
        """Whether a message has begun whose end has not been split off."""
        return self._splitter.begun and self._splitter.fault is None

    # In

    def add(self, data: bytes) -> None:
        """Bytes came, cut anywhere."""
        self._bytes = memoryview(bytes(self._bytes) + data if self._bytes else data)

    def add_whole(self, data: bytes) -> bool:
        """Take the bytes if they are one request and no more, as most are: then they need no splitting."""
        if self.waiting or self._splitter.begun or self._splitter.fault is not None:
            return False
        if data[:1] != b"{" or len(data) > min(WHOLE_BYTES, self._limits.message_bytes):
            return False
        try:
            self._backlog.append(Received(self._number, jsontext.parse(data, self._limits)))
        except FechnerError:
            return False  # in pieces, several, or broken: the splitter knows what
        return True

    def end(self) -> None:
        """The client sends no more."""
        self._ends = True

    def fail(self, error: FechnerError) -> None:
        """What is arriving can't be understood."""
        self._backlog.append(Unreadable(self._number, error))
        self._hear_no_more()

    # Out

    def take(self) -> bytes | Event | None:
        """The next request, or what there is to tell; None if there is nothing yet."""
        if not self._backlog and self._ends and (self.deaf or not self._bytes):
            self._ends = False
            if not self.deaf:
                self._keep(self._splitter.end())
            self._backlog.append(Ended(self._number))
            return None
        return self._backlog.popleft() if self._backlog else None

    def split(self) -> bool:
        """Split a slice of the bytes; whether a message ended in it."""
        data, self._bytes = self._bytes[:SLICE_BYTES], self._bytes[SLICE_BYTES:]
        texts = self._splitter.feed(bytes(data))
        self._keep(texts)
        return bool(texts)

    @property
    def splits(self) -> bool:
        """Whether bytes have to be split before there is anything to take."""
        return not self._backlog and bool(self._bytes) and not self.deaf

    def event(self, text: bytes) -> Event:
        """A request, or why it is none."""
        try:
            return Received(self._number, jsontext.parse(text, self._limits))
        except FechnerError as error:
            return Unreadable(self._number, error)

    def put_back(self, event: Event) -> None:
        """It was taken, and is to be delivered next."""
        self._backlog.appendleft(event)

    def drop_after_fault(self) -> None:
        """The connection closes after this error: nothing that came behind it counts, but for its end."""
        first = self._backlog[0] if self._backlog else None
        ended = any(isinstance(item, Ended) for item in self._backlog)
        self._backlog.clear()
        if isinstance(first, Unreadable):
            self._backlog.append(first)
        if ended:
            self._backlog.append(Ended(self._number))
        self._hear_no_more()

    def forget(self) -> None:
        """Leave everything."""
        self._backlog.clear()
        self._hear_no_more()
        self._ends = False

    def no_end(self) -> None:
        """Nobody is there to whom it would make a difference."""
        self._ends = False

    def _keep(self, texts: list[bytes]) -> None:
        self._backlog.extend(texts)
        if self._splitter.fault is not None:
            self.fail(self._splitter.fault)

    def _hear_no_more(self) -> None:
        self.deaf = True
        self._bytes = memoryview(b"")
