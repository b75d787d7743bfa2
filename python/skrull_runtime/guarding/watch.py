"""Rank 0's side of the guard: a thread that hears from every rank, and tells all of them why the run ends.

It knows three signs of an end. A rank that fails says why. A connection that closes without a word belongs to a rank that
was killed. A rank that has been silent for the time-out is frozen, or its node cannot be reached.
"""

from __future__ import annotations

import hmac
import selectors
import threading
import time
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from functools import partial

from .cause import Cause
from .telling import or_end
from .wire import Message, Wire, listen

SYMPTOM_WAIT = 3.0  # seconds for a cause to arrive after a symptom of it
FAULT_WAIT = 0.5  # likewise after a fault, which may be an unknown kind of symptom
GATHER_WAIT = 0.2  # likewise for other ranks of a node whose first rank is gone
FAREWELL = 1.0  # for ranks to receive the news


@dataclass(frozen=True)
class Timing:
    """Time limits in seconds, and the number of ranks."""

    timeout: float  # without a sign of life from a rank
    start: float  # for all ranks to arrive
    ranks: int = 1

    @property
    def interval(self) -> float:
        """Seconds between two signs of life of a rank. Rank 0 receives them all, beside its own work."""
        return min(1.0 + self.ranks / 200, self.timeout / 10)


@dataclass(frozen=True)
class Server:
    """Where rank 0 listens. The token keeps strangers out."""

    address: str
    port: int
    token: str
    host: str
    pid: int


@dataclass
class Member:
    """A rank that has arrived."""

    wire: Wire
    rank: int = -1  # until it has said so
    host: str = ""
    pid: int = 0
    heard: float = 0.0
    place: str = "the start"
    since: float = field(default_factory=time.monotonic)  # when it reached its place
    left: bool = False  # after its work was done
    gone: bool = False


