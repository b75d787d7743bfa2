"""The part of JSON Schema (draft 7) that our own documents need; an emitted run has no validator installed."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Sized
from typing import Any, NamedTuple

from .contract import document

Schema = dict[str, Any]
ANNOTATIONS = {"$schema", "$comment", "title", "description", "default", "definitions", "$defs"}
SHOWN = 40  # characters of a value that a message quotes


class Fault(NamedTuple):
    """What is wrong with a document."""

    place: str  # JSON pointer
    what: str  # a sentence that names the place


def problem_in(value: Any, name: str, definition: str | None = None) -> str | None:
    """What is first wrong with a parsed document under a schema of the contract, and where; None where nothing is."""
    fault = fault_in(value, name, definition)
    return None if fault is None else fault.what


def fault_in(value: Any, name: str, definition: str | None = None) -> Fault | None:
    """The first fault under a schema of the contract, or under a definition of it."""
    root = document(name)
    schema = root if definition is None else root["definitions"][definition]
    return _problem(value, schema, "", root)


def _pointer(place: str, key: str) -> str:
    return f"{place}/{key.replace('~', '~0').replace('/', '~1')}"


def _problem(value: Any, schema: Schema | bool, place: str, root: Schema) -> Fault | None:
    if isinstance(schema, bool):
        return None if schema else Fault(place, f"{place or 'the document'} is not known")
    for keyword, wanted in schema.items():
        if keyword in ANNOTATIONS:
            continue
        found = CHECKS[keyword](value, wanted, place, schema, root)
        if found is not None:
            return found
    return None


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


TYPES: dict[str, Callable[[Any], bool]] = {
    "object": lambda value: isinstance(value, dict),
    "array": lambda value: isinstance(value, list),
    "string": lambda value: isinstance(value, str),
    "boolean": lambda value: isinstance(value, bool),
    "null": lambda value: value is None,
    "integer": lambda value: _is_number(value) and (isinstance(value, int) or value.is_integer()),
    # A number that is not finite is none in JSON; Python reads 1e999 as one.
    "number": lambda value: _is_number(value) and (isinstance(value, int) or math.isfinite(value)),
}


def shown(value: Any) -> str:
    """A value of hostile data, quoted and short."""
    if isinstance(value, dict | list):
        return "an object" if isinstance(value, dict) else "a list"
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) >= 10**SHOWN:
        return "a number of more than 40 digits"
    text = json.dumps(value[: SHOWN + 1] if isinstance(value, str) else value)
    return f"{text[:SHOWN]}..." if len(text) > SHOWN else text


def _says(place: str, value: Any, what: str) -> Fault:
    return Fault(place, f"{place or 'the document'} is {shown(value)}, {what}")


def _type(value: Any, wanted: Any, place: str, _schema: Schema, _root: Schema) -> Fault | None:
    names = [wanted] if isinstance(wanted, str) else wanted
    if any(TYPES[name](value) for name in names):
        return None
    return _says(place, value, f"not of type {' or '.join(names)}")


def _const(value: Any, wanted: Any, place: str, _schema: Schema, _root: Schema) -> Fault | None:
    return _enum(value, [wanted], place, _schema, _root)


def _enum(value: Any, wanted: Any, place: str, _schema: Schema, _root: Schema) -> Fault | None:
    if any(value == one and isinstance(value, bool) == isinstance(one, bool) for one in wanted):
        return None
    return _says(place, value, f"not {' or '.join(map(shown, wanted))}")


def _bound(holds: Callable[[Any, Any], bool], words: str) -> Callable[..., Fault | None]:
    def check(value: Any, wanted: Any, place: str, _schema: Schema, _root: Schema) -> Fault | None:
        if not _is_number(value) or holds(value, wanted):
            return None
        return _says(place, value, f"not {words} {wanted}")

    return check


def _size(
    kind: type[Sized], holds: Callable[[Any, Any], bool], words: str
) -> Callable[..., Fault | None]:
    def check(value: Any, wanted: Any, place: str, _schema: Schema, _root: Schema) -> Fault | None:
        if not isinstance(value, kind) or holds(len(value), wanted):
            return None
        what = f"{place or 'the document'} has {len(value)}, not {words} {wanted}"
        return Fault(place, what)

    return check


def _pattern(value: Any, wanted: Any, place: str, _schema: Schema, _root: Schema) -> Fault | None:
    if not isinstance(value, str) or re.search(wanted.replace("$", r"\Z"), value):
        return None
    return _says(place, value, f"not of the form {wanted}")


def _required(value: Any, wanted: Any, place: str, _schema: Schema, _root: Schema) -> Fault | None:
    missing = [name for name in wanted if isinstance(value, dict) and name not in value]
    return (
        Fault(_pointer(place, missing[0]), f"{place}/{missing[0]} is missing") if missing else None
    )


def _properties(value: Any, wanted: Any, place: str, _schema: Schema, root: Schema) -> Fault | None:
    if not isinstance(value, dict):
        return None
    problems = (
        _problem(value[name], own, f"{place}/{name}", root)
        for name, own in wanted.items()
        if name in value
    )
    return next((problem for problem in problems if problem), None)


def _others(value: Any, wanted: Any, place: str, schema: Schema, root: Schema) -> Fault | None:
    if not isinstance(value, dict):
        return None
    others = [name for name in value if name not in schema.get("properties", {})]
    if wanted is False and others:
        what = f"{place or 'the document'} has a key that is not known: {shown(others[0])}"
        return Fault(_pointer(place, others[0]), what)
    problems = (_problem(value[name], wanted, _shown_pointer(place, name), root) for name in others)
    return next((problem for problem in problems if problem), None)


def _shown_pointer(place: str, name: str) -> str:
    """Keys are hostile where any is allowed: only short and plain ones are shown as they are."""
    plain = name.isascii() and name.isalnum() and len(name) <= SHOWN
    return f"{place}/{name if plain else shown(name)}"


def _names(value: Any, wanted: Any, place: str, _schema: Schema, root: Schema) -> Fault | None:
    if not isinstance(value, dict):
        return None
    wrong = (name for name in value if _problem(name, wanted, place, root))
    name = next(wrong, None)
    if name is None:
        return None
    what = (
        f"{place or 'the document'} has the key {shown(name)}, not of the form {wanted['pattern']}"
    )
    return Fault(_pointer(place, name), what)


def _items(value: Any, wanted: Any, place: str, _schema: Schema, root: Schema) -> Fault | None:
    if not isinstance(value, list) or _are_integers(value, _resolved(wanted, root)):
        return None
    problems = (_problem(item, wanted, f"{place}/{n}", root) for n, item in enumerate(value))
    return next((problem for problem in problems if problem), None)


def _are_integers(values: list[Any], schema: Any) -> bool:
    """At once: a column may hold millions."""
    if schema.get("type") != "integer" or set(map(type, values)) != {int}:
        return False
    low, high = schema.get("minimum", -math.inf), schema.get("maximum", math.inf)
    known = INTEGER_KEYWORDS | ANNOTATIONS
    return low <= min(values) and max(values) <= high and set(schema) <= known


INTEGER_KEYWORDS = {"type", "minimum", "maximum"}


def _any_of(value: Any, wanted: Any, place: str, _schema: Schema, root: Schema) -> Fault | None:
    """Where no alternative holds: the faults of those that come closest, by how deep they lie."""
    faults = []
    for one in wanted:
        fault = _problem(value, one, place, root)
        if fault is None:
            return None
        faults.append(fault)
    deepest = max(fault.place.count("/") for fault in faults)
    nearest = [fault for fault in faults if fault.place.count("/") == deepest]
    return Fault(nearest[0].place, " and ".join(fault.what for fault in nearest))


def _reference(value: Any, wanted: Any, place: str, _schema: Schema, root: Schema) -> Fault | None:
    return _problem(value, _resolved({"$ref": wanted}, root), place, root)


def _resolved(schema: Any, root: Schema) -> Any:
    """What a reference stands for; another schema as it is."""
    if "$ref" not in schema:
        return schema
    target: Any = root
    for name in schema["$ref"].removeprefix("#/").split("/"):
        target = target[name]
    return target


CHECKS: dict[str, Callable[..., Fault | None]] = {
    "type": _type,
    "const": _const,
    "enum": _enum,
    "minimum": _bound(lambda value, low: value >= low, "at least"),
    "maximum": _bound(lambda value, high: value <= high, "at most"),
    "exclusiveMinimum": _bound(lambda value, low: value > low, "over"),
    "exclusiveMaximum": _bound(lambda value, high: value < high, "under"),
    "minLength": _size(str, lambda size, low: size >= low, "at least"),
    "maxLength": _size(str, lambda size, high: size <= high, "at most"),
    "minItems": _size(list, lambda size, low: size >= low, "at least"),
    "maxItems": _size(list, lambda size, high: size <= high, "at most"),
    "minProperties": _size(dict, lambda size, low: size >= low, "at least"),
    "pattern": _pattern,
    "required": _required,
    "properties": _properties,
    "propertyNames": _names,
    "additionalProperties": _others,
    "items": _items,
    "anyOf": _any_of,
    "$ref": _reference,
}
