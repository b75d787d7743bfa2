"""The nodes of a run meet before their ranks start: each must be there once, and all must hold the same run.

Every node connects to ``MASTER_ADDR:MASTER_PORT``, including node 0, so that an address that does not lead to node 0 is
noticed. The connections stay open after the meeting: a node that ends tells the others why. Messages are JSON objects, one
per line. Nothing here imports torch.
"""

from __future__ import annotations

import contextlib
import json
import os
import queue
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from ..errors import UserError
from .nodes import Place

LONGEST = 1 << 16  # bytes of a message: a longer one is not ours
PATIENCE = 10.0  # seconds before node 0 prints whom it waits for
FAREWELL = 1.0  # seconds for node 0's own last message
RETRY = 0.2  # seconds between attempts to connect
# One of the keys node, go, refused, signal, ended and lost says what it is.
Message = dict[str, Any]


def listen(port: int) -> socket.socket:
    """A socket that listens at a port on every address of this node. Raises UserError where the port is taken."""
    family = socket.AF_INET6 if socket.has_dualstack_ipv6() else socket.AF_INET
    try:
        return socket.create_server(
            ("", port), family=family, dualstack_ipv6=family == socket.AF_INET6, backlog=1024
        )
    except OSError as error:
        if family == socket.AF_INET6 and not _port_is_taken(port):
            return _listen_on_ipv4(port)
        raise _taken(port, error) from None


def require_free(port: int) -> None:
    """Raises UserError where something listens at a port of this node."""
    listen(port).close()


def _listen_on_ipv4(port: int) -> socket.socket:
    try:
        return socket.create_server(("", port), backlog=1024)
    except OSError as error:
        raise _taken(port, error) from None


