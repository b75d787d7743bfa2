"""One rank of the bf16 test: trains every case, and rank 0 writes how far each is from training in full precision."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import deepspeed
import tiny
import torch
import torch.distributed as dist
from deepspeed.utils import safe_get_full_fp32_param
from parity_worker import OPTIMIZERS, ds_config

from skrull_runtime.model.build import build_model
from skrull_runtime.model.groups import GroupTable
from skrull_runtime.training.step import Trainer

Weights = dict[str, torch.Tensor]
LEFT_OUT = 15  # one that is sharded where the case has several ranks a sequence


def distance(found: Weights, exact: Weights, start: Weights) -> float:
    """How far all weights are from the exact ones, over how far these have moved."""
    apart = sum((found[name] - exact[name]).double().square().sum() for name in exact)
    moved = sum((exact[name] - start[name]).double().square().sum() for name in exact)
    return float((apart / moved).sqrt())


def trained(case: dict[str, Any], folder: Path, groups: GroupTable) -> Weights:
    """The optimizer's weights after training by the runtime."""
    data = tiny.samples()
    config = tiny.model_config(precision="bf16")
    configuration = ds_config(case["zero"]) | {"bf16": {"enabled": True}}
    model = build_model(config, folder, None, tiny.SEED, configuration)
    train = tiny.train_config(OPTIMIZERS[case["optimizer"]], case["reduction"])
    trainer = Trainer(model, configuration, config, train)
    scheduling = tiny.scheduling(dist.get_world_size(), case["context"], case["policy"])
    for step, members in enumerate(tiny.global_batches(len(data))):
        batch = tiny.step_batch(step, members, data, scheduling, dist.get_rank())
        trainer.step(batch, groups)
    found = masters_of(trainer)
    trainer.engine.destroy()
    return found


def masters_of(trainer: Trainer) -> Weights:
    """The weights in full precision, that the optimizer updates."""
    named = trainer.model.named_parameters()
    if trainer.stage > 0:
        return {name: safe_get_full_fp32_param(parameter).clone() for name, parameter in named}
    optimizer = trainer.engine.optimizer
    groups = zip(optimizer.fp16_groups, optimizer.fp32_groups, strict=True)
    of = {id(p): master for own, masters in groups for p, master in zip(own, masters, strict=True)}
    return {name: of[id(parameter)].detach().clone() for name, parameter in named}


def references(folder: Path, optimizer: dict[str, Any]) -> dict[str, Any]:
    """Training in full precision from the same weights, and how far from it others are: plain PyTorch in bf16, and
    training in full precision that leaves one sequence out."""
    data = tiny.samples()
    batches = tiny.global_batches(len(data))
    fewer = [[k for k in batches[0] if k != LEFT_OUT], *batches[1:]]

    def plain(chosen: list[list[int]], arithmetic: torch.dtype) -> Weights:
        return tiny.plain_training(
            folder, optimizer, data, chosen, weights=torch.bfloat16, arithmetic=arithmetic
        )[0]

    start, exact = plain([], torch.float32), plain(batches, torch.float32)
    return {
        "start": start,
        "exact": exact,
        "plain": distance(plain(batches, torch.bfloat16), exact, start),
        "wrong": distance(plain(fewer, torch.float32), exact, start),
    }


def result(
    found: Weights, start: Weights, exact: Weights, plain: float, wrong: float
) -> dict[str, float]:
    """A case beside its references."""
    return {"ours": distance(found, exact, start), "plain": plain, "wrong": wrong}


def main() -> None:
    """Runs the cases of a JSON file and writes their results."""
    cases_file, results_file = map(Path, sys.argv[1:])
    deepspeed.ops.__compatible_ops__["deepspeed_shm_comm"] = False
    deepspeed.init_distributed(dist_backend="gloo", verbose=False)
    torch.set_num_threads(1)
    folder, groups = cases_file.parent, GroupTable()
    cases = json.loads(cases_file.read_text())
    found = [trained(case, folder, groups) for case in cases]
    if dist.get_rank() == 0:
        known = {name: references(folder, optimizer) for name, optimizer in OPTIMIZERS.items()}
        results = [
            result(own, **known[case["optimizer"]]) for case, own in zip(cases, found, strict=True)
        ]
        results_file.write_text(json.dumps(results))
    dist.barrier()
    dist.destroy_process_group()


if __name__ == "__main__":
    main()
