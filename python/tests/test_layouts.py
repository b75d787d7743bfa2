"""Messages as the usual tools write them, read into samples."""

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
    chat,
    messages_of,
    problem,
    read,
    turn,
)

from skrull_runtime.data.layouts import Ledger


@pytest.mark.parametrize("name", ["messages", "conversations", "conversation", "dialog", "chat"])
@pytest.mark.parametrize("keys", [("role", "content"), ("from", "value")])
def test_messages_are_found_under_the_usual_names(name: str, keys: tuple[str, str]):
    role, content = keys
    row = {name: [{role: "user", content: "a"}, {role: "assistant", content: "b"}]}
    wanted = [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}]
    assert messages_of(row) == wanted
    assert messages_of({name: json.dumps(row[name])}) == wanted
    assert messages_of({name: [json.dumps(message) for message in row[name]]}) == wanted


@pytest.mark.parametrize(
    ("speaker", "role"),
    [
        ("human", "user"), ("Human", "user"), ("USER", "user"), ("gpt", "assistant"),
        ("chatgpt", "assistant"), ("bing", "assistant"), ("bard", "assistant"),
        ("model", "assistant"), ("Assistant", "assistant"), ("system", "system"),
        ("observation", "tool"), ("tool_response", "tool"), ("function", "tool"),
        ("developer", "developer"),
    ],
)  # fmt: skip
def test_speakers_have_their_roles(speaker: str, role: str):
    assert messages_of({"conversations": [{"from": speaker, "value": "x"}]})[0]["role"] == role
    with_more = {"conversations": [{"from": speaker, "value": "x", "name": "n"}]}
    assert messages_of(with_more)[0] == {"role": role, "content": "x", "name": "n"}


def test_an_unknown_speaker_stays_and_is_told():
    ledger = Ledger()
    row = chat(ASK, {"role": "critic", "content": "No."}, {"role": "critic", "content": "Yes."})
    assert read(row, None, ledger).messages[1]["role"] == "critic"
    (finding,) = ledger.findings()
    assert (finding.where, finding.name, finding.count) == ("message", "role critic", 2)
    assert finding.meaning
    assert messages_of(row, {"roles": {"critic": "gpt"}})[1]["role"] == "assistant"
    assert messages_of(row, {"roles": {"critic": "critic"}})[1]["role"] == "critic"


def test_names_given_by_the_user_hold_alone():
    form = {"type": "messages", "messages": "talk", "role": "who", "content": "what"}
    row = {"talk": [{"who": "human", "what": "a"}]}
    assert messages_of(row, {"format": form}) == [{"role": "user", "content": "a"}]
    assert problem(chat(ASK), {"format": form}) == 'has no list "talk"'
    assert problem({"talk": [ASK]}, {"format": form}) == 'message 1 has no text "who"'


def test_parts_that_are_text_are_joined():
    parts = [{"type": "text", "text": "Weather "}, {"type": "text", "text": "in Lima?"}, " Now?"]
    row = chat({"role": "user", "content": parts}, ANSWER)
    assert messages_of(row)[0]["content"] == "Weather in Lima? Now?"


@pytest.mark.parametrize("kind", ["image_url", "input_audio", "image", "thinking"])
def test_another_part_is_refused_by_name(kind: str):
    row = chat({"role": "user", "content": [{"type": "text", "text": "?"}, {"type": kind}]}, ANSWER)
    assert problem(row).startswith(f"message 1 has a part of type {kind}; only text is trained")


