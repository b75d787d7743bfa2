"""Rows for the tests of layouts, and what they are read into."""

from __future__ import annotations

import json
from typing import Any

import pytest

from skrull_runtime.data.layouts import Ledger, layout_of, read_sample
from skrull_runtime.data.samples.sample import RowProblem, Sample

ASK = {"role": "user", "content": "Weather in Lima?"}
ANSWER = {"role": "assistant", "content": "Nine degrees."}
ARGUMENTS = {"city": "Lima", "days": 2}
FUNCTION = {"name": "weather", "parameters": {"type": "object", "properties": {}}}
TOOL = {"type": "function", "function": FUNCTION}
CALL = {"type": "function", "function": {"name": "weather", "arguments": ARGUMENTS}}
CALL_TURN = {"role": "assistant", "content": None, "tool_calls": [CALL]}


def read(row: Any, rendering: dict | None = None, ledger: Ledger | None = None) -> Sample:
    content = row if isinstance(row, bytes) else json.dumps(row).encode()
    return read_sample(content, layout_of(rendering or {}), ledger or Ledger(), 1)


def messages_of(row: Any, rendering: dict | None = None) -> list[dict]:
    """The messages of a row that leaves nothing unread."""
    ledger = Ledger()
    sample = read(row, rendering, ledger)
    assert ledger.to_json() == [] and sample.kind == "conversation"
    assert len(sample.messages) == len(sample.trained)
    return sample.messages


def problem(row: Any, rendering: dict | None = None) -> str:
    with pytest.raises(RowProblem) as raised:
        read(row, rendering)
    return str(raised.value)


def chat(*messages: dict, **columns: Any) -> dict:
    return {"messages": list(messages), **columns}


def turn(**keys: Any) -> dict:
    return chat(ASK, {**ANSWER, **keys})
