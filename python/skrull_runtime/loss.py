"""The language-model loss, in chunks: the logits of a micro-batch never exist as a whole."""

from __future__ import annotations

import torch
from torch import nn
from torch.nn.functional import cross_entropy
from torch.utils.checkpoint import checkpoint

from .attention import AttentionContext
from .tokenization import IGNORED


class SummedLossModel(nn.Module):
    """A causal language model of transformers whose forward returns its summed loss.

    The loss is inside the forward because under ZeRO-3 the output head's weight exists only there (trl#6372).
    """

    def __init__(self, model: nn.Module, chunk: int):
        super().__init__()
        self.model = model
        self.chunk = chunk

    def forward(
        self,
        input_ids: torch.Tensor,
        position_ids: torch.Tensor,
        labels: torch.Tensor,
        skrull: AttentionContext,
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """All tensors ``[1, T]``. Returns the sum of token losses, fp32 scalar, and the losses ``[T]``, detached;
        those without a target are 0."""
        base = getattr(self.model, self.model.base_model_prefix)
        hidden = base(
            input_ids=input_ids, position_ids=position_ids, use_cache=False, skrull=skrull
        )[0].squeeze(0)
        losses = [
            checkpoint(self._token_losses, part, targets, use_reentrant=False)
            for part, targets in zip(
                hidden.split(self.chunk), labels.squeeze(0).split(self.chunk), strict=True
            )
        ]
        losses = torch.cat(losses)
        return losses.sum(), losses.detach()

    def _token_losses(self, hidden: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        logits = self.model.get_output_embeddings()(hidden)
        return cross_entropy(logits.float(), targets, ignore_index=IGNORED, reduction="none")
