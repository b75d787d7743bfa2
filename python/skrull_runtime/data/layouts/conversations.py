"""Rows that are conversations: lists of messages (OpenAI's and ShareGPT's), and instructions (Alpaca's)."""

from __future__ import annotations

from ...shapes import JsonObject
from ..samples.sample import RowProblem, Sample
from .calls import read_tools
from .columns import Columns
from .message import ASSISTANT, Context
from .parsing import shallow
from .turns import Turns, messages_in, read_turns

SYSTEM, USER = "system", "user"
SEPARATOR = "\n"  # between an instruction and its input


def read_messages(columns: Columns, context: Context) -> Sample:
    """A row with one list of messages."""
    name, value = columns.take("messages")
    return conversation(columns, read_turns(messages_in(value, name), context))


def conversation(columns: Columns, turns: Turns) -> Sample:
    """The turns, with the row's system message, tools and template arguments."""
    messages, trained = turns.messages, turns.trained
    if columns.plain:
        return Sample("conversation", messages, trained)
    system = columns.text("system")
    if system and messages[0]["role"] != SYSTEM:
        messages = [{"role": SYSTEM, "content": system}, *messages]
        trained = [None, *trained]
    elif system and messages[0]["content"] != system:
        raise RowProblem("has a system message and another one in its column")
    return Sample(
        kind="conversation",
        messages=messages,
        trained=trained,
        tools=read_tools(columns),
        arguments=_arguments(columns),
    )


def _arguments(columns: Columns) -> JsonObject:
    name, value = columns.json("arguments")
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise RowProblem(f'"{name}" is not an object')
    return shallow(value, f'"{name}"')


def read_instruction(columns: Columns, context: Context) -> Sample:
    """An instruction with its input, and the answer, after the earlier turns in ``history``."""
    turns = Turns()
    instruction = columns.required_text("instruction")
    given = columns.text("input")
    output = columns.required_text("output")
    for asked, answered in _history(columns):
        turns.add({"role": USER, "content": asked}, None)
        turns.add({"role": ASSISTANT, "content": answered}, None)
    asked = f"{instruction}{SEPARATOR}{given}" if given else instruction
    turns.add({"role": USER, "content": asked}, None)
    turns.add({"role": ASSISTANT, "content": output}, None)
    return conversation(columns, turns)


def _history(columns: Columns) -> list[list[str]]:
    name, value = columns.json("history")
    pairs = [] if value is None else value
    if not isinstance(pairs, list) or any(
        not isinstance(pair, list) or len(pair) != 2 or not all(isinstance(t, str) for t in pair)
        for pair in pairs
    ):
        raise RowProblem(f'"{name}" is not a list of pairs of texts, [asked, answered]')
    return pairs


def read_prompt_messages(columns: Columns, context: Context) -> Sample:
    """A prompt of messages, and its completion as messages or as the text of one; only the completion is trained."""
    name, prompt = columns.take("prompt")
    turns = read_turns(messages_in(prompt, name), context)
    turns.trained = [False] * len(turns.trained)
    name, completion = columns.take("completion")
    if isinstance(completion, str):
        turns.add({"role": ASSISTANT, "content": completion}, None)
    else:
        answers = read_turns(messages_in(completion, name), context)
        turns.messages += answers.messages
        turns.trained += answers.trained
    return conversation(columns, turns)
