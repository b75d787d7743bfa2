"""DeepSpeed as it is used today for long sequences: ALST's Ulysses sequence parallelism, one sample at a time.

Every sample is cut over all ranks of the sequence-parallel group: contiguous parts of equal length, exchanged for
heads by all-to-all around attention. The loss of a global batch is accumulated over its samples, one backward each,
and the optimizer steps once. Samples are cut here, ahead of the loop: DeepSpeed's own data loader adapter cuts what
each rank has loaded, and needs a reshape on gloo.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import deepspeed
import torch
import torch.distributed as dist
from deepspeed.runtime.sequence_parallel.ulysses_sp import UlyssesSPAttentionHF
from torch import nn
from torch.utils.data import Dataset

from skrull_runtime.batches.sampler import GlobalBatch
from skrull_runtime.data.filling import StoreFilling
from skrull_runtime.data.index import SampleIndex
from skrull_runtime.data.tokens import IGNORED, SampleTokens, Tokens


class Part(NamedTuple):
    """A rank's part ``[1, T]`` of one sample, T the same on all ranks of the group."""

    input_ids: torch.Tensor
    position_ids: torch.Tensor
    labels: torch.Tensor  # already shifted


class Step(NamedTuple):
    """A global batch, sample by sample."""

    step: int
    parts: list[Part]
    tokens: int  # padding not counted
    supervised: int


def part_of(tokens: Tokens, degree: int, member: int) -> Part:
    """Member ``member``'s part of a sample, which is padded at its end to a multiple of the degree."""
    each = -(-len(tokens.ids) // degree)
    padding = each * degree - len(tokens.ids)
    columns = [
        [*tokens.ids, *[0] * padding],
        list(range(each * degree)),
        [*tokens.labels, *[IGNORED] * padding],
    ]
    own = slice(member * each, (member + 1) * each)
    return Part(*(torch.tensor([column[own]], dtype=torch.long) for column in columns))


class UlyssesTrainer:
    """A transformers model under Ulysses sequence parallelism over all ranks, as DeepSpeed's tutorial sets it up.

    DeepSpeed gets the ``mpu`` that Ulysses returns; ZeRO then shards over all ranks and, at stages 1 and 2, divides
    gradients by the data-parallel degree: 1 here, so that the parts' gradients are summed.
    """

    def __init__(
        self,
        model: nn.Module,
        optimizer: torch.optim.Optimizer,
        ds_config: dict[str, Any],
    ):
        self.degree = dist.get_world_size()
        mpu = UlyssesSPAttentionHF.register_with_transformers(
            model_name_or_path=model,
            core_attn_implementation="sdpa",
            sequence_parallel_size=self.degree,
            micro_batch_size=1,
        )
        self.engine, _, _, _ = deepspeed.initialize(
            model=model, optimizer=optimizer, config=ds_config, mpu=mpu
        )
        self.device = self.engine.device

    def step(self, batch: Step) -> float:
        """Trains on one global batch; returns its loss per supervised token.

        The documented loss averages over ranks by their targets, sample by sample. Here every token of the global
        batch counts the same: transformers' own ``num_items_in_batch`` divides the parts' summed losses by its targets.
        """
        total = torch.zeros((), device=self.device, dtype=torch.float64)
        last = len(batch.parts) - 1
        for index, part in enumerate(batch.parts):
            self.engine.set_gradient_accumulation_boundary(index == last)
            labels = part.labels.to(self.device)
            loss = self.engine(
                input_ids=part.input_ids.to(self.device),
                position_ids=part.position_ids.to(self.device),
                labels=labels,
                shift_labels=labels,
                num_items_in_batch=batch.supervised,
                use_cache=False,
            ).loss
            self.engine.backward(loss, scale_wrt_gas=False)
            total += loss.detach().double()
        self.engine.step()
        dist.all_reduce(total)
        return total.item()


class StepDataset(Dataset[Step]):
    """The parts of this rank for each global batch."""

    def __init__(self, index: SampleIndex, folder: Path, degree: int, member: int):
        self.index, self.degree, self.member = index, degree, member
        self._filling = StoreFilling(index, folder)
        self._filling.fill(member, degree)
        self._tokens: SampleTokens | None = None

    def __getitem__(self, batch: GlobalBatch) -> Step:
        if self._tokens is None:
            self._tokens = SampleTokens(self.index, self._filling)
        samples = [self._tokens.tokens(sample) for sample in batch.samples]
        return Step(
            batch.step,
            [part_of(tokens, self.degree, self.member) for tokens in samples],
            sum(len(tokens.ids) for tokens in samples),
            sum(self.index.supervised[sample] for sample in batch.samples),
        )
