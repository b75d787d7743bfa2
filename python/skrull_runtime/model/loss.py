"""The language-model loss, in chunks: the logits of a micro-batch never exist as a whole."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

import torch
from torch import nn
from torch.autograd.function import once_differentiable
from torch.nn.functional import linear

from ..data.tokens import IGNORED
from .attention import AttentionContext
from .build import base_of
from .router import RouterLoss


@dataclass
class _Gradients:
    """Gradients of the summed loss by what the head takes; None where nobody asks for one."""

    hidden: torch.Tensor | None  # [T, hidden size], in the model's precision
    weight: torch.Tensor | None  # [vocabulary, hidden size], fp32
    bias: torch.Tensor | None  # [vocabulary], fp32

    @classmethod
    def zeros(
        cls,
        hidden: torch.Tensor,
        weight: torch.Tensor,
        bias: torch.Tensor | None,
        needed: tuple[bool, bool, bool],
    ) -> _Gradients:
        """To be filled and added to, chunk by chunk."""
        return cls(
            torch.empty_like(hidden) if needed[0] else None,
            torch.zeros_like(weight, dtype=torch.float32) if needed[1] else None,
            torch.zeros_like(bias, dtype=torch.float32) if needed[2] and bias is not None else None,
        )


class _HeadAndLoss(torch.autograd.Function):
    """Summed cross-entropy of a linear head, with its gradients made in the forward.

    A chunk takes three matrix products: its logits, the gradient of its hidden states, and its part of the weight's
    gradient, which is added up in fp32 over all chunks. The backward needs neither logits nor the weight, which ZeRO-3
    has given away by then. ``scale`` is in the gradients before they are rounded; what the backward multiplies them by
    besides is 1 in training.
    """

    @staticmethod
    def forward(
        ctx: Any,
        hidden: torch.Tensor,
        targets: torch.Tensor,
        chunk: int,
        scale: float,
        weight: torch.Tensor,
        bias: torch.Tensor | None,
    ) -> tuple[torch.Tensor, torch.Tensor]:
        needed = ctx.needs_input_grad
        gradients = _Gradients.zeros(hidden, weight, bias, (needed[0], needed[4], needed[5]))
        losses = _losses(hidden, targets, chunk, scale, weight, bias, gradients)
        ctx.gradients = gradients
        ctx.mark_non_differentiable(losses)
        return losses.sum() * scale, losses

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, factor: torch.Tensor, _: torch.Tensor) -> tuple[Any, ...]:
        gradients, ctx.gradients = (
            ctx.gradients,
            None,
        )  # scaled in place, so there is no second time
        made = (gradients.hidden, gradients.weight, gradients.bias)
        hidden, weight, bias = (None if own is None else own.mul_(factor) for own in made)
        return hidden, None, None, None, weight, bias


def _losses(
    hidden: torch.Tensor,
    targets: torch.Tensor,
    chunk: int,
    scale: float,
    weight: torch.Tensor,
    bias: torch.Tensor | None,
    gradients: _Gradients | None,
) -> torch.Tensor:
    """Losses ``[T]``, fp32, not scaled; fills ``gradients`` where there are any."""
    losses = []
    for first in range(0, len(hidden), chunk):
        own = slice(first, first + chunk)
        logits = linear(hidden[own], weight, bias).float()
        of_chunk = _losses_of_chunk(logits, targets[own])
        losses.append(of_chunk)
        if gradients is not None:
            # Of a loss that is not finite, the gradient is not finite either: whoever looks at one has seen both.
            factor = (of_chunk * 0 + scale).unsqueeze(1)
            # The logits have become the softmax.
            of_logits = _gradient_of_logits(logits, targets[own]).mul_(factor).to(weight.dtype)
            _add_gradients(gradients, own, of_logits, hidden[own], weight)
    return torch.cat(losses)


def _losses_of_chunk(logits: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
    """Cross-entropy of every row, 0 where there is no target. Leaves the softmax in place of the logits ``[T, V]``:
    chunks are as large as memory allows."""
    target = targets.clamp(min=0).unsqueeze(1)
    largest = logits.amax(1, keepdim=True)
    chosen = logits.gather(1, target) - largest
    total = logits.sub_(largest).exp_().sum(1, keepdim=True)
    logits.div_(total)
    return (total.log() - chosen).squeeze(1).masked_fill(targets == IGNORED, 0.0)


def _gradient_of_logits(softmax: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
    """Of the summed loss, in place of the softmax ``[T, V]``."""
    target = targets.clamp(min=0).unsqueeze(1)
    softmax.scatter_add_(1, target, softmax.new_full(target.shape, -1.0))
    return softmax.masked_fill_((targets == IGNORED).unsqueeze(1), 0.0)


def _add_gradients(
    gradients: _Gradients,
    own: slice,
    of_logits: torch.Tensor,
    hidden: torch.Tensor,
    weight: torch.Tensor,
) -> None:
    """A chunk's part: its rows of the hidden states' gradient, its terms of the others."""
    if gradients.hidden is not None:
        torch.mm(of_logits, weight, out=gradients.hidden[own])
    if gradients.weight is not None:
        _add_product(gradients.weight, of_logits.t(), hidden)
    if gradients.bias is not None:
        gradients.bias += of_logits.sum(0, dtype=torch.float32)


def _add_product(total: torch.Tensor, left: torch.Tensor, right: torch.Tensor) -> None:
    """Adds a matrix product to a total in fp32, without rounding it to the precision of its factors where the device
    can do that as fast."""
    if total.device.type == "cpu":
        total.addmm_(left.float(), right.float())
    elif left.dtype == total.dtype:
        total.addmm_(left, right)
    elif _keeps_products_in_fp32(total.device, left.dtype):
        torch.addmm(total, left, right, out_dtype=torch.float32, out=total)
    else:
        total += left @ right


@cache
def _keeps_products_in_fp32(device: torch.device, precision: torch.dtype) -> bool:
    """Whether the device adds a product of this precision to a total in fp32. Tried once, on numbers whose product needs
    more digits. Not executed yet: it needs a GPU."""
    left = torch.full((8, 8), 1 + 2**-7, device=device, dtype=precision)
    total = torch.ones(8, 8, device=device)
    expected = total + left.float() @ left.float()
    try:
        torch.addmm(total, left, left, out_dtype=torch.float32, out=total)
    except (RuntimeError, TypeError, NotImplementedError):
        return False
    return torch.equal(total, expected)


class ChunkedCrossEntropy(nn.Module):
    """Output head and cross-entropy over some tokens at a time.

    It holds the head's weight itself: under ZeRO-3 a module gathers its own parameters once a call. Calling the head
    once a chunk would gather once a chunk, and ranks have different numbers of chunks: a collective mismatch.
    """

    def __init__(self, head: nn.Linear, chunk: int):
        super().__init__()
        self.weight = head.weight
        self.bias = head.bias
        self.chunk = chunk

    def forward(
        self, hidden: torch.Tensor, targets: torch.Tensor, scale: float = 1.0
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """hidden ``[T, hidden size]``, targets ``[T]``; returns ``scale`` times the sum of the losses, and the losses
        ``[T]``, fp32, 0 where there is no target. The sum has a gradient, which can be taken once; the losses have
        none."""
        if torch.is_grad_enabled():
            return _HeadAndLoss.apply(hidden, targets, self.chunk, scale, self.weight, self.bias)
        losses = _losses(hidden, targets, self.chunk, scale, self.weight, self.bias, None)
        return losses.sum() * scale, losses


class SummedLossModel(nn.Module):
    """A causal language model of transformers whose forward returns its summed loss.

    The loss is inside the forward because under ZeRO-3 the output head's weight exists only there (trl#6372).
    """

    def __init__(self, model: nn.Module, chunk: int):
        super().__init__()
        self.model = model
        base = base_of(model)
        self.loss = ChunkedCrossEntropy(base.get_output_embeddings(), chunk)
        self.router = RouterLoss.of(base.config)
        # A function, not a module: it must not be registered a second time.
        self._decoder = lambda: getattr(base, base.base_model_prefix)

    def forward(
        self,
        input_ids: torch.Tensor,
        position_ids: torch.Tensor,
        counted: torch.Tensor,
        targets: torch.Tensor,
        skrull: AttentionContext,
        scale: float = 1.0,
        real: torch.Tensor | None = None,
        router_scale: float = 0.0,
    ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """input_ids, position_ids and real ``[1, T]``; ``real`` says which tokens are neither padding nor a dummy.
        counted and targets ``[C]``: tokens that have a target, and these; one that is ignored where none has, so that
        the backward reaches every parameter.

        Returns the loss to train on, fp32 scalar: ``scale`` times the sum of token losses, and ``router_scale`` times
        the router's part (see :meth:`RouterLoss.weighted`) where the model has such a loss and is being trained. Then,
        neither scaled nor with a gradient, the losses of the counted tokens ``[C]``, and the router's part.
        The output head runs on tokens that have a target only.
        """
        balanced = self.router is not None and torch.is_grad_enabled()
        outputs = self._decoder()(
            input_ids=input_ids,
            position_ids=position_ids,
            use_cache=False,
            skrull=skrull,
            **({} if self.router is None else {"output_router_logits": balanced}),
        )
        hidden = outputs[0].squeeze(0)
        total, losses = self.loss(hidden.index_select(0, counted), targets, scale)
        balance = total.new_zeros(())
        if self.router is not None and balanced:
            assert real is not None
            balance = self.router.weighted(outputs.router_logits, real.squeeze(0))
            total = total + router_scale * balance
        return total, losses, balance.detach()
