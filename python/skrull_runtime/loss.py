"""The language-model loss, in chunks: the logits of a micro-batch never exist as a whole."""

from __future__ import annotations

import torch
from torch import nn
from torch.nn.functional import cross_entropy, linear
from torch.utils.checkpoint import checkpoint

from .attention import AttentionContext
from .model import base_of
from .tokenization import IGNORED


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

    def forward(self, hidden: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        """hidden ``[T, hidden size]``, targets ``[T]``; returns the losses ``[T]``, fp32, 0 where there is no target."""
        parts = zip(hidden.split(self.chunk), targets.split(self.chunk), strict=True)
        return torch.cat([checkpoint(self._losses, *part, use_reentrant=False) for part in parts])

    def _losses(self, hidden: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        logits = linear(hidden, self.weight, self.bias)
        return cross_entropy(logits.float(), targets, ignore_index=IGNORED, reduction="none")


class SummedLossModel(nn.Module):
    """A causal language model of transformers whose forward returns its summed loss.

    The loss is inside the forward because under ZeRO-3 the output head's weight exists only there (trl#6372).
    """

    def __init__(self, model: nn.Module, chunk: int):
        super().__init__()
        self.model = model
        base = base_of(model)
        self.loss = ChunkedCrossEntropy(base.get_output_embeddings(), chunk)
        # A function, not a module: it must not be registered a second time.
        self._decoder = lambda: getattr(base, base.base_model_prefix)

    def forward(
        self,
        input_ids: torch.Tensor,
        position_ids: torch.Tensor,
        labels: torch.Tensor,
        skrull: AttentionContext,
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """All tensors ``[1, T]``. Returns the sum of token losses, fp32 scalar, and the losses ``[T]``, detached;
        those without a target are 0. The output head runs on tokens that have a target only."""
        hidden = self._decoder()(
            input_ids=input_ids, position_ids=position_ids, use_cache=False, skrull=skrull
        )[0].squeeze(0)
        targets = labels.squeeze(0)
        counted = (targets != IGNORED).nonzero().squeeze(1)
        if counted.numel() == 0:
            counted = counted.new_zeros(
                1
            )  # the backward must reach every parameter, with a gradient of zero
        losses = self.loss(hidden[counted], targets[counted])
        everywhere = torch.zeros_like(targets, dtype=losses.dtype)
        return losses.sum(), everywhere.index_copy(0, counted, losses.detach())
