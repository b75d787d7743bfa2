"""Which tokens of a sample a run sees, and which of them the loss counts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypedDict

from .samples.sample import IN_ALL, IN_ASSISTANT, IN_LAST, Span
from .tokenised.columns import Table
from .tokenised.tokenise import last_of, targets

FLAGS = {"assistant": IN_ASSISTANT, "last": IN_LAST, "all": IN_ALL}


class ViewDocument(TypedDict):
    """A view as JSON."""

    supervise: str
    limit: int | None


@dataclass(frozen=True)
class View:
    """``supervise``: "assistant", "last" or "all"; ``limit``: tokens kept of a longer sample, None for all."""

    supervise: str = "assistant"
    limit: int | None = None

    @classmethod
    def of(cls, document: ViewDocument) -> View:
        """From JSON."""
        return cls(document["supervise"], document["limit"])

    def shows(self, views: int) -> bool:
        """Whether a sample with these flags belongs to this view."""
        return bool(views & FLAGS[self.supervise])

    def length(self, tokens: int) -> int:
        """The number of tokens that are kept."""
        return tokens if self.limit is None else min(tokens, self.limit)

    def seen(self, spans: list[Span], tokens: int) -> list[Span]:
        """What the loss counts of a sample with ``tokens`` kept tokens, in order and cut to these."""
        if self.supervise == "all":
            return [Span(0, tokens, 0, True)]
        chosen = last_of(spans) if self.supervise == "last" else spans
        return [
            s._replace(end=min(s.end, tokens)) for s in chosen if s.trained and s.start < tokens
        ]

    def counted(self, table: Table, row: int, tokens: int) -> int:
        """The number of targets of the loss among the first ``tokens`` tokens."""
        return targets(self.seen(spans_of(table, row), tokens))


def spans_of(table: Table, row: int) -> list[Span]:
    """All spans of a row of a table."""
    flat, ends = table["spans"], table["span_end"]
    start = ends[row - 1] if row else 0
    numbers = flat[3 * start : 3 * ends[row]]
    return [
        Span(numbers[n], numbers[n + 1], numbers[n + 2] >> 1, bool(numbers[n + 2] & 1))
        for n in range(0, len(numbers), 3)
    ]
