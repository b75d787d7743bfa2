"""What every worker of the benchmark needs of its process: a core, a process group, memory figures, an emitted run."""

from __future__ import annotations

import importlib
import json
import os
import resource
import sys
from pathlib import Path
from typing import Any, NamedTuple

import deepspeed
import torch
from torch import nn
from transformers import AutoConfig, AutoModelForCausalLM

from skrull_runtime.config import RunConfig, SchedulingConfig
from skrull_runtime.data.filling import StoreFilling
from skrull_runtime.data.index import SampleIndex, data_root
from skrull_runtime.data.tokens import SampleTokens
from skrull_runtime.model.build import DTYPES

TIMEOUT_SECONDS = 600.0  # of any collective


class Run(NamedTuple):
    """An emitted run's constants and samples."""

    folder: Path
    config: RunConfig
    scheduling: SchedulingConfig
    index: SampleIndex

    def tokens(self) -> SampleTokens:
        """What gives the tokens of samples; the store is filled if need be."""
        filling = StoreFilling(self.index, self.folder)
        filling.fill()
        return SampleTokens(self.index, filling)


def load_run(folder: Path) -> Run:
    """Reads ``train.py`` and ``sampler.py`` of an emitted run; its runtime is the one on the path already."""
    sys.path.insert(0, str(folder))
    config = importlib.import_module("train").CONFIG
    scheduling = importlib.import_module("sampler").SCHEDULING
    root = data_root(config.data, folder)
    return Run(
        folder,
        config,
        scheduling,
        SampleIndex(folder / "data_index.json", config.data, root),
    )


def plain_model(run: Run, attention: str) -> nn.Module:
    """The run's model with transformers' own attention, and the weights that the runtime draws."""
    assert run.config.model.weights == "random" and run.config.model.checkpointing == "none"
    torch.manual_seed(run.config.train.seed % 2**63)
    return AutoModelForCausalLM.from_config(
        AutoConfig.from_pretrained(run.folder),
        dtype=DTYPES[run.config.model.precision],
        attn_implementation=attention,
    ).train()


def keep_to_a_core() -> None:
    """Without a GPU, keeps this rank, its threads and its children to a core of its own, where the system can."""
    if deepspeed.accelerator.get_accelerator().device_name() != "cpu":
        return
    torch.set_num_threads(1)
    if hasattr(os, "sched_setaffinity"):
        cores = sorted(os.sched_getaffinity(0))
        os.sched_setaffinity(0, {cores[int(os.environ["LOCAL_RANK"]) % len(cores)]})


def peak_bytes(device: torch.device) -> int:
    """Peak memory of this rank: allocated on the GPU, else resident."""
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device)
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


def ds_config(run: Run) -> dict[str, Any]:
    """DeepSpeed's configuration as it was emitted."""
    return json.loads((run.folder / "ds_config.json").read_bytes())