def _port_is_taken(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _taken(port: int, error: OSError) -> UserError:
    return UserError(
        f"port {port} on {socket.gethostname()} cannot be used ({os.strerror(error.errno or 0)}): another run may have it;"
        " end that, or set MASTER_PORT to a free port, the same on every node"
    )


def _send(connection: socket.socket, message: Message) -> None:
    connection.sendall(json.dumps(message).encode() + b"\n")


def _messages(connection: socket.socket) -> Iterator[Message]:
    """The messages until the other side closes the connection, loses it, or sends something that is not ours."""
    with connection.makefile("rb") as lines:
        while True:
            try:
                line = lines.readline(LONGEST)
                message = json.loads(line) if line.endswith(b"\n") else None
            except (OSError, ValueError):
                return
            if not isinstance(message, dict):
                return
            yield message


@dataclass(frozen=True)
class Member:
    """A node that has arrived."""

    node: int
    host: str
    run: str
    connection: socket.socket


class Registrar:
    """Node 0's side: lets the nodes continue together, and then passes on what each of them reports."""

    def __init__(self, listener: socket.socket, nodes: int, timeout: float):
        self._listener, self._nodes, self._timeout = listener, nodes, timeout
        self._members: dict[int, Member] = {}
        self._changed = threading.Condition()
        self._refused: str | None = None
        self._all_here = False
        self._own_left = threading.Event()
        for task in (self._accept, self._wait):
            threading.Thread(target=task, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:  # closed: all nodes are here, or the meeting is over
                return
            keep_alive(connection, self._timeout)
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        messages = _messages(connection)
        member = _member(next(messages, None), connection)
        if member is None or not 0 <= member.node < self._nodes:
            _hang_up(connection)
            return
        self._admit(member)
        ended = False
        for message in messages:
            ended = True
            self._tell_others(member, message)
        self._leave(member, ended)
        if member.node == 0:
            self._own_left.set()

    def _admit(self, member: Member) -> None:
        with self._changed:
            earlier = self._members.get(member.node)
            if earlier is not None:
                self._refuse(_twice(earlier, member), member)
            elif (first := self._members.get(0)) and first.run != member.run:
                self._refuse(_differs(member, first), member)
            elif member.node == 0 and (
                other := next((m for m in self._members.values() if m.run != member.run), None)
            ):
                self._refuse(_differs(other, member), member)
            elif self._refused is not None:
                _try_to_send(member.connection, {"refused": self._refused})
            else:
                self._members[member.node] = member
                self._changed.notify_all()

    def wait_for_own(self, seconds: float) -> None:
        """Returns when everything that node 0 reported is passed on, which must be before its process ends."""
        self._own_left.wait(seconds)

    def _leave(self, member: Member, ended: bool) -> None:
        with self._changed:
            if self._members.get(member.node) is not member:
                return
            if not self._all_here:
                del self._members[member.node]
                return
        if not ended:
            reason = f"the connection to node {member.node} ({member.host}) is lost"
            self._tell_others(member, {"lost": reason})

    def _tell_others(self, member: Member, message: Message) -> None:
        with self._changed:  # nobody hears of another's end before it was told to continue
            for other in self._members.values():
                if other is not member:
                    _try_to_send(other.connection, message)

    def _refuse(self, reason: str, newcomer: Member | None = None) -> None:
        self._refused = self._refused or reason
        for member in (*self._members.values(), *((newcomer,) if newcomer else ())):
            _try_to_send(member.connection, {"refused": reason})
        self._stop_listening()

    def _stop_listening(self) -> None:
        with contextlib.suppress(OSError):
            self._listener.shutdown(
                socket.SHUT_RDWR
            )  # or the thread in accept() would keep the port
        self._listener.close()

    def _wait(self) -> None:
        started = time.monotonic()
        with self._changed:
            for limit in (min(PATIENCE, self._timeout), self._timeout):
                left = started + limit - time.monotonic()
                self._changed.wait_for(self._is_settled, max(0.0, left))
                if not self._is_settled() and limit < self._timeout:
                    print(f"waiting for {self._missing()}", file=sys.stderr, flush=True)
            if len(self._members) < self._nodes:
                if self._refused is None:
                    self._refuse(
                        f"{self._missing()} did not come within {self._timeout:g} s: {CHECK}"
                    )
                return
            self._all_here = True
            self._stop_listening()  # before anybody continues: the ranks use the same port
            for member in self._members.values():
                _try_to_send(member.connection, {"go": True})

    def _is_settled(self) -> bool:
        return self._refused is not None or len(self._members) == self._nodes

    def _missing(self) -> str:
        missing = [node for node in range(self._nodes) if node not in self._members]
        shown = ", ".join(map(str, missing[:10])) + (" and others" if len(missing) > 10 else "")
        return f"node {shown}" if len(missing) == 1 else f"nodes {shown}"


CHECK = (
    "start launch.sh on every node, each with a NODE_RANK of its own, and let MASTER_ADDR be an address of"
    " node 0 that every node reaches"
)


def _member(hello: Message | None, connection: socket.socket) -> Member | None:
    if hello is None:
        return None
    node, host, run = (hello.get(name) for name in ("node", "host", "run"))
    if not (isinstance(node, int) and isinstance(host, str) and isinstance(run, str)):
        return None
    return Member(node, host, run, connection)


def _twice(earlier: Member, later: Member) -> str:
    return (
        f"NODE_RANK {later.node} is given twice, on {earlier.host} and on {later.host}:"
        " every node needs one of its own"
    )


def _differs(member: Member, first: Member) -> str:
    return (
        f"node {member.node} ({member.host}) has a different run folder from node 0 ({first.host}):"
        " copy the same folder to every node"
    )


def _hang_up(connection: socket.socket) -> None:
    """Closes a connection even while a thread waits in it, which would otherwise keep it open."""
    with contextlib.suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)
    connection.close()


def _try_to_send(connection: socket.socket, message: Message) -> None:
    try:
        _send(connection, message)
    except OSError:
        return  # the thread that reads from it notices


class Link:
    """A node's connection to the others, through node 0."""

    def __init__(self, connection: socket.socket, registrar: Registrar | None = None):
        self._connection, self._registrar = connection, registrar
        self._inbox: queue.Queue[Message] = queue.Queue()
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        over = False
        for message in _messages(self._connection):
            over = over or "ended" in message
            self._inbox.put(message)
        if not over:
            self._inbox.put({"lost": "the connection to node 0 is lost"})

    def receive(self, timeout: float = 0.0) -> Message | None:
        """A message from another node; None after that many seconds without one."""
        try:
            return self._inbox.get(timeout=timeout) if timeout else self._inbox.get_nowait()
        except queue.Empty:
            return None

    def tell(self, message: Message) -> None:
        """Sends a message to all other nodes that can be reached."""
        _try_to_send(self._connection, message)

    def close(self) -> None:
        """Ends the connection once the others have been told everything."""
        if self._registrar is not None:
            with contextlib.suppress(OSError):
                self._connection.shutdown(socket.SHUT_WR)
            self._registrar.wait_for_own(FAREWELL)
        _hang_up(self._connection)


def meet(place: Place, run: str, timeout: float, check: Callable[[], None]) -> Link:
    """Waits until all nodes of the run are there.

    ``run`` is a digest of the run's folder, ``timeout`` is in seconds; ``check`` is called many times a second and may
    raise. Raises UserError where a node is missing, is there twice, has another run, or cannot reach node 0.
    """
    assert place.port is not None
    registrar = None
    if place.node == 0:
        registrar = Registrar(listen(place.port), place.nodes, timeout)
    deadline = time.monotonic() + timeout
    connection = _connect(place, deadline, timeout, check)
    link = Link(connection, registrar)
    link.tell({"node": place.node, "host": socket.gethostname(), "run": run})
    slack = 5.0  # node 0 speaks first: it knows who is missing
    while (message := link.receive(RETRY)) is None:
        check()
        if time.monotonic() > deadline + slack:
            raise UserError(
                f"{_where(place)} did not let this node go on within {timeout:g} s: {CHECK}"
            )
    if "go" in message:
        return link
    link.close()
    if "refused" in message:
        raise UserError(str(message["refused"]))
    raise UserError(
        f"{_where(place)} has closed the connection: node 0 has ended, or something else listens there;"
        " the output of node 0 says more"
    )


def _where(place: Place) -> str:
    return f"node 0 at {place.address}:{place.port}"


def _connect(
    place: Place, deadline: float, timeout: float, check: Callable[[], None]
) -> socket.socket:
    assert place.port is not None
    while True:
        check()
        left = deadline - time.monotonic()
        try:
            connection = socket.create_connection(
                (place.address, place.port), timeout=min(5.0, max(left, RETRY))
            )
        except OSError as error:
            if left <= 0:
                reason = error.strerror or "it does not answer"
                raise UserError(
                    f"{_where(place)} cannot be reached within {timeout:g} s ({reason}): {CHECK}"
                ) from None
            time.sleep(RETRY)
            continue
        if connection.getsockname() == connection.getpeername():
            connection.close()  # Linux may connect a socket to itself where a local port is free
            continue
        connection.settimeout(None)
        keep_alive(connection, timeout)
        return connection


def keep_alive(connection: socket.socket, timeout: float) -> None:
    """Has the system check that the other side is still there; if not, the connection is lost after about ``timeout``
    seconds."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    if sys.platform == "linux":
        every = max(1, min(60, int(timeout / 4)))
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, every)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, every)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPCNT, max(3, int(timeout / every)))
