"""Layouts of rows: what tools write, read into the one ``Sample`` that a chat template or a tokenizer takes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ...shapes import JsonObject
from ..samples.ledger import Finding, Ledger
from ..samples.names import Layout, layout_of
from ..samples.sample import RowProblem, Sample
from .columns import Columns
from .conversations import read_instruction, read_messages
from .message import Context
from .parsing import parse_row, require_text
from .refused import refuse_kinds
from .texts import read_prompt_completion, read_text
from .tokens import read_tokens

__all__ = ["Finding", "Layout", "Ledger", "layout_of", "read_sample"]

MOST_SHOWN = 8  # columns that a message lists

_READERS: Mapping[str, Callable[[Columns, Context], Sample]] = {
    "messages": read_messages,
    "sharegpt": read_messages,
    "alpaca": read_instruction,
    "prompt-completion": read_prompt_completion,
    "text": read_text,
    "tokens": read_tokens,
}


def read_sample(row: bytes, settings: Layout, ledger: Ledger, number: int) -> Sample:
    """What a row holds. Raises RowProblem where it cannot be trained on, and no other error.

    ``number``: of the row, for the ledger, which counts what else the row holds.
    """
    columns = Columns(parse_row(row), settings)
    refuse_kinds(columns, settings)
    kind = _kind_of(columns) if settings.type == "auto" else settings.type
    sample = _READERS[kind](columns, Context(settings, ledger, number))
    require_text(row, sample)
    columns.note_unread(ledger, number)
    return sample


def _kind_of(columns: Columns) -> str:
    """The layout by the columns that are there: the one that says most about how to read the row."""

    def has(*concepts: str) -> bool:
        return all(columns.find(concept) is not None for concept in concepts)

    if _has_messages(columns) and (columns.plain or not has("input_ids", "labels")):
        return "messages"
    if has("input_ids", "labels"):
        return "tokens"
    if has("prompt", "completion"):
        return "prompt-completion"
    if has("instruction", "output"):
        return "alpaca"
    if has("text"):
        return "text"
    if has("input_ids"):
        return "tokens"
    if has("messages"):
        return "messages"  # which says what is wrong with them
    raise RowProblem(f"{_seen(columns.row)}: none of the layouts has these; name its columns")


def _has_messages(columns: Columns) -> bool:
    """Whether a column holds messages: a list of objects, or JSON text that could be one."""
    name = columns.find("messages")
    value: Any = columns.row[name] if name is not None else None
    if isinstance(value, list):
        first = value[0] if value else {}
        return isinstance(first, dict) or (isinstance(first, str) and first.lstrip()[:1] == "{")
    return isinstance(value, str) and value.lstrip()[:1] == "["


def _seen(row: JsonObject) -> str:
    if not row:
        return "has no columns"
    names = [f'"{name[:40]}"' for name in list(row)[:MOST_SHOWN]]
    more = ", ..." if len(row) > MOST_SHOWN else ""
    return f"has the columns {', '.join(names)}{more}"
