"""One rank of the test of gradients in bf16: one step of every case, and how far its gradient is from an exact one."""

from __future__ import annotations

import json
import math
import random
import sys
from pathlib import Path
from typing import Any

import deepspeed
import tiny
import torch
import torch.distributed as dist
from bf16_worker import Weights, distance, masters_of
from parity_worker import ds_config
from torch.nn.functional import cross_entropy
from transformers import AutoConfig, AutoModelForCausalLM

from skrull_runtime.config import ModelConfig, SchedulingConfig
from skrull_runtime.data.tokens import IGNORED, Tokens
from skrull_runtime.model.build import build_model
from skrull_runtime.model.groups import GroupTable
from skrull_runtime.training.step import Trainer

SEQUENCES = 128  # of the one global batch
LONGEST = 64  # tokens
# One step of it leaves the gradient in the weights.
SGD = {"type": "sgd", "lr": 1.0, "momentum": 0.0, "weight_decay": 0.0}


def samples() -> list[Tokens]:
    """Short sequences of random tokens, and two that are worth sharding."""
    source = random.Random(7)
    found = []
    for length in [*(source.randrange(4, 40) for _ in range(SEQUENCES - 2)), LONGEST - 20, LONGEST]:
        ids = [source.randrange(tiny.VOCABULARY) for _ in range(length)]
        labels = [token if source.random() < 0.7 else IGNORED for token in ids[1:]]
        found.append(Tokens(ids, [*labels, IGNORED]))
    return found


def deepspeed_config(case: dict[str, Any]) -> tuple[dict[str, Any], str]:
    """As the compiler emits it, with when gradients are reduced."""
    stage, once, wide = case["zero"], case["reduction"], case["gradients"] == "fp32"
    if stage == 1 and wide and case["offload"] == "none":
        stage, once = 2, "once"
    config = ds_config(stage, case["offload"]) | {"bf16": {"enabled": True}}
    if wide:
        config["communication_data_type"] = "fp32"
        if stage > 0:
            config["data_types"] = {"grad_accum_dtype": "fp32"}
    return config, once


def scheduling(case: dict[str, Any], tokens: int) -> SchedulingConfig:
    """About so many micro-batches or more: the bucket is what they leave for each, or each has one sequence."""
    ranks, context = dist.get_world_size(), case["context"]
    comm = {"2": [10.0, 10.0, 0.01], "4": [10.0, 10.0, 0.01]}
    cost = {"a1": 5.0, "a2": 0.01, "fixed": 100.0, "comm": comm}
    one_by_one = case["micro_batches"] * ranks // context >= SEQUENCES // 2
    share = math.ceil(1.15 * tokens / ranks / case["micro_batches"])
    bucket = max(share, 2 * math.ceil(LONGEST / (2 * context)))
    return SchedulingConfig(
        data_parallel=ranks // context,
        context_parallel=context,
        bucket=bucket,
        padding="zigzag",
        cost=cost,
        policy="deepspeed" if one_by_one else "auto",
        degrees="local-or-all",
        objective="lockstep",
        global_batch=SEQUENCES,
        seed=tiny.SEED,
    )


def gradient_of_run(case: dict[str, Any], folder: Path, groups: GroupTable) -> dict[str, Any]:
    """What the run's weights have moved by, with how it was computed."""
    data = samples()
    config = ModelConfig(
        "random", "bf16", case["checkpointing"], attention="sdpa", loss_chunk=case["chunk"]
    )
    model = build_model(config, folder, None, tiny.SEED)
    start = {name: p.detach().float() for name, p in model.named_parameters()}
    configuration, once = deepspeed_config(case)
    train = tiny.train_config(SGD, once, case["gradients"])
    trainer = Trainer(model, configuration, config, train)
    members = list(range(SEQUENCES))
    plan = scheduling(case, sum(len(own.ids) for own in data))
    batch = tiny.step_batch(0, members, data, plan, dist.get_rank())
    trainer.step(batch, groups)
    moved = {name: start[name] - end for name, end in masters_of(trainer).items()}
    targets = [int((each.labels != IGNORED).sum()) for each in batch.micro_batches]
    trainer.engine.destroy()
    chunks = max(math.ceil(own / case["chunk"]) for own in targets)
    return {"gradient": moved, "micro_batches": len(targets), "chunks": chunks}


def plain_gradient(folder: Path, arithmetic: torch.dtype) -> Weights:
    """By transformers: one forward and backward over the whole global batch, padded, from weights in bf16."""
    torch.manual_seed(tiny.SEED)
    model = AutoModelForCausalLM.from_config(
        AutoConfig.from_pretrained(folder), dtype=torch.bfloat16, attn_implementation="sdpa"
    ).to(arithmetic)
    data = samples()
    longest = max(len(own.ids) for own in data)
    ids, labels, mask = (torch.zeros(len(data), longest, dtype=torch.long) for _ in range(3))
    labels += IGNORED
    for n, own in enumerate(data):
        size = len(own.ids)
        ids[n, :size], labels[n, :size] = torch.tensor(own.ids), torch.tensor(own.labels)
        mask[n, :size] = 1
    logits = model(input_ids=ids, attention_mask=mask, use_cache=False).logits
    loss = cross_entropy(logits.float().flatten(0, 1), labels.flatten(), ignore_index=IGNORED)
    loss.backward()
    return {name: parameter.grad.float() for name, parameter in model.named_parameters()}


def main() -> None:
    """Runs the cases of a JSON file and writes their errors, beside those of transformers in bf16."""
    cases_file, results_file = map(Path, sys.argv[1:])
    deepspeed.ops.__compatible_ops__["deepspeed_shm_comm"] = False
    deepspeed.init_distributed(dist_backend="gloo", verbose=False)
    torch.set_num_threads(1)
    folder, groups = cases_file.parent, GroupTable()
    found = [gradient_of_run(case, folder, groups) for case in json.loads(cases_file.read_text())]
    if dist.get_rank() == 0:
        exact = plain_gradient(folder, torch.float32)
        nothing = {name: torch.zeros_like(own) for name, own in exact.items()}
        plain = distance(plain_gradient(folder, torch.bfloat16), exact, nothing)
        results = [own | {"error": distance(own.pop("gradient"), exact, nothing)} for own in found]
        results_file.write_text(json.dumps({"plain": plain, "results": results}))
    dist.barrier()
    dist.destroy_process_group()


if __name__ == "__main__":
    main()
