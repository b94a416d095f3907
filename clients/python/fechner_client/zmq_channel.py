"""ZMQ instead of TCP: a DEALER socket that frames its requests as REQ would. Needs pyzmq."""

from __future__ import annotations

import time
from typing import Any, Optional

import zmq
from zmq.utils.monitor import recv_monitor_message

from fechner_client.channel import Broken, Slow, not_fechner, reply_to
from fechner_client.framing import BadReply, ReplyReader, encode

_GONE = (
    zmq.EVENT_HANDSHAKE_FAILED_NO_DETAIL,
    zmq.EVENT_HANDSHAKE_FAILED_PROTOCOL,
    zmq.EVENT_DISCONNECTED,
    zmq.EVENT_CLOSED,
    zmq.EVENT_MONITOR_STOPPED,
)


class ZmqChannel:
    """A ZMQ connection that never connects again by itself, lest a lost request wait for ever."""

    def __init__(self, host: str, port: int, timeout: float, curve: Optional[str] = None) -> None:
        self._where = f"tcp://{host}:{port}"
        self._context = zmq.Context()
        self._socket = self._context.socket(zmq.DEALER)
        self._socket.setsockopt(zmq.LINGER, 0)
        self._socket.setsockopt(zmq.RECONNECT_IVL, -1)
        if curve is not None:
            self._socket.curve_serverkey = curve.encode("ascii")
            self._socket.curve_publickey, self._socket.curve_secretkey = zmq.curve_keypair()
        self._monitor = self._socket.get_monitor_socket()
        try:
            self._socket.connect(self._where)
            self._await_connection(time.monotonic() + timeout)
        except BaseException:
            self.close()
            raise

    def _await_connection(self, until: float) -> None:
        while self._monitor.poll(max(0, int((until - time.monotonic()) * 1000))):
            event = recv_monitor_message(self._monitor)["event"]
            if event == zmq.EVENT_HANDSHAKE_SUCCEEDED:
                return
            if event in _GONE:
                raise ConnectionRefusedError(f"nothing listens at {self._where}")
        raise ConnectionRefusedError(f"no ZMQ server answers at {self._where}")

    def request(self, request: dict[str, Any], timeout: Optional[float]) -> dict[str, Any]:
        try:
            self._socket.send_multipart([b"", encode(request)], zmq.NOBLOCK)
        except zmq.Again:
            raise Broken("the server is gone") from None
        until = None if timeout is None else time.monotonic() + timeout
        poller = zmq.Poller()
        poller.register(self._socket, zmq.POLLIN)
        poller.register(self._monitor, zmq.POLLIN)
        while True:
            left = None if until is None else until - time.monotonic()
            if left is not None and left <= 0:
                raise Slow
            ready = dict(poller.poll(None if left is None else max(1, int(left * 1000))))
            if self._socket in ready:
                reply = reply_to(request, self._received(), self._where)
                if reply is not None:
                    return reply
            elif self._monitor in ready and recv_monitor_message(self._monitor)["event"] in _GONE:
                raise Broken("the server closed the connection")

    def _received(self) -> Any:
        payload = self._socket.recv_multipart()[-1]
        try:
            replies = ReplyReader().feed(payload + b"\n")
        except BadReply as fault:
            raise not_fechner(self._where, str(fault)) from None
        if len(replies) != 1:
            raise not_fechner(self._where, repr(payload[:80]))
        return replies[0]

    def close(self) -> None:
        if not self._socket.closed:
            self._socket.disable_monitor()
            self._monitor.close(linger=0)
            self._socket.close(linger=0)
            self._context.term()
