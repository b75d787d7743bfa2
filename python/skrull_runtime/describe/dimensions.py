"""The dimensions of a model, found in the model itself: parameters by what they are for, heads, widths, windows and experts.

transformers makes it without memory, on PyTorch's meta device, so that no family's names of keys need be known.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from ..errors import UserError
from ..shapes import JsonObject

if TYPE_CHECKING:
    from torch import nn

FORMAT_VERSION = 1
NORMS = ("norm", "ln_")  # in the names of modules
MIXERS = ("attn", "attention", "mamba", "mixer", "conv")
GATES = ("gate", "router")


def describe(config: JsonObject) -> JsonObject:
    """The dimensions of a configuration's text decoder (``shape`` has the keys of the compiler's ``TransformerShape``).

    Raises UserError where transformers makes no causal language model of it.
    """
    import torch
    import transformers

    from ..check_model.decoder import text_config
    from ..check_model.ranks import in_a_line
    from ..model.families.router import RouterLoss

    transformers.utils.logging.set_verbosity_error()
    text, notes = text_config(config)
    try:
        with torch.device("meta"):
            model = transformers.AutoModelForCausalLM.from_config(text)
    except Exception as error:
        raise UserError(f"transformers cannot make its model ({in_a_line(error)})") from error
    return {
        "format_version": FORMAT_VERSION,
        "transformers": transformers.__version__,
        "model_type": text.model_type,
        "notes": list(notes),
        "max_positions": getattr(text, "max_position_embeddings", None),
        "rope": _rope_kinds(text),
        "router_loss": RouterLoss.of(model) is not None,
        "shape": shape_of(text, model),
        "matrices": _matrices_of(model),
    }


def _rope_kinds(text: Any) -> list[str]:
    stated = getattr(text, "rope_parameters", None) or {}
    nested = [own for own in stated.values() if isinstance(own, dict)]
    return sorted({str(own.get("rope_type", "default")) for own in nested or [stated]})


def shape_of(text: Any, model: nn.Module) -> JsonObject:
    """The dimensions that cost and memory depend on. Raises UserError where the model has no layers that recompute."""
    from ..model.adapters.matrices import layers_of
    from ..model.families.mixers import is_mixer

    layers = [layer for _, layer in layers_of(model)]
    hidden = int(text.hidden_size)
    heads = _count(text, "num_attention_heads", 1)
    width = _head_widths(text, hidden, heads)
    own_heads = _count(text, "num_key_value_heads", heads)
    experts = _experts(text, layers, hidden)
    dense = [layer for layer in layers if not _expert_tensors(layer)]
    mlp = max((_mlp_parameters(layer) for layer in dense), default=0)
    gated = any("gate" in name and "mlp" in name for name, _ in _matrices(layers[0])) or bool(
        experts
    )
    attention = sum(_mixer_parameters(layer) for layer in layers)
    mixing = sum(any(is_mixer(own) for own in layer.modules()) for layer in layers)
    usual = hidden * (2 * heads * width[0] + 2 * own_heads * width[0])
    return {
        "hidden_size": hidden,
        "layers": len(layers),
        "heads": heads,
        "kv_heads": own_heads,
        "head_dim": width[0],
        **({} if width[1] == width[0] else {"value_dim": width[1]}),
        "intermediate_size": mlp // (hidden * (3 if gated else 2))
        or _count(text, "intermediate_size", experts.get("width", 1)),
        "gated_mlp": gated,
        "layer_norm": any(type(own).__name__ == "LayerNorm" for own in model.modules()),
        "query_key_norm": any("q_norm" in name for name, _ in layers[0].named_modules()),
        "tied_embeddings": bool(getattr(text, "tie_word_embeddings", False)),
        "experts": experts or None,
        "sliding_window": _window(text, len(layers)),
        "vocab_size": int(text.vocab_size),
        "parameters": sum(own.numel() for own in model.parameters()),
        **({"mixer_layers": mixing} if mixing else {}),
        **(
            {}
            if attention == usual * len(layers)
            else {"attention_parameters": attention / len(layers)}
        ),
    }


def _matrices_of(model: nn.Module) -> list[JsonObject]:
    """Those that can have adapters, alike ones together."""
    from ..model.adapters.matrices import matrices_of

    found: dict[tuple[Any, ...], int] = {}
    for own in matrices_of(model):
        key = own.own_name, own.kind, own.inputs, own.outputs, own.stacked
        found[key] = found.get(key, 0) + 1
    return [
        {
            "name": name,
            "kind": kind,
            "inputs": inputs,
            "outputs": outputs,
            "count": count * (stacked or 1),
            **({"stacked": stacked} if stacked else {}),
        }
        for (name, kind, inputs, outputs, stacked), count in found.items()
    ]


def _matrices(layer: nn.Module) -> list[tuple[str, nn.Parameter]]:
    """Weights of a layer with two dimensions or, of experts, three; those of norms and convolutions left out."""
    return [
        (name, own)
        for name, own in layer.named_parameters()
        if own.dim() in (2, 3) and not any(part in name for part in (*NORMS, "conv"))
    ]


def _expert_tensors(layer: nn.Module) -> list[tuple[str, nn.Parameter]]:
    return [
        (name, own)
        for name, own in _matrices(layer)
        if ".experts." in name and own.dim() >= 2 and not name.endswith("bias")
    ]


def _is_mixer(name: str) -> bool:
    return any(part in name.split(".")[0] for part in MIXERS)


def _mixer_parameters(layer: nn.Module) -> int:
    return sum(own.numel() for name, own in _matrices(layer) if _is_mixer(name))


def _mlp_parameters(layer: nn.Module) -> int:
    """Of all MLPs, experts and their router left out."""
    return sum(
        own.numel()
        for name, own in _matrices(layer)
        if not _is_mixer(name) and ".experts." not in name and not _is_router(name)
    )


def _is_router(name: str) -> bool:
    """``mlp.gate.weight``, and not ``mlp.gate_proj.weight``."""
    return any(part in GATES for part in name.split("."))


def _experts(text: Any, layers: Sequence[nn.Module], hidden: int) -> JsonObject:
    """Empty where the model is dense."""
    sparse = [layer for layer in layers if _expert_tensors(layer)]
    if not sparse:
        return {}
    tensors = _expert_tensors(sparse[0])
    count = (
        tensors[0][1].shape[0]
        if tensors[0][1].dim() == 3
        else len({name.split(".experts.")[1].split(".")[0] for name, _ in tensors})
    )
    total = sum(own.numel() for _, own in tensors)
    shared = _mlp_parameters(sparse[0])
    found = {
        "layers": len(sparse),
        "count": count,
        "active": _first_count(text, "num_experts_per_tok", "moe_topk", "moe_k", "top_k_experts"),
        "width": total // (count * 3 * hidden),
    }
    return found | ({"shared": shared // (3 * hidden)} if shared else {})


def _window(text: Any, layers: int) -> JsonObject | None:
    kinds = getattr(text, "layer_types", None)
    tokens = getattr(text, "sliding_window", None)
    narrow = kinds.count("sliding_attention") if isinstance(kinds, list) else layers
    if not tokens or not narrow or getattr(text, "use_sliding_window", True) is False:
        return None
    return {"tokens": int(tokens), "layers": narrow}


def _head_widths(text: Any, hidden: int, heads: int) -> tuple[int, int]:
    """Of a key, and of a value."""
    rotated, plain = (
        getattr(text, name, None) or 0 for name in ("qk_rope_head_dim", "qk_nope_head_dim")
    )
    width = int(rotated + plain) or _count(text, "head_dim", hidden // heads)
    return width, _count(text, "v_head_dim", width)


def _count(text: Any, name: str, otherwise: int) -> int:
    value = getattr(text, name, None)
    return int(value) if isinstance(value, int) and value > 0 else int(otherwise)


def _first_count(text: Any, *names: str) -> int:
    """Raises UserError where the configuration has none of them."""
    for name in names:
        value = getattr(text, name, None)
        if isinstance(value, int) and value > 0:
            return value
    raise UserError(f"its configuration does not say how many experts a token has ({names[0]})")
