"""The configurations that verdicts are made of: transformers' own defaults of a class, without dropout, and what a default lacks
that published configurations of the family have."""

from __future__ import annotations

from collections.abc import Iterator

from transformers import AutoConfig
from transformers.models.auto.configuration_auto import CONFIG_MAPPING_NAMES

from skrull_runtime.check_model.reading import causal_types
from skrull_runtime.shapes import JsonObject

CONV = ["conv", "conv", "full_attention", "conv", "full_attention", "conv"]
YARN = {
    "rope_type": "yarn",
    "rope_theta": 10000.0,
    "factor": 4.0,
    "original_max_position_embeddings": 4096,
}
LLAMA3 = {
    "rope_type": "llama3", "rope_theta": 500000.0, "factor": 8.0, "low_freq_factor": 1.0,
    "high_freq_factor": 4.0, "original_max_position_embeddings": 8192,
}  # fmt: skip
LINEAR = {"rope_type": "linear", "rope_theta": 10000.0, "factor": 2.0}
DYNAMIC = {"rope_type": "dynamic", "rope_theta": 10000.0, "factor": 4.0}
LONGROPE = {
    "rope_type": "longrope", "rope_theta": 10000.0, "original_max_position_embeddings": 4096,
    "short_factor": [1.0 + k / 40 for k in range(48)], "long_factor": [1.5 + k / 4 for k in range(48)],
}  # fmt: skip
PLAIN = ("llama", "mistral", "mixtral", "qwen2", "qwen3", "qwen3_moe", "starcoder2")

# Further configurations of a type, each in place of the default's values.
MORE: dict[str, list[JsonObject]] = {
    **{kind: [{"rope_parameters": own} for own in (YARN, LLAMA3, LINEAR, DYNAMIC)] for kind in PLAIN},
    "phi3": [{"rope_parameters": LONGROPE, "max_position_embeddings": 131072, "original_max_position_embeddings": 4096, "sliding_window": 2047}],
    "gemma3_text": [{"rope_parameters": {
        "sliding_attention": {"rope_type": "default", "rope_theta": 10000.0},
        "full_attention": {"rope_type": "linear", "factor": 8.0, "rope_theta": 1000000.0},
    }}],
    "deepseek_v3": [{"rope_parameters": YARN | {"mscale": 1.0, "mscale_all_dim": 1.0}}],
}  # fmt: skip

# What a class leaves open and a model must have.
NEEDED: dict[str, JsonObject] = {
    "deepseek_v2": {"num_experts_per_tok": 6, "first_k_dense_replace": 1, "topk_group": 1, "n_group": 1},
    "dots1": {
        "n_routed_experts": 128, "n_shared_experts": 2, "num_experts_per_tok": 6, "first_k_dense_replace": 1,
    },
    "hunyuan_v1_dense": {"head_dim": 128},
    "hunyuan_v1_moe": {"head_dim": 128},
    "lfm2": {"layer_types": CONV, "num_hidden_layers": 6},
    "lfm2_moe": {"layer_types": CONV, "num_hidden_layers": 6},
    "granitemoehybrid": {"layer_types": ["mamba", "attention"] * 16},
    "ministral": {"head_dim": 128},
    "nemotron": {"num_key_value_heads": 8},
    "stablelm": {"num_key_value_heads": 8},
    "granite": {"logits_scaling": 8.0, "embedding_multiplier": 12.0, "residual_multiplier": 0.22},
    "granitemoe": {"logits_scaling": 6.0, "embedding_multiplier": 12.0, "residual_multiplier": 0.22},
    "minimax": {"head_dim": 128},
    "glm4_moe": {"n_group": 1, "topk_group": 1},
    "mistral": {"sliding_window": None},
    "qwen2": {"num_key_value_heads": 4},
    "llama": {"num_key_value_heads": 8},
    "olmo3": {"num_key_value_heads": 8},
}  # fmt: skip


def configurations(kind: str) -> Iterator[JsonObject]:
    """Those of a type, the default first."""
    default = without_dropout(AutoConfig.for_model(kind).to_dict()) | NEEDED.get(kind, {})
    yield default
    for own in MORE.get(kind, ()):
        yield default | own


def every_type() -> list[str]:
    """Causal language models, and models with a text decoder of such a type."""
    return sorted({*causal_types(), *(kind for kind in CONFIG_MAPPING_NAMES if _has_decoder(kind))})


def _has_decoder(kind: str) -> bool:
    try:
        config = AutoConfig.for_model(kind)
        text = config.get_text_config(decoder=True)
    except Exception:  # a configuration class may not be makeable from nothing
        return False
    generates = "text" in text.model_type or text.model_type in causal_types()
    return text.model_type != kind and generates and not config.is_encoder_decoder


def without_dropout(config: JsonObject) -> JsonObject:
    """The same configuration with every rate of dropout 0."""
    return {
        name: without_dropout(own) if isinstance(own, dict) else _no_rate(name, own)
        for name, own in config.items()
    }


def _no_rate(name: str, value: object) -> object:
    rate = isinstance(value, float) and (
        "dropout" in name or name.endswith(("pdrop", "layerdrop", "_drop"))
    )
    return 0.0 if rate else value
