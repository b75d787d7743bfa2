"""The chat template that a tokenizer's folder holds, found where transformers finds it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ...errors import UserError
from ...shapes import JsonObject

DEFAULT, TOOLS = "default", "tool_use"
FILE, MORE = "chat_template.jinja", "additional_chat_templates"


def own_templates(folder: str, config: JsonObject) -> tuple[str | None, str | None]:
    """The template of conversations, and of those with tools. Raises UserError where a file cannot be read.

    ``chat_template.jinja`` and ``additional_chat_templates/NAME.jinja`` take precedence over the configuration.
    """
    named = _files(Path(folder)) or _configured(config.get("chat_template"))
    default = named.get(DEFAULT)
    return default, named.get(TOOLS, default)


def _files(folder: Path) -> dict[str, str]:
    files = {DEFAULT: folder / FILE}
    more = folder / MORE
    if more.is_dir():
        files |= {file.stem: file for file in sorted(more.glob("*.jinja"))}
    return {name: _text(file) for name, file in files.items() if file.is_file()}


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"{file}: cannot be read ({error})") from error


def _configured(value: Any) -> dict[str, str]:
    if isinstance(value, str):
        return {DEFAULT: value}
    entries = value if isinstance(value, list) else []
    return {
        entry["name"]: entry["template"]
        for entry in entries
        if isinstance(entry, dict)
        and isinstance(entry.get("name"), str)
        and isinstance(entry.get("template"), str)
    }
