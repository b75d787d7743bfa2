"""One rank of the test of what ZeRO 3 gathers: counts the weights that a step gathers, under settings of layers that are
recomputed.

Argument 1 is a folder with the model's configuration; rank 0 writes ``results.json`` into it.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import deepspeed
import tiny
import torch
import torch.distributed as dist
from deepspeed.runtime.zero import partition_parameters
from parity_worker import OPTIMIZERS, ds_config, parameters_of

from skrull_runtime.model.build import build_model
from skrull_runtime.model.groups import GroupTable
from skrull_runtime.training.step import Trainer

MEMBERS = [1, 3, 5]


def gathered(folder: Path, groups: GroupTable, settings: dict[str, int]) -> dict[str, Any]:
    """Elements that every micro-batch of the third step gathers; before, DeepSpeed records in which order."""
    config = tiny.model_config("full")
    configuration = ds_config(3)
    configuration["zero_optimization"] |= settings
    model = build_model(config, folder, None, tiny.SEED, configuration)
    trainer = Trainer(model, configuration, config, tiny.train_config(OPTIMIZERS["adamw"]))
    scheduling = tiny.scheduling(dist.get_world_size(), 1, "auto")
    own, counted = partition_parameters._dist_allgather_fn, [0]

    def counting(source: torch.Tensor, target: torch.Tensor, *rest: Any, **more: Any) -> Any:
        counted[0] += target.numel()
        return own(source, target, *rest, **more)

    partition_parameters._dist_allgather_fn = counting
    for step in range(3):
        counted[0] = 0
        batch = tiny.step_batch(step, MEMBERS, tiny.samples(), scheduling, dist.get_rank())
        trainer.step(batch, groups)
    partition_parameters._dist_allgather_fn = own
    weights = parameters_of(model, 3)
    trainer.engine.destroy()
    return {
        "elements": counted[0] / len(batch.micro_batches),
        "weights": weights,
    }


def main() -> None:
    deepspeed.ops.__compatible_ops__["deepspeed_shm_comm"] = False
    deepspeed.init_distributed(dist_backend="gloo", verbose=False)
    torch.set_num_threads(1)
    folder, groups = Path(sys.argv[1]), GroupTable()
    cases = json.loads((folder / "cases.json").read_text())
    results = {name: gathered(folder, groups, settings) for name, settings in cases.items()}
    first, *others = [result.pop("weights") for result in results.values()]
    same = all(torch.equal(own[name], first[name]) for own in others for name in first)
    parameters = sum(weight.numel() for weight in first.values())
    if dist.get_rank() == 0:
        found = {"parameters": parameters, "same": same, **results}
        (folder / "results.json").write_text(json.dumps(found))
    dist.barrier()
    dist.destroy_process_group()


if __name__ == "__main__":
    main()
