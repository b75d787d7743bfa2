"""What a model does, in the words by which verdicts are kept: from its configuration and from what it asked of attention."""

from __future__ import annotations

from collections.abc import Sequence

from torch import nn
from transformers import PretrainedConfig, PreTrainedModel

from ..model.families.logits import Logits
from ..shapes import JsonObject
from .observing import Asked

FUSED = ("qkv_proj", "query_key_value", "gate_up_proj", "qkv", "c_attn", "Wqkv")
EMBEDDING_SCALES = ("embedding_multiplier", "scale_embedding", "embedding_scale", "scale_emb")


def traits_of(
    config: PretrainedConfig, model: PreTrainedModel, calls: Sequence[Asked]
) -> JsonObject:
    """Of a model and the calls of its attention in one forward or more."""
    logits = Logits.of(model.config)
    windows = {own.window for own in calls}
    rope = _rope(config)
    return {
        "layers": sorted(set(_layer_kinds(config))),
        "windows": "none" if windows <= {None} else "some" if None in windows else "all",
        "softcap": any(own.softcap for own in calls),
        "sinks": any(own.sinks for own in calls),
        "scaling": "usual" if all(abs(own.scaling - 1) < 1e-4 for own in calls) else "own",
        "grouped": any(own.heads != own.key_heads for own in calls),
        "value_width": "own" if any(own.width != own.value_width for own in calls) else "of keys",
        "rope": sorted({own["kind"] for own in rope}),
        "rope_bases": len({own["base"] for own in rope}) if rope else 0,
        "partial_rotary": any(own["part"] not in (None, 1.0) for own in rope),
        "fused": sorted(_fused(model)),
        "experts": _has_experts(model),
        "tied": bool(getattr(config, "tie_word_embeddings", False)),
        "logits_scaled": logits.scale != 1.0,
        "logits_softcap": bool(logits.softcap),
        "embedding_scaled": any(
            getattr(config, name, None) not in (None, False, 1, 1.0) for name in EMBEDDING_SCALES
        ),
    }


def _layer_kinds(config: PretrainedConfig) -> list[str]:
    kinds = getattr(config, "layer_types", None)
    return [str(own) for own in kinds] if isinstance(kinds, list) else []


def _rope(config: PretrainedConfig) -> list[JsonObject]:
    """Kind, base and rotated part of every rotary embedding that a configuration states."""
    stated = getattr(config, "rope_parameters", None)
    if not isinstance(stated, dict) or not stated:
        return []
    nested = [own for own in stated.values() if isinstance(own, dict)]
    part = getattr(config, "partial_rotary_factor", None)
    return [
        {
            "kind": str(own.get("rope_type", "default")),
            "base": own.get("rope_theta"),
            "part": own.get("partial_rotary_factor", part),
        }
        for own in nested or [stated]
    ]


def _fused(model: nn.Module) -> set[str]:
    last = {name.rpartition(".")[2] for name, _ in model.named_modules()}
    return last & set(FUSED)


def _has_experts(model: nn.Module) -> bool:
    return any(name.endswith("experts") for name, _ in model.named_modules())
