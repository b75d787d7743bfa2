"""One rank of the tests of a step's numbers: gradients that are not finite, and dropout that is drawn again.

Argument 1 is a folder with the model's configuration; rank 0 writes ``results.json`` into it.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import deepspeed
import tiny
import torch
import torch.distributed as dist
from parity_worker import OPTIMIZERS, ds_config, parameters_of

from skrull_runtime import versions
from skrull_runtime.batches.collate import StepBatch
from skrull_runtime.checkpoints.save import load_checkpoint, save_checkpoint
from skrull_runtime.model.build import build_model
from skrull_runtime.model.groups import GroupTable
from skrull_runtime.training.nonfinite import NonFinite
from skrull_runtime.training.step import Trainer

# Every optimizer wrapper that a run can have: stage, precision, offload, reduction, CP degree.
WRAPPERS = (
    (0, "fp32", "none", "every-micro-batch", 1),
    (0, "bf16", "none", "every-micro-batch", 2),
    (1, "fp32", "none", "once", 1),
    (1, "bf16", "none", "every-micro-batch", 2),
    (1, "bf16", "optimizer", "every-micro-batch", 1),
    (2, "fp32", "none", "every-micro-batch", 2),
    (2, "bf16", "none", "once", 2),
    (2, "fp32", "optimizer", "every-micro-batch", 2),
    (3, "fp32", "none", "every-micro-batch", 1),
    (3, "bf16", "none", "every-micro-batch", 2),
    (3, "fp32", "all", "every-micro-batch", 2),
)
POISONED = 4  # a sample of the second of these steps
STEPS = [[1, 3, 5], [*range(17)], [7, 9, 14]]


class _InfiniteBackward(torch.autograd.Function):
    @staticmethod
    def forward(ctx, loss: torch.Tensor) -> torch.Tensor:
        return loss.clone()

    @staticmethod
    def backward(ctx, gradient: torch.Tensor) -> torch.Tensor:
        return gradient * torch.inf


def poison(trainer: type[Trainer] | Trainer, places: Mapping[int, int]) -> None:
    """The loss stays what it is, and its gradient becomes infinite: in these steps, in every micro-batch that holds the
    sequence of that place in the global batch."""
    step, forward = trainer.step, trainer.forward
    place: list[int | None] = [None]

    def poisoned_step(*arguments: Any) -> Any:
        batch = next(each for each in arguments if isinstance(each, StepBatch))
        place[0] = places.get(batch.step)
        return step(*arguments)

    def poisoned_forward(*arguments: Any, **scales: float) -> tuple[torch.Tensor, ...]:
        loss, *rest = forward(*arguments, **scales)
        holds = place[0] in arguments[-2].sequence_ids[0].tolist()
        return _InfiniteBackward.apply(loss) if holds else loss, *rest

    trainer.step, trainer.forward = poisoned_step, poisoned_forward


def same(a: Mapping[str, torch.Tensor], b: Mapping[str, torch.Tensor]) -> bool:
    """Bit for bit, in the same parameters."""
    return a.keys() == b.keys() and all(torch.equal(a[name], b[name]) for name in a)


def distance(a: Mapping[str, torch.Tensor], b: Mapping[str, torch.Tensor]) -> float:
    """The largest difference of a weight."""
    return max((a[name].float() - b[name].float()).abs().max().item() for name in b)


def non_finite(wrapper: tuple, folder: Path, groups: GroupTable, expected: dict) -> dict[str, Any]:
    """A step is skipped, and leaves no trace; met again, it ends the run by name, and leaves none either."""
    stage, precision, offload, reduction, context = wrapper
    data = tiny.samples()
    config = tiny.model_config(precision=precision)
    model = build_model(config, folder, None, tiny.SEED)
    configuration = ds_config(stage, offload, 0.1, reduction) | {
        "bf16": {"enabled": precision == "bf16"}
    }
    train = tiny.train_config(OPTIMIZERS["adamw"], reduction)
    trainer = Trainer(model, configuration, config, replace(train, non_finite_gradients="skip"))
    poison(trainer, {1: STEPS[1].index(POISONED)})
    scheduling = tiny.scheduling(dist.get_world_size(), context, "auto")
    batches = [
        tiny.step_batch(step, members, data, scheduling, dist.get_rank())
        for step, members in enumerate(STEPS)
    ]
    first = trainer.step(batches[0], groups)
    before = parameters_of(model, stage)
    skipped = trainer.step(batches[1], groups)
    kept = same(before, parameters_of(model, stage))
    last = trainer.step(batches[2], groups)
    after = parameters_of(model, stage)
    trainer.train = train
    message, samples = "", []
    try:
        trainer.step(batches[1], groups)
    except NonFinite as error:
        message, samples = str(error), error.samples
    # What ended leaves older DeepSpeed's parameters in use, so that they cannot be gathered.
    readable = stage < 3 or versions.has("checked-norm")
    ended = parameters_of(model, stage) if readable else after
    result = {
        "wrapper": wrapper,
        "skipped": [each.skipped for each in (first, skipped, last)],
        "counted": [each.skipped_steps for each in (first, skipped, last)],
        "norms": [each.gradient_norm for each in (first, skipped, last)],
        "kept": kept and same(after, ended),
        "moved": distance(after, before),
        "off": distance(after, expected[precision]),
        "message": message,
        "samples": samples,
        "micro_batches": len(batches[1].micro_batches),
    }
    trainer.engine.destroy()
    return result


def adapted(
    folder: Path,
    groups: GroupTable,
    name: str,
    checkpointing: str,
    stops: bool,
    seed: int = 1,
    tile: int | None = None,
) -> dict[str, torch.Tensor]:
    """Adapters with dropout after three steps, interrupted after the first or not."""
    data = tiny.samples()
    config = tiny.model_config(checkpointing, lora=True, tile=tile)
    config = replace(config, lora={**tiny.LORA, "dropout": 0.3})
    train = replace(tiny.train_config(OPTIMIZERS["adamw"]), seed=seed)
    scheduling = tiny.scheduling(dist.get_world_size(), 2, "auto")

    def start() -> Trainer:
        model = build_model(config, folder, None, tiny.SEED)
        return Trainer(model, ds_config(2), config, train)

    trainer = start()
    for step, members in enumerate(STEPS):
        batch = tiny.step_batch(step, members, data, scheduling, dist.get_rank())
        trainer.step(batch, groups)
        if stops and step == 0:
            output = folder / name
            save_checkpoint(trainer.engine, output, {"sampler": {"step": 1}}, 1)
            trainer.engine.destroy()
            trainer = start()
            torch.rand(dist.get_rank() + 3)  # nothing may depend on what was drawn before
            trainer.try_out(batch, 0, groups)
            load_checkpoint(trainer.engine, output / "checkpoints" / "step-00000001")
    found = parameters_of(trainer.model, 2)
    trainer.engine.destroy()
    return found


def dropout(folder: Path, groups: GroupTable) -> dict[str, bool]:
    """Which runs train the same weights, bit for bit."""
    whole = adapted(folder, groups, "whole", "none", stops=False)
    resumed = adapted(folder, groups, "resumed", "none", stops=True)
    recomputed = adapted(folder, groups, "recomputed", "full", stops=False)
    offloaded = adapted(folder, groups, "offloaded", "offload", stops=True)
    other = adapted(folder, groups, "other", "none", stops=False, seed=2)
    # They draw other numbers than whole MLPs.
    tiled = adapted(folder, groups, "tiled", "none", stops=False, tile=50)
    tiled_again = adapted(folder, groups, "tiled-again", "full", stops=True, tile=50)
    return {
        "resumed": same(whole, resumed),
        "recomputed": same(whole, recomputed),
        "resumed from layer inputs on the host": same(whole, offloaded),
        "other seed": same(whole, other),
        "resumed and recomputed with tiles": same(tiled, tiled_again),
    }


def main() -> None:
    """Runs all and writes the results."""
    folder = Path(sys.argv[1])
    deepspeed.ops.__compatible_ops__["deepspeed_shm_comm"] = False
    deepspeed.init_distributed(dist_backend="gloo", verbose=False)
    torch.set_num_threads(1)
    groups = GroupTable()
    data = tiny.samples()
    expected = {
        precision: tiny.plain_training(
            folder, OPTIMIZERS["adamw"], data, [STEPS[0], STEPS[2]], clip=0.1, weights=dtype
        )[0]
        for precision, dtype in (("fp32", torch.float32), ("bf16", torch.bfloat16))
    }
    results = {
        "non_finite": [non_finite(wrapper, folder, groups, expected) for wrapper in WRAPPERS],
        "dropout": dropout(folder, groups),
    }
    if dist.get_rank() == 0:
        (folder / "results.json").write_text(json.dumps(results))
    dist.barrier()
    dist.destroy_process_group()


if __name__ == "__main__":
    main()
