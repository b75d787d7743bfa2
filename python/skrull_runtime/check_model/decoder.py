"""The text decoder of a configuration, as transformers reads it."""

from __future__ import annotations

from transformers import PretrainedConfig

from ..errors import UserError
from ..model.families.decoders import decoder_of
from ..shapes import JsonObject
from .ranks import in_a_line
from .reading import causal_types


def text_config(config: JsonObject) -> tuple[PretrainedConfig, tuple[str, ...]]:
    """The configuration of a model's text decoder, by transformers, and notes about how it was found.

    Raises UserError where transformers cannot read it.
    """
    try:
        text, whole = decoder_of(config)
    except Exception as error:
        raise UserError(
            f"transformers cannot read its configuration ({in_a_line(error)})"
        ) from error
    if text.model_type not in causal_types():
        raise UserError(
            f"its text decoder ({text.model_type}) is no causal language model of its own in transformers"
        )
    if text.model_type == whole.model_type:
        return whole, ()
    return text, (f"the text decoder of {whole.model_type} is what trains, as a {text.model_type}",)
