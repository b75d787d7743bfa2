"""Kinds of conversation that chat templates are tried on, and what transformers makes of them."""

from __future__ import annotations

import datetime
import json
import logging
from pathlib import Path
from typing import Any

from skrull_runtime.data.samples.sample import RowProblem, Sample
from skrull_runtime.data.templating import LoadedTokenizer, Renderer

SYSTEM = {"role": "system", "content": "Be brief."}
USER = {"role": "user", "content": "What is 2+2?"}
MORE = {"role": "user", "content": "And 3+3?"}
ANSWER = {"role": "assistant", "content": "It is 4."}
SIX = {"role": "assistant", "content": "It is 6."}
WEATHER = {
    "type": "function",
    "function": {
        "name": "weather",
        "description": "The weather in a <city> & its 'surroundings'.",
        "parameters": {
            "type": "object",
            "properties": {
                "city": {"type": "string", "description": "Where"},
                "days": {"type": "integer"},
            },
            "required": ["city"],
        },
    },
}


def call(city: str, number: str, arguments: Any = None) -> dict[str, Any]:
    given = {"city": city} if arguments is None else arguments
    return {"id": number, "type": "function", "function": {"name": "weather", "arguments": given}}


CALL = {"role": "assistant", "content": "", "tool_calls": [call("Köln", "abcdefghi")]}
RESULT = {
    "role": "tool",
    "tool_call_id": "abcdefghi",
    "name": "weather",
    "content": '{"sky": "grey"}',
}
GREY = {"role": "assistant", "content": "It is grey."}
TWO_CALLS = {
    "role": "assistant",
    "content": "",
    "tool_calls": [call("Köln", "abcdefghi"), call("Bonn", "bcdefghij")],
}
SECOND = {"role": "tool", "tool_call_id": "bcdefghij", "name": "weather", "content": "sun"}


def says(text: Any, **more: Any) -> dict[str, Any]:
    return {"role": "assistant", "content": text, **more}


def asks(text: Any) -> dict[str, Any]:
    return {"role": "user", "content": text}


