"""The text decoder of a configuration, as transformers reads it."""

from __future__ import annotations

from transformers import AutoConfig, PretrainedConfig

from ...shapes import JsonObject
from .floats import with_floats

# Text decoders that transformers has in a model with pictures only, and the causal language models that compute the same for
# text: its rotary embeddings for height and width (M-RoPE) then have the same position three times.
TWINS = {
    "qwen2_vl_text": "qwen2",
    "qwen2_5_vl_text": "qwen2",
    "qwen3_vl_text": "qwen3",
}
# Settings of M-RoPE, and the older name of rope_type, which would say `mrope`.
OF_PICTURES = ("mrope_section", "mrope_interleaved", "type")


def decoder_of(config: JsonObject) -> tuple[PretrainedConfig, PretrainedConfig]:
    """The text decoder of a parsed ``config.json``, and the whole model's configuration, which may be the same one. Code that
    comes with a model (``auto_map``) is ignored. Raises what transformers raises."""
    stated = {name: own for name, own in with_floats(config).items() if name != "auto_map"}
    whole: PretrainedConfig = AutoConfig.for_model(stated.pop("model_type"), **stated)
    text: PretrainedConfig = whole.get_text_config(decoder=True)
    twin = TWINS.get(text.model_type)
    return text if twin is None else _as(twin, text, whole), whole


def _as(twin: str, text: PretrainedConfig, whole: PretrainedConfig) -> PretrainedConfig:
    values = {
        name: own
        for name, own in text.to_dict().items()
        if name not in ("model_type", "architectures")
    }
    rope = {
        name: own for name, own in values.pop("rope_parameters").items() if name not in OF_PICTURES
    }
    if rope.get("rope_type") == "mrope":
        rope["rope_type"] = "default"
    # The whole model says whether its head is its embeddings.
    values["tie_word_embeddings"] = bool(getattr(whole, "tie_word_embeddings", False))
    return AutoConfig.for_model(twin, **values, rope_parameters=rope)
