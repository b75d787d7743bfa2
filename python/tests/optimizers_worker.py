"""One rank of the tests of optimizers: trains every case of a JSON file, and rank 0 writes how far each is from its plain
reference."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import deepspeed
import tiny
import torch
import torch.distributed as dist
from bf16_worker import masters_of
from parity_worker import OPTIMIZERS, ds_config, parameters_of

from skrull_runtime.checkpoints.save import load_checkpoint, save_checkpoint
from skrull_runtime.model.build import build_model
from skrull_runtime.model.groups import GroupTable
from skrull_runtime.training.step import Trainer

Weights = dict[str, torch.Tensor]
STEPS = [[1, 3, 5], [*range(0, 17, 2)], [7, 9, 14], [2, 4, 16]]
MUON = {
    "type": "muon",
    "lr": 0.02,
    "adam_lr": 1e-3,
    "momentum": 0.95,
    "betas": [0.9, 0.95],
    "eps": 1e-3,
    "weight_decay": 0.1,
    "decayed": "matrices",
}
OWN = {
    "adamw": OPTIMIZERS["adamw"],
    "adamw8bit": OPTIMIZERS["adamw"] | {"type": "adamw8bit"},
    "adamw-bf16": OPTIMIZERS["adamw"],
    "muon": MUON,
}
REFERENCE = OWN | {"adamw8bit": OPTIMIZERS["adamw"]}


def trainer_of(case: dict[str, Any], folder: Path) -> Trainer:
    """As a run makes it."""
    config = tiny.model_config(precision=case.get("precision", "fp32"))
    stage = case["zero"]
    configuration = ds_config(stage, case.get("offload", "none"))
    if case["optimizer"] == "muon" and stage == 3:
        configuration["zero_optimization"]["reduce_scatter"] = False
    configuration["zero_optimization"] |= case.get("zero_settings", {})
    configuration |= case.get("settings", {})
    gradients = case.get("gradients", "model")
    if config.precision == "bf16":
        configuration["bf16"] = {"enabled": True, "check_grad_overflow": True}
        if case["optimizer"] == "adamw-bf16":
            configuration["bf16"] |= {
                "bf16_master_weights_and_grads": True,
                "bf16_optimizer_states": True,
            }
    if gradients == "fp32":
        configuration |= {
            "communication_data_type": "fp32",
            "data_types": {"grad_accum_dtype": "fp32"},
        }
    model = build_model(config, family_of(case, folder), None, tiny.SEED, configuration)
    reduction = case.get("reduction", "every-micro-batch")
    train = tiny.train_config(OWN[case["optimizer"]], reduction, gradients)
    return Trainer(model, configuration, config, train)


def family_of(case: dict[str, Any], folder: Path) -> Path:
    """The folder with the configuration of a case's model."""
    return folder / case["family"] if "family" in case else folder


def weights_of(trainer: Trainer) -> Weights:
    """As the optimizer has them."""
    if trainer.engine.bfloat16_enabled():
        return masters_of(trainer)
    return parameters_of(trainer.model, trainer.stage)


def run(
    case: dict[str, Any], folder: Path, groups: GroupTable, stop_after: int | None = None
) -> tuple[list[Weights], float]:
    """The weights before the first step and after every one, and bytes of moments per parameter; interrupted, and resumed,
    after so many steps."""
    data = tiny.samples()
    scheduling = tiny.scheduling(dist.get_world_size(), case.get("context", 1), "auto")
    trainer = trainer_of(case, folder)
    found = [weights_of(trainer)]
    for step, members in enumerate(STEPS):
        batch = tiny.step_batch(step, members, data, scheduling, dist.get_rank())
        if step == 0:
            trainer.try_out(batch, 0, groups)  # leaves no trace
        trainer.step(batch, groups)
        found.append(weights_of(trainer))
        if step + 1 == stop_after:
            output = folder / "resumed"
            save_checkpoint(trainer.engine, output, {"sampler": {"step": stop_after}}, 1)
            trainer.engine.destroy()
            trainer = trainer_of(case, folder)
            trainer.try_out(batch, 0, groups)
            load_checkpoint(trainer.engine, output / "checkpoints" / f"step-{stop_after:08d}")
    kept = moment_bytes(trainer) / sum(weight.numel() for weight in found[0].values())
    trainer.engine.destroy()
    return found, kept


def moment_bytes(trainer: Trainer) -> float:
    """Of all ranks together, or of one where every rank has all; without codes, which are shared, and counts."""
    own = sum(
        value.numel() * value.element_size()
        for state in trainer.engine.basic_optimizer.state.values()
        for name, value in state.items()
        if torch.is_tensor(value) and name not in ("step", "qmap1", "qmap2")
    )
    total = torch.tensor(float(own))
    dist.all_reduce(total)
    return total.item() / (dist.get_world_size() if trainer.stage == 0 else 1)


def distance(a: Weights, b: Weights, start: Weights) -> float:
    """How far weights are from others, over how far these have moved."""
    apart = sum((a[name] - b[name]).double().square().sum() for name in b)
    moved = sum((b[name] - start[name]).double().square().sum() for name in b)
    return float((apart / moved).sqrt())


def compared(case: dict[str, Any], folder: Path, groups: GroupTable) -> dict[str, Any]:
    """A case beside its plain reference."""
    found, kept = run(case, folder, groups)
    data = tiny.samples()
    plain = [
        tiny.plain_training(
            family_of(case, folder),
            REFERENCE[case["optimizer"]],
            data,
            STEPS[:steps],
            weights=torch.bfloat16 if case.get("precision") == "bf16" else torch.float32,
            **(
                {"arithmetic": torch.bfloat16, "states": torch.bfloat16}
                if case["optimizer"] == "adamw-bf16"
                else {}
            ),
        )[0]
        for steps in (0, 1, len(STEPS))
    ]
    resumed, _ = run(case, folder, groups, stop_after=2)
    first = max((found[1][name] - plain[1][name]).abs().max().item() for name in plain[1])
    return {
        "first": first,
        "last": distance(found[-1], plain[2], plain[0]),
        "moved": max((found[1][n] - found[0][n]).abs().max().item() for n in found[1]),
        "bytes": kept,
        "resumed": max((found[-1][n] - resumed[-1][n]).abs().max().item() for n in resumed[-1]),
    }


def main() -> None:
    """Runs the cases of a JSON file and writes their results."""
    cases_file, results_file = map(Path, sys.argv[1:])
    deepspeed.ops.__compatible_ops__["deepspeed_shm_comm"] = False
    deepspeed.init_distributed(dist_backend="gloo", verbose=False)
    torch.set_num_threads(1)
    groups = GroupTable()
    cases = json.loads(cases_file.read_text())
    results = [compared(case, cases_file.parent, groups) for case in cases]
    if dist.get_rank() == 0:
        results_file.write_text(json.dumps(results))
    dist.barrier()
    dist.destroy_process_group()


if __name__ == "__main__":
    main()
