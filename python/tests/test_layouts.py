"""Rows as the usual tools write them, read into samples; what is not read is in the ledger."""

from __future__ import annotations

import contextlib
import json
from typing import Any

import pytest

from skrull_runtime.data.layouts import Ledger, layout_of, read_sample
from skrull_runtime.data.layouts.ledger import MOST_NAMES, OTHERS, SHOWN
from skrull_runtime.data.sample import RowProblem, Sample
from skrull_runtime.errors import UserError

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


# --- messages


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
    assert problem(row) == f"message 1 has a part of type {kind}"


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


# --- ShareGPT


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


# --- instructions, prompts, texts


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


# --- tokens


def test_labels_are_not_shifted():
    sample = read({"input_ids": [5, 6, 7], "labels": [-100, 6, 7], "attention_mask": [1, 1, 1]})
    assert (sample.kind, sample.ids) == ("tokens", [5, 6, 7])
    assert sample.counted == [False, True, True]
    assert "label 6 at token 1" in problem({"input_ids": [5, 6, 7], "labels": [6, 7, -100]})


@pytest.mark.parametrize("name", ["loss_mask", "completion_mask", "assistant_masks"])
@pytest.mark.parametrize("mask", [[0, 1, 1], [False, True, True]])
def test_masks_say_what_is_trained(name: str, mask: list):
    assert read({"input_ids": [5, 6, 7], name: mask}).counted == [False, True, True]


def test_padding_is_left_out():
    row = {"input_ids": [0, 5, 6, 0], "labels": [-100, 5, 6, -100], "attention_mask": [0, 1, 1, 0]}
    assert read(row).ids == [5, 6] and read(row).counted == [True, True]


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"labels": [1]}, '"labels" has 1 entries, there are 3 tokens'),
        ({"labels": [5.0, 6, 7]}, "not a list of whole numbers"),
        ({"loss_mask": [0, 1, 2]}, "other than 0 and 1"),
        ({"attention_mask": [1, 0, 1]}, "within its attention_mask"),
        ({"attention_mask": [0, 0, 0]}, "all of it is padding"),
        ({"input_ids": [-1, 5, 6]}, "no token's number"),
        ({"input_ids": [2**32]}, "no token's number"),
        ({"input_ids": []}, "has no tokens"),
        ({"input_ids": [True, 5, 6]}, "not a list of whole numbers"),
        ({"input_ids": [[5, 6]]}, "not a list of whole numbers"),
    ],
)
def test_tokens_that_do_not_fit_together(more: dict, said: str):
    assert said in problem({"input_ids": [5, 6, 7], **more})


# --- refused by name


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


# --- the ledger


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


# --- hostile rows


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
