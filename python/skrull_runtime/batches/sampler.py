"""The batch sampler: which samples each optimizer step trains on, whatever the topology."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from torch.utils.data import Sampler

from ..config import SchedulingConfig, problem_of
from ..contract.records import SamplerState
from ..errors import UserError
from ..scheduling import Schedule, schedule
from .shuffle import epoch_size, global_batches

__all__ = [
    "GlobalBatch",
    "ScheduledBatchSampler",
    "SchedulingConfig",
    "schedule_batch",
]


class GlobalBatch(NamedTuple):
    """The samples of one optimizer step; ``step`` counts from 0 over the whole run."""

    step: int
    epoch: int
    samples: list[int]


class ScheduledBatchSampler(Sampler[GlobalBatch]):
    """Yields the global batches of a run from ``start_step`` to ``total_steps``.

    They depend on seed, epoch and step only, so they are the same on every rank and for any number of ranks. The last,
    smaller batch of an epoch is kept. ``state_dict`` counts steps that were *trained*, which the loop reports through
    ``trained``, because a data loader runs ahead.
    """

    def __init__(
        self, lengths: Sequence[int], config: SchedulingConfig, total_steps: int | None = None
    ):
        if not lengths:
            raise UserError("there are no samples")
        self.lengths = lengths
        self.config = config
        held = sum(samples for samples, _ in config.mixture)
        if config.mixture and held != len(lengths):
            raise UserError(f"the mixture is of {held} samples, there are {len(lengths)}")
        self.steps_per_epoch = -(-epoch_size(len(lengths), config.mixture) // config.global_batch)
        self.total_steps = self.steps_per_epoch if total_steps is None else total_steps
        self.start_step = 0

    def __len__(self) -> int:
        return self.total_steps - self.start_step

    def __iter__(self) -> Iterator[GlobalBatch]:
        step = self.start_step
        while step < self.total_steps:
            epoch, first = divmod(step, self.steps_per_epoch)
            size, seed = self.config.global_batch, self.config.seed
            batches = global_batches(len(self.lengths), size, seed, epoch, self.config.mixture)
            for samples in batches[first : first + self.total_steps - step]:
                yield GlobalBatch(step, epoch, samples)
                step += 1

    def trained(self, step: int) -> None:
        """Says that all steps up to and including ``step`` are trained."""
        self.start_step = step + 1

    def state_dict(self) -> SamplerState:
        """What resuming needs; the same on all ranks."""
        return {
            "step": self.start_step,
            "samples": len(self.lengths),
            "global_batch": self.config.global_batch,
            "seed": self.config.seed,
            "mixture": self.config.mixture,
        }

    def load_state_dict(self, state: SamplerState) -> None:
        """Continues after the steps of ``state``. Raises UserError where the global batches would not be the same."""
        for name, value in self.state_dict().items():
            before = state.get(name, [])  # a state without a mixture has no such key
            if name != "step" and before != value:
                raise UserError(
                    f"cannot resume: {name.replace('_', ' ')} was {before}, now it is {value};"
                    " start a new run with --no-resume"
                )
        self.start_step = state["step"]


def schedule_batch(
    batch: GlobalBatch, lengths: Sequence[int], config: SchedulingConfig
) -> Schedule:
    """The schedule of a global batch (the contract's document); sequence k is ``batch.samples[k]``. ``lengths`` are the
    tokens of all samples. Raises ScheduleError (a UserError) where there is no schedule."""
    return schedule(problem_of(config, [lengths[sample] for sample in batch.samples]))
