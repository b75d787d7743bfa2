"""The load-balancing loss of a mixture of experts, over the tokens of all ranks in a micro-batch."""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.distributed as dist
from torch.nn.functional import softmax
from transformers import PreTrainedModel

# The names under which causal language models of transformers keep it.
FACTORS = ("router_aux_loss_coef", "aux_loss_coef")


@dataclass(frozen=True)
class RouterLoss:
    """The loss as transformers has it (https://huggingface.co/papers/2101.03961, equations 4 to 6): with E experts, E times
    the sum over experts of the share of tokens sent to an expert times its mean probability, over the routers of all
    layers.

    transformers computes it where a model's configuration sets ``output_router_logits``, and adds it to the loss with the
    factor ``router_aux_loss_coef``; models that keep no such factor balance their experts in another way, or not at all.
    The shares are taken over the tokens of all ranks in one micro-batch; padding and dummies do not count. The
    micro-batches of a step are weighted by their tokens, so with a single micro-batch the loss is what transformers
    computes on the whole global batch.
    """

    coefficient: float
    top_k: int

    @classmethod
    def of(cls, model: PreTrainedModel) -> RouterLoss | None:
        """The loss that a model's configuration asks for; None if it asks for none, or the model has no such loss."""
        coefficient = next((getattr(model, name) for name in FACTORS if hasattr(model, name)), 0.0)
        asked = getattr(model.config, "output_router_logits", False)
        top_k = getattr(model.config, "num_experts_per_tok", None)
        return cls(coefficient, top_k) if asked and coefficient and top_k else None

    def weighted(self, logits: tuple[torch.Tensor, ...], real: torch.Tensor) -> torch.Tensor:
        """This rank's part of the loss times the tokens of the micro-batch: a scalar, of which all ranks' parts are the sum.

        logits: ``[T, experts]`` of every layer with a router; real ``[T]``: whether a token counts. Collective: every rank
        must call it, in the same order. Only the probabilities have a gradient: choices of experts have none.
        """
        sent, probability = self._sums(logits, real)
        # The number of tokens needs no collective of its own: every token is sent to `top_k` experts in every layer.
        dist.all_reduce(sent)
        tokens = sent.sum() / (self.top_k * len(logits))
        shares = sent / (tokens * len(logits)).clamp(min=1)
        return (shares.float() * probability).sum() * len(sent) / len(logits)

    def _sums(
        self, logits: tuple[torch.Tensor, ...], real: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """For every expert ``[experts]``, summed over tokens and layers: choices (fp64, as they may be many), and
        probabilities."""
        sent = torch.zeros(logits[0].shape[1], dtype=torch.float64, device=real.device)
        probability = torch.zeros_like(sent, dtype=torch.float32)
        for of_layer in logits:
            probabilities = softmax(of_layer.float(), dim=-1)
            chosen = probabilities.detach().topk(self.top_k, dim=-1).indices
            counted = real.to(sent.dtype).repeat_interleave(self.top_k)
            sent.scatter_add_(0, chosen.flatten(), counted)
            probability = probability + real.float() @ probabilities
        return sent, probability
