"""Configurations that would train wrongly, or not at all: ``contract/refusals.json``, which the compiler reads too
(``src/catalogue/refusals.ts``)."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Literal, TypedDict

from .contract import document
from .errors import UserError
from .shapes import JsonObject

NO_NAME = "it names no architecture"  # a configuration whose model_type is no text
SHOWN = 40  # characters of a value that a message quotes


class Kinds(TypedDict):
    """What a configuration states that a verdict depends on, ascending."""

    text: str  # model_type of the text decoder
    layers: list[str]
    rope: list[str]


class Condition(TypedDict, total=False):
    """Which values of a key are not refused; ``key`` is always there."""

    key: str  # names separated by dots
    allow: list[Any] | Literal["models"]
    each: list[Any]  # allowed items of a list
    object: bool  # any object
    required: bool
    detail: str  # key of a refused object that says what it is


class RefusalEntry(TypedDict, total=False):
    """A refusal as the contract has it; all but ``final`` and ``only`` are always there."""

    id: str
    when: list[Condition]
    reason: str
    help: str
    final: bool  # later refusals are not looked at
    only: Literal["families"]  # the model_types that it is about


class Refusals(TypedDict):
    """``contract/refusals.json``."""

    families: list[str]  # whose configurations are known key by key
    refusals: list[RefusalEntry]


class Taken(TypedDict):
    """A model_type that trains, in ``contract/models.json``."""

    kinds: list[Kinds]  # of the configurations that were tried
    traits: JsonObject


class Models(TypedDict):
    """``contract/models.json``: the verdicts of ``check_model`` on transformers' own configurations."""

    versions: dict[str, str]  # of the packages that they were made with
    taken: dict[str, Taken]
    refused: dict[str, str]  # reasons


@dataclass(frozen=True)
class Refusal:
    """Why a configuration is refused, and what to do."""

    id: str
    problem: str
    help: str


def _refusals() -> Refusals:
    known: Refusals = document("refusals.json")
    return known


def _models() -> Models:
    known: Models = document("models.json")
    return known


def model_types() -> list[str]:
    """Families whose configurations the compiler knows key by key."""
    return _refusals()["families"]


def is_tested(config: JsonObject, transformers_version: str) -> bool:
    """Whether a verdict is known of a configuration of these kinds, with this transformers. Families that the compiler knows
    are tested with every version."""
    kind = str(config.get("model_type"))
    taken = _models()["taken"].get(kind)
    made_with = _models()["versions"]["transformers"]
    same = transformers_version.split(".")[:2] == made_with.split(".")[:2]
    if taken is None or not (same or kind in model_types()):
        return False
    own = kinds_of(config)
    return any(
        own["text"] == tried["text"]
        and set(own["layers"]) <= set(tried["layers"])
        and set(own["rope"]) <= set(tried["rope"])
        for tried in taken["kinds"]
    )


def refuse_unsupported(config: Any) -> None:
    """Raises UserError with the reasons for what would train wrongly. ``config``: a parsed ``config.json``."""
    if not isinstance(config, dict):
        raise UserError("config.json: is not a JSON object; compile again")
    found = refusals_of(config)
    if found:
        said = "\n".join(f"config.json: {refusal.problem}. {refusal.help}" for refusal in found)
        raise UserError(said)


def refusals_of(config: JsonObject) -> list[Refusal]:
    """Every refusal that applies to a configuration (a parsed ``config.json``); the compiler gives the same ones."""
    found = []
    families = ", ".join(model_types())
    kind = config.get("model_type")
    for entry in _refusals()["refusals"]:
        if "only" in entry and kind not in model_types():
            continue
        offending = [text for condition in entry["when"] for text in _offence(condition, config)]
        if not offending:
            continue
        why = _models()["refused"].get(kind, NO_NAME) if isinstance(kind, str) else NO_NAME
        reason = entry["reason"].replace("{why}", why)
        problem = f"{', '.join(offending)} cannot be trained: {reason}"
        found.append(Refusal(entry["id"], problem, entry["help"].replace("{families}", families)))
        if entry.get("final"):
            break
    return found


def _offence(condition: Condition, config: JsonObject) -> list[str]:
    """The key with its value, if that is refused."""
    key = condition["key"]
    value = _value_at(config, key)
    if value is None:
        return [f"{key} (missing)"] if condition.get("required") else []
    refused, wrong = _refused_part(condition, value)
    if not refused:
        return []
    return [
        _named(condition, wrong) if isinstance(wrong, dict) else f"{key} = {_shown(wrong)}",
    ]


def _value_at(config: JsonObject, key: str) -> Any:
    value: Any = config
    for name in key.split("."):
        value = value.get(name) if isinstance(value, dict) else None
    return value


def _refused_part(condition: Condition, value: Any) -> tuple[bool, Any]:
    """Whether the value is refused, and the value or the item of it that is."""
    if condition.get("object"):
        return not isinstance(value, dict), value
    if "each" in condition:
        if not isinstance(value, list):
            return True, value
        wrong = [item for item in value if not _is_among(item, condition["each"])]
        return bool(wrong), wrong[0] if wrong else None
    allowed = condition["allow"]
    if allowed == "models":
        unnamed = not isinstance(value, str) or not value
        return unnamed or value in _models()["refused"], value
    return not _is_among(value, allowed), value


def _is_among(value: Any, allowed: list[Any]) -> bool:
    """As in JSON: ``true`` is not 1, but 1.0 is."""
    return any(
        value == other and isinstance(value, bool) == isinstance(other, bool) for other in allowed
    )


def _named(condition: Condition, value: JsonObject) -> str:
    kind = value.get(condition.get("detail", ""))
    key = condition["key"]
    return f"{key} ({_shown(kind)})" if isinstance(kind, str) else key


def _shown(value: Any) -> str:
    if isinstance(value, dict | list):
        return "{...}" if isinstance(value, dict) else "[...]"
    text = json.dumps(int(value) if isinstance(value, float) and value.is_integer() else value)
    return f"{text[:SHOWN]}..." if len(text) > SHOWN else text


def kinds_of(config: JsonObject) -> Kinds:
    """What a verdict on another configuration of the same family must have covered."""
    text = config.get("text_config")
    stated = text if isinstance(text, dict) else config
    layers = stated.get("layer_types")
    ropes = _rope_kinds(stated.get("rope_parameters")) | _rope_kinds(stated.get("rope_scaling"))
    return {
        "text": str(stated.get("model_type")),
        "layers": sorted({str(kind) for kind in layers} if isinstance(layers, list) else ()),
        "rope": sorted(ropes),
    }


def _rope_kinds(stated: Any) -> set[str]:
    if not isinstance(stated, dict):
        return set()
    nested = [own for own in stated.values() if isinstance(own, dict)]
    return {str(own.get("rope_type") or own.get("type") or "default") for own in nested or [stated]}
