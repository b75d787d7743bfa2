"""Rows that are plain texts, without a chat template."""

from __future__ import annotations

from ..samples.sample import RowProblem, Sample
from .columns import Columns
from .conversations import read_prompt_messages
from .message import Context


def read_text(columns: Columns, context: Context) -> Sample:
    """A text, all of which is trained."""
    name = columns.find("text") or columns.expected("text")
    text = columns.required_text("text")
    if text == "":
        raise RowProblem(f'has no text "{name}"')
    return Sample(kind="text", completion=text)


def read_prompt_completion(columns: Columns, context: Context) -> Sample:
    """A text whose prompt is given, or a conversation where the prompt is a list of messages."""
    name = columns.find("prompt")
    if name is not None and isinstance(columns.row[name], list):
        return read_prompt_messages(columns, context)
    prompt = columns.required_text("prompt")
    completion = columns.required_text("completion")
    if prompt == "" and completion == "":
        raise RowProblem("has neither a prompt nor a completion")
    return Sample(kind="text", prompt=prompt, completion=completion)
