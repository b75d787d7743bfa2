"""MLPs over a tile of tokens at a time (``tiled_mlp``): what an MLP computes of a whole micro-batch never exists at once.

The idea is ALST's (arXiv:2506.13996 section 3.1). DeepSpeed's ``TiledMLP`` is not used: it adds the tiles' gradients of weights
in the precision of the model, runs the MLP three times where layers are recomputed, draws other dropout in the backward
than in the forward, and under ZeRO 3 gathers the weights for every tile, so that all ranks need as many tiles.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from typing import Any

import torch
from deepspeed.utils import set_z3_leaf_module
from torch import nn
from torch.autograd.function import once_differentiable

from ..errors import UserError

Forward = Callable[[torch.Tensor], torch.Tensor]


class TiledMlp:
    """The forward of an MLP, a tile of tokens at a time.

    Raises UserError where the MLP has experts, which every tile would call again with a few tokens for each.
    """

    def __init__(self, module: nn.Module, forward: Forward, tile: int):
        """``forward`` is the module's own."""
        if hasattr(module, "experts"):
            raise UserError(f"tiled_mlp: {type(module).__name__} has experts; leave tiled_mlp out")
        self._module, self._forward, self.tile = module, forward, tile
        # Under ZeRO 3 its weights are gathered and released together, once a forward and once a backward, instead of in
        # every tile: ranks may have different numbers of tiles.
        set_z3_leaf_module(module, True)

    def __call__(self, hidden: torch.Tensor) -> torch.Tensor:
        """hidden ``[1, T, hidden size]``; returns the same shape. The backward of tiles needs the input alone, and computes
        each again."""
        parameters = [own for own in self._module.parameters() if own.requires_grad]
        output: torch.Tensor = _Tiles.apply(hidden, self, *parameters)
        # Only now: where a layer runs again in the backward, that ends as soon as the last input that it needs is saved.
        with torch.no_grad():
            for part, into in zip(self._parts(hidden), self._parts(output.detach()), strict=True):
                into.copy_(self._forward(part))
        return output

    def gradients(
        self,
        hidden: torch.Tensor,
        gradient: torch.Tensor,
        needs_input: bool,
        parameters: list[torch.Tensor],
    ) -> tuple[torch.Tensor | None, list[torch.Tensor]]:
        """The gradients of the input ``[1, T, hidden size]``, if needed, and of the parameters, added up over tiles in fp32."""
        of_hidden = torch.empty_like(hidden) if needs_input else None
        totals = [torch.zeros_like(own, dtype=torch.float32) for own in parameters]
        parts = zip(self._parts(hidden), self._parts(gradient), strict=True)
        at = 0
        for part, of_output in parts:
            own = part.detach().requires_grad_(needs_input)
            with torch.enable_grad():
                output = self._forward(own)
            wanted = [own, *parameters] if needs_input else parameters
            made = list(torch.autograd.grad(output, wanted, of_output))
            if of_hidden is not None:
                of_hidden[:, at : at + own.shape[1]] = made.pop(0)
            for total, each in zip(totals, made, strict=True):
                total += each
            at += own.shape[1]
        return of_hidden, totals

    def noise(self, device: torch.device) -> Noise | None:
        """The random numbers that its dropout is about to draw; None where it draws none."""
        drops = (own for own in self._module.modules() if isinstance(own, nn.Dropout))
        return Noise(device) if any(own.training and own.p > 0 for own in drops) else None

    def _parts(self, whole: torch.Tensor) -> tuple[torch.Tensor, ...]:
        parts: tuple[torch.Tensor, ...] = whole.split(self.tile, dim=1)
        return parts


class Noise:
    """The state of the random numbers at some moment."""

    def __init__(self, device: torch.device):
        self._devices = [device] if device.type == "cuda" else []
        self._states = [torch.cuda.get_rng_state(own) for own in self._devices]
        self._cpu = torch.get_rng_state()

    @contextmanager
    def again(self) -> Iterator[None]:
        """Draws the same numbers as then; afterwards they continue where they were."""
        with torch.random.fork_rng(self._devices):
            torch.set_rng_state(self._cpu)
            for own, state in zip(self._devices, self._states, strict=True):
                torch.cuda.set_rng_state(state, own)
            yield


class _Tiles(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, hidden: torch.Tensor, mlp: TiledMlp, *parameters: torch.Tensor
    ) -> torch.Tensor:
        """Memory for the output, which the caller fills."""
        ctx.save_for_backward(hidden)
        ctx.mlp, ctx.parameters = mlp, parameters
        ctx.noise = mlp.noise(hidden.device)
        return torch.empty_like(hidden)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: torch.Tensor) -> tuple[torch.Tensor | None, ...]:
        (hidden,) = ctx.saved_tensors
        with nullcontext() if ctx.noise is None else ctx.noise.again():
            of_hidden, totals = ctx.mlp.gradients(
                hidden, gradient, ctx.needs_input_grad[0], list(ctx.parameters)
            )
        return of_hidden, None, *totals
