"""One rank of the test of Muon's updates: trains layers whose gradients are given, for one step under every ZeRO stage.

Argument 1 is a folder; rank 0 writes ``results.json`` into it.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import deepspeed
import torch
import torch.distributed as dist
from optimizers_worker import MUON
from parity_worker import ds_config, parameters_of
from torch import nn

from skrull_runtime.training.optimizer import Roles, build_optimizer

SHAPES = {"wide": (24, 40), "tall": (40, 24), "square": (32, 32)}
TOKENS = 12


class Given(nn.Module):
    """Each weight's gradient is a random one of this rank."""

    def __init__(self, seed: int):
        super().__init__()
        torch.manual_seed(5)
        self.layers = nn.ModuleDict({name: nn.Linear(*shape) for name, shape in SHAPES.items()})
        self.embedding = nn.Embedding(TOKENS, 16)
        self.norm = nn.LayerNorm(16)
        drawn = torch.Generator().manual_seed(seed)
        self.given = {
            name: torch.randn(shape, generator=drawn) / 10 for name, shape in SHAPES.items()
        }
        self.ends = torch.randn(TOKENS, 16, generator=drawn)

    def forward(self) -> torch.Tensor:
        found = [
            (layer(torch.eye(layer.in_features)) * self.given[name]).sum()
            for name, layer in self.layers.items()
        ]
        rows = self.embedding(torch.arange(TOKENS))
        return sum(found) + (self.norm(rows) * self.ends).sum()


def updates(stage: int) -> dict[str, Any]:
    """Singular values of the matrices' updates, and the sizes of all others', in units of the learning rate."""
    model = Given(dist.get_rank())
    settings = MUON | {"weight_decay": 0.0, "eps": 1e-10}
    roles = Roles(embedding=(model.embedding.weight,))
    optimizer = build_optimizer(
        list(model.parameters()), settings, torch.device("cpu"), False, roles
    )
    configuration = ds_config(stage)
    configuration["zero_optimization"]["reduce_scatter"] = stage < 3
    engine, _, _, _ = deepspeed.initialize(model=model, optimizer=optimizer, config=configuration)
    before = parameters_of(model, stage)
    engine.backward(engine(), scale_wrt_gas=False)
    engine.step()
    moved = {name: before[name] - now for name, now in parameters_of(model, stage).items()}
    engine.destroy()
    matrices = {name: moved.pop(f"layers.{name}.weight") / MUON["lr"] for name in SHAPES}
    return {
        "matrices": {name: torch.linalg.svdvals(m).tolist() for name, m in matrices.items()},
        "others": {
            name: [size.min().item(), size.max().item()]
            for name, size in ((name, m.abs() / MUON["adam_lr"]) for name, m in moved.items())
        },
    }


def main() -> None:
    deepspeed.ops.__compatible_ops__["deepspeed_shm_comm"] = False
    deepspeed.init_distributed(dist_backend="gloo", verbose=False)
    torch.set_num_threads(1)
    results = {stage: updates(stage) for stage in (1, 2, 3)}
    given = [Given(rank).given for rank in range(dist.get_world_size())]
    results["gradients"] = {
        name: torch.linalg.svdvals(sum(own[name] for own in given)).tolist() for name in SHAPES
    }
    if dist.get_rank() == 0:
        (Path(sys.argv[1]) / "results.json").write_text(json.dumps(results))
    dist.barrier()
    dist.destroy_process_group()


if __name__ == "__main__":
    main()
