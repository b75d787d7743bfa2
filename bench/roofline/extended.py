"""A model of many layers by one of few and one of twice as many: what the second has more, every further layer has."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

from meter import Meter
from subject import Cell, FakeModel, Setting, Subject, links_of
from transformers import AutoConfig
from world import start

from skrull_runtime.batches.packed import MicroBatch
from skrull_runtime.profiling.run_folder import RunFolder


class Extended:
    """As :class:`.subject.Subject`, at a part of the time. Where layers differ without a pattern, it runs all."""

    def __init__(self, run: RunFolder, setting: Setting, all_layers: bool):
        self.run = run
        config = AutoConfig.from_pretrained(run.path)
        few = config.num_hidden_layers if all_layers else pattern(config)
        self.layers = (
            [few, 2 * few] if 2 * few < config.num_hidden_layers else [config.num_hidden_layers]
        )
        self._times = (config.num_hidden_layers - few) // few
        models = [_of_layers(run, count, config) for count in self.layers]
        scheduling = run.scheduling
        start(scheduling.data_parallel * scheduling.context_parallel, moves=False)
        self._subjects = [
            Subject(run, model, setting, Meter(setting.gpu, links_of(run))) for model in models
        ]

    def run_once(self, micro_batch: MicroBatch, rank: int) -> Cell:
        """Forward and backward of a rank's part."""
        own, *longer = [subject.run_once(micro_batch, rank) for subject in self._subjects]
        return own.extended(longer[0], self._times) if longer else own

    def attention_bytes(self, micro_batch: MicroBatch, rank: int) -> tuple[int, int]:
        """See :meth:`.subject.Subject.attention_bytes`."""
        return self._subjects[0].attention_bytes(micro_batch, rank)

    def forget_gradients(self) -> None:
        """As at the beginning of a step."""
        for subject in self._subjects:
            subject.forget_gradients()

    def use_attention(self, name: str) -> None:
        """Of transformers' attention implementations."""
        for subject in self._subjects:
            subject.use_attention(name)


def pattern(config: Any) -> int:
    """Layers after which a model's layers repeat; all, where they do not or may have different MLPs."""
    count = config.num_hidden_layers
    if getattr(config, "num_experts_per_tok", None):
        return count
    kinds = getattr(config, "layer_types", None) or [""] * count
    repeating = (n for n in range(1, count) if count % n == 0 and kinds == kinds[:n] * (count // n))
    return next(repeating, count)


def _of_layers(run: RunFolder, count: int, config: Any) -> FakeModel:
    if count == config.num_hidden_layers:
        return FakeModel.of(run, run.path)
    document = json.loads((run.path / "config.json").read_bytes())
    document["num_hidden_layers"] = count
    if getattr(config, "layer_types", None):
        document["layer_types"] = config.layer_types[:count]
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "config.json").write_text(json.dumps(document))
        return FakeModel.of(run, Path(folder))
