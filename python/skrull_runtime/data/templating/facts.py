"""What a plan keeps about a template: which one it is, its hash, whether it reads the date, and what ends an answer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypedDict

from ..samples.sample import ChatMessage, RowProblem, Sample
from .choice import Template

_USER: ChatMessage = {"role": "user", "content": "question"}
_CALL = {
    "id": "abcdefghi",  # nine letters and digits: Mistral's template accepts no others
    "type": "function",
    "function": {"name": "look", "arguments": {"at": "this"}},
}
_TOOL = {
    "type": "function",
    "function": {
        "name": "look",
        "description": "Looks.",
        "parameters": {"type": "object", "properties": {"at": {"type": "string"}}},
    },
}
# An answer, and a call of a tool: some templates end them differently.
PROBES = (
    Sample("conversation", [_USER, {"role": "assistant", "content": "answer"}], [None, None]),
    Sample(
        "conversation",
        [_USER, {"role": "assistant", "content": "", "tool_calls": [_CALL]}],
        [None, None],
        [_TOOL],
    ),
)


class TemplateFacts(TypedDict):
    """What a plan keeps about a template."""

    template: str  # "own", "jinja" or "declared"
    sha256: str
    reads_date: bool
    ends: list[str]  # texts that end an answer as trained


def facts(template: Template, newline: bool, ends: Sequence[str]) -> TemplateFacts:
    """The facts about a template. ``ends``: texts of the tokenizer's added tokens."""
    found: list[str] = []
    for probe in PROBES:
        try:
            drafts = template.drafts(probe, newline)
        except RowProblem:
            continue  # the template has no place for such a turn
        for draft in drafts:
            for answer in draft.answers:
                end = end_of(draft.text[answer.start : answer.end], ends)
                if end and end not in found:
                    found.append(end)
    return {
        "template": template.kind,
        "sha256": template.sha256,
        "reads_date": template.reads_date,
        "ends": found,
    }


def end_of(answer: str, ends: Sequence[str]) -> str:
    """The text of the token that an answer ends with; empty where there is none."""
    bare = answer.rstrip()
    return max((end for end in ends if end.strip() and bare.endswith(end)), key=len, default="")
