"""Inputs of layers in the host's memory: what full checkpointing keeps of a layer leaves the device in the forward and
comes back in the backward (``checkpointing = offload``).

The idea is ALST's (arXiv:2506.13996), whose copies wait for each other and for the computation. As in torchtune's
``OffloadActivations``, copies here run beside the computation, and memory on the device is freed in the order of the
computation alone: a copy that is late holds the computation up, and never takes more memory. In the backward the input of
the layer before is fetched while a layer is at work.
"""

from __future__ import annotations

import weakref
from collections import deque
from collections.abc import Callable
from typing import Any

import torch
from torch.autograd.graph import saved_tensors_hooks
from torch.utils.checkpoint import checkpoint

from ..errors import UserError

# Bytes of host memory that are locked at a time: a power of two, to which torch rounds such memory up (pytorch#95823). Any
# layer and any length can use them, so that micro-batches of varying lengths take no more than the longest.
PIECE = 16 * 2**20
# Inputs that may be leaving while later layers run; they take up memory of the device until they have left.
LEAVING = 2


class Lane:
    """Copies between a device and the host: on a GPU in a stream of their own, on a CPU at once."""

    def __init__(self, device: torch.device):
        self._device = device
        self._stream = torch.cuda.Stream(device) if device.type == "cuda" else None

    def run(self, copies: Callable[[], None]) -> torch.cuda.Event | None:
        """Starts copies after all that the computation was given so far. Returns what to :meth:`wait` for."""
        if self._stream is None:
            copies()
            return None
        self._stream.wait_stream(torch.cuda.current_stream(self._device))
        with torch.cuda.stream(self._stream):
            copies()
        done = torch.cuda.Event()
        done.record(self._stream)
        return done

    def wait(self, event: torch.cuda.Event | None) -> None:
        """Makes the computation wait for copies; the program goes on."""
        if event is not None:
            torch.cuda.current_stream(self._device).wait_event(event)


class Pieces:
    """Memory of the host in pieces of equal size, locked for a GPU's copies. What is given back is used again."""

    def __init__(self, size: int, locked: bool):
        self.size, self._locked = size, locked
        self.count = 0  # made so far
        self._free: list[torch.Tensor] = []

    def take(self, size: int) -> list[torch.Tensor]:
        """Pieces for ``size`` bytes. Raises UserError where the host has no more."""
        return [
            self._free.pop() if self._free else self._make() for _ in range(-(-size // self.size))
        ]

    def give_back(self, pieces: list[torch.Tensor]) -> None:
        """Copies that were started before still find in them what they held: all copies run in one lane."""
        self._free += pieces

    def _make(self) -> torch.Tensor:
        try:
            piece = torch.empty(self.size, dtype=torch.uint8, pin_memory=self._locked)
        except RuntimeError as error:
            held = self.count * self.size / 2**30
            raise UserError(
                f"checkpointing = offload: the host has no more memory for this rank, which holds {held:.1f} GiB of"
                f" layer inputs there ({str(error).splitlines()[0]}). Set a smaller memory {{ bucket }} or"
                " checkpointing = full, and compile again"
            ) from error
        self.count += 1
        return piece


class Away:
    """A tensor that has left the device, or is about to."""

    def __init__(self, tensor: torch.Tensor, pieces: list[torch.Tensor], before: Away | None):
        self.shape, self.dtype, self.device = tensor.shape, tensor.dtype, tensor.device
        self.pieces: list[torch.Tensor] | None = pieces  # None once it is on its way back
        self.here: torch.Tensor | None = tensor  # while it has not left, or has come back
        self.event: torch.cuda.Event | None = None  # of its last copy
        self._before = weakref.ref(before) if before is not None else None

    @property
    def before(self) -> Away | None:
        """The tensor that left before it and is still away; None where it is needed no more."""
        return None if self._before is None else self._before()


class LayerInputs:
    """Checkpoints layers, with their inputs in the host's memory from their forward until their backward."""

    def __init__(self, piece: int = PIECE, leaving: int = LEAVING):
        self._piece, self._most_leaving = piece, leaving
        self._lane: Lane | None = None
        self.pieces: Pieces | None = None
        self._leaving: deque[Away] = deque()
        self._last: weakref.ref[Away] | None = None

    def checkpoint(self, layer: Callable[..., Any], *inputs: Any) -> Any:
        """Calls a layer, whose tensors among ``inputs`` leave the device: of everything inside the layer, checkpointing keeps
        nothing. Raises UserError where the host's memory does not suffice."""
        with saved_tensors_hooks(self._send, self._fetch):
            return checkpoint(layer, *inputs, use_reentrant=False)

    def _send(self, tensor: torch.Tensor) -> Away | torch.Tensor:
        source = tensor.detach()
        if source.numel() == 0:  # older torch saves an empty tensor beside the inputs
            return source
        source = source.contiguous()
        lane, pieces = self._resources(source.device)
        last = None if self._last is None else self._last()
        taken = pieces.take(source.nbytes)
        away = Away(source, taken, last)
        away.event = lane.run(lambda: _copy(taken, source, out=True))
        self._last = weakref.ref(away)
        self._leaving.append(away)
        while len(self._leaving) > self._most_leaving:
            left = self._leaving.popleft()
            if left.pieces is not None:
                lane.wait(left.event)
                left.here = None
        return away

    def _fetch(self, away: Away | torch.Tensor) -> torch.Tensor:
        if isinstance(away, torch.Tensor):
            return away
        lane, _ = self._resources(away.device)
        self._bring_back(away)
        tensor, away.here = away.here, None
        assert tensor is not None, "a layer's input is fetched once"
        lane.wait(away.event)
        if away.before is not None:
            self._bring_back(away.before)
        return tensor

    def _bring_back(self, away: Away) -> None:
        """Starts the copy to the device of what is away. Its memory there is the computation's own."""
        taken, away.pieces = away.pieces, None
        if taken is None:
            return
        lane, pieces = self._resources(away.device)
        if away.here is None:
            tensor = torch.empty(away.shape, dtype=away.dtype, device=away.device)
            away.event = lane.run(lambda: _copy(taken, tensor, out=False))
            away.here = tensor
        pieces.give_back(taken)

    def _resources(self, device: torch.device) -> tuple[Lane, Pieces]:
        if self._lane is None or self.pieces is None:
            self._lane = Lane(device)
            self.pieces = Pieces(self._piece, device.type == "cuda")
        return self._lane, self.pieces


def _copy(pieces: list[torch.Tensor], tensor: torch.Tensor, out: bool) -> None:
    """Copies a contiguous tensor to pieces, or back."""
    parts = tensor.view(-1).view(torch.uint8).split(pieces[0].numel())
    for piece, part in zip(pieces, parts, strict=True):
        own = piece[: part.numel()]
        (own if out else part).copy_(part if out else own, non_blocking=True)
