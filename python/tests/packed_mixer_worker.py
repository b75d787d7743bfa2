"""Packed sequences through layers of Qwen3-Next whose kernels, stood in for, are told where sequences begin: outputs and
gradients are those of each sequence alone. Prints the offsets that the kernel was given."""

from __future__ import annotations

import torch
from fla.ops.gated_delta_rule import CALLS
from transformers import AutoConfig, AutoModelForCausalLM

from skrull_runtime.batches.layout import Layout
from skrull_runtime.model.families.mixers import OwnSequences

SIZES = (5, 1, 11)


def main() -> None:
    """Raises AssertionError where a sequence notices another."""
    torch.manual_seed(0)
    config = AutoConfig.for_model(
        "qwen3_next", num_hidden_layers=2, layer_types=["linear_attention"] * 2, hidden_size=32,
        intermediate_size=32, vocab_size=64, num_attention_heads=2, num_key_value_heads=1,
        head_dim=16, linear_num_key_heads=2, linear_num_value_heads=4, linear_key_head_dim=8,
        linear_value_head_dim=8, num_experts=0, mlp_only_layers=[0, 1], use_cache=False,
    )  # fmt: skip
    model = AutoModelForCausalLM.from_config(config, dtype=torch.float32)
    ids = torch.randint(0, 64, (1, sum(SIZES)))
    alone = [model(own).logits for own in ids.split(SIZES, 1)]
    wanted = _gradients(model, torch.cat(alone, 1))
    CALLS.clear()
    sequences = OwnSequences(model, on_gpu=True)
    sequences.begin(Layout(0, SIZES, (0, 1, 2), ()))
    packed = model(ids).logits
    torch.testing.assert_close(packed, torch.cat(alone, 1))
    torch.testing.assert_close(_gradients(model, packed), wanted)
    assert len(CALLS) == 2 and CALLS[0] == CALLS[1]  # one for each layer
    print("calls:", CALLS[0])


def _gradients(model: torch.nn.Module, logits: torch.Tensor) -> list[torch.Tensor]:
    own = [parameter for parameter in model.parameters() if parameter.requires_grad]
    found = torch.autograd.grad(logits.square().sum(), own, allow_unused=True, retain_graph=True)
    return [gradient for gradient in found if gradient is not None]


if __name__ == "__main__":
    main()
