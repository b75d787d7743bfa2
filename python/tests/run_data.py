"""Data of small runs: the index that the compiler would write, and ChatML over bytes worked out independently."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from skrull_runtime.data.indexing import index_of
from skrull_runtime.data.tokenised.work import Work
from skrull_runtime.data.tokens import IGNORED, Tokens
from skrull_runtime.data.view import View

START, END = 256, 257


def write_index(
    folder: Path, name: str = "data.jsonl", supervise: str = "assistant", limit: int | None = None
) -> dict[str, Any]:
    """Writes and gives ``data_index.json`` of a data file in a run's folder; its tokens are then in the store."""
    work = Work("bytes", {}, folder / "token_store")
    document = index_of(folder, [name], work, View(supervise, limit))
    (folder / "data_index.json").write_text(json.dumps(document))
    return document


def chatml(messages: list[dict[str, str]]) -> Tokens:
    """A conversation's bytes, the answers and what ends them as targets."""
    ids: list[int] = []
    counted: list[bool] = []

    def add(piece: list[int], trained: bool = False) -> None:
        ids.extend(piece)
        counted.extend([trained] * len(piece))

    for message in messages:
        answers = message["role"] == "assistant"
        add([START, *f"{message['role']}\n".encode()])
        add([*message["content"].encode(), END], answers)
        add([*b"\n"])
    shifted = zip(ids[1:], counted[1:], strict=True)
    labels = [token if counts else IGNORED for token, counts in shifted]
    return Tokens(ids, [*labels, IGNORED])
