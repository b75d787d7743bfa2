"""The same global batches in one process of plain PyTorch: no DeepSpeed, no packing, one sequence at a time.

    python reference.py RUN_FOLDER STEPS

Prints the losses per supervised token as a JSON list.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import torch
from ranks import Run, load_run, plain_model
from torch.nn.functional import cross_entropy

from skrull_runtime.batches.sampler import GlobalBatch, ScheduledBatchSampler
from skrull_runtime.data.tokens import IGNORED
from skrull_runtime.training.optimizer import build_optimizer


def train(run: Run, steps: int) -> list[float]:
    """Losses of the run's first steps."""
    model = plain_model(run, "sdpa")
    optimizer = build_optimizer(model.parameters(), run.config.train.optimizer, torch.device("cpu"))
    source = run.tokens()

    def loss_of(sample: int) -> torch.Tensor:
        tokens = source.tokens(sample)
        logits = model(input_ids=torch.as_tensor(tokens.ids)[None], use_cache=False).logits[0]
        labels = torch.as_tensor(tokens.labels)
        return cross_entropy(logits, labels, ignore_index=IGNORED, reduction="sum")

    def step(batch: GlobalBatch) -> float:
        targets = sum(run.index.supervised[sample] for sample in batch.samples)
        total = 0.0
        for sample in batch.samples:
            loss = loss_of(sample) / targets
            loss.backward()
            total += loss.item()
        optimizer.step()
        optimizer.zero_grad()
        return total

    sampler = ScheduledBatchSampler(run.index.lengths, run.scheduling, steps)
    return [step(batch) for batch in sampler]


def main() -> None:
    """Trains and prints."""
    os.environ.setdefault("DS_ACCELERATOR", "cpu")
    torch.set_num_threads(len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 2)
    json.dump(train(load_run(Path(sys.argv[1]).resolve()), int(sys.argv[2])), sys.stdout)


if __name__ == "__main__":
    main()
