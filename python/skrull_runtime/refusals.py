"""Configurations that would train wrongly, or not at all: ``contract/refusals.json``, which the compiler reads too
(``src/catalogue/refusals.ts``)."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from .contract import document
from .errors import UserError

SHOWN = 40  # characters of a value that a message quotes


@dataclass(frozen=True)
class Refusal:
    """Why a configuration is refused, and what to do."""

    id: str
    problem: str
    help: str


def model_types() -> list[str]:
    """Families whose decoder layers hold one MLP called ``mlp`` and call the registered attention."""
    return document("refusals.json")["families"]


def refuse_unsupported(config: Any) -> None:
    """Raises UserError with the reasons for what would train wrongly. ``config``: a parsed ``config.json``."""
    if not isinstance(config, dict):
        raise UserError("config.json: is not a JSON object; compile again")
    found = refusals_of(config)
    if found:
        said = "\n".join(f"config.json: {refusal.problem}. {refusal.help}" for refusal in found)
        raise UserError(said)


def refusals_of(config: dict[str, Any]) -> list[Refusal]:
    """Every refusal that a configuration meets; the compiler gives the same ones."""
    found = []
    families = ", ".join(model_types())
    for entry in document("refusals.json")["refusals"]:
        offending = [text for condition in entry["when"] for text in _offence(condition, config)]
        if not offending:
            continue
        problem = f"{', '.join(offending)} cannot be trained: {entry['reason']}"
        found.append(Refusal(entry["id"], problem, entry["help"].replace("{families}", families)))
        if entry.get("final"):
            break
    return found


def _offence(condition: dict[str, Any], config: dict[str, Any]) -> list[str]:
    """The key with its value, where that is refused."""
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


def _value_at(config: dict[str, Any], key: str) -> Any:
    value: Any = config
    for name in key.split("."):
        value = value.get(name) if isinstance(value, dict) else None
    return value


def _refused_part(condition: dict[str, Any], value: Any) -> tuple[bool, Any]:
    """Whether the value is not allowed, and the value or the item of it that is not."""
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


def _named(condition: dict[str, Any], value: dict[str, Any]) -> str:
    kind = value.get(condition.get("detail"))
    key = condition["key"]
    return f"{key} ({_shown(kind)})" if isinstance(kind, str) else key


def _shown(value: Any) -> str:
    if isinstance(value, dict | list):
        return "{...}" if isinstance(value, dict) else "[...]"
    text = json.dumps(int(value) if isinstance(value, float) and value.is_integer() else value)
    return f"{text[:SHOWN]}..." if len(text) > SHOWN else text
