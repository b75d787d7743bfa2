"""Turns a block of rows into the table of its tokens, which the store keeps."""

from __future__ import annotations

import sys
import zlib
from array import array
from collections.abc import Iterator
from dataclasses import dataclass, field
from hashlib import blake2b

from ...shapes import JsonObject
from ..layouts import Layout, Ledger, read_sample
from ..readers import Row
from ..samples.sample import IN_LAST, Encoded, RowProblem, Sample, Span
from ..templating import Renderer
from .blocks import Block

# Bytes of rows that are encoded together: the library takes about a hundred bytes for each token.
AT_ONCE = 1 << 19
WITHOUT_WORDS = "the template does not write it"
PROBLEMS_KEPT = 20  # of a block, to show
METHODS = ("generation", "twin", "prefix", "declared", "text", "tokens")  # tables hold the numbers
COLUMNS = {
    "ids": "I",  # of all samples
    "end": "I",  # of each sample's ids
    "spans": "I",  # start, end, 2 * turn + trained
    "span_end": "I",  # of each sample's spans
    "line": "I",  # number of the row, from the block's first
    "views": "B",
    "method": "B",  # number in METHODS
    "turns": "I",  # answers in the row
    "counted_assistant": "I",  # targets that the loss counts
    "counted_last": "I",
    "check": "I",  # checksum of ids and spans
    "content": "Q",  # hash of the ids: equal for equal samples
}


@dataclass
class TokenisedBlock:
    """The columns of a block's samples, and what was noticed about its rows."""

    columns: dict[str, array[int]] = field(
        default_factory=lambda: {name: array(code) for name, code in COLUMNS.items()}
    )
    problems: list[tuple[int, str]] = field(default_factory=list)  # the first few, by line
    malformed: int = 0
    marked: int = 0  # samples with markers in their contents
    ledger: Ledger = field(default_factory=Ledger)

    def description(self) -> JsonObject:
        """Everything but the columns, as JSON."""
        return {
            "problems": self.problems,
            "malformed": self.malformed,
            "marked": self.marked,
            "ledger": self.ledger.to_json(),
        }

    def refuse(self, line: int, reason: str) -> None:
        """Counts a row that cannot be trained on."""
        self.malformed += 1
        if len(self.problems) < PROBLEMS_KEPT:
            self.problems.append((line, reason))

    def add(self, line: int, encoded: Encoded, answers: int) -> None:
        """Adds a sample; ``answers``: how many its row has."""
        columns, spans = self.columns, encoded.spans
        ids = array("I", encoded.ids)
        flat = array("I", [n for s in spans for n in (s.start, s.end, 2 * s.turn + s.trained)])
        columns["ids"].extend(ids)
        columns["end"].append(len(columns["ids"]))
        columns["spans"].extend(flat)
        columns["span_end"].append(len(columns["spans"]) // 3)
        columns["line"].append(line)
        columns["views"].append(encoded.views)
        columns["method"].append(METHODS.index(encoded.method))
        columns["turns"].append(answers)
        columns["counted_assistant"].append(targets(spans))
        columns["counted_last"].append(targets(last_of(spans)))
        columns["check"].append(check_of(ids, flat))
        columns["content"].append(int.from_bytes(blake2b(ids, digest_size=8).digest(), "little"))
        if encoded.views & IN_LAST:
            self.marked += encoded.markers > 0


def answers_of(sample: Sample, encoded: Encoded) -> int:
    """The number of answers of the whole row, of which ``encoded`` may be a part."""
    if sample.kind == "conversation":
        return sum(message.get("role") == "assistant" for message in sample.messages)
    return len({span.turn for span in encoded.spans})


def last_of(spans: list[Span]) -> list[Span]:
    """The spans of the last answer."""
    return [span for span in spans if span.turn == spans[-1].turn] if spans else []


def targets(spans: list[Span], length: int = sys.maxsize) -> int:
    """The number of targets among the first ``length`` tokens; the first token of a sample is never a target."""
    return sum(max(0, min(s.end, length) - max(s.start, 1)) for s in spans if s.trained)


def check_of(ids: array[int] | memoryview[int], spans: array[int] | memoryview[int]) -> int:
    """A checksum of a sample's ids and spans, both as 32-bit integers."""
    return zlib.crc32(spans, zlib.crc32(ids))


def tokenise(block: Block, layout: Layout, renderer: Renderer) -> TokenisedBlock:
    """The tokens of a block's rows."""
    made = TokenisedBlock()
    for rows in _portions(block):
        samples: list[Sample] = []
        lines: list[int] = []
        for row in rows:
            line = row.number - block.first
            try:
                samples.append(_sample(row, line, layout, made.ledger))
                lines.append(line)
            except RowProblem as problem:
                made.refuse(line, str(problem))
        encoded = renderer.encode(samples)
        for line, sample, parts in zip(lines, samples, encoded, strict=True):
            if isinstance(parts, RowProblem):
                made.refuse(line, str(parts))
                continue
            for part in parts:
                made.add(line, part, answers_of(sample, part))
            for name in parts[0].lost:
                where = "message" if name == "reasoning_content" else "row"
                made.ledger.note(where, name, WITHOUT_WORDS, line, True)
    made.problems.sort()
    return made


def _sample(row: Row, line: int, layout: Layout, ledger: Ledger) -> Sample:
    if row.problem is not None:
        raise RowProblem(row.problem)
    return read_sample(row.content, layout, ledger, line)


def _portions(block: Block) -> Iterator[list[Row]]:
    held: list[Row] = []
    size = 0
    for row in block.rows:
        held.append(row)
        size += len(row.content)
        if size >= AT_ONCE:
            yield held
            held, size = [], 0
    if held:
        yield held
