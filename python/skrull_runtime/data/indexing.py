"""A sample index made in Python: what ``skrull compile`` writes for data that is taken whole, in one file."""

from __future__ import annotations

from pathlib import Path

from ..shapes import JsonObject
from .index import COLUMNS
from .measure import fill_store, measurement
from .tokenised.columns import Table
from .tokenised.work import Pool, Work
from .view import View


def index_of(root: Path, names: list[str], work: Work, view: View) -> JsonObject:
    """The document of an index of files below ``root``. Raises UserError where they cannot be read."""
    pool = Pool(work, 1)
    files: list[JsonObject] = []
    blocks: list[JsonObject] = []
    samples: dict[str, list[int]] = {name: [] for name in COLUMNS}
    for number, name in enumerate(names):
        known = fill_store(root / name, pool, lambda _: None)
        table = Table(measurement(root / name, known, pool, view))
        files.append({"path": name, "sha256": known.sha256, "bytes": known.bytes})
        first = len(blocks)
        blocks += [{"key": key, "file": number} for key in table.description["blocks"]]
        for column, values in samples.items():
            shift = first if column == "block" else 0
            values += [value + shift for value in table[column]]
    return {"format_version": 2, "files": files, "blocks": blocks, "samples": samples}
