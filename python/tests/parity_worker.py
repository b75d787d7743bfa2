"""One rank of the parity test: trains every case and writes how far it is from plain training."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path

import deepspeed
import tiny
import torch
import torch.distributed as dist
from transformers import AutoConfig, AutoModelForCausalLM

from skrull_runtime.model.build import build_model
from skrull_runtime.model.groups import GroupTable
from skrull_runtime.training.step import Trainer

OPTIMIZERS = {
    "sgd": {"type": "sgd", "lr": 0.5, "momentum": 0.0, "weight_decay": 0.01, "decayed": "matrices"},
    "adamw": {
        "type": "adamw",
        "lr": 1e-3,
        "betas": [0.9, 0.999],
        "eps": 1e-3,
        "weight_decay": 0.1,
        "decayed": "matrices",
    },
}


WEIGHTS = "weights"  # folder of stored weights, in the folder of a family
OFFLOADED = {"device": "cpu", "pin_memory": False}


def ds_config(
    stage: int, offload: str = "none", clip: float = 0.0, reduction: str = "once"
) -> dict:
    """As the compiler emits it, with buckets small enough that there are several; ``reduction`` is the run's."""
    zero = {
        "stage": stage,
        "overlap_comm": False,
        "contiguous_gradients": True,
        "reduce_bucket_size": 4000,
    }
    if stage == 3:
        zero |= {"stage3_param_persistence_threshold": 0, "stage3_prefetch_bucket_size": 4000}
    if offload != "none":
        zero |= {"offload_optimizer": OFFLOADED}
    if offload == "all":
        zero |= {"offload_param": OFFLOADED}
    every_backward = stage > 1 and offload == "none" and reduction == "every-micro-batch"
    return {
        "zero_force_ds_cpu_optimizer": False,
        "train_micro_batch_size_per_gpu": 1,
        "gradient_accumulation_steps": 1,
        "managed_gradient_accumulation": not every_backward,
        "gradient_clipping": clip,
        "zero_optimization": zero if stage else {"stage": 0},
        "zero_allow_untested_optimizer": True,
        "steps_per_print": 1_000_000_000,
    }


def reference_of(case: dict) -> tuple:
    """The plain training that a case must equal."""
    return case["family"], case["optimizer"], case["lora"], case["clip"]


def parameters_of(model: torch.nn.Module, stage: int) -> dict[str, torch.Tensor]:
    """Whole parameters, gathered under ZeRO-3."""
    found = {}
    for name, parameter in model.named_parameters():
        with deepspeed.zero.GatheredParameters([parameter], enabled=stage == 3):
            found[name] = parameter.detach().clone()
    return found


def run_case(case: dict, folder: Path, groups: GroupTable, reference: dict) -> dict:
    """Largest difference of a parameter and of a loss from plain training."""
    context, stage = case["context"], case["zero"]
    optimizer = OPTIMIZERS[case["optimizer"]]
    data = tiny.samples()
    batches = tiny.global_batches(len(data))
    model_config = tiny.model_config(case["checkpointing"], case["lora"], tile=case.get("tile"))
    if case["weights"] == "pretrained":
        stored = f"{case['family']}/{WEIGHTS}"
        model_config = replace(
            model_config, weights="pretrained", source=stored, source_kind="folder"
        )
    configuration = ds_config(stage, case["offload"], case["clip"], case["reduction"])
    model = build_model(model_config, folder / case["family"], folder, tiny.SEED, configuration)
    initial = parameters_of(model, stage)
    train = tiny.train_config(optimizer, case["reduction"])
    trainer = Trainer(model, configuration, model_config, train)
    config = tiny.scheduling(dist.get_world_size(), context, case["policy"], case["degrees"])
    # The pre-flight must leave no trace.
    first = tiny.step_batch(0, batches[0], data, config, dist.get_rank())
    state = torch.get_rng_state()
    trainer.try_out(first, len(first.micro_batches) - 1, groups)
    trainer.try_out(first, 0, groups)
    assert torch.get_rng_state().equal(state)
    losses, counts, norms, dummies, sharded = [], [], [], 0, 0
    degrees: set[int] = set()
    for step, members in enumerate(batches):
        batch = tiny.step_batch(step, members, data, config, dist.get_rank())
        layouts = [micro_batch.layout for micro_batch in batch.micro_batches]
        dummies += sum(not layout.local_sequences and not layout.groups for layout in layouts)
        sharded += sum(len(group.sequences) for layout in layouts for group in layout.groups)
        degrees |= {group.degree for layout in layouts for group in layout.groups}
        counts.append(len(batch.micro_batches))
        result = trainer.step(batch, groups)
        losses.append(result.loss)
        norms.append(result.gradient_norm)
    expected, expected_losses, expected_norms = reference[reference_of(case)]
    found = parameters_of(model, stage)
    assert found.keys() == expected.keys()
    figures = torch.tensor([dummies, sharded])
    dist.all_reduce(figures)
    trainer.engine.destroy()
    return {
        "parameters": max((found[name] - expected[name]).abs().max().item() for name in expected),
        "moved": max((expected[name] - initial[name]).abs().max().item() for name in expected),
        "losses": max(abs(a - b) for a, b in zip(losses, expected_losses, strict=True)),
        "norms": max(abs(a / b - 1) for a, b in zip(norms, expected_norms, strict=True)),
        "norm": max(norms),
        "micro_batches": counts,
        "dummies": int(figures[0]),
        "sharded": int(figures[1]),
        "degrees": sorted(degrees),
    }


def store_weights(folder: Path) -> None:
    """The random weights of a family, as transformers stores them."""
    torch.manual_seed(tiny.SEED)
    model = AutoModelForCausalLM.from_config(
        AutoConfig.from_pretrained(folder), dtype=torch.float32
    )
    model.save_pretrained(folder / WEIGHTS)


def main() -> None:
    """Runs the cases of a JSON file and writes their results."""
    cases_file, results_file = map(Path, sys.argv[1:])
    deepspeed.ops.__compatible_ops__["deepspeed_shm_comm"] = False
    deepspeed.init_distributed(dist_backend="gloo", verbose=False)
    torch.set_num_threads(1)
    folder = cases_file.parent
    data = tiny.samples()
    batches = tiny.global_batches(len(data))
    cases = json.loads(cases_file.read_text())
    wanted = {reference_of(case) for case in cases}
    reference = {
        (family, name, lora, clip): tiny.plain_training(
            folder / family, OPTIMIZERS[name], data, batches, lora, clip
        )
        for family, name, lora, clip in sorted(wanted, key=str)
    }
    if dist.get_rank() == 0:
        for family in sorted({case["family"] for case in cases}):
            store_weights(folder / family)
    groups = GroupTable()
    results = [run_case(case, folder, groups, reference) for case in cases]
    if dist.get_rank() == 0:
        results_file.write_text(json.dumps(results))
    dist.barrier()
    dist.destroy_process_group()


if __name__ == "__main__":
    main()
