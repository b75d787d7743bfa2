"""Jinja exactly as ``apply_chat_template`` of transformers sets it up (5.23, ``utils/chat_template_utils.py``), with limits.

A template is a program by a stranger: it gets no loader, a sandbox, and limits on time, memory and output.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any, NamedTuple

from ...errors import UserError
from ...shapes import JsonObject
from ..samples.sample import ChatMessage, RowProblem
from .environment import environment
from .generated import Generated
from .guard import limited_time

OUTPUT = 10_000_000  # characters that any conversation may become
OUTPUT_PER_CHARACTER = 50  # beyond that, for each character of its contents
COMPILE_SECONDS = 20.0
REASONING = ("reasoning_content", "thinking", "reasoning")  # one thing under three names


class Rendered(NamedTuple):
    text: str
    generated: list[Generated]


class JinjaTemplate:
    """A compiled chat template. Raises UserError, with the line, where it cannot be compiled."""

    def __init__(self, text: str, date: str, special: dict[str, str]):
        self.text = text
        self.sha256 = hashlib.sha256(text.encode(errors="replace")).hexdigest()
        self._special = special
        self._environment = environment(_date(date))
        self._template, names, self.marks = _compile(self._environment, text)
        self.reads_date = "strftime_now" in names

    def render(
        self,
        messages: list[ChatMessage],
        tools: list[Any] | None,
        arguments: JsonObject,
        prompt: bool = False,
    ) -> Rendered:
        """The conversation's text. ``prompt``: followed by the request for an answer.

        Raises RowProblem where the template refuses the conversation, UserError where the template is at fault.
        """
        given = {
            "messages": messages,
            "tools": tools,
            "documents": None,
            "add_generation_prompt": prompt,
            **self._special,
            **arguments,
        }
        with limited_time(), _told():
            return self._run(given)

    def _run(self, given: JsonObject) -> Rendered:
        template = self._template
        pieces: list[str] = []
        generated: list[Generated] = []
        length, limit = 0, OUTPUT
        with self._environment.tracking(pieces, generated):
            for piece in template.root_render_func(template.new_context(given)):
                pieces.append(piece)
                length += len(piece)
                if length > limit:
                    limit = self._more(length, given)
        return Rendered("".join(pieces), generated)

    @staticmethod
    def _more(length: int, given: JsonObject) -> int:
        limit = OUTPUT + OUTPUT_PER_CHARACTER * characters(given["messages"], given["tools"])
        if length > limit:
            raise UserError(
                f"the chat template makes more than {limit:,} characters of one conversation and was stopped"
            )
        return limit


def conversation(messages: list[ChatMessage]) -> list[ChatMessage]:
    """Messages as transformers gives them to a template: without null values, and with reasoning under every name."""
    given = []
    for message in messages:
        message = {key: value for key, value in message.items() if value is not None}
        reasoning = next((message[name] for name in REASONING if name in message), None)
        if reasoning is not None:
            message = {"thinking": reasoning, **message, "reasoning_content": reasoning}
        given.append(message)
    return given


def characters(*values: Any) -> int:
    """The number of characters of all strings inside lists and objects."""
    return sum(map(len, strings(*values)))


def strings(*values: Any) -> list[str]:
    """All strings inside lists and objects, keys included."""
    found: list[str] = []
    waiting = list(values)
    while waiting:
        value = waiting.pop()
        if isinstance(value, str):
            found.append(value)
        elif isinstance(value, dict):
            found += [key for key in value if isinstance(key, str)]
            waiting += value.values()
        elif isinstance(value, list):
            waiting += value
    return found


@contextmanager
def _told() -> Iterator[None]:
    """Translates errors of a template: to a refused row, or to a template that does what none may."""
    from jinja2.exceptions import SecurityError

    try:
        yield
    except UserError:
        raise
    except SecurityError as error:
        raise UserError(f"the chat template does what no template may: {error}") from None
    except MemoryError:
        raise
    except RecursionError:
        raise RowProblem("is nested too deep for the chat template") from None
    except Exception as error:  # whatever the template's operations raise on this row's values
        raise RowProblem(f"is refused by the chat template: {_message(error)}") from None


def _message(error: Exception) -> str:
    text = " ".join(str(error).split())
    text = text if len(text) <= 300 else f"{text[:300]}..."
    return text or type(error).__name__


def _compile(environment: Any, text: str) -> tuple[Any, set[str], bool]:
    """The template, the names that it reads, and whether it tags what is generated."""
    from jinja2 import TemplateSyntaxError, nodes

    try:
        with limited_time(COMPILE_SECONDS):
            template = environment.from_string(text)
            tree = environment.parse(text)
            _require_alone(tree)
            names = {node.name for node in tree.find_all(nodes.Name)}
            return (
                template,
                names,
                "_generation" in {n.name for n in tree.find_all(nodes.ExtensionAttribute)},
            )
    except TemplateSyntaxError as error:
        raise UserError(f"chat template, line {error.lineno}: {error.message}") from None
    except (RecursionError, SyntaxError, MemoryError):
        raise UserError("chat template: is nested too deep") from None
    except UserError:
        raise
    except Exception as error:
        raise UserError(f"chat template: cannot be compiled ({_message(error)})") from None


def _require_alone(tree: Any) -> None:
    """Raises UserError where a template reaches for another file: it may have none."""
    from jinja2 import nodes

    reaching = (nodes.Include, nodes.Extends, nodes.Import, nodes.FromImport)
    other = next(iter(tree.find_all(reaching)), None)
    if other is not None:
        raise UserError(f"chat template, line {other.lineno}: reaches for another file")


def _date(text: str) -> datetime:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        raise UserError(f"date {text!r} is not of the form YYYY-MM-DD") from None