class Watch:
    """The server, which listens on ``port`` of every address of this machine."""

    def __init__(self, ranks_per_node: int, timing: Timing, token: str):
        self._per_node, self._timing, self._token = ranks_per_node, timing, token
        self._listener = listen()
        self.port: int = self._listener.getsockname()[1]
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._listener, selectors.EVENT_READ)
        self._members: dict[int, Member] = {}
        self._suspected: list[Cause] = []  # in the order of their arrival
        self._silent: list[Cause] = []  # symptoms that no rank has reported itself, which say most
        self._decide_at = float("inf")
        self._started = self._looked = time.monotonic()
        self._complete = False
        serve = partial(or_end, self._serve, 0)
        threading.Thread(target=serve, name="skrull-watch", daemon=True).start()

    def _serve(self) -> None:
        while not self._all_left():
            self._hear(min(self._timing.interval, self._decide_at - time.monotonic()))
            self._judge(time.monotonic())
            if time.monotonic() >= self._decide_at:
                self._tell(self._verdict())
                return

    def _hear(self, seconds: float) -> None:
        """Receives what arrives within that many seconds."""
        for key, _ in self._selector.select(max(0.0, seconds)):
            if key.fileobj is self._listener:
                self._accept()
            else:
                self._take(key.data)
        self._forgive_own_sleep(time.monotonic())

    def _accept(self) -> None:
        try:
            connection, _ = self._listener.accept()
        except OSError:
            return
        member = Member(Wire(connection))
        self._selector.register(connection, selectors.EVENT_READ, member)

    def _take(self, member: Member) -> None:
        messages = member.wire.receive()
        if messages is None:
            self._lose(member)
            return
        for message in messages:
            if member.rank < 0 and not self._admit(member, message):
                self._drop(member)
                return
            self._understand(member, message)

    def _admit(self, member: Member, message: Message) -> bool:
        """Whether it is one of our ranks; its first message proves it."""
        token = str(message.get("token", ""))
        if not hmac.compare_digest(token.encode(), self._token.encode()):
            return False
        member.rank, member.host, member.pid = message["rank"], message["host"], message["pid"]
        earlier = self._members.setdefault(member.rank, member)
        if earlier is not member:
            reason = (
                f"rank {member.rank} was started twice, on {earlier.host} (process {earlier.pid}) and on"
                f" {member.host} (process {member.pid}): give every node its own NODE_RANK, and start it once"
            )
            told = Cause.of(member.rank, "user", reason)
            member.wire.send({"end": told.to_json()})
            self._suspect(replace(told, host=member.host, pid=member.pid), 0.0)
        return True

    def _understand(self, member: Member, message: Message) -> None:
        member.heard = time.monotonic()
        if (at := message.get("place", member.place)) != member.place:
            member.place, member.since = at, member.heard
        if "cause" in message:
            cause = Cause.from_json(message["cause"])
            wait = FAULT_WAIT if cause.kind == "fault" else 0.0
            self._suspect(cause, wait if cause.primary else SYMPTOM_WAIT)
        if message.get("leave"):
            member.left = True
        member.wire.send({"heard": True})
        if not self._complete and len(self._members) == self._timing.ranks:
            self._complete = True
            for other in self._members.values():
                other.wire.send({"complete": True})

    def _lose(self, member: Member) -> None:
        """A connection has closed."""
        self._drop(member)
        member.gone = True
        if member.rank < 0 or member.left or self._members.get(member.rank) is not member:
            return
        if any(cause.rank == member.rank for cause in self._suspected):
            return  # it has already said why
        waited = time.monotonic() - member.since
        if member.wire.problem is not None:
            why = f"its node cannot be reached ({member.wire.problem})"
        elif waited > self._timing.timeout - 2 * self._timing.interval:
            # NCCL ends a process whose collective times out, without an exception that could be reported.
            why = f"it was killed, or waited too long for other ranks: it was there for {waited:.0f} s"
            self._suspect_silent([member], "ended without a word", why, primary=False)
            return
        else:
            why = "it was killed, as a system does that runs out of memory"
        self._suspect_silent([member], "ended without a word", why)

    def _drop(self, member: Member) -> None:
        self._selector.unregister(member.wire)
        member.wire.close()

    def _judge(self, now: float) -> None:
        """Looks for ranks that have been silent for too long or never arrived."""
        limit = self._timing.timeout
        silent = [m for m in self._present() if now - m.heard > limit]
        if silent:
            about = [
                m for m in self._present() if now - m.heard > limit - 2 * self._timing.interval
            ]
            why = "a process of it is frozen, or its node cannot be reached"
            self._suspect_silent(about, f"has not answered for {limit:g} s", why)
        if not self._complete and now - self._started > self._timing.start:
            self._suspect(self._missing(), 0.0)

    def _present(self) -> list[Member]:
        return [m for m in self._members.values() if not (m.gone or m.left)]

    def _missing(self) -> Cause:
        missing = sorted(set(range(self._timing.ranks)) - set(self._members))
        nodes = sorted({rank // self._per_node for rank in missing})
        reason = (
            f"{named('rank', missing)} ({named('node', nodes)}) did not come within"
            f" {self._timing.start:g} s: start every node once, each with its own NODE_RANK and the same MASTER_ADDR"
            " and MASTER_PORT, and see that they reach each other"
        )
        return Cause.of(0, "lost", reason)

    def _suspect_silent(
        self, members: list[Member], what: str, why: str, primary: bool = True
    ) -> None:
        first, *others = members
        also = f"; likewise {named('rank', [m.rank for m in others])}" if others else ""
        reason = f"{what} (process {first.pid}, at {first.place}): {why}{also}"
        told = Cause.of(first.rank, "lost", reason, primary)
        cause = replace(told, host=first.host, pid=first.pid)
        if not primary:
            self._silent.append(cause)
        self._suspect(cause, GATHER_WAIT if primary else SYMPTOM_WAIT)

    def _suspect(self, cause: Cause, seconds: float) -> None:
        """Takes it for the first cause unless a better one arrives within that many seconds."""
        self._suspected.append(cause)
        self._decide_at = min(self._decide_at, time.monotonic() + seconds)

    def _verdict(self) -> Cause:
        """The first to arrive of those that are not symptoms."""
        # A fault of a rank may be a consequence of another's end, whose report arrives a moment later.
        order = {"lost": 0, "user": 0, "interrupted": 0, "stopped": 0, "fault": 1}
        best = min(
            self._suspected,
            key=lambda cause: (not cause.primary, order[cause.kind], cause not in self._silent),
        )
        return best if best.primary else self._explained(best)

    def _explained(self, symptom: Cause) -> Cause:
        """A symptom whose cause nobody knows, with the places of all ranks, which show who kept the others waiting."""
        places: dict[str, list[int]] = {}
        for member in sorted(self._members.values(), key=lambda member: member.rank):
            places.setdefault(member.place, []).append(member.rank)
        told = "; ".join(f"{named('rank', ranks)} at {place}" for place, ranks in places.items())
        return replace(symptom, reason=f"{symptom.reason}. When that was seen: {told}")

    def _tell(self, cause: Cause) -> None:
        """Tells all ranks, and rank 0 last, as this process then ends."""
        own = self._members.get(0)
        for member in self._members.values():
            if member is not own and not member.gone:
                member.wire.send({"end": cause.to_json()})
        until = time.monotonic() + FAREWELL
        while any(m is not own for m in self._answering()) and time.monotonic() < until:
            for key, _ in self._selector.select(0.05):
                if key.fileobj is not self._listener:
                    self._farewell(key.data)
        if own is not None:
            own.wire.send({"end": cause.to_json()})

    def _answering(self) -> list[Member]:
        limit = time.monotonic() - 3 * self._timing.interval - 0.5
        return [m for m in self._members.values() if not m.gone and m.heard > limit]

    def _farewell(self, member: Member) -> None:
        member.wire.flush()
        if member.wire.receive() is None:
            self._drop(member)
            member.gone = True

    def _all_left(self) -> bool:
        """Whether every rank has done its work; if so, all are told."""
        members = self._members.values()
        if not self._complete or not all(member.left for member in members):
            return False
        for member in sorted(members, key=lambda member: -member.rank):
            if not member.gone:
                member.wire.send({"left": True})
        return True

    def _forgive_own_sleep(self, now: float) -> None:
        """While this process itself did not run, no rank can be blamed for silence."""
        lost = now - self._looked - self._timing.interval
        if lost > max(1.0, 2 * self._timing.interval):
            for member in self._members.values():
                member.heard += lost
            self._started += lost
        self._looked = now


def named(what: str, numbers: Iterable[int]) -> str:
    """Numbers in words: "rank 3", "ranks 1, 2 and 5 to 8"."""
    runs: list[list[int]] = []
    for number in numbers:
        if runs and number == runs[-1][-1] + 1:
            runs[-1].append(number)
        else:
            runs.append([number])
    parts = []
    for run in runs:
        parts += [f"{run[0]} to {run[-1]}"] if len(run) > 2 else [str(number) for number in run]
    if parts == [parts[0]] and " " not in parts[0]:
        return f"{what} {parts[0]}"
    *front, last = parts
    return f"{what}s {', '.join(front)}{' and ' if front else ''}{last}"
