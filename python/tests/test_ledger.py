"""What rows hold that is not read is counted."""

from __future__ import annotations

import json

from layout_rows import (
    TOOL,
    chat,
    read,
    turn,
)

from skrull_runtime.data.layouts import Ledger, layout_of, read_sample
from skrull_runtime.data.samples.ledger import MOST_NAMES, OTHERS, SHOWN


def test_everything_unread_is_counted_with_an_example():
    settings, ledger = layout_of({"ignore": ["uuid"]}), Ledger()
    for number in range(1, 4):
        row = turn(mood="calm", loss_scale=0.3) | {"id": number, "uuid": "x", "loss_weight": 0.5}
        read_sample(json.dumps(row).encode(), settings, ledger, number)
    read_sample(
        json.dumps(turn(id="m") | {"empty": [], "none": None}).encode(), settings, ledger, 4
    )
    found = {
        (f.where, f.name): (f.count, f.first, f.example, f.meaning, f.harmless)
        for f in ledger.findings()
    }
    assert found == {
        ("message", "loss_scale"): (3, 1, "0.3", True, False),
        ("row", "loss_weight"): (3, 1, "0.5", True, False),
        ("message", "mood"): (3, 1, '"calm"', False, False),
        ("row", "id"): (3, 1, "1", False, True),
        ("message", "id"): (1, 4, '"m"', False, True),
    }


def test_keys_of_calls_and_parts_are_counted():
    ledger = Ledger()
    call = {"index": 0, "function": {"name": "f", "arguments": "{}", "strict": True}}
    part = {"type": "text", "text": "a", "cache_control": {"type": "x"}}
    read(
        chat({"role": "user", "content": [part]}, {"role": "assistant", "tool_calls": [call]}),
        None,
        ledger,
    )
    assert {(f.where, f.name) for f in ledger.findings()} == {
        ("tool_call", "strict"), ("message", "content.cache_control"), ("tool_call", "index"),
    }  # fmt: skip


def test_a_key_that_is_ignored_is_not_there():
    assert read(turn(loss=0.5), {"ignore": ["loss"]}).trained == [None, None]
    assert read(turn() | {"tools": [TOOL]}, {"ignore": ["tools"]}).tools is None


def test_ledgers_of_processes_are_merged_in_order():
    first, second = Ledger(), Ledger()
    first.note("row", "id", "a", 7)
    second.note("row", "id", "b", 9)
    second.note("row", "extra", 1, 9)
    first.merge(Ledger.from_json(json.loads(json.dumps(second.to_json()))))
    assert [(f.name, f.count, f.first, f.example) for f in first.findings()] == [
        ("id", 2, 7, '"a"'), ("extra", 1, 9, "1"),
    ]  # fmt: skip


def test_a_ledger_is_bounded():
    ledger = Ledger()
    for number in range(1000):
        ledger.note("row", f"column {number}" + "x" * 1000, ["y" * 10_000], number)
    findings = ledger.findings()
    assert len(findings) == MOST_NAMES + 1
    assert sum(f.count for f in findings) == 1000
    (rest,) = (f for f in findings if f.name == OTHERS)
    assert rest.count == 1000 - MOST_NAMES and rest.first == MOST_NAMES
    assert max(len(f.name) + len(f.example) for f in findings) <= 2 * SHOWN
