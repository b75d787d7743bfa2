"""Declared templates as pieces: what the engine is held to, one way of many to work it out."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

TRAINED_ROLE = "assistant"
WHITE_SPACE = " \t\n\r\f\v"


class Segment(NamedTuple):
    """A piece of a sample. Of a trained piece the loss counts what follows the header, which is a part of its text."""

    text: str
    header: str
    trained: bool


def render_conversation(
    messages: Iterable[dict[str, str]], template: dict[str, Any]
) -> list[Segment]:
    """The pieces of a conversation. Raises KeyError for a role that the template does not know."""
    roles = template["roles"]
    segments = _fixed(template["begin"])
    waiting = ""  # contents that go in front of the next message's
    for message in messages:
        role, content = message["role"], message["content"]
        own = roles[role] if role in roles else roles["*"]
        if "into" in own:
            waiting += content + own["separator"]
            continue
        segments += _message(role, content, waiting, own)
        waiting = ""
    return segments


def _message(role: str, content: str, before: str, own: dict[str, Any]) -> list[Segment]:
    trained = role == TRAINED_ROLE
    header = own["header"].replace("{role}", role)
    text = before + (content.strip(WHITE_SPACE) if own["trim"] else content)

    def named(texts: list[str]) -> list[str]:
        return [piece.replace("{role}", role) for piece in texts]

    return [
        *_fixed(named(own["before"])),
        *([Segment(header + text, header, trained)] if header + text else []),
        *_fixed(named(own["end"]), trained),
        *_fixed(named(own["after"])),
    ]


def _fixed(texts: list[str], trained: bool = False) -> list[Segment]:
    return [Segment(text, "", trained) for text in texts if text]