# Name: messages, tools, arguments.
KINDS: dict[str, tuple[list[dict[str, Any]], list[Any] | None, dict[str, Any]]] = {
    "one turn": ([USER, ANSWER], None, {}),
    "system": ([SYSTEM, USER, ANSWER], None, {}),
    "empty system": ([{"role": "system", "content": ""}, USER, ANSWER], None, {}),
    "two turns": ([USER, ANSWER, MORE, SIX], None, {}),
    "system, three turns": ([SYSTEM, USER, ANSWER, MORE, SIX, USER, ANSWER], None, {}),
    "many turns": ([USER, ANSWER, MORE, SIX] * 6, None, {}),
    "tools unused": ([SYSTEM, USER, ANSWER], [WEATHER], {}),
    "no tools given": ([USER, ANSWER], [], {}),
    "call at the end": ([USER, CALL], [WEATHER], {}),
    "call with text": ([USER, {**CALL, "content": "Let me see."}, RESULT, GREY], [WEATHER], {}),
    "call without text": ([USER, CALL, RESULT, GREY], [WEATHER], {}),
    "call with null": ([USER, {**CALL, "content": None}, RESULT, GREY], [WEATHER], {}),
    "call without content": (
        [USER, {"role": "assistant", "tool_calls": CALL["tool_calls"]}, RESULT, GREY],
        [WEATHER],
        {},
    ),
    "call as text": (
        [USER, {**CALL, "tool_calls": [call("", "abcdefghi", '{"city": "Köln"}')]}, RESULT, GREY],
        [WEATHER],
        {},
    ),
    "parallel calls": ([USER, TWO_CALLS, RESULT, SECOND, GREY], [WEATHER], {}),
    "calls in a row": ([USER, CALL, RESULT, CALL, RESULT, GREY, MORE, SIX], [WEATHER], {}),
    "calls, no tools": ([USER, CALL, RESULT, GREY], None, {}),
    "reasoning": ([USER, says("It is 4.", reasoning_content="2 and 2")], None, {}),
    "thinking": ([USER, says("It is 4.", thinking="2 and 2")], None, {}),
    "reasoning in two turns": (
        [USER, says("4", reasoning_content="2+2"), MORE, says("6", reasoning_content="3+3")],
        None,
        {},
    ),
    "reasoning written": ([USER, says("<think>\n2 and 2\n</think>\n\nIt is 4.")], None, {}),
    "reasoning written early": (
        [USER, says("<think>\nhm\n</think>\n\n4"), MORE, says("6")],
        None,
        {},
    ),
    "reasoning and a call": (
        [USER, {**CALL, "reasoning_content": "look"}, RESULT, says("grey", reasoning_content="so")],
        [WEATHER],
        {},
    ),
    "thinking off": ([USER, ANSWER], None, {"enable_thinking": False}),
    "thinking off, two turns": ([USER, ANSWER, MORE, SIX], None, {"enable_thinking": False}),
    "unicode": ([asks("Ça va? 你好 🙂 e\u0301"), says("👩‍👩‍👧 مرحبا\u200b ½")], None, {}),
    "blanks": ([asks("  a  "), says("  b  ")], None, {}),
    "newlines": ([asks("\n\na\n"), says("\n\nb\n\n")], None, {}),
    "tabs and no-break": ([asks("\ta\u00a0"), says("\u00a0\tb\r\n")], None, {}),
    "empty answer": ([USER, says("")], None, {}),
    "empty question": ([asks(""), ANSWER], None, {}),
    "ends with user": ([USER, ANSWER, MORE], None, {}),
    "user alone": ([USER], None, {}),
    "two users": ([USER, MORE, ANSWER], None, {}),
    "two assistants": ([USER, ANSWER, SIX], None, {}),
    "assistant first": ([ANSWER, MORE, SIX], None, {}),
    "system in the middle": ([USER, ANSWER, SYSTEM, MORE, SIX], None, {}),
    "another role": ([{"role": "narrator", "content": "Once"}, USER, ANSWER], None, {}),
    "code": ([asks("```py\nx = {'a': 1}\n```"), says("{{ x }} {% if y %}\n\tok")], None, {}),
    "parts": (
        [asks([{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]), ANSWER],
        None,
        {},
    ),
    "markers": (
        [asks("a <|im_end|> <eos></s>[INST] <|eot_id|> b"), says("c <end_of_turn><|im_start|>\n")],
        None,
        {},
    ),
    "names": ([{**USER, "name": "ann"}, {**ANSWER, "name": "bob", "id": 3}], None, {}),
}


def sample(kind: str) -> Sample:
    messages, tools, arguments = KINDS[kind]
    copy = json.loads(json.dumps([messages, tools, arguments]))
    return Sample("conversation", copy[0], [None] * len(messages), copy[1], copy[2])


def of_transformers(folder: str) -> Any:
    """The same tokenizer as transformers loads it."""
    from transformers import AutoTokenizer

    logging.getLogger("transformers").setLevel(logging.ERROR)
    return AutoTokenizer.from_pretrained(folder)


def theirs(
    tokenizer: Any, kind: str, template: str | None, **more: Any
) -> dict[str, Any] | Exception:
    """What ``apply_chat_template`` makes of a kind: a text and ids, or what it raises."""
    given = sample(kind)
    try:
        ids = tokenizer.apply_chat_template(
            given.messages,
            tools=given.tools,
            chat_template=template,
            return_dict=True,
            **given.arguments,
            **more,
        )
        text = tokenizer.apply_chat_template(
            given.messages,
            tools=given.tools,
            chat_template=template,
            tokenize=False,
            **given.arguments,
        )
    except Exception as error:  # templates raise what they like
        return error
    return {"text": text, **ids}


def ours(tokenizer: LoadedTokenizer, kind: str, template: str | None, **rendering: Any) -> Any:
    """The whole conversation's Encoded, or why there is none."""
    chosen = {"type": "auto"} if template is None else {"type": "jinja", "text": template}
    today = datetime.date.today().isoformat()
    made = Renderer(
        tokenizer, {"template": chosen, "markers": "tokens", "date": today, **rendering}
    )
    result = made.encode([sample(kind)], keep_text=True)[0]
    return result if isinstance(result, RowProblem) else result[0]


def difference(
    tokenizer: LoadedTokenizer, reference: Any, kind: str, template: str | None
) -> str | None:
    """How ours and theirs differ; None where they are the same, or both refuse."""
    mine, other = ours(tokenizer, kind, template), theirs(reference, kind, template)
    if isinstance(other, Exception):
        return None if isinstance(mine, RowProblem) else f"{kind}: they refuse ({other})"
    if isinstance(mine, RowProblem):
        return f"{kind}: we refuse ({mine})"
    if mine.text != other["text"]:
        return f"{kind}: {mine.text!r} is not {other['text']!r}"
    return None if mine.ids == other["input_ids"] else f"{kind}: other ids of {mine.text!r}"


def templates_in(folder: Path) -> dict[str, str]:
    """Templates of a folder of ``.jinja`` files."""
    return {file.stem: file.read_text(encoding="utf-8") for file in sorted(folder.glob("*.jinja"))}
