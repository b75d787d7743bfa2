"""Small JSON messages over a TCP connection, one per line, without ever waiting for the other side."""

from __future__ import annotations

import contextlib
import json
import socket
import threading
from typing import Any

LARGEST = 1 << 20  # bytes of a message; whoever sends more is not one of our ranks
Message = dict[str, Any]  # see Watch and Guard, which send and understand them


class Wire:
    """One end of a connection. ``send`` may be called by any thread, ``receive`` by one."""

    def __init__(self, connection: socket.socket):
        self._socket = connection
        self._socket.setblocking(False)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._lock = threading.Lock()
        self._unsent = bytearray()
        self._received = bytearray()
        self.problem: str | None = None  # with the network, if that ended the connection

    def fileno(self) -> int:
        """For a selector."""
        return self._socket.fileno()

    def is_clear(self) -> bool:
        """Whether the network has taken everything that was sent."""
        return not self._unsent

    def send(self, message: Message) -> None:
        """Sends what the network takes now, and the rest with the next message or ``flush``."""
        with self._lock:
            self._unsent += json.dumps(message).encode() + b"\n"
        self.flush()

    def flush(self) -> None:
        """Sends what is left. A broken connection is noticed by ``receive``."""
        with self._lock, contextlib.suppress(OSError):
            while self._unsent:
                del self._unsent[: self._socket.send(self._unsent)]

    def receive(self) -> list[Message] | None:
        """The messages that have arrived; None where the connection is gone or was never one of ours."""
        try:
            content = self._socket.recv(1 << 16)
        except (BlockingIOError, InterruptedError):
            return []
        except ConnectionResetError:
            return None
        except OSError as error:
            self.problem = error.strerror
            return None
        self._received += content
        *lines, rest = self._received.split(b"\n")
        self._received = bytearray(rest)
        if not content or len(rest) > LARGEST:
            return None
        return self._parsed(lines)

    def close(self) -> None:
        """Closes the connection."""
        self._socket.close()

    @staticmethod
    def _parsed(lines: list[bytearray]) -> list[Message] | None:
        try:
            messages = [json.loads(line) for line in lines]
        except (ValueError, RecursionError):
            return None
        return messages if all(isinstance(message, dict) for message in messages) else None


def listen() -> socket.socket:
    """A socket that listens on a free port of every address of this machine."""
    if socket.has_dualstack_ipv6():
        with contextlib.suppress(OSError):
            return socket.create_server(
                ("", 0), family=socket.AF_INET6, backlog=4096, dualstack_ipv6=True
            )
    return socket.create_server(("", 0), backlog=4096)
