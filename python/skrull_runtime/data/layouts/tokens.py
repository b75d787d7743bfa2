"""Rows that already hold tokens: ``input_ids`` with ``labels``, or with a mask of what is trained."""

from __future__ import annotations

from typing import Any

from ..samples.sample import RowProblem, Sample
from .columns import Columns, json_value
from .message import Context

IGNORED = -100  # a label that the loss does not count
LARGEST = 2**32 - 1  # tokens are stored in four bytes


def read_tokens(columns: Columns, context: Context) -> Sample:
    """The tokens that are not padding. Labels are at the position of their token, as in transformers."""
    ids = _numbers(columns, "input_ids")
    if not ids:
        raise RowProblem(f'has no tokens "{columns.expected("input_ids")}"')
    if min(ids) < 0 or max(ids) > LARGEST:
        raise RowProblem("has a token that is no token's number")
    counted = [True] * len(ids)
    labels = _beside(columns, "labels", ids)
    if labels is not None:
        counted = [label != IGNORED for label in labels]
        _require_unshifted(ids, labels)
    mask = _bits(columns, "mask", ids)
    if mask is not None:
        counted = [both and bool(bit) for both, bit in zip(counted, mask, strict=True)]
    start, end = _kept(_bits(columns, "attention_mask", ids), len(ids))
    return Sample(kind="tokens", ids=ids[start:end], counted=counted[start:end])


def _numbers(columns: Columns, concept: str) -> list[int] | None:
    name, value = columns.take(concept)
    if value is None:
        return None
    value = json_value(value, name)
    if not isinstance(value, list) or set(map(type, value)) - {int}:
        raise RowProblem(f'"{name}" is not a list of whole numbers')
    return value


def _beside(columns: Columns, concept: str, ids: list[int]) -> list[int] | None:
    name = columns.find(concept)
    if name is not None and isinstance(columns.row[name], list):
        bits = columns.row[name]
        if set(map(type, bits)) == {bool}:
            columns.take(concept)
            return _as_long(list(map(int, bits)), name, ids)
    numbers = _numbers(columns, concept)
    return None if numbers is None else _as_long(numbers, str(name), ids)


def _as_long(numbers: list[int], name: str, ids: list[int]) -> list[int]:
    if len(numbers) != len(ids):
        raise RowProblem(f'"{name}" has {len(numbers)} entries, there are {len(ids)} tokens')
    return numbers


def _bits(columns: Columns, concept: str, ids: list[int]) -> list[int] | None:
    name = columns.find(concept)
    bits = _beside(columns, concept, ids)
    if bits is not None and not set(bits) <= {0, 1}:
        raise RowProblem(f'"{name}" has entries other than 0 and 1')
    return bits


def _require_unshifted(ids: list[int], labels: list[Any]) -> None:
    for index, (token, label) in enumerate(zip(ids, labels, strict=True)):
        if label != IGNORED and label != token:
            raise RowProblem(
                f"has label {label} at token {index + 1}, which is {token}: a label is its own "
                f"token or {IGNORED}, and not the next one"
            )


def _kept(attention: list[int] | None, length: int) -> tuple[int, int]:
    """The range of the tokens that are not padding."""
    if attention is None:
        return 0, length
    if 1 not in attention:
        raise RowProblem("has an attention_mask without a 1: all of it is padding")
    start = attention.index(1)
    end = length - attention[::-1].index(1)
    if 0 in attention[start:end]:
        raise RowProblem("has a 0 within its attention_mask: only padding at the ends is read")
    return start, end
