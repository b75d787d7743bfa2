"""Samples for display: their text, their tokens and what the loss counts."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any, TypedDict

from ..errors import UserError
from ..shapes import JsonObject
from .layouts import Ledger, read_sample
from .measure import fill_store, measurement
from .readers import Row, open_rows
from .samples.sample import Encoded, RowProblem, Span
from .templating import LoadedTokenizer
from .tokenised.columns import Table
from .tokenised.tokenise import targets
from .tokenised.work import Pool, Tools, Work
from .view import View

WITHOUT_TEXT = ("text", "tokens")  # methods whose samples have tokens that are in no text


class Which(TypedDict, total=False):
    """Which rows to show: one of these, ``seed`` beside ``random``."""

    line: int
    longest: bool
    random: int
    seed: int
    unsupervised: int


def show(request: JsonObject, work: Work) -> Any:
    """The samples of chosen rows of a file.

    ``which``: ``{"line": 3}``, ``{"longest": true}``, ``{"random": 5, "seed": 0}`` or ``{"unsupervised": 5}``. Raises
    UserError where there is no such row, or it cannot be trained on.
    """
    file, view = Path(request["file"]), View.of(request["view"])
    which: Which = request["which"]
    if "line" in which:
        return _shown(file, {which["line"]}, view, work.tools())
    pool = Pool(work, 1)
    known = fill_store(file, pool, lambda _: None)
    table = Table(measurement(file, known, pool, view))
    return _shown(file, _chosen(table, which), view, pool.tools)


def _chosen(table: Table, which: Which) -> set[int]:
    """The numbers of the rows."""
    lines, full, supervised = table["line"], table["full"], table["supervised"]
    if "longest" in which:
        found = [max(range(len(full)), key=full.__getitem__)] if len(full) else []
    elif "random" in which:
        count = min(which["random"], len(lines))
        found = sorted(random.Random(which.get("seed", 0)).sample(range(len(lines)), count))
    else:
        found = [n for n, targets in enumerate(supervised) if targets == 0][: which["unsupervised"]]
    return {lines[n] for n in found}


def _shown(file: Path, lines: set[int], view: View, tools: Tools) -> list[Any]:
    missing = set(lines)
    made: list[Any] = []
    if not missing:
        return []
    for row in open_rows(file):
        if row.number in missing:
            missing.discard(row.number)
            made += _samples(file, row, view, tools)
        if not missing:
            return made
    raise UserError(f"{file.name}: has no line {min(missing)}")


def _samples(file: Path, row: Row, view: View, tools: Tools) -> list[Any]:
    try:
        if row.problem is not None:
            raise RowProblem(row.problem)
        sample = read_sample(row.content, tools.layout, Ledger(), row.number)
        (encoded,) = tools.renderer.encode([sample], keep_text=True)
        if isinstance(encoded, RowProblem):
            raise encoded
    except RowProblem as problem:
        raise UserError(f"{file.name}:{row.number}: {problem}") from None
    return [
        _sample(row.number, part, view, tools.tokenizer)
        for part in encoded
        if view.shows(part.views)
    ]


def _sample(line: int, encoded: Encoded, view: View, tokenizer: LoadedTokenizer) -> Any:
    length = view.length(len(encoded.ids))
    spans = view.seen(encoded.spans, length)
    if encoded.method in WITHOUT_TEXT:
        stretches = _decoded(encoded.ids[:length], spans, tokenizer)
    else:
        stretches = _stretches(encoded, spans, length)
    return {
        "line": line,
        "ids": encoded.ids[:length],
        "supervised": [[span.start, span.end] for span in spans],
        "targets": targets(spans),
        "tokens": len(encoded.ids),
        "text": "".join(text for text, _ in stretches),
        "mask": encoded.method,
        "stretches": stretches,
    }


def _decoded(ids: list[int], spans: list[Span], tokenizer: LoadedTokenizer) -> list[Any]:
    """As :func:`_stretches`, from the tokens: those that begin and end a sample are in no text."""
    made: list[Any] = []
    at = 0
    for start, end in [*((span.start, span.end) for span in spans), (len(ids), len(ids))]:
        made += [[tokenizer.decode(ids[at:start]), False], [tokenizer.decode(ids[start:end]), True]]
        at = end
    return [stretch for stretch in made if stretch[0]]


def _stretches(encoded: Encoded, spans: list[Span], length: int) -> list[Any]:
    """The text in stretches, each with whether the loss counts it."""
    made: list[Any] = []
    at = 0
    end = encoded.offsets[length - 1][1] if 0 < length < len(encoded.ids) else len(encoded.text)
    for span in spans:
        start, stop = encoded.offsets[span.start][0], encoded.offsets[span.end - 1][1]
        made += [[encoded.text[at:start], False], [encoded.text[start:stop], True]]
        at = stop
    made.append([encoded.text[at:end], False])
    return [stretch for stretch in made if stretch[0]]
