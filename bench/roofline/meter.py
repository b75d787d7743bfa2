"""Counts what a GPU would be asked to do: every operation below autograd, run on fake tensors."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any

import torch
from adapted import FOUR_BIT_PRODUCT, unpacked
from charge import Cost, Gpu
from ledger import KEPT, TRANSIENT, Ledger
from operations import SYNCHRONISING, cost_of, name_of, tensors
from torch.utils._python_dispatch import TorchDispatchMode
from wire import Links, Span, Wire

COUNTED = ("aten", "bitsandbytes")


@dataclass
class Line:
    """All operations of a name."""

    launches: int = 0
    seconds: float = 0.0  # of the device
    bytes: int = 0

    def extended(self, longer: Line, times: int) -> Line:
        """See :meth:`Tally.extended`."""
        return Line(
            self.launches + times * (longer.launches - self.launches),
            self.seconds + times * (longer.seconds - self.seconds),
            self.bytes + times * (longer.bytes - self.bytes),
        )


@dataclass
class Tally:
    """What was asked for so far."""

    operations: dict[str, Line] = field(default_factory=lambda: defaultdict(Line))
    spans: list[Span] = field(default_factory=list)
    host_seconds: float = 0.0
    flops: float = 0.0
    synchronisations: int = 0

    def add(self, name: str, cost: Cost, seconds: float) -> None:
        """An operation."""
        self.host_seconds += cost.host_seconds
        self.flops += cost.flops
        if cost.launches:
            line = self.operations[name]
            line.launches += cost.launches
            line.seconds += seconds
            line.bytes += cost.read + cost.written

    @property
    def launches(self) -> int:
        """Kernels, collectives not counted."""
        return sum(line.launches for line in self.operations.values())

    @property
    def device_seconds(self) -> float:
        """Of kernels, one after another."""
        return sum(line.seconds for line in self.operations.values())

    @property
    def bytes(self) -> int:
        """Read and written."""
        return sum(line.bytes for line in self.operations.values())

    @property
    def received(self) -> int:
        """Bytes from other ranks."""
        return sum(span.received for span in self.spans)

    def without(self, prefix: str) -> Tally:
        """The same less the operations whose names begin so."""
        kept = {k: v for k, v in self.operations.items() if not k.startswith(prefix)}
        return Tally(kept, self.spans, self.host_seconds, self.flops, self.synchronisations)

    def extended(self, longer: Tally, times: int) -> Tally:
        """With what ``longer`` has more, so many times."""
        return Tally(
            {
                k: self.operations.get(k, Line()).extended(v, times)
                for k, v in longer.operations.items()
            },
            self.spans + times * longer.spans[len(self.spans) :],
            self.host_seconds + times * (longer.host_seconds - self.host_seconds),
            self.flops + times * (longer.flops - self.flops),
            self.synchronisations + times * (longer.synchronisations - self.synchronisations),
        )


class Meter(TorchDispatchMode):
    """Enter it inside of a ``FakeTensorMode``; a kernel's stand-in charges its own work by :meth:`charge`."""

    def __init__(self, gpu: Gpu, links: Links | None = None, ledger: Ledger | None = None):
        super().__init__()
        self.gpu, self.ledger, self.wire = gpu, ledger or Ledger(), Wire(links)
        self._tally, self._charging, self._kind = Tally(), True, TRANSIENT

    def take(self) -> Tally:
        """What has been counted since the last time."""
        taken, self._tally = self._tally, Tally()
        taken.spans, self.wire.spans = self.wire.spans, []
        return taken

    def charge(self, name: str, cost: Cost) -> None:
        """An operation that is no ATen one."""
        seconds = self.gpu.seconds(cost)
        self._tally.add(name, cost, seconds)
        self.wire.worked(seconds, cost.attention)

    @contextmanager
    def inside(self, kind: str) -> Iterator[None]:
        """Operations meanwhile are parts of one that is charged as a whole; what they make is of that kind."""
        before = self._charging, self._kind
        self._charging, self._kind = False, kind
        try:
            yield
        finally:
            self._charging, self._kind = before

    @contextmanager
    def counting(self) -> Iterator[None]:
        """Everything is counted meanwhile."""
        with ExitStack() as stack:
            stack.enter_context(self.wire.watched())
            stack.enter_context(
                torch.autograd.graph.saved_tensors_hooks(self._keep, lambda tensor: tensor)
            )
            stack.enter_context(self)
            yield

    def _keep(self, tensor: torch.Tensor) -> torch.Tensor:
        self.ledger.is_for(tensor, KEPT)
        return tensor

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        name = name_of(func)
        if name == "_local_scalar_dense":  # fakes have no value to give
            self._tally.synchronisations += 1
            return 1.0 if args[0].dtype.is_floating_point else 1
        out = func(*args, **kwargs)
        made = (unpacked(args), out) if name == FOUR_BIT_PRODUCT else out
        if func.namespace == "c10d":
            self.wire.note(func, args)
        elif func.namespace in COUNTED:
            self._note(func, name, args, kwargs, made)
        return out

    def _note(self, func: Any, name: str, args: Any, kwargs: dict[str, Any], out: Any) -> None:
        if self._charging:
            if name in SYNCHRONISING:
                self._tally.synchronisations += 1
            self.charge(name, cost_of(func, args, kwargs, out))
        for tensor in tensors(out):
            self.ledger.enter(tensor, self._kind)
