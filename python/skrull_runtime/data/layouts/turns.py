"""Turns lists of messages, under any of the usual names, into the messages that chat templates take."""

from __future__ import annotations

from typing import Any

from ..samples.names import CALL, Layout
from ..samples.sample import ChatMessage, RowProblem
from .columns import json_value
from .message import ASSISTANT, Context, Message
from .parsing import parse


class Turns:
    """The messages of a conversation, and whether the row says that each is trained."""

    def __init__(self) -> None:
        self.messages: list[ChatMessage] = []
        self.trained: list[bool | None] = []

    def add(self, message: ChatMessage, trained: bool | None) -> None:
        self.messages.append(message)
        self.trained.append(trained)

    def add_call(self, message: ChatMessage, trained: bool | None) -> None:
        """Adds a turn of tool calls: to the answer right before it, as the model writes both in one go."""
        last = self._last_answer(trained)
        if last is None or ("reasoning_content" in last and "reasoning_content" in message):
            self.add(message, trained)
            return
        calls = message.pop("tool_calls")
        last.setdefault("tool_calls", []).extend(calls)
        self.messages[-1] = {**message, **last}

    def _last_answer(self, trained: bool | None) -> ChatMessage | None:
        """The last message, if it is an answer that is trained alike."""
        if not self.messages or self.messages[-1]["role"] != ASSISTANT:
            return None
        return self.messages[-1] if self.trained[-1] == trained else None


def read_turns(entries: list[Any], context: Context) -> Turns:
    """The turns of a list of messages. Raises RowProblem, with the message's number."""
    turns = Turns()
    role_key, content_key = _usual_keys(entries, context.layout)
    roles = context.layout.plain_roles
    for index, entry in enumerate(entries):
        # Almost every message is a role and a text, and this must keep up with a tokenizer.
        if type(entry) is dict and len(entry) == 2 and type(entry.get(content_key)) is str:
            speaker = entry.get(role_key)
            role = roles.get(speaker) if type(speaker) is str else None
            if role is not None:
                turns.messages.append({"role": role, "content": entry[content_key]})
                turns.trained.append(None)
                continue
        _read(entry, f"message {index + 1}", turns, context)
    return turns


def _usual_keys(entries: list[Any], layout: Layout) -> tuple[str, str]:
    """The keys of the speaker and the text in the first message."""
    first = entries[0] if isinstance(entries[0], dict) else {}
    if "role" in first and "content" in first:
        roles, contents = layout.names["role"], layout.names["content"]
        if "role" in roles and "content" in contents:
            return "role", "content"

    def key(concept: str) -> str:
        names = layout.names[concept]
        return next((name for name in names if name in first), names[0])

    return key("role"), key("content")


def _read(entry: Any, place: str, turns: Turns, context: Context) -> None:
    if isinstance(entry, str) and entry.lstrip()[:1] == "{":  # as ``datasets`` keeps mixed objects
        entry = json_value(entry, place)
    if not isinstance(entry, dict):
        raise RowProblem(f"{place} is not an object")
    message = Message(entry, place, context)
    role = message.role()
    trained = message.trained()
    if role == CALL:
        turns.add_call(message.as_call(), trained)
    else:
        turns.add(message.as_turn(role), trained)
    message.note_unread()
    if trained and role not in (CALL, ASSISTANT):
        context.note("message", "training of a turn that is no answer", True, meaning=False)


def messages_in(value: Any, name: str) -> list[Any]:
    """The list of messages that a column holds, or JSON text of one. Raises RowProblem where it holds none."""
    if isinstance(value, str):
        try:
            value = parse(value)
        except RowProblem as problem:
            raise RowProblem(f'"{name}" {problem}') from None
    if not isinstance(value, list):
        raise RowProblem(f'has no list "{name}"')
    if not value:
        raise RowProblem(f'has an empty list "{name}"')
    return value
