"""Rows that are no JSON, or hold whatever JSON can: a sample or a problem, and no other error."""

from __future__ import annotations

import contextlib
import json
from typing import Any

import pytest
from layout_rows import (
    ANSWER,
    ASK,
    CALL_TURN,
    FUNCTION,
    TOOL,
    chat,
    messages_of,
    problem,
    read,
    turn,
)

from skrull_runtime.data.layouts import Ledger, layout_of, read_sample
from skrull_runtime.data.samples.sample import RowProblem


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"{\"text\": \"\xff\"}", "is not UTF-8 (byte 11)"),
        (b"\xed\xa0\x80", "is not UTF-8"),
        (b"{", "is not JSON"),
        (b"", "is not JSON"),
        (b'{"text": "\\ud83d"}', "holds \\ud83d, half of a surrogate pair"),
        (b'{"text": "\\uDE00 x"}', "half of a surrogate pair"),
        (b'{"a": ' + b"[" * 10_000 + b"]" * 10_000 + b"}", "is nested too deeply"),
        (b'{"a": ' * 10_000 + b"1" + b"}" * 10_000, "is nested too deeply"),
        (b"[" * 10_000, "is nested too deeply"),
    ],
)  # fmt: skip
def test_bytes_that_are_no_row(content: bytes, said: str):
    assert said in problem(content)


def test_what_templates_write_is_not_nested_deeper_than_they_can():
    deep: Any = {}
    for _ in range(300):
        deep = {"a": deep}
    for row in (
        turn() | {"tools": [{**FUNCTION, "parameters": deep}]},
        turn() | {"chat_template_kwargs": deep},
        turn(tool_calls=[{"name": "f", "arguments": json.dumps(deep)}]),
    ):
        assert "is nested too deeply" in problem(row)


def test_a_surrogate_is_found_below_everything_else_that_is_read():
    deep: Any = ["\ud83d"]
    for _ in range(150):
        deep = {"a": deep}
    for row in (
        turn() | {"tools": [{**FUNCTION, "parameters": deep}]},
        turn() | {"chat_template_kwargs": deep},
        turn(tool_calls=[{"name": "f", "arguments": json.dumps(deep)}]),
        chat(ASK, {"role": "assistant", "content": "\udead"}),
    ):
        assert "half of a surrogate pair" in problem(row)
    assert read(turn() | {"id": "\ud83d"}).messages == [ASK, ANSWER]


@pytest.mark.parametrize("value", ["[]", '"ab"', "0.5"])
def test_a_row_of_small_values_does_not_fill_the_memory(value: str):
    row = '{"text": "a", "more": [' + ",".join([value] * 10_000_001) + "]}"
    assert problem(row.encode()) == "holds more than 10 million values"


def test_numbers_are_read_whatever_they_are():
    digits = "9" * 100_000
    row = f'{{"score": NaN, "n": {digits}, "x": 1e999, "y": -Infinity, "text": "a"}}'
    ledger = Ledger()
    assert read(row.encode(), None, ledger).completion == "a"
    assert {f.name for f in ledger.findings()} == {"score", "n", "x", "y"}
    ids = f'{{"input_ids": [1, {digits}]}}'
    assert "whole numbers" in problem(ids.encode())


def test_whole_numbers_in_arguments_stay_whole():
    row = turn(tool_calls=[{"name": "f", "arguments": '{"n": 12345678901234567890}'}])
    arguments = messages_of(row)[1]["tool_calls"][0]["function"]["arguments"]
    assert json.dumps(arguments) == '{"n": 12345678901234567890}'


def test_a_whole_pair_of_surrogates_is_a_character():
    assert read(b'{"text": "\\ud83d\\ude00"}').completion == "\U0001f600"


@pytest.mark.parametrize(
    "kind", ["auto", "messages", "sharegpt", "alpaca", "prompt-completion", "text", "tokens"]
)
def test_no_row_raises_anything_else(kind: str):
    """Every value of JSON at every place of a row."""
    layout = layout_of({"format": {"type": kind}})
    values = [
        None,
        True,
        3,
        0.5,
        "",
        "x",
        "[",
        "[]",
        "{}",
        [],
        {},
        [None],
        [[]],
        ["x"],
        [1],
        [{}],
        {"a": 1},
    ]
    whole = chat(
        {**ASK, "weight": 1, "name": "n", "reasoning": "r"},
        {**CALL_TURN, "function_call": None},
        {"role": "tool_call", "content": '{"name": "f"}'},
        {"role": "user", "content": [{"type": "text", "text": "t"}]},
        tools=[TOOL], system="s", chat_template_kwargs={},
    )  # fmt: skip
    others = [
        {"instruction": "a", "input": "b", "output": "c", "system": "d", "history": [["e", "f"]]},
        {"prompt": [ASK], "completion": [ANSWER]},
        {"prompt": "a", "completion": "b", "label": 1},
        {"text": "a"},
        {"input_ids": [1], "labels": [1], "loss_mask": [1], "attention_mask": [1]},
        {"chosen": 1, "rejected": 2, "images": 3},
    ]
    tried = 0
    for row in [whole, *others]:
        for place in list(places(row)):
            for value in values:
                changed = json.loads(json.dumps(row))
                parent = changed
                for step in place[:-1]:
                    parent = parent[step]
                parent[place[-1]] = value
                tried += 1
                with contextlib.suppress(RowProblem):
                    read_sample(json.dumps(changed).encode(), layout, Ledger(), 1)
    assert tried > 1000


def places(value: Any, path: tuple = ()):
    """The paths to everything in a value."""
    steps = (
        value.items()
        if isinstance(value, dict)
        else enumerate(value)
        if isinstance(value, list)
        else ()
    )
    for step, child in steps:
        yield (*path, step)
        yield from places(child, (*path, step))
