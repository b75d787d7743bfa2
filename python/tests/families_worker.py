"""One rank of the families' parity test: a step of every family under DeepSpeed, how far it is from its own forward, and
whether plain transformers reads what is exported under ZeRO 3."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

import deepspeed
import parity_worker
import tiny
import torch
import torch.distributed as dist
from torch import nn
from transformers import AutoConfig, AutoModelForCausalLM

from skrull_runtime.batches.collate import StepBatch
from skrull_runtime.check_model import comparing, samples
from skrull_runtime.check_model.samples import LOCAL, MIXED, SHARDED
from skrull_runtime.checkpoints.export import export_model
from skrull_runtime.config import DataConfig, ModelConfig
from skrull_runtime.data.tokens import IGNORED
from skrull_runtime.model.build import build_model
from skrull_runtime.model.groups import GroupTable
from skrull_runtime.training.step import Trainer

# So large that a weight after the step is its gradient, to within rounding.
RATE = 1e6
SGD = {"type": "sgd", "lr": RATE, "momentum": 0.0, "weight_decay": 0.0, "decayed": "all"}
DATA = DataConfig(".", "bytes", "assistant", 99, "drop")
SUMMARY = {"local": 0, "sharded": 0, "groups": 0, "micro_batches": 0}


def step_batch(vocabulary: int, windows: set[int], whole: bool) -> StepBatch:
    """A step whose micro-batches hold the same sequences in different ways."""
    data = samples.drawn(vocabulary)
    ways = (LOCAL,) if whole else (LOCAL, SHARDED, MIXED)
    made = [samples.micro_batch(data, placed, dist.get_rank(), windows) for placed in ways]
    targets = sum(label != IGNORED for own in data for label in own.labels)
    tokens = sum(len(own.ids) for own in data)
    degrees = [1] if whole else [1, 2]
    numbers = list(range(len(data)))
    return StepBatch(
        0, 0, made, numbers, tokens * len(ways), targets * len(ways), 0.0, degrees, "0" * 64, None
    )


def distance_of(folder: Path, stage: int, mode: str, groups: GroupTable) -> dict:
    """Relative differences of a family under a ZeRO stage."""
    started = time.perf_counter()
    config = AutoConfig.from_pretrained(folder)
    own = ModelConfig(
        "pretrained", "fp32", mode, source="weights", source_kind="folder", loss_chunk=64
    )
    settings = parity_worker.ds_config(stage)
    model = build_model(own, folder, folder, 0, settings)
    before = parity_worker.parameters_of(model, stage)
    trainer = Trainer(model, settings, own, tiny.train_config(SGD))
    windows = (
        {config.sliding_window}
        if isinstance(getattr(config, "sliding_window", None), int)
        else set()
    )
    batch = step_batch(config.vocab_size, windows, trainer.needs_whole_sequences)
    result = trainer.step(batch, groups)
    after = parity_worker.parameters_of(model, stage)
    exported = export_model(model, folder, folder, stage, None, DATA) if stage == 3 else None
    trainer.engine.destroy()
    answer = {"seconds": time.perf_counter() - started}
    if dist.get_rank() == 0:
        data = samples.drawn(config.vocab_size)
        plain = comparing.small_model(config, "eager")
        loss, gradients = comparing.plain_gradients(plain, data)
        targets = sum(label != IGNORED for each in data for label in each.labels)
        wanted = {name: each / targets for name, each in gradients.items()}
        found = {name: (before[name] - after[name]) / RATE for name in wanted}
        if exported is not None:
            answer["reloaded"] = is_reloaded(exported, after, plain)
        answer["distance"] = comparing.distance((result.loss, found), (loss / targets, wanted))
        answer["drawn"] = max(
            float((before[n] - p.detach()).abs().max()) for n, p in plain.named_parameters()
        )
    return answer


def is_reloaded(exported: Path, trained: dict[str, torch.Tensor], plain: nn.Module) -> bool:
    """Whether transformers reads the trained weights from an export, and a model that computes what the plain one does."""
    model = AutoModelForCausalLM.from_pretrained(exported, attn_implementation="eager")
    same = all(torch.equal(own, trained[name]) for name, own in model.named_parameters())
    model.load_state_dict(
        plain.state_dict()
    )  # what a step of this size leaves is far from any model
    ids = torch.arange(1, 41).unsqueeze(0)
    with torch.no_grad():
        return same and torch.equal(model(ids).logits, plain(ids).logits)


def main() -> None:
    """Runs every family of a folder under the stage that is asked for, and writes the results."""
    folder, stage = Path(sys.argv[1]), int(sys.argv[2])
    deepspeed.ops.__compatible_ops__["deepspeed_shm_comm"] = False
    deepspeed.init_distributed(dist_backend="gloo", verbose=False)
    torch.set_num_threads(1)
    families = json.loads((folder / "families.json").read_text())
    if dist.get_rank() == 0:
        for name in families:
            own = folder / name
            comparing.small_model(AutoConfig.from_pretrained(own), "eager").save_pretrained(
                own / "weights"
            )
    dist.barrier()
    groups, results = GroupTable(), {}
    modes = ("none", "full", "selective", "attention")
    for number, name in enumerate(families):
        results[name] = distance_of(folder / name, stage, modes[number % 4], groups)
        if dist.get_rank() == 0:
            (folder / "results.json").write_text(json.dumps(results))
    dist.barrier()
    dist.destroy_process_group()


if __name__ == "__main__":
    main()
