"""Tools and tool calls, in the one shape that chat templates of ``transformers`` take.

A tool is ``{"type": "function", "function": {"name", "description", "parameters"}}``, a call ``{"id", "type":
"function", "function": {"name", "arguments"}}`` with the arguments as an object: templates write them with ``tojson``
or iterate over their items, and OpenAI's JSON text of the arguments would be quoted twice. Bare functions, as
``{"name", "parameters"}`` and ``{"name", "arguments"}``, are wrapped, as inference servers do.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypedDict

from ...shapes import JsonObject
from ..samples.sample import RowProblem
from .columns import Columns, json_value
from .parsing import parse, shallow

Note = Callable[[str, str, Any], None]  # place, name and value of what is not rendered

_CALL_KEYS = frozenset(("id", "type", "function"))
_FUNCTION_KEYS = frozenset(("name", "arguments", "parameters"))
_OPEN, _CLOSE = "<tool_call>", "</tool_call>"


class CalledFunction(TypedDict):
    """The function of a call."""

    name: str
    arguments: Any  # an object, unless the row has something else


class ToolCall(TypedDict, total=False):
    """A call; all but ``id`` are always there."""

    id: Any
    type: str
    function: CalledFunction


def read_tools(columns: Columns) -> list[Any] | None:
    """The row's tools; None where it has none. Raises RowProblem where they are not a list of objects."""
    name, value = columns.json("tools")
    if not value:
        return None
    if not isinstance(value, list):
        raise RowProblem(f'"{name}" is not a list of tools')
    return [_tool(json_value(tool, name), name) for tool in shallow(value, f'"{name}"')]


def _tool(tool: Any, name: str) -> JsonObject:
    if not isinstance(tool, dict):
        raise RowProblem(f'"{name}" has a tool that is not an object')
    if "name" in tool and "function" not in tool and tool.get("type", "function") == "function":
        function = {key: value for key, value in tool.items() if key != "type"}
        return {"type": "function", "function": function}
    return tool


def read_calls(value: Any, place: str, note: Note) -> list[ToolCall] | None:
    """The calls of a message; None where it has none. Raises RowProblem where a call has no name."""
    calls = json_value(value, f'{place}: "tool_calls"')
    if not calls:
        return None
    if not isinstance(calls, list):
        raise RowProblem(f"{place} has tool_calls that are not a list")
    return [_call(call, place, note) for call in calls]


def _call(call: Any, place: str, note: Note) -> ToolCall:
    if isinstance(call, str):
        call = json_value(call, f'{place}: "tool_calls"')
    function = call.get("function", call) if isinstance(call, dict) else None
    if not isinstance(function, dict) or not isinstance(function.get("name"), str):
        raise RowProblem(f"{place} has a tool call without the name of a function")
    bare = function is call
    for key, value in call.items():
        if key not in _CALL_KEYS and not (bare and key in _FUNCTION_KEYS):
            note("tool_call", key, value)
    if not bare:
        for key in function.keys() - _FUNCTION_KEYS:
            note("tool_call", key, function[key])
    arguments = function.get("arguments", function.get("parameters"))
    shaped: CalledFunction = {
        "name": function["name"],
        "arguments": shallow(_arguments(arguments), f"{place}: a tool call"),
    }
    if call.get("id") is None:
        return {"type": "function", "function": shaped}
    return {"id": call["id"], "type": "function", "function": shaped}


def _arguments(value: Any) -> Any:
    """An object where the value is one, or JSON text of one; anything else is returned unchanged."""
    if value is None or value == "":
        return {}
    if not isinstance(value, str):
        return value
    try:
        parsed = parse(value)
    except RowProblem:
        return value
    return parsed if isinstance(parsed, dict) else value


def read_call_turn(text: str, place: str, note: Note) -> tuple[str, list[ToolCall]]:
    """The reasoning and the calls of a turn whose text is nothing else: JSON of one call or of a list of calls, possibly
    between ``<tool_call>`` tags, and after a ``<think>`` block. Raises RowProblem where the text is something else."""
    thought, body = _thought_and_rest(text)
    tagged = [part.split(_CLOSE)[0] for part in body.split(_OPEN)[1:]]
    found: list[Any] = []
    try:
        for piece in tagged or [body]:
            value = parse(piece)
            found += value if isinstance(value, list) else [value]
    except RowProblem as problem:
        raise RowProblem(
            f'{place} is a tool call that {problem}; {{"name": ..., "arguments": ...}} is read'
        ) from None
    calls = read_calls(found, place, note)
    if calls is None:
        raise RowProblem(f"{place} is a tool call that calls nothing")
    return thought, calls


def _thought_and_rest(text: str) -> tuple[str, str]:
    before, _, after = text.partition("</think>")
    before = before.lstrip()
    if not after or not before.startswith("<think>"):
        return "", text
    return before.removeprefix("<think>").strip("\n"), after
