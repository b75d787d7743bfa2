"""One rank of the host memory test: starts a run of the model in a folder, and says by files how far it is."""

from __future__ import annotations

import json
import sys
import time
from dataclasses import replace
from pathlib import Path

import deepspeed
import tiny
import torch.distributed as dist
from parity_worker import OPTIMIZERS, ds_config

from skrull_runtime.model.build import build_model
from skrull_runtime.training.step import Trainer


def start(folder: Path, case: dict) -> None:
    """As a run does before its first step; the trainer only where the case says so."""
    config = tiny.model_config(lora=case["lora"], precision="bf16")
    if case["weights"] == "pretrained":
        config = replace(config, weights="pretrained", source="weights", source_kind="folder")
    configuration = ds_config(3) | {"bf16": {"enabled": True}}
    model = build_model(config, folder, folder, tiny.SEED, configuration)
    if case["trainer"]:
        Trainer(model, configuration, config, tiny.train_config(OPTIMIZERS["sgd"]))


def main() -> None:
    """Starts the tiny model first: what a process is without weights is not what is measured."""
    folder, signs = map(Path, sys.argv[1:3])
    case = json.loads(sys.argv[3])
    deepspeed.ops.__compatible_ops__["deepspeed_shm_comm"] = False
    deepspeed.init_distributed(dist_backend="gloo", verbose=False)
    start(folder / "tiny", case)
    (signs / f"ready-{dist.get_rank()}").touch()
    while not (signs / "go").exists():
        time.sleep(0.01)
    start(folder / "scaled", case)
    dist.barrier()
    (signs / f"done-{dist.get_rank()}").touch()
    while not (signs / "end").exists():
        time.sleep(0.01)


if __name__ == "__main__":
    main()
