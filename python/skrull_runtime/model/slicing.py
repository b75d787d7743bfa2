"""How many key-value heads of a sharded group are exchanged and attended to at a time."""

from __future__ import annotations

from dataclasses import dataclass

from transformers import PretrainedConfig

from ..config import ModelConfig

# Copies of an element of a key that exist at a time: keys and values, each as gathered, in the order of sequences, and as
# gradients. FlashAttention-2 besides has gradients for every query head, and adds them up afterwards.
COPIES = 6
# Keys from which on attending to a slice takes longer than starting both it and the exchange of the next one.
LONG = 1 << 16
ELEMENT = {"bf16": 2, "fp32": 4}  # bytes


@dataclass(frozen=True)
class Slicing:
    """The heads that fit into a workspace."""

    workspace: int | None = None  # bytes; None for all heads at once
    query_heads: int = 1  # per key-value head
    element: int = 2  # bytes
    # Layers are recomputed in the backward, so what is kept exists only there.
    recomputes: bool = False

    def heads(self, keys: int, heads: int, width: int) -> int:
        """How many of ``heads`` fit, with ``keys`` rows of ``width`` elements each; at least one."""
        if self.workspace is None:
            return heads
        copies = COPIES + 2 * self.query_heads
        of_one = keys * width * self.element * copies
        most = heads if keys <= LONG else -(-heads // 2)
        return max(1, min(most, self.workspace // max(1, of_one)))

    def keeps(self, slice_heads: int, heads: int) -> bool:
        """Whether keys and values that have arrived are kept for the backward, rather than exchanged again."""
        return slice_heads == heads or not self.recomputes


def slicing_of(config: ModelConfig, model: PretrainedConfig) -> Slicing:
    """The slicing for a run's model, of micro-batches that do not recompute layers."""
    heads = model.num_attention_heads
    return Slicing(
        config.attention_workspace,
        query_heads=heads // (getattr(model, "num_key_value_heads", None) or heads),
        element=ELEMENT[config.precision],
    )
