"""Declared templates: for every role, what stands around a message's content (``src/catalogue/template.ts``)."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from ..masking.draft import Answer, Draft
from ..samples.sample import RowProblem, Sample

ASSISTANT = "assistant"
WHITE_SPACE = " \t\n\r\f\v"  # languages differ in what they call so
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
LISTS, TEXTS = ("before", "end", "after"), ("header", "separator")
UNSAID = ("tool_calls", "function_call", "reasoning_content", "thinking", "reasoning")


def filled(declared: dict[str, Any], end: str | None) -> dict[str, Any]:
    """A declared template with every key, and the end token's text in its place."""

    def fill(text: str) -> str:
        return text.replace("{end}", end or "")

    def role(own: dict[str, Any]) -> dict[str, Any]:
        whole = {name: [fill(text) for text in own.get(name) or []] for name in LISTS}
        whole |= {name: fill(own.get(name) or "") for name in TEXTS}
        return whole | {"trim": bool(own.get("trim")), "into": own.get("into")}

    return {
        "begin": [fill(text) for text in declared.get("begin") or []],
        "roles": {name: role(own) for name, own in declared["roles"].items()},
    }


def named(own: dict[str, Any], name: str, role: str) -> str:
    """What a template puts at a place of a role's messages."""
    value = own[name]
    text = value if isinstance(value, str) else "".join(value)
    return text.replace("{role}", role)


def asked_by(head: str) -> str:
    """What asks for an answer: a blank at the end is the answer's, for tokenizers join it to the word that follows."""
    return head.rstrip(" ")


NO_PLACE = "which this template has no place for: choose the model's own, or one in Jinja"


class DeclaredTemplate:
    """``template`` as :func:`filled` returns it."""

    kind = "declared"
    trusted = True  # it is no program
    reads_date = False

    def __init__(self, template: dict[str, Any]):
        self.template = template
        canonical = json.dumps(template, sort_keys=True, ensure_ascii=False)
        self.sha256 = hashlib.sha256(canonical.encode(errors="replace")).hexdigest()

    def drafts(self, sample: Sample, newline: bool) -> list[Draft]:
        """The conversation's text and answers. Raises RowProblem for what the template has no place for.

        ``newline``: what follows an answer's end belongs to the answer too.
        """
        if sample.tools:
            raise RowProblem(f"has tools, {NO_PLACE}")
        pieces = list(self.template["begin"])
        length = sum(map(len, pieces))
        answers: list[Answer] = []
        waiting = ""  # contents that go in front of the next message's
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

    def _own(self, message: dict[str, Any], number: int) -> dict[str, Any]:
        roles, role = self.template["roles"], message.get("role")
        if not isinstance(role, str):
            raise RowProblem(f"message {number + 1} has no role")
        unsaid = next((name for name in UNSAID if message.get(name)), None)
        if unsaid is not None:
            raise RowProblem(f"message {number + 1} has {unsaid!r}, {NO_PLACE}")
        if role not in roles and "*" not in roles:
            raise RowProblem(f"message {number + 1} has role {role!r}, which the template has not")
        return roles.get(role, roles.get("*"))


def _parts(own: dict[str, Any], message: dict[str, Any], number: int, waiting: str):
    """Before the answer, the content, its end, and what follows."""
    role, content = message["role"], content_of(message, number)
    body = waiting + (content.strip(WHITE_SPACE) if own["trim"] else content)
    head = named(own, "before", role) + named(own, "header", role)
    return head, body, named(own, "end", role), named(own, "after", role)


def content_of(message: dict[str, Any], number: int) -> str:
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
