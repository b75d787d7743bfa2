"""What lies between the layouts of data and its tokens: a row as read, and a row as encoded."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, NamedTuple

from ...errors import UserError
from ...shapes import JsonObject

ChatMessage = dict[str, Any]  # as a chat template takes it; templates define the keys

# Which views count a sample: a row whose template rewrites its history is kept once as a whole, for `last` and `all`,
# and once for each answer, for `assistant`.
IN_ASSISTANT, IN_LAST, IN_ALL = 1, 2, 4
IN_EVERY_VIEW = IN_ASSISTANT | IN_LAST | IN_ALL


class RowProblem(UserError):
    """A row that cannot be trained on, and why: "message 2 has no text 'content'"."""


@dataclass(frozen=True)
class Sample:
    """What a row holds, whatever its layout."""

    kind: str  # "conversation", "text" or "tokens"
    messages: list[ChatMessage] = field(default_factory=list)
    # For each message, whether the loss counts it; None, where the row does not say, leaves it to its role.
    trained: list[bool | None] = field(default_factory=list)
    tools: list[Any] | None = None
    arguments: JsonObject = field(default_factory=dict)  # of the chat template, from the row
    prompt: str = ""  # the given part of a text
    completion: str = ""
    ids: list[int] = field(default_factory=list)  # of a row that holds tokens
    counted: list[bool] = field(default_factory=list)  # whether each of these is a target


class Span(NamedTuple):
    """Tokens of an answer, from ``start`` up to ``end``; spans of one answer have the same ``turn``."""

    start: int
    end: int
    turn: int
    trained: bool  # False where the row takes the answer out of the loss


class Encoded(NamedTuple):
    """A sample's tokens."""

    ids: list[int]
    spans: list[Span]  # ascending, without overlaps
    # That found the spans: "generation", "twin", "prefix", "declared", "text" or "tokens".
    method: str
    markers: int = 0  # texts of special tokens in the contents
    views: int = IN_EVERY_VIEW
    lost: tuple[str, ...] = ()  # keys of the row that the template does not write
    text: str = ""  # only on request, like the next: each token's range of characters
    offsets: list[tuple[int, int]] = []  # noqa: RUF012
