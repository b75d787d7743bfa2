"""Collectives: how much arrives, what the device does between their start and the wait for them, and how long it waits."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch.distributed as dist
from operations import size

from skrull_runtime.model.exchange import Arriving


@dataclass(frozen=True)
class Links:
    """Times of all-gathers between so many ranks, as the plan has them."""

    ranks: int
    megabytes: tuple[float, ...]  # of the gathered whole, ascending
    seconds: tuple[float, ...]

    def time(self, received: int) -> float:
        """Of a collective in which a rank receives so many bytes: those of an all-gather of as many."""
        whole = received / 1e6 * self.ranks / max(1, self.ranks - 1)
        if whole > self.megabytes[-1]:
            return self.seconds[-1] * whole / self.megabytes[-1]
        return float(np.interp(whole, self.megabytes, self.seconds))


@dataclass
class Span:
    """A collective under way. Seconds."""

    received: int  # bytes from other ranks
    travels: float  # on the wire
    ends: float = 0.0  # by the clock of the wire
    attention: float = 0.0  # of attention kernels meanwhile
    waited: float = 0.0  # by the device


class Wire:
    """The collectives of one rank. One travels at a time, beside the kernels; whoever waits for it, stops those."""

    def __init__(self, links: Links | None = None) -> None:
        self.rank = 0  # whose work this process does at the moment
        self.spans: list[Span] = []
        self._open: dict[int, Span] = {}
        self._links = links
        self._clock = self._free = 0.0  # of the device, and when the wire is free

    def note(self, function: Any, args: Any) -> None:
        """A collective operation has been issued."""
        own = received(function, args, self.rank)
        travels = self._links.time(own) if self._links and own else 0.0
        self._free = max(self._free, self._clock) + travels
        self.spans.append(Span(own, travels, self._free))

    def worked(self, seconds: float, attention: bool) -> None:
        """A kernel ran."""
        self._clock += seconds
        for span in self._open.values():
            span.attention += seconds if attention else 0.0

    def _arrived(self, span: Span) -> None:
        span.waited = max(0.0, span.ends - self._clock)
        self._clock += span.waited

    @contextmanager
    def watched(self) -> Iterator[None]:
        """The runtime's waits for what arrives are noted meanwhile."""
        made, wait = Arriving.__init__, Arriving.wait

        def on_made(arriving: Arriving, *args: Any) -> None:
            made(arriving, *args)
            self._open[id(arriving)] = self.spans[-1]

        def on_wait(arriving: Arriving) -> Any:
            span = self._open.pop(id(arriving), None)
            if span is not None:
                self._arrived(span)
            return wait(arriving)

        Arriving.__init__, Arriving.wait = on_made, on_wait  # type: ignore[method-assign]
        try:
            yield
        finally:
            Arriving.__init__, Arriving.wait = made, wait  # type: ignore[method-assign]


def received(function: Any, args: Any, rank: int) -> int:
    """Bytes that come from other ranks. Groups are of neighbours: a rank's place in one is what is left of it."""
    name = function.overloadpacket.__name__
    if name == "_allgather_base_":
        return size(args[0]) - size(args[1])
    if name != "alltoall_base_":
        return 0  # of the whole world, and small: a router's counts
    counts = args[3]
    if not counts:
        members = dist.ProcessGroup.unbox(args[2]).size()
        return size(args[0]) * (members - 1) // members
    others = sum(counts) - counts[rank % len(counts)]
    return size(args[0]) * others // max(1, sum(counts))
