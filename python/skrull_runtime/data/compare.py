"""Whether a model is trained on the same text that it will be served with."""

from __future__ import annotations

from itertools import islice
from pathlib import Path
from typing import TypedDict

from .layouts import Ledger, read_sample
from .readers import open_rows
from .samples.sample import RowProblem, Sample
from .templating import Renderer, first_difference
from .tokenised.work import Tools

LOOKED_AT = 32  # rows of a file


class ServedOtherwise(TypedDict):
    """A row and its texts under the chosen template and the tokenizer's own, around the first difference."""

    line: int
    chosen: str
    own: str


def served_otherwise(path: Path, tools: Tools) -> ServedOtherwise | None:
    """The first of a file's rows that the tokenizer's own template renders differently; None where there is none."""
    facts, tokenizer = tools.renderer.facts(), tools.tokenizer
    if facts["template"] == "own" or tokenizer.chat_template is None:
        return None
    own = Renderer(tokenizer, {**tools.rendering, "template": {"type": "auto"}})
    rows = _conversations(path, tools)
    found = first_difference(tools.renderer, own, [sample for _, sample in rows])
    if found is None:
        return None
    line, _ = rows[found["sample"]]
    return {"line": line, "chosen": found["text"], "own": found["other"]}


def _conversations(path: Path, tools: Tools) -> list[tuple[int, Sample]]:
    """The conversations among the first rows, with their lines."""
    found = []
    for row in islice(open_rows(path), LOOKED_AT):
        try:
            sample = read_sample(row.content, tools.layout, Ledger(), row.number)
        except RowProblem:
            continue
        if sample.kind == "conversation":
            found.append((row.number, sample))
    return found
