"""Numbers of a configuration as transformers wants them. JSON has one kind of number, and a program that writes ``7.0`` may
write ``7``; configuration classes of transformers refuse that where they state a float. JSON has no infinity either:
transformers writes it as ``{"__float__": "Infinity"}``, and reads it back in ``from_pretrained`` alone."""

from __future__ import annotations

from dataclasses import fields, is_dataclass
from typing import Any

from transformers.models.auto.configuration_auto import CONFIG_MAPPING

from ...shapes import JsonObject

TAG = "__float__"
TAGGED = ("Infinity", "-Infinity", "NaN")


def with_floats(config: JsonObject) -> JsonObject:
    """The configuration, with floats where its class states them; parts that have classes of their own alike."""
    kind = config.get("model_type")
    known = isinstance(kind, str) and kind in CONFIG_MAPPING
    stated = _floats(CONFIG_MAPPING[str(kind)]) if known else frozenset()
    return {name: _as_stated(own, name in stated) for name, own in config.items()}


def _as_stated(value: Any, wants_float: bool) -> Any:
    if isinstance(value, dict):
        return with_floats(value) if "model_type" in value else _untagged(value)
    if isinstance(value, list):
        return [_as_stated(own, False) for own in value]
    if wants_float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    return value


def _untagged(value: JsonObject) -> Any:
    if list(value) == [TAG] and value[TAG] in TAGGED:
        return float(value[TAG])
    return {name: _as_stated(own, False) for name, own in value.items()}


def _floats(kind: type) -> frozenset[str]:
    """Names of the fields of a configuration class that are floats and not also whole numbers."""
    if not is_dataclass(kind):
        return frozenset()
    words = {own.name: str(own.type).replace("|", " ").split() for own in fields(kind)}
    return frozenset(
        name
        for name, own in words.items()
        if any("float" in word for word in own) and not any("int" in word for word in own)
    )
