"""What stands between the layouts of data and its tokens: a row as read, and a row as encoded."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, NamedTuple

from ...errors import UserError

# Who counts a sample: a row whose template rewrites its history is kept once as a whole, for `last` and `all`, and once
# an answer, for `assistant`.
IN_ASSISTANT, IN_LAST, IN_ALL = 1, 2, 4
IN_EVERY_VIEW = IN_ASSISTANT | IN_LAST | IN_ALL


class RowProblem(UserError):
    """A row that cannot be trained on, and why: "message 2 has no text 'content'"."""


@dataclass(frozen=True)
class Sample:
    """What a row holds, whatever its layout."""

    kind: str  # "conversation", "text" or "tokens"
    messages: list[dict[str, Any]] = field(default_factory=list)  # as a chat template takes them
    # One a message: whether the loss counts it, where the row says so; None leaves it to its role.
    trained: list[bool | None] = field(default_factory=list)
    tools: list[Any] | None = None
    arguments: dict[str, Any] = field(default_factory=dict)  # of the chat template, from the row
    prompt: str = ""  # of a text, what is given
    completion: str = ""
    ids: list[int] = field(default_factory=list)  # of a row that is tokens already
    counted: list[bool] = field(default_factory=list)  # of each of these, whether it is a target


class Span(NamedTuple):
    """Tokens that answer, from ``start`` up to ``end``; those of one answer have the same ``turn``."""

    start: int
    end: int
    turn: int
    trained: bool  # False where the row takes the answer out of the loss


class Encoded(NamedTuple):
    """A sample's tokens."""

    ids: list[int]
    spans: list[Span]  # ascending, none over another
    method: (
        str  # that found the spans: "generation", "twin", "prefix", "declared", "text" or "tokens"
    )
    markers: int = 0  # special tokens' texts that the contents hold
    views: int = IN_EVERY_VIEW
    lost: tuple[str, ...] = ()  # keys of the row that the template has not written
    text: str = ""  # where it was asked for, with the range of characters of each token
    offsets: list[tuple[int, int]] = []  # noqa: RUF012
