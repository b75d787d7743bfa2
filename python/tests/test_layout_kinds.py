"""Conversations of ShareGPT and Alpaca, prompts, texts, tokens, and what is refused by name."""

from __future__ import annotations

import json
from typing import Any

import pytest
from layout_rows import (
    ANSWER,
    ARGUMENTS,
    ASK,
    CALL,
    CALL_TURN,
    FUNCTION,
    TOOL,
    messages_of,
    problem,
    read,
    turn,
)

from skrull_runtime.data.layouts import Ledger, layout_of
from skrull_runtime.errors import UserError


def sharegpt(*turns: tuple[str, Any], **columns: Any) -> dict:
    return {"conversations": [{"from": who, "value": what} for who, what in turns], **columns}


@pytest.mark.parametrize("speaker", ["function_call", "tool_call"])
@pytest.mark.parametrize("result", ["observation", "tool_response"])
@pytest.mark.parametrize("rendering", [{}, {"format": {"type": "sharegpt"}}])
def test_a_call_turn_is_an_answer_of_the_model(speaker: str, result: str, rendering: dict):
    call = json.dumps({"name": "weather", "arguments": ARGUMENTS})
    row = sharegpt(
        ("human", ASK["content"]), (speaker, call), (result, "9"), ("gpt", ANSWER["content"])
    )
    assert messages_of(row, rendering) == [
        ASK, CALL_TURN, {"role": "tool", "content": "9"}, ANSWER,
    ]  # fmt: skip


def test_calls_right_after_each_other_are_one_turn():
    call = json.dumps({"name": "weather", "arguments": ARGUMENTS})
    together = [{**CALL_TURN, "tool_calls": [CALL, CALL]}]
    assert messages_of(sharegpt(("tool_call", call), ("tool_call", call))) == together
    assert messages_of(sharegpt(("tool_call", f"[{call}, {call}]"))) == together
    tagged = f"<tool_call>\n{call}\n</tool_call>\n<tool_call>{call}</tool_call>"
    assert messages_of(sharegpt(("tool_call", tagged))) == together
    after_words = messages_of(sharegpt(("gpt", "Let me look."), ("tool_call", call)))
    assert after_words == [{**CALL_TURN, "content": "Let me look."}]


def test_calls_are_not_joined_where_one_is_not_trained():
    call = {"from": "tool_call", "value": json.dumps({"name": "weather", "arguments": ARGUMENTS})}
    sample = read({"conversations": [{**call, "loss": False}, call]})
    assert sample.messages == [CALL_TURN, CALL_TURN] and sample.trained == [False, None]


def test_a_call_turn_may_begin_with_reasoning():
    call = "<think>\nI must look.\n</think>\n" + json.dumps({"name": "f", "arguments": {}})
    (message,) = messages_of(sharegpt(("function_call", call)))
    assert message["reasoning_content"] == "I must look."
    assert message["tool_calls"][0]["function"] == {"name": "f", "arguments": {}}


@pytest.mark.parametrize("text", ["weather(Lima)", "[]", "", "[3]"])
def test_a_call_that_cannot_be_read_is_refused(text: str):
    assert "message 1" in problem(sharegpt(("function_call", text)))


def test_columns_of_sharegpt_are_read():
    row = sharegpt(("human", "a"), ("gpt", "b"), system="Be brief.", tools=json.dumps([FUNCTION]))
    sample = read(row)
    assert sample.messages[0] == {"role": "system", "content": "Be brief."}
    assert sample.tools == [TOOL]


def test_alpaca_with_its_history():
    row = {
        "instruction": "Sum", "input": "1 2", "output": "3", "system": "Count.",
        "history": [["Hi", "Hello"], ["How?", "Fine"]],
    }  # fmt: skip
    assert [(m["role"], m["content"]) for m in messages_of(row)] == [
        ("system", "Count."), ("user", "Hi"), ("assistant", "Hello"), ("user", "How?"),
        ("assistant", "Fine"), ("user", "Sum\n1 2"), ("assistant", "3"),
    ]  # fmt: skip
    assert "list of pairs" in problem(row | {"history": ["Hi", "Hello"]})
    assert problem(row | {"output": ["good", "bad"]}) == 'has no text "output"'


@pytest.mark.parametrize("asked", ["instruction", "prompt", "query", "question", "input"])
@pytest.mark.parametrize("answered", ["output", "response", "answer"])
def test_instructions_under_the_usual_names(asked: str, answered: str):
    assert [m["content"] for m in messages_of({asked: "a", answered: "b"})] == ["a", "b"]


def test_an_empty_input_adds_nothing():
    for given in ("", None):
        row = {"instruction": "a", "input": given, "output": "b"}
        assert messages_of(row)[0]["content"] == "a"


def test_prompt_and_completion_as_text():
    sample = read({"prompt": "a", "completion": "b"})
    assert (sample.kind, sample.prompt, sample.completion) == ("text", "a", "b")
    assert "neither" in problem({"prompt": "", "completion": ""})


@pytest.mark.parametrize("completion", [[ANSWER], ANSWER["content"]])
def test_of_prompts_as_messages_only_the_completion_is_trained(completion: Any):
    sample = read({"prompt": [ASK, ANSWER, ASK], "completion": completion, "tools": [TOOL]})
    assert sample.messages == [ASK, ANSWER, ASK, ANSWER]
    assert sample.trained == [False, False, False, None] and sample.tools == [TOOL]


def test_texts():
    sample = read({"text": "Once."})
    assert (sample.kind, sample.prompt, sample.completion) == ("text", "", "Once.")
    assert problem({"text": ""}) == 'has no text "text"'


def test_a_format_that_is_not_known_is_the_users_error():
    with pytest.raises(UserError, match="format 'orpo'"):
        layout_of({"format": {"type": "orpo"}})


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ({"chosen": [ASK, ANSWER], "rejected": [ASK]}, 'has "chosen" and "rejected"'),
        ({"prompt": "a", "chosen": "b", "rejected": "c"}, "a preference pair"),
        ({"prompt": "a", "completion": "b", "label": True}, 'has "label": it holds a judged'),
        (turn() | {"kto_tag": False}, 'has "kto_tag"'),
        (turn() | {"images": ["a.png"]}, 'has "images": it holds more than text'),
        (turn() | {"image": {"bytes": {"bytes": 9}}}, 'has "image"'),
        (turn() | {"audio": "a.wav"}, 'has "audio"'),
    ],
)
def test_kinds_that_are_not_trained_are_refused_by_name(row: dict, said: str):
    assert said in problem(row)


def test_one_side_of_a_pair_can_be_trained_by_name():
    form = {"type": "messages", "messages": "chosen"}
    row = {"chosen": [ASK, ANSWER], "rejected": [ASK]}
    assert messages_of(row, {"format": form, "ignore": ["rejected"]}) == [ASK, ANSWER]
    ledger = Ledger()
    read(row, {"format": form}, ledger)
    assert [(f.name, f.meaning) for f in ledger.findings()] == [("rejected", True)]


def test_empty_columns_of_images_are_no_images():
    assert messages_of(turn() | {"images": [], "videos": None}) == [ASK, ANSWER]
    assert messages_of(turn() | {"images": ["a"]}, {"ignore": ["images"]}) == [ASK, ANSWER]
