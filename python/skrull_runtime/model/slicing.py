"""How many key-value heads of a sharded group are exchanged and attended to at a time."""

from __future__ import annotations

from dataclasses import dataclass

from transformers import PretrainedConfig

from ..config import ModelConfig

# Bytes of a key's element in every tensor that a kernel holds for it: gathered, in the order of sequences, and their
# gradients, of keys and values; FlashAttention-2 has gradients for every query head, and adds them up afterwards.
COPIES = 6
LONG = (
    1 << 16
)  # keys from which the next slice travels while one is attended to, for longer than it takes to start both
ELEMENT = {"bf16": 2, "fp32": 4}  # bytes


@dataclass(frozen=True)
class Slicing:
    """As many heads as fit into a workspace."""

    workspace: int | None = None  # bytes; None for all heads at once
    query_heads: int = 1  # of a key-value head
    element: int = 2  # bytes
    recomputes: bool = (
        False  # layers in the backward, so that what is kept of one is a part of its work there
    )

    def heads(self, keys: int, heads: int, width: int) -> int:
        """Of ``heads``, where their keys are so many rows of so many elements; at least one."""
        if self.workspace is None:
            return heads
        copies = COPIES + 2 * self.query_heads
        of_one = keys * width * self.element * copies
        most = heads if keys <= LONG else -(-heads // 2)
        return max(1, min(most, self.workspace // max(1, of_one)))

    def keeps(self, slice_heads: int, heads: int) -> bool:
        """Whether keys and values that have come are kept for the backward, rather than exchanged again."""
        return slice_heads == heads or not self.recomputes


def slicing_of(config: ModelConfig, model: PretrainedConfig) -> Slicing:
    """For a run's model."""
    heads = model.num_attention_heads
    return Slicing(
        config.attention_workspace,
        query_heads=heads // (getattr(model, "num_key_value_heads", None) or heads),
        element=ELEMENT[config.precision],
        recomputes=config.checkpointing in ("full", "attention"),
    )