@pytest.mark.parametrize("arguments", [ARGUMENTS, json.dumps(ARGUMENTS)])
@pytest.mark.parametrize("content", [{"content": None}, {}, {"content": "Let me look."}])
def test_tool_calls_are_read(arguments: Any, content: dict):
    call = {"id": "c1", "type": "function", "function": {"name": "weather", "arguments": arguments}}
    row = chat(
        ASK,
        {"role": "assistant", **content, "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "c1", "name": "weather", "content": "9"},
        ANSWER,
        tools=[TOOL],
    )
    ledger = Ledger()
    sample = read(row, None, ledger)
    assert sample.messages == [
        ASK,
        {"role": "assistant", "content": content.get("content"), "tool_calls": [{"id": "c1", **CALL}]},
        {"role": "tool", "tool_call_id": "c1", "name": "weather", "content": "9"},
        ANSWER,
    ]  # fmt: skip
    assert sample.tools == [TOOL] and ledger.to_json() == []


@pytest.mark.parametrize(
    "call",
    [
        {"name": "weather", "arguments": ARGUMENTS},
        {"name": "weather", "parameters": ARGUMENTS},
        {"function": {"name": "weather", "arguments": json.dumps(ARGUMENTS)}},
        json.dumps({"name": "weather", "arguments": ARGUMENTS}),
    ],
)
def test_calls_in_other_shapes_become_the_one_of_templates(call: Any):
    row = chat(ASK, {"role": "assistant", "content": None, "tool_calls": [call]})
    assert messages_of(row)[1] == CALL_TURN
    old = chat(ASK, {"role": "assistant", "content": None, "function_call": call})
    assert messages_of(old)[1] == CALL_TURN


@pytest.mark.parametrize("arguments", ["[1, 2]", "not JSON", "3"])
def test_arguments_that_are_no_object_stay_text(arguments: str):
    call = {"function": {"name": "f", "arguments": arguments}}
    row = chat(ASK, {"role": "assistant", "tool_calls": [call]})
    assert messages_of(row)[1]["tool_calls"][0]["function"]["arguments"] == arguments


@pytest.mark.parametrize("name", ["tools", "functions"])
@pytest.mark.parametrize("tool", [TOOL, FUNCTION, {"type": "function", **FUNCTION}])
@pytest.mark.parametrize(
    "written", [list, json.dumps, lambda tools: [json.dumps(t) for t in tools]]
)
def test_tools_are_read_in_every_shape(name: str, tool: dict, written: Any):
    ledger = Ledger()
    assert read(turn() | {name: written([tool])}, None, ledger).tools == [TOOL]
    assert ledger.to_json() == []


def test_tools_under_a_name_of_the_user():
    assert read(turn() | {"api": [TOOL]}, {"columns": {"tools": "api"}}).tools == [TOOL]
    ledger = Ledger()
    read(turn() | {"tools": [TOOL]}, {"columns": {"tools": "api"}}, ledger)
    assert [(f.name, f.meaning) for f in ledger.findings()] == [("tools", True)]


@pytest.mark.parametrize("key", ["reasoning_content", "thinking", "reasoning"])
def test_reasoning_is_kept_under_the_keys_that_templates_read(key: str):
    message = messages_of(turn(**{key: "Because."}))[1]
    assert message["reasoning_content"] == message["thinking"] == message[key] == "Because."
    assert message["content"] == ANSWER["content"]


def test_an_empty_reasoning_is_none():
    assert messages_of(turn(reasoning_content="")) == [ASK, ANSWER]


@pytest.mark.parametrize("key", ["weight", "loss", "train", "trainable"])
@pytest.mark.parametrize(
    ("value", "trained"), [(0, False), (False, False), (0.0, False), (1, True), (True, True), (None, None)]
)  # fmt: skip
def test_a_turn_may_say_whether_it_is_trained(key: str, value: Any, trained: bool | None):
    ledger = Ledger()
    sample = read(turn(**{key: value}), None, ledger)
    assert sample.trained == [None, trained] and sample.messages == [ASK, ANSWER]
    assert ledger.to_json() == []


@pytest.mark.parametrize("value", [0.5, 2, -1, "0", [0]])
def test_a_weight_in_between_is_refused_by_name(value: Any):
    said = problem(turn(weight=value))
    assert said == f"message 2 has weight = {json.dumps(value)}; only 0, 1, false and true are read"


def test_weights_that_disagree_are_refused():
    assert "loss and train, which say" in problem(turn(loss=1, train=False))


def test_arguments_of_the_template_come_from_the_row():
    row = turn() | {"chat_template_kwargs": {"enable_thinking": False}}
    assert read(row).arguments == {"enable_thinking": False}
    row["chat_template_kwargs"] = json.dumps(row["chat_template_kwargs"])
    assert read(row).arguments == {"enable_thinking": False}
    assert "is not an object" in problem(turn() | {"chat_template_kwargs": [1]})


def test_a_system_column_stands_in_front():
    system = {"role": "system", "content": "Be brief."}
    assert messages_of(turn() | {"system": "Be brief."}) == [system, ASK, ANSWER]
    assert messages_of(chat(system, ASK, system="Be brief.")) == [system, ASK]
    assert messages_of(turn() | {"system": ""}) == [ASK, ANSWER]
    assert "another one" in problem(chat(system, ASK, system="Be long."))


def test_a_tools_result_that_is_no_text_is_written_as_json():
    row = chat(
        ASK, CALL_TURN, {"role": "tool", "content": {"t": 9}}, {"role": "tool", "content": [1]}
    )
    assert [message["content"] for message in messages_of(row)[2:]] == ['{"t": 9}', "[1]"]


@pytest.mark.parametrize(
    ("row", "said"),
    [
        (chat(), 'has an empty list "messages"'),
        (chat({"role": "user"}), 'message 1 has no text "content"'),
        (chat(ASK, {"role": "assistant", "content": 4}), 'message 2 has no text "content"'),
        (chat(ASK, {"role": "assistant", "content": None}), 'message 2 has no text "content"'),
        (chat({"role": ["user"], "content": "a"}), 'message 1 has no text "role"'),
        (chat({"content": "a"}), 'message 1 has no text "role"'),
        (chat(ASK, "hello"), "message 2 is not an object"),
        (chat(ASK, {"role": "assistant", "tool_calls": [{"id": "x"}]}), "without the name"),
        (chat(ASK, {"role": "assistant", "tool_calls": {"a": 1}}), "not a list"),
        ({"messages": "[not JSON"}, '"messages" is not JSON'),
        ({"messages": [ASK], "tools": "{}x"}, '"tools" is not JSON'),
        ({"messages": [ASK], "tools": [3]}, "a tool that is not an object"),
        ({"other": 1, "more": 2}, 'has the columns "other", "more"'),
        ({}, "has no columns"),
        ([1], "is not a JSON object"),
        (turn(reasoning="a", thinking="b"), "different reasoning"),
    ],
)
def test_what_is_wrong_is_said(row: Any, said: str):
    assert said in problem(row)
