"""Declared templates: for every role, what surrounds a message's content (``src/catalogue/template.ts``)."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any, Literal, TypedDict

from ..masking.draft import Answer, Draft
from ..samples.sample import ChatMessage, RowProblem, Sample

ASSISTANT = "assistant"
WHITE_SPACE = " \t\n\r\f\v"  # languages differ in what counts as white space
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
UNSAID = ("tool_calls", "function_call", "reasoning_content", "thinking", "reasoning")
Part = Literal["before", "header", "end", "after"]
HEAD: tuple[Part, Part] = ("before", "header")
TAIL: tuple[Part, Part] = ("end", "after")


class DeclaredRole(TypedDict):
    """What surrounds the messages of a role; lists are texts of special tokens."""

    before: list[str]
    header: str
    separator: str  # after a content that goes in front of the next message's
    end: list[str]
    after: list[str]
    trim: bool
    into: str | None  # the role whose next message takes the content


class Declared(TypedDict):
    """A declared template with every key."""

    begin: list[str]
    roles: dict[str, DeclaredRole]  # "*" for all others


def filled(declared: Mapping[str, Any], end: str | None) -> Declared:
    """A declared template with every key, and the end token's text filled in."""

    def fill(text: str) -> str:
        return text.replace("{end}", end or "")

    def fill_all(texts: list[str] | None) -> list[str]:
        return [fill(text) for text in texts or []]

    def role(own: Mapping[str, Any]) -> DeclaredRole:
        return {
            "before": fill_all(own.get("before")),
            "header": fill(own.get("header") or ""),
            "separator": fill(own.get("separator") or ""),
            "end": fill_all(own.get("end")),
            "after": fill_all(own.get("after")),
            "trim": bool(own.get("trim")),
            "into": own.get("into"),
        }

    return {
        "begin": [fill(text) for text in declared.get("begin") or []],
        "roles": {name: role(own) for name, own in declared["roles"].items()},
    }


def named(own: DeclaredRole, name: Part, role: str) -> str:
    """What a template puts at a place around the messages of a role."""
    value = own[name]
    text = value if isinstance(value, str) else "".join(value)
    return text.replace("{role}", role)


def asked_by(head: str) -> str:
    """The request for an answer: a blank at its end belongs to the answer, as tokenizers join it to the next word."""
    return head.rstrip(" ")


NO_PLACE = "which this template has no place for: choose the model's own, or one in Jinja"


class DeclaredTemplate:
    """``template`` as :func:`filled` returns it."""

    kind = "declared"
    trusted = True  # it is not a program
    reads_date = False

    def __init__(self, template: Declared):
        self.template = template
        canonical = json.dumps(template, sort_keys=True, ensure_ascii=False)
        self.sha256 = hashlib.sha256(canonical.encode(errors="replace")).hexdigest()

    def drafts(self, sample: Sample, newline: bool) -> list[Draft]:
        """The conversation's text and answers. Raises RowProblem for what the template has no place for.

        ``newline``: what follows an answer's end token belongs to the answer too.
        """
        if sample.tools:
            raise RowProblem(f"has tools, {NO_PLACE}")
        pieces = list(self.template["begin"])
        length = sum(map(len, pieces))
        answers: list[Answer] = []
        waiting = ""  # contents that go in front of the next message's content
        for number, message in enumerate(sample.messages):
            own = self._own(message, number)
            if own["into"] is not None:
                waiting += content_of(message, number) + own["separator"]
                continue
            head, body, end, after = _parts(own, message, number, waiting)
            waiting = ""
            if message["role"] == ASSISTANT:
                start = length + len(asked_by(head))
                stop = length + len(head) + len(body) + len(end) + (len(after) if newline else 0)
                answers.append(Answer(start, stop, number))
            pieces += [head, body, end, after]
            length += len(head) + len(body) + len(end) + len(after)
        return [Draft("".join(pieces), answers, "declared")]

    def end(self) -> str:
        """The text that ends an answer, whether or not the tokenizer has a token for it."""
        roles = self.template["roles"]
        own = roles.get(ASSISTANT, roles.get("*"))
        return named(own, "end", ASSISTANT) if own else ""

    def _own(self, message: ChatMessage, number: int) -> DeclaredRole:
        roles, role = self.template["roles"], message.get("role")
        if not isinstance(role, str):
            raise RowProblem(f"message {number + 1} has no role")
        unsaid = next((name for name in UNSAID if message.get(name)), None)
        if unsaid is not None:
            raise RowProblem(f"message {number + 1} has {unsaid!r}, {NO_PLACE}")
        own = roles.get(role, roles.get("*"))
        if own is None:
            raise RowProblem(f"message {number + 1} has role {role!r}, which the template has not")
        return own


def _parts(
    own: DeclaredRole, message: ChatMessage, number: int, waiting: str
) -> tuple[str, str, str, str]:
    """What comes before the content, the content, its end, and what follows."""
    role, content = message["role"], content_of(message, number)
    body = waiting + (content.strip(WHITE_SPACE) if own["trim"] else content)
    head = named(own, "before", role) + named(own, "header", role)
    return head, body, named(own, "end", role), named(own, "after", role)


def content_of(message: ChatMessage, number: int) -> str:
    """The text of a message. Raises RowProblem where it has none."""
    content = message.get("content")
    if isinstance(content, list) and all(_is_text(part) for part in content):
        return "".join(part["text"] for part in content)
    if not isinstance(content, str):
        raise RowProblem(f"message {number + 1} has no text as 'content'")
    return content


def _is_text(part: Any) -> bool:
    return (
        isinstance(part, dict) and part.get("type") == "text" and isinstance(part.get("text"), str)
    )
