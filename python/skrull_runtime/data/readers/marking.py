"""Values of tables whose type says that they are JSON: ``datasets`` writes columns of mixed objects this way."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .row import JsonText

EXTENSION, KEY = "arrow.json", b"ARROW:extension:name"
Marker = Callable[[Any], Any]  # from a field's value to the same with its JSON marked


def json_marker(field: Any) -> Marker | None:
    """A function that marks the JSON within a value of an Arrow field as ``JsonText``; None where there is no JSON."""
    kind = field.type
    if getattr(kind, "extension_name", None) == EXTENSION or _named(field) == EXTENSION:
        return lambda value: JsonText(value) if isinstance(value, str) else value
    if hasattr(kind, "value_field"):
        return _of_list(json_marker(kind.value_field))
    if hasattr(kind, "names") and hasattr(kind, "field"):
        within = {name: json_marker(kind.field(name)) for name in set(kind.names)}
        return _of_struct({name: mark for name, mark in within.items() if mark is not None})
    return None


def _named(field: Any) -> str | None:
    """The extension's name where pyarrow does not know the extension."""
    metadata: dict[bytes, bytes] = field.metadata or {}
    name = metadata.get(KEY)
    return None if name is None else name.decode("utf-8", "replace")


def _of_list(mark: Marker | None) -> Marker | None:
    if mark is None:
        return None
    return lambda value: [mark(item) for item in value] if isinstance(value, list) else value


def _of_struct(marks: dict[str, Marker]) -> Marker | None:
    if not marks:
        return None

    def marked(value: Any) -> Any:
        if not isinstance(value, dict):
            return value
        return {k: marks[k](child) if k in marks else child for k, child in value.items()}

    return marked
