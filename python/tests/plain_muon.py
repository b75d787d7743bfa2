"""Muon and AdamW as they are published, in plain PyTorch and fp32: what DeepSpeed's must equal."""

from __future__ import annotations

import math
from typing import Any

import torch

ENDS = ("embed_tokens", "lm_head")


def takes_muon(name: str, shape: torch.Size) -> bool:
    """Matrices of layers, told by their names."""
    return len(shape) > 1 and not name.endswith("bias") and not any(end in name for end in ENDS)


def orthogonalised(matrix: torch.Tensor) -> torch.Tensor:
    """Five quintic Newton-Schulz iterations with Keller Jordan's coefficients, on the last two dimensions."""
    a, b, c = 3.4445, -4.7750, 2.0315
    wide = matrix.mT if matrix.shape[-2] > matrix.shape[-1] else matrix
    wide = wide / (wide.norm(dim=(-2, -1), keepdim=True) + 1e-7)
    for _ in range(5):
        gram = wide @ wide.mT
        wide = a * wide + (b * gram + c * gram @ gram) @ wide
    found = wide.mT if matrix.shape[-2] > matrix.shape[-1] else wide
    return found * math.sqrt(max(1.0, matrix.shape[-2] / matrix.shape[-1]))


class PlainMuon:
    """Trains named weights by their gradients."""

    def __init__(
        self, weights: dict[str, torch.Tensor], decayed: set[str], optimizer: dict[str, Any]
    ):
        self.own = {name: w for name, w in weights.items() if takes_muon(name, w.shape)}
        self.momentum = {name: torch.zeros_like(weight) for name, weight in self.own.items()}
        self.decayed, self.settings = decayed, optimizer
        others = {name: w for name, w in weights.items() if name not in self.own}
        decay = optimizer["weight_decay"]
        self.adam = torch.optim.AdamW(
            [
                {"params": [weight], "weight_decay": decay if name in decayed else 0.0}
                for name, weight in others.items()
            ],
            lr=optimizer["adam_lr"],
            betas=tuple(optimizer["betas"]),
            eps=optimizer["eps"],
        )

    @torch.no_grad()
    def step(self) -> None:
        lr, beta = self.settings["lr"], self.settings["momentum"]
        for name, weight in self.own.items():
            average = self.momentum[name].lerp_(weight.grad, 1 - beta)
            update = orthogonalised(weight.grad.lerp(average, beta))
            if name in self.decayed:
                weight.mul_(1 - lr * self.settings["weight_decay"])
            weight.sub_(lr * update)
        self.adam.step()
