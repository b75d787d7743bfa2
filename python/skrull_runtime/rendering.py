"""Rows of data to the pieces that are tokenised: the same as the compiler's ``src/lengths/{format,render}.ts``.

What a run does comes with it as data (its ``rendering``): the layout of a row, and a template that says, for every
role, what stands around a message's content. The compiler has looked at every row, so the rows here are well formed.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any, NamedTuple

from .errors import UserError

CHATML: dict[str, Any] = {
    "begin": [],
    "roles": {
        "*": {
            "before": ["<|im_start|>"],
            "header": "{role}\n",
            "trim": False,
            "end": ["<|im_end|>"],
            "after": ["\n"],
        }
    },
}
CHATML_MESSAGES: dict[str, Any] = {
    "format": {"type": "messages", "messages": "messages", "role": "role", "content": "content"},
    "template": CHATML,
    "begin": "",
    "end": "",
}

SHAREGPT_ROLES = {"human": "user", "gpt": "assistant"}
ALPACA_SEPARATOR = "\n"  # between an instruction and its input
TRAINED_ROLE = "assistant"
WHITE_SPACE = " \t\n\r\f\v"  # languages differ in what they call so


class Segment(NamedTuple):
    """A piece of a sample, tokenised by itself. Of a trained piece the loss counts what follows the header, which is a
    part of its text."""

    text: str
    header: str
    trained: bool


def read_row(line: bytes | str) -> dict[str, Any]:
    """A line of JSONL. Raises UserError where it cannot be read, and no other error: a worker could not pass it on."""
    try:
        # Python refuses whole numbers of thousands of digits; nothing here looks at numbers.
        row = json.loads(line, parse_int=float)
    except (ValueError, RecursionError) as error:
        raise UserError(f"is not JSON that can be read ({error})") from None
    if not isinstance(row, dict):
        raise UserError("is not a JSON object")
    return row


def render(row: dict[str, Any], rendering: dict[str, Any]) -> list[Segment]:
    """The pieces of a sample. Raises UserError where a row has none: it was not compiled with this run."""
    layout = rendering["format"]
    try:
        if layout["type"] in ("prompt-completion", "text"):
            return _text(row, layout, rendering)
        return render_conversation(_messages(row, layout), rendering["template"])
    except (KeyError, TypeError) as error:
        raise UserError(f"is not a row of format {layout['type']} ({error!r})") from error


def _text(row: dict[str, Any], layout: dict[str, str], rendering: dict[str, Any]) -> list[Segment]:
    if layout["type"] == "text":
        prompt, completion = "", row[layout["text"]]
    else:
        prompt, completion = row[layout["prompt"]], row[layout["completion"]]
    body = Segment(prompt + completion, prompt, True)
    return [*_fixed([rendering["begin"]]), body, *_fixed([rendering["end"]], True)]


def _messages(row: dict[str, Any], layout: dict[str, str]) -> list[dict[str, str]]:
    """Messages of ``role`` and ``content``."""
    kind = layout["type"]
    if kind == "alpaca":
        return _alpaca(row, layout)
    if kind == "sharegpt":
        names = (layout["conversations"], layout["from"], layout["value"])
    else:
        names = (layout["messages"], layout["role"], layout["content"])
    roles = SHAREGPT_ROLES if kind == "sharegpt" else {}
    messages, role, content = names
    return [
        {"role": roles.get(entry[role], entry[role]), "content": entry[content]}
        for entry in row[messages]
    ]


def _alpaca(row: dict[str, Any], layout: dict[str, str]) -> list[dict[str, str]]:
    asked = row[layout["instruction"]]
    if more := row.get(layout["input"]):
        asked = f"{asked}{ALPACA_SEPARATOR}{more}"
    system = row.get(layout["system"])
    return [
        *([{"role": "system", "content": system}] if system else []),
        {"role": "user", "content": asked},
        {"role": TRAINED_ROLE, "content": row[layout["output"]]},
    ]


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
