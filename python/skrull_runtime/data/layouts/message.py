"""Turns one message, under any of the usual names, into the message that chat templates take."""

from __future__ import annotations

from typing import Any, NamedTuple

from ...shapes import JsonObject
from ..samples.ledger import Ledger
from ..samples.names import Layout
from ..samples.sample import ChatMessage, RowProblem
from .calls import ToolCall, read_call_turn, read_calls
from .columns import json_text
from .parts import are_parts, joined
from .weights import trained

ASSISTANT, TOOL = "assistant", "tool"


class Context(NamedTuple):
    """What reading the messages of a row needs."""

    layout: Layout
    ledger: Ledger
    number: int  # of the row

    def note(self, where: str, name: str, value: Any, meaning: bool | None = None) -> None:
        self.ledger.note(where, name, value, self.number, meaning)


class Message:
    """One message, and which of its keys have been read."""

    def __init__(self, entry: JsonObject, place: str, context: Context):
        ignored = context.layout.ignored
        self.entry = {k: v for k, v in entry.items() if k not in ignored} if ignored else entry
        self.place, self.context = place, context
        self._read: set[str] = set()

    def names(self, concept: str) -> tuple[str, ...]:
        return self.context.layout.names[concept]

    def take(self, concept: str) -> Any:
        """The first value that is not null."""
        for name in self.names(concept):
            if self.entry.get(name) is not None:
                self._read.add(name)
                return self.entry[name]
        return None

    def every(self, concept: str) -> JsonObject:
        """All values that are not null, by key."""
        found = {k: self.entry[k] for k in self.names(concept) if self.entry.get(k) is not None}
        self._read.update(found)
        return found

    def role(self) -> str:
        speaker = self.take("role")
        if not isinstance(speaker, str) or speaker == "":
            raise RowProblem(f'{self.place} has no text "{self.names("role")[0]}"')
        role = self.context.layout.role(speaker)
        if role is None:
            # The template may refuse or render it; either way, nothing says whether it is an answer.
            self.context.note("message", f"role {speaker}", speaker, meaning=True)
            return speaker
        return role

    def as_call(self) -> ChatMessage:
        """A turn whose text is tool calls."""
        text = self.take("content")
        if not isinstance(text, str):
            text = json_text(text) if text else ""
        thought, calls = read_call_turn(text, self.place, self.context.note)
        reasoning = self.reasoning() or (
            {"reasoning_content": thought, "thinking": thought} if thought else {}
        )
        return {"role": ASSISTANT, "content": None, **reasoning, "tool_calls": calls}

    def as_turn(self, role: str) -> ChatMessage:
        message: ChatMessage = {"role": role, "content": None}
        if (calls := self.calls()) is not None:
            message["tool_calls"] = calls
        for key in ("tool_call_id", "name"):
            if (value := self.take(key)) is not None:
                message[key] = value
        message |= self.reasoning()
        message["content"] = self.content(role, calls is not None, len(message) > 2)
        return message

    def calls(self) -> list[ToolCall] | None:
        note = self.context.note
        calls = read_calls(self.take("tool_calls"), self.place, note)
        old = self.take("function_call")  # OpenAI's, from before a message could have several
        if not old:
            return calls
        if calls is not None:
            raise RowProblem(f"{self.place} has both tool_calls and a function_call")
        return read_calls([old], self.place, note)

    def reasoning(self) -> dict[str, str]:
        """The reasoning, under every key by which templates look for it and under its own."""
        given = {name: text for name, text in self.every("reasoning").items() if text != ""}
        if not given:
            return {}
        name, text = next(iter(given.items()))
        if any(other != text for other in given.values()):
            raise RowProblem(f"{self.place} has different reasoning in {' and '.join(given)}")
        if not isinstance(text, str):
            raise RowProblem(f'{self.place} has a "{name}" that is not text')
        return {"reasoning_content": text, "thinking": text, name: text}

    def content(self, role: str, calls: bool, more: bool) -> str | None:
        """The text of a message; None, as with OpenAI, where it only calls tools. ``more``: it holds other things."""
        value = self.take("content")
        if isinstance(value, str):
            return value
        if value is None and calls:
            return None
        if value is None and more and role == ASSISTANT:
            return ""
        if role == TOOL and isinstance(value, (dict, list)) and not are_parts(value):
            return json_text(value)
        if isinstance(value, list):
            return joined(value, self.place, self.context.note)
        raise RowProblem(f'{self.place} has no text "{self.names("content")[0]}"')

    def trained(self) -> bool | None:
        """Whether the row says that the message is trained or not; None where it does not say."""
        return trained(self.every("trained"), self.place)

    def note_unread(self) -> None:
        for name, value in self.entry.items():
            if name not in self._read:
                self.context.note("message", name, value)
