"""One rank of the test of the benchmark's baseline: Ulysses sequence parallelism against plain training."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import deepspeed
import parity_worker
import tiny
import torch
import torch.distributed as dist
from transformers import AutoConfig, AutoModelForCausalLM

from skrull_runtime.data.tokens import IGNORED, Tokens
from skrull_runtime.training.optimizer import build_optimizer

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "bench/training"))
from ulysses import Step, UlyssesTrainer, part_of


def step_of(number: int, members: list[int], data: list[Tokens]) -> Step:
    """This rank's parts of a global batch."""
    parts = [part_of(data[k], dist.get_world_size(), dist.get_rank()) for k in members]
    supervised = sum(label != IGNORED for k in members for label in data[k].labels)
    return Step(number, parts, sum(len(data[k].ids) for k in members), supervised)


def main() -> None:
    """Trains under both and writes the largest differences."""
    folder, stage, name = Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
    deepspeed.ops.__compatible_ops__["deepspeed_shm_comm"] = False
    deepspeed.init_distributed(dist_backend="gloo", verbose=False)
    torch.set_num_threads(1)
    data = tiny.samples()
    batches = tiny.global_batches(len(data))
    optimizer = parity_worker.OPTIMIZERS[name]
    # Before Ulysses takes the place of an attention implementation.
    expected, expected_losses, _ = tiny.plain_training(folder, optimizer, data, batches)

    torch.manual_seed(tiny.SEED)
    model = AutoModelForCausalLM.from_config(
        AutoConfig.from_pretrained(folder), dtype=torch.float32, attn_implementation="sdpa"
    ).train()
    initial = {name: parameter.detach().clone() for name, parameter in model.named_parameters()}
    stepper = build_optimizer(model.parameters(), optimizer, torch.device("cpu"))
    trainer = UlyssesTrainer(model, stepper, parity_worker.ds_config(stage, "none"))
    steps = [step_of(number, members, data) for number, members in enumerate(batches)]
    losses = [trainer.step(step) for step in steps]
    found = parity_worker.parameters_of(model, stage)
    results = {
        "parameters": max((found[name] - expected[name]).abs().max().item() for name in expected),
        "moved": max((expected[name] - initial[name]).abs().max().item() for name in expected),
        "losses": max(abs(a - b) for a, b in zip(losses, expected_losses, strict=True)),
        "padded": sum(len(data[k].ids) % dist.get_world_size() for k in range(len(data))),
    }
    if dist.get_rank() == 0:
        (folder / "results.json").write_text(json.dumps(results))
    dist.barrier()
    dist.destroy_process_group()


if __name__ == "__main__":
    main()
