"""The language-model loss, in chunks: the logits of a whole micro-batch never exist at once."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from inspect import Parameter, signature
from typing import Any

import torch
from torch import nn
from torch.autograd.function import once_differentiable
from torch.nn.functional import linear

from ..data.tokens import IGNORED
from ..errors import UserError
from .adapters.ends import end_of, with_rows
from .attention import AttentionContext, begin
from .build import base_of
from .families.logits import PLAIN, Logits
from .families.mixers import OwnSequences
from .families.rope import OwnLengths
from .families.router import RouterLoss
from .weights.placing import current_device


@dataclass
class _Gradients:
    """Gradients of the summed loss with respect to the head's inputs; None for those that are not needed."""

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
        """Gradients to fill and add to, chunk by chunk."""
        return cls(
            torch.empty_like(hidden) if needed[0] else None,
            torch.zeros_like(weight, dtype=torch.float32) if needed[1] else None,
            torch.zeros_like(bias, dtype=torch.float32) if needed[2] and bias is not None else None,
        )


class _HeadAndLoss(torch.autograd.Function):
    """Summed cross-entropy of a linear head, with its gradients computed in the forward.

    A chunk takes three matrix products: its logits, the gradient of its hidden states, and its part of the weight's
    gradient, which is added up in fp32 over all chunks. The backward needs neither the logits nor the weight, which ZeRO-3
    has released by then. ``scale`` is applied to the gradients before they are rounded; the factor by which the backward
    multiplies them is 1 in training.
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
        finish: Logits,
    ) -> tuple[torch.Tensor, torch.Tensor]:
        needed = ctx.needs_input_grad
        gradients = _Gradients.zeros(hidden, weight, bias, (needed[0], needed[4], needed[5]))
        losses = _losses(hidden, targets, chunk, scale, weight, bias, finish, gradients)
        ctx.gradients = gradients
        ctx.mark_non_differentiable(losses)
        return losses.sum() * scale, losses

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, factor: torch.Tensor, _: torch.Tensor) -> tuple[Any, ...]:
        gradients, ctx.gradients = ctx.gradients, None  # scaled in place, so this works only once
        made = (gradients.hidden, gradients.weight, gradients.bias)
        hidden, weight, bias = (None if own is None else own.mul_(factor) for own in made)
        return hidden, None, None, None, weight, bias, None


def _losses(
    hidden: torch.Tensor,
    targets: torch.Tensor,
    chunk: int,
    scale: float,
    weight: torch.Tensor,
    bias: torch.Tensor | None,
    finish: Logits,
    gradients: _Gradients | None,
) -> torch.Tensor:
    """Losses ``[T]``, fp32, not scaled; fills ``gradients`` if given."""
    losses = []
    for first in range(0, len(hidden), chunk):
        own = slice(first, first + chunk)
        logits = linear(hidden[own], weight, bias).float()
        slope = finish.finished(logits)
        of_chunk = _losses_of_chunk(logits, targets[own])
        losses.append(of_chunk)
        if gradients is not None:
            # Makes the gradient of a loss that is not finite not finite either, so that checking one covers both.
            factor = (of_chunk * 0 + scale).unsqueeze(1)
            # By now the logits hold the softmax.
            of_logits = _gradient_of_logits(logits, targets[own]).mul_(factor * finish.scale)
            if slope is not None:
                of_logits.mul_(slope)
            _add_gradients(gradients, own, of_logits.to(weight.dtype), hidden[own], weight)
    return torch.cat(losses)


def _losses_of_chunk(logits: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
    """The cross-entropy ``[T]`` of every row, 0 where there is no target. Overwrites the logits ``[T, V]`` with the softmax,
    as chunks are as large as memory allows."""
    target = targets.clamp(min=0).unsqueeze(1)
    largest = logits.amax(1, keepdim=True)
    chosen = logits.gather(1, target) - largest
    total = logits.sub_(largest).exp_().sum(1, keepdim=True)
    logits.div_(total)
    return (total.log() - chosen).squeeze(1).masked_fill(targets == IGNORED, 0.0)


def _gradient_of_logits(softmax: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
    """The gradient of the summed loss ``[T, V]``, which overwrites the softmax."""
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
    """Adds a chunk's part: its rows of the hidden states' gradient, and its terms of the other gradients."""
    if gradients.hidden is not None:
        torch.mm(of_logits, weight, out=gradients.hidden[own])
    if gradients.weight is not None:
        _add_product(gradients.weight, of_logits.t(), hidden)
    if gradients.bias is not None:
        gradients.bias += of_logits.sum(0, dtype=torch.float32)


def _add_product(total: torch.Tensor, left: torch.Tensor, right: torch.Tensor) -> None:
    """Adds a matrix product to a total in fp32, without rounding it to the precision of its factors if the device can do
    that as fast."""
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
    """Whether the device can add a product of this precision to a total in fp32. It is tried once, on numbers whose product
    needs more digits. Not executed yet: it needs a GPU."""
    left = torch.full((8, 8), 1 + 2**-7, device=device, dtype=precision)
    total = torch.ones(8, 8, device=device)
    expected = total + left.float() @ left.float()
    try:
        torch.addmm(total, left, left, out_dtype=torch.float32, out=total)
    except (RuntimeError, TypeError, NotImplementedError):
        return False
    return torch.equal(total, expected)


class ChunkedCrossEntropy(nn.Module):
    """Output head and cross-entropy, over a chunk of tokens at a time.

    It holds the head's weight itself: under ZeRO-3 a module gathers its own parameters once per call. Calling the head for
    every chunk would gather once per chunk, and ranks have different numbers of chunks: their collectives would not match.
    Raises UserError where the head is no matrix.
    """

    def __init__(self, head: nn.Module, chunk: int, finish: Logits = PLAIN):
        super().__init__()
        own, self._rows = end_of(head)
        if not isinstance(own, nn.Linear):
            raise UserError(f"its output head is no linear layer but {type(own).__name__}")
        self.weight = own.weight
        self.bias = own.bias
        self.rows = None if self._rows is None else self._rows.values
        self.chunk, self.finish = chunk, finish

    def forward(
        self, hidden: torch.Tensor, targets: torch.Tensor, scale: float = 1.0
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """hidden ``[T, hidden size]``, targets ``[T]``; returns ``scale`` times the sum of the losses, and the losses
        ``[T]``, fp32, 0 where there is no target. The sum has a gradient, which can be taken once; the losses have
        none."""
        weight = with_rows(self.weight, self._rows)
        if torch.is_grad_enabled():
            made: tuple[torch.Tensor, torch.Tensor] = _HeadAndLoss.apply(
                hidden, targets, self.chunk, scale, weight, self.bias, self.finish
            )
            return made
        losses = _losses(hidden, targets, self.chunk, scale, weight, self.bias, self.finish, None)
        return losses.sum() * scale, losses


class SummedLossModel(nn.Module):
    """A causal language model of transformers whose forward returns its summed loss.

    The loss is computed inside the forward because under ZeRO-3 the output head's weight exists only there (trl#6372).
    """

    def __init__(self, model: nn.Module, chunk: int):
        super().__init__()
        self.model = model
        base = base_of(model)
        self.loss = ChunkedCrossEntropy(base.get_output_embeddings(), chunk, Logits.of(base.config))
        self.router = RouterLoss.of(base)
        self._rope, self._mixers = (
            OwnLengths(base),
            OwnSequences(base, current_device().type == "cuda"),
        )
        self.needs_whole_sequences = bool(self._mixers.found)
        # A function and not a module, which would be registered a second time.
        self._decoder = lambda: getattr(base, base.base_model_prefix)
        taken = signature(getattr(base, base.base_model_prefix).forward).parameters.values()
        self._hands_on = any(own.kind is Parameter.VAR_KEYWORD for own in taken)

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
        counted and targets ``[C]``: positions of the tokens that have a target, and the targets. If none has, there is one
        ignored token, so that the backward reaches every parameter.

        Returns three tensors. The loss to train on, an fp32 scalar, is ``scale`` times the sum of token losses, plus
        ``router_scale`` times the router's part (see :meth:`RouterLoss.weighted`) if the model has such a loss and is being
        trained. The losses of the counted tokens ``[C]`` and the router's part are neither scaled nor have a gradient. The
        output head runs only on tokens that have a target.
        """
        for own in (self._rope, self._mixers):
            own.begin(skrull.plan.layout)
        balanced = self.router is not None and torch.is_grad_enabled()
        begin(skrull)
        outputs = self._decoder()(
            input_ids=input_ids,
            position_ids=position_ids,
            use_cache=False,
            **({"skrull": skrull} if self._hands_on else {}),
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
