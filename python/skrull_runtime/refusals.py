"""Configurations that would train wrongly, or not at all: ``contract/refusals.json``, which the compiler reads too
(``src/catalogue/refusals.ts``)."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Literal, TypedDict

from .contract import document
from .errors import UserError
from .shapes import JsonObject

SHOWN = 40  # characters of a value that a message quotes


class Condition(TypedDict, total=False):
    """Which values of a key are not refused; ``key`` is always there."""

    key: str  # names separated by dots
    allow: list[Any] | Literal["families"]
    each: list[Any]  # allowed items of a list
    object: bool  # any object
    required: bool
    detail: str  # key of a refused object that says what it is


class RefusalEntry(TypedDict, total=False):
    """A refusal as the contract has it; all but ``final`` are always there."""

    id: str
    when: list[Condition]
    reason: str
    help: str
    final: bool  # later refusals are not looked at


class Refusals(TypedDict):
    """``contract/refusals.json``."""

    families: list[str]
    refusals: list[RefusalEntry]


@dataclass(frozen=True)
class Refusal:
    """Why a configuration is refused, and what to do."""

    id: str
    problem: str
    help: str


def _refusals() -> Refusals:
    known: Refusals = document("refusals.json")
    return known


def model_types() -> list[str]:
    """Families whose decoder layers hold one MLP called ``mlp`` and call the registered attention."""
    return _refusals()["families"]


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
    for entry in _refusals()["refusals"]:
        offending = [text for condition in entry["when"] for text in _offence(condition, config)]
        if not offending:
            continue
        problem = f"{', '.join(offending)} cannot be trained: {entry['reason']}"
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
    return not _is_among(value, model_types() if allowed == "families" else allowed), value


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
