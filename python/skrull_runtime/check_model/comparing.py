"""A small model on two ranks against its own forward, one sequence at a time: losses and gradients."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import torch
import torch.distributed as dist
from torch import nn
from torch.nn.functional import cross_entropy
from transformers import AutoModelForCausalLM, PretrainedConfig, PreTrainedModel

from ..batches.packed import MicroBatch
from ..config import ModelConfig
from ..contract.vocabularies import Checkpointing
from ..data.tokens import IGNORED, Tokens
from ..errors import UserError
from ..model.attention import AttentionContext
from ..model.families.rope import forget_lengths
from ..model.groups import GroupTable
from ..model.kernels.sdpa import SdpaKernel
from ..model.loss import SummedLossModel
from ..model.recomputation import set_recomputation
from . import observing, samples
from .ranks import in_a_line
from .samples import CHANGED, LOCAL, MIXED, RANKS, SHARDED, Placed

TOLERANCE = 1e-5  # relative
NOISE = 1e-6  # of a parameter's gradient, relative to that of all: rounding where it is near zero
SEED = 3
LOSS_CHUNK = 16

MODES: tuple[Checkpointing, ...] = ("attention", "selective")

Gradients = dict[str, torch.Tensor]
Reference = tuple[float, Gradients]  # summed loss, and its gradients by parameter


@dataclass
class Outcome:
    """How far the placements are from the model's own forward, relative; and why the model fails, if it does."""

    figures: dict[str, float] = field(default_factory=dict)
    problem: str | None = None


def small_model(config: PretrainedConfig, attention: str) -> PreTrainedModel:
    """The model with weights that matter: products of order 1, and nothing that is zero or one everywhere."""
    torch.manual_seed(SEED)
    model: PreTrainedModel = AutoModelForCausalLM.from_config(
        copy.deepcopy(config), dtype=torch.float32, attn_implementation=attention
    )
    torch.manual_seed(SEED)
    with torch.no_grad():
        for parameter in model.parameters():
            noise = torch.randn_like(parameter)
            if parameter.ndim < 2:
                parameter.add_(noise, alpha=0.1)
            else:
                parameter.copy_(noise * parameter.shape[-1] ** -0.5)
        tokens: Any = model.get_input_embeddings()
        tokens.weight.mul_(tokens.weight.shape[-1] ** 0.5)
    model.train()
    return model


class Comparison:
    """The model under skrull on this rank; on rank 0 also the reference."""

    def __init__(self, config: PretrainedConfig):
        self.model = small_model(config, observing.NAME)
        self.summed = SummedLossModel(self.model, LOSS_CHUNK)
        self.groups = GroupTable()
        self.groups.prepare([RANKS])
        self.rank = dist.get_rank()
        self.data = samples.drawn(self.model.config.get_text_config().vocab_size)
        self.windows: set[int] = set()

    def losses(self, placed: Placed, data: list[Tokens]) -> dict[int, torch.Tensor]:
        """Runs the forward, and returns the losses ``[C]`` of this rank's part of each sequence."""
        with torch.no_grad():
            batch = samples.micro_batch(data, placed, self.rank, self.windows)
            _, losses, _ = self._forward(batch)
        sequences = batch.sequence_ids[0].index_select(0, batch.counted)
        return {int(k): losses[sequences == k] for k in sequences.unique()}

    def gradients(self, placed: Placed) -> Reference:
        """The summed loss and its gradients, over both ranks."""
        self.model.zero_grad()
        batch = samples.micro_batch(self.data, placed, self.rank, self.windows)
        loss, _, _ = self._forward(batch)
        loss.backward()
        summed = loss.detach().double()
        dist.all_reduce(summed)
        found = {}
        for name, parameter in self.model.named_parameters():
            own = torch.zeros_like(parameter) if parameter.grad is None else parameter.grad
            dist.all_reduce(own)
            found[name] = own.clone()
        return summed.item(), found

    def _forward(self, batch: MicroBatch) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        context = AttentionContext(batch.plan, self.groups, SdpaKernel())
        made: tuple[torch.Tensor, torch.Tensor, torch.Tensor] = self.summed(
            batch.input_ids,
            batch.position_ids,
            batch.counted.long(),
            batch.targets,
            context,
            real=batch.sequence_ids >= 0,
        )
        return made


