"""What families do to the products of their output head."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from transformers import PretrainedConfig

MULTIPLIERS = ("logit_scale", "lm_head_multiplier")
DIVISORS = ("logits_scaling",)
SOFTCAPS = ("final_logit_softcapping",)


@dataclass(frozen=True)
class Logits:
    """What a model does to the products of its head before the softmax."""

    scale: float = 1.0  # Cohere, Granite, MiniCPM, Falcon-H1, by their names for it
    softcap: float = 0.0  # Gemma 2: softcap * tanh(logits / softcap); 0 for none

    @classmethod
    def of(cls, config: PretrainedConfig) -> Logits:
        """As a model's configuration states it. ``check_model`` compares the losses with the model's own, and so finds a
        family that does something else."""
        scale = 1.0
        for name in MULTIPLIERS:
            scale *= getattr(config, name, None) or 1.0
        for name in DIVISORS:
            scale /= getattr(config, name, None) or 1.0
        softcaps = [getattr(config, name, None) for name in SOFTCAPS]
        return cls(scale, next((float(own) for own in softcaps if own), 0.0))

    def finished(self, logits: torch.Tensor) -> torch.Tensor | None:
        """Changes products of the head ``[T, V]`` in place, and returns the slope of the softcap; None without one."""
        if self.scale != 1.0:
            logits.mul_(self.scale)
        if not self.softcap:
            return None
        logits.div_(self.softcap).tanh_()
        slope = 1 - logits * logits
        logits.mul_(self.softcap)
        return slope


PLAIN = Logits()
