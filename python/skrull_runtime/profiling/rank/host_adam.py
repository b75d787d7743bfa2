"""The speed of an offloaded optimizer's step on a node's processors."""

from __future__ import annotations

import torch

from ...contract.records import Optimizer
from ...training.optimizer import build_optimizer
from ..devices.timing import median_seconds

STEPPED = 2**26  # parameters of a rank: with gradients and states 1 GiB
# The rate moves no weight, and its zero saves no work.
ADAMW: Optimizer = {"type": "adamw", "lr": 0.0, "betas": [0.9, 0.95], "eps": 1e-8}


def host_adam_parameters(
    device: torch.device, ranks_of_node: int, repeats: int, stepped: int = STEPPED
) -> float:
    """Parameters per second that a node's processors step with AdamW in fp32, its ranks together and all at once, by the
    optimizer that offloaded runs of a GPU have. Collective. The first time, DeepSpeed compiles its kernel, which takes a
    minute.

    ``device``: that of the rank.
    """
    parameter = torch.nn.Parameter(torch.zeros(stepped))
    parameter.grad = torch.full_like(parameter, 1e-3)
    optimizer = build_optimizer([parameter], ADAMW, torch.device("cuda"), offloaded=True)
    return ranks_of_node * stepped / median_seconds(optimizer.step, device, repeats)
