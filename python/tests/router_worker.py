"""One rank of the router test: a step of every case, and how far it is from one with the loss of transformers."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import deepspeed
import tiny
import torch
import torch.distributed as dist
from parity_worker import ds_config, parameters_of
from torch.nn.functional import cross_entropy
from transformers import AutoConfig, AutoModelForCausalLM
from transformers.models.mixtral.modeling_mixtral import load_balancing_loss_func

from skrull_runtime.batches.sampler import GlobalBatch, schedule_batch
from skrull_runtime.data.tokens import IGNORED
from skrull_runtime.model.build import build_model
from skrull_runtime.model.groups import GroupTable
from skrull_runtime.training.step import Trainer

SGD = {"type": "sgd", "lr": 0.5, "momentum": 0.0, "weight_decay": 0.0, "decayed": "all"}


def scheduling(case: dict[str, Any]) -> Any:
    """With the bucket of a case; where no sequence is shared, one at a time, so that the last leaves a rank without."""
    alone = case["context"] == 1 and case["bucket"] < 1000
    own = tiny.scheduling(dist.get_world_size(), case["context"], "deepspeed" if alone else "auto")
    return own if alone else replace(own, bucket=case["bucket"])


def plain_step(
    folder: Path, micro_batches: list[list[int]], with_router: bool
) -> tuple[dict[str, torch.Tensor], float]:
    """Weights after one step of plain training, and the router's loss: transformers' own function on the tokens of
    each micro-batch, weighted by them."""
    data = tiny.samples()
    torch.manual_seed(tiny.SEED)
    config = AutoConfig.from_pretrained(folder)
    model = AutoModelForCausalLM.from_config(config, attn_implementation="eager").train()
    targets = sum(label != IGNORED for own in data for label in own.labels)
    tokens = sum(len(own.ids) for own in data)
    loss, balance = torch.zeros(()), torch.zeros(())
    for members in micro_batches:
        logits = []
        for k in members:
            out = model(input_ids=torch.tensor([data[k].ids]), use_cache=False)
            logits.append(out.router_logits)
            labels = torch.tensor(data[k].labels)
            loss += cross_entropy(out.logits[0], labels, ignore_index=IGNORED, reduction="sum")
        share = sum(len(data[k].ids) for k in members) / tokens
        together = tuple(torch.cat(of_layer) for of_layer in zip(*logits, strict=True))
        top_k = config.num_experts_per_tok
        own = load_balancing_loss_func(together, together[0].shape[1], top_k)
        balance = balance + share * own
    coefficient = config.router_aux_loss_coef if with_router else 0.0
    (loss / targets + coefficient * balance).backward()
    after = {n: p.detach() - SGD["lr"] * p.grad for n, p in model.named_parameters()}
    return after, balance.item()


def distance(a: dict[str, torch.Tensor], b: dict[str, torch.Tensor]) -> float:
    """The largest difference of a weight."""
    return max(float((a[name] - b[name]).abs().max()) for name in b)


def run_case(case: dict[str, Any], folder: Path, groups: GroupTable) -> dict[str, Any]:
    """Differences from plain training, and what was scheduled."""
    data = tiny.samples()
    members = list(range(len(data)))
    model_config = tiny.model_config(case["checkpointing"])
    model = build_model(model_config, folder / case["family"], None, tiny.SEED)
    train = tiny.train_config(SGD, case["reduction"])
    trainer = Trainer(model, ds_config(case["zero"]), model_config, train)
    config = scheduling(case)
    batch = tiny.step_batch(0, members, data, config, dist.get_rank())
    trainer.try_out(batch, 0, groups)  # of which nothing remains
    evaluated = trainer.evaluate(batch, groups)
    result = trainer.step(batch, groups)
    found = parameters_of(trainer.model, case["zero"])
    trainer.engine.destroy()
    lengths = [len(own.ids) for own in data]
    schedule = schedule_batch(GlobalBatch(0, 0, members), lengths, config)
    placed = [
        [placement["sequence"] for placement in entry["placements"]]
        for entry in schedule["micro_batches"]
    ]
    dummies = torch.tensor(sum(batch.is_dummy(n) for n in range(len(placed))))
    dist.all_reduce(dummies)
    expected, balance = plain_step(folder / case["family"], placed, True)
    without, _ = plain_step(folder / case["family"], placed, False)
    return {
        "weights": distance(found, expected),
        "without": distance(found, without),
        "router_loss": abs((result.router_loss or 0.0) - balance),
        "evaluated": abs(evaluated / batch.supervised - result.loss),
        "micro_batches": len(placed),
        "dummies": int(dummies),
    }


def main() -> None:
    """Runs the cases of a JSON file and writes their results."""
    cases_file, results_file = map(Path, sys.argv[1:])
    deepspeed.ops.__compatible_ops__["deepspeed_shm_comm"] = False
    deepspeed.init_distributed(dist_backend="gloo", verbose=False)
    torch.set_num_threads(1)
    groups = GroupTable()
    results = [
        run_case(case, cases_file.parent, groups) for case in json.loads(cases_file.read_text())
    ]
    if dist.get_rank() == 0:
        results_file.write_text(json.dumps(results))
    dist.barrier()
    dist.destroy_process_group()


if __name__ == "__main__":
    main()
