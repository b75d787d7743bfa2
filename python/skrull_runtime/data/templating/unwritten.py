"""What a row holds but none of its texts: a template need not write everything that it is given."""

from __future__ import annotations

from typing import Any

from ..samples.sample import ChatMessage, Sample


def unwritten(sample: Sample, texts: list[str], kind: str) -> tuple[str, ...]:
    """Keys of a conversation of which none of its texts has anything.

    Only the last reasoning is looked for: templates leave out reasoning before earlier questions. ``kind``: of the
    template; a declared one takes no arguments.
    """
    lost = []
    if (reasoning := _last_reasoning(sample.messages)) and not _written(reasoning, texts):
        lost.append("reasoning_content")
    if sample.tools and not any(_written(name, texts) for name in _names(sample.tools)):
        lost.append("tools")
    if sample.arguments and kind == "declared":
        lost.append("chat_template_kwargs")
    return tuple(lost)


def _last_reasoning(messages: list[ChatMessage]) -> str:
    for message in reversed(messages):
        if reasoning := message.get("reasoning_content"):
            return str(reasoning).strip()
    return ""


def _written(part: str, texts: list[str]) -> bool:
    return any(part in text for text in texts)


def _names(tools: list[Any]) -> list[str]:
    """Names of the tools that have one; a template that writes tools writes their names."""
    functions = [tool.get("function") for tool in tools if isinstance(tool, dict)]
    return [str(f["name"]) for f in functions if isinstance(f, dict) and f.get("name")]
