"""Muon for the matrices of layers, AdamW for the rest: DeepSpeed's, which orthogonalises in its ZeRO optimizers."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import torch
from torch import nn

Groups = list[dict[str, Any]]  # as torch takes parameter groups


def muon(
    groups: Groups, outside: Iterable[nn.Parameter], settings: dict[str, Any], device: torch.device
) -> torch.optim.Optimizer:
    """DeepSpeed's ``MuonWithAuxAdam``: Muon for parameters of two or more dimensions that are not ``outside``, with a
    momentum in place of two moments; ``torch.optim.AdamW`` for the others.

    A Muon step is ``lr * sqrt(max(1, rows / columns))`` times the orthogonalised Nesterov momentum (Keller Jordan,
    https://kellerjordan.github.io/posts/muon/). ZeRO finds a group's kind by its parameters' attribute ``use_muon``.
    """
    from deepspeed.runtime.zero.muon.muon_optimizer import MuonWithAuxAdam

    if device.type == "cpu":
        # DeepSpeed compiles the update: minutes, and a C++ compiler, for nothing on a CPU.
        torch.compiler.set_stance("force_eager")
    ids = {id(parameter) for parameter in outside}
    own = {"lr": settings["lr"], "momentum": settings.get("momentum", 0.95)}
    adam = {
        "lr": settings.get("adam_lr", 3e-4),
        "betas": settings.get("betas", (0.9, 0.95)),
        "eps": settings.get("eps", 1e-10),
    }
    divided: Groups = []
    for use_muon, more in ((True, own), (False, adam)):
        for group in groups:
            chosen = [p for p in group["params"] if _takes_muon(p, ids) == use_muon]
            for parameter in chosen:
                parameter.use_muon = use_muon
            decay = group.get("weight_decay", settings.get("weight_decay", 0.0))
            if chosen:
                divided.append(
                    {"params": chosen, "use_muon": use_muon, "weight_decay": decay, **more}
                )
    fused = {"fused": device.type == "cuda"}
    made: torch.optim.Optimizer = MuonWithAuxAdam(divided, torch.optim.AdamW, fused)
    return made


def _takes_muon(parameter: nn.Parameter, outside: set[int]) -> bool:
    """Under ZeRO 3 the true shape is ``ds_shape``: the parameter itself is empty or flat."""
    shape: torch.Size = getattr(parameter, "ds_shape", parameter.shape)
    return len(shape) > 1 and id(parameter) not in outside