def plain_gradients(model: nn.Module, data: list[Tokens]) -> Reference:
    """The summed loss of the model's own logits and its gradients, one sequence at a time."""
    model.zero_grad()
    total = 0.0
    for own in data:
        forget_lengths(model)
        logits = model(input_ids=torch.tensor([own.ids]), use_cache=False).logits[0]
        labels = torch.tensor(own.labels)
        loss = cross_entropy(logits.float(), labels, ignore_index=IGNORED, reduction="sum")
        loss.backward()
        total += loss.item()
    return total, {
        name: torch.zeros_like(own) if own.grad is None else own.grad.clone()
        for name, own in model.named_parameters()
    }


def distance(found: Reference, expected: Reference) -> float:
    """The largest relative difference, of the loss and of every parameter's gradient."""
    loss, gradients = found
    own_loss, own_gradients = expected
    whole = float(torch.stack([each.norm() for each in own_gradients.values()]).norm())
    worst = abs(loss - own_loss) / abs(own_loss)
    for name, want in own_gradients.items():
        off = float((gradients[name] - want).norm())
        worst = max(worst, off / (float(want.norm()) + whole * NOISE / TOLERANCE))
    return worst if worst == worst else float("inf")


def run(config: PretrainedConfig) -> Outcome:
    """Collective: compares on two ranks. The outcome is that of rank 0. Raises UserError where the model cannot be compared."""
    outcome = Outcome()
    reference = None
    if dist.get_rank() == 0:
        with _failing("its small copy does not run in transformers itself"):
            reference = _reference(config, outcome)
    with _failing("its attention does not go through the registry of transformers"):
        comparison = Comparison(config)
    with _failing("its forward does not take packed sequences"):
        _compare(comparison, reference, outcome)
    if outcome.problem is None:
        outcome.problem = _problem_of(outcome.figures)
    return outcome


@contextmanager
def _failing(reason: str) -> Iterator[None]:
    """Names what an exception of the model's own code means."""
    try:
        yield
    except UserError:
        raise
    except Exception as error:
        raise UserError(f"{reason} ({in_a_line(error)})") from error


def _reference(config: PretrainedConfig, outcome: Outcome) -> Reference:
    model = small_model(config, "eager")
    data = samples.drawn(model.config.get_text_config().vocab_size)
    reference = plain_gradients(model, data)
    if distance(plain_gradients(model, data), reference) > TOLERANCE:
        outcome.problem = (
            "its training draws random numbers: another run of the same tokens has other losses"
        )
    return reference


def _compare(comparison: Comparison, reference: Reference | None, outcome: Outcome) -> None:
    """Fills the outcome with figures, on rank 0 alone those that need the reference."""
    whole = comparison.summed.needs_whole_sequences
    ways = (LOCAL,) if whole else (LOCAL, SHARDED, MIXED)
    for placed in ways:
        found = comparison.gradients(placed)
        if not observing.calls() and not whole:
            raise UserError("its attention does not go through the registry of transformers")
        comparison.windows |= {own.window for own in observing.calls() if own.window}
        if reference is not None:
            outcome.figures[placed.name] = distance(found, reference)
    for placed in ways[::2]:
        outcome.figures[f"others of {placed.name}"] = _noticed(comparison, placed)
    for mode in MODES:
        set_recomputation(comparison.model, ModelConfig("random", "fp32", mode))
        found = comparison.gradients(ways[-1])
        if reference is not None:
            outcome.figures[f"recomputed ({mode})"] = distance(found, reference)


def _noticed(comparison: Comparison, placed: Placed) -> float:
    """The largest relative change of another sequence's losses when one is changed."""
    before = comparison.losses(placed, comparison.data)
    other = samples.drawn(comparison.model.config.get_text_config().vocab_size, CHANGED)
    after = comparison.losses(placed, other)
    changes = [
        float(((after[k] - before[k]).abs() / before[k].abs().clamp(min=1e-3)).max())
        for k in before
        if k != CHANGED and len(before[k])
    ]
    worst = torch.tensor(max(changes, default=0.0))
    dist.all_reduce(worst, dist.ReduceOp.MAX)
    return worst.item()


def _problem_of(figures: dict[str, float]) -> str | None:
    off = {name: own for name, own in figures.items() if not own <= TOLERANCE}
    if not off:
        return None
    noticing = [name for name in off if name.startswith("others")]
    said = ", ".join(f"{name} {own:.1e}" for name, own in off.items())
    if noticing:
        return f"sequences of a packed micro-batch see each other ({said})"
    if "local" not in off:
        return f"sequences that ranks share differ from whole ones ({said})"
    return f"its losses and gradients are not those of its own forward ({said})"
