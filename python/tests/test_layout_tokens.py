"""Rows that are tokens already."""

from __future__ import annotations

import pytest
from layout_rows import (
    problem,
    read,
)


def test_labels_are_not_shifted():
    sample = read({"input_ids": [5, 6, 7], "labels": [-100, 6, 7], "attention_mask": [1, 1, 1]})
    assert (sample.kind, sample.ids) == ("tokens", [5, 6, 7])
    assert sample.counted == [False, True, True]
    assert "label 6 at token 1" in problem({"input_ids": [5, 6, 7], "labels": [6, 7, -100]})


@pytest.mark.parametrize("name", ["loss_mask", "completion_mask", "assistant_masks"])
@pytest.mark.parametrize("mask", [[0, 1, 1], [False, True, True]])
def test_masks_say_what_is_trained(name: str, mask: list):
    assert read({"input_ids": [5, 6, 7], name: mask}).counted == [False, True, True]


def test_padding_is_left_out():
    row = {"input_ids": [0, 5, 6, 0], "labels": [-100, 5, 6, -100], "attention_mask": [0, 1, 1, 0]}
    assert read(row).ids == [5, 6] and read(row).counted == [True, True]


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"labels": [1]}, '"labels" has 1 entries, there are 3 tokens'),
        ({"labels": [5.0, 6, 7]}, "not a list of whole numbers"),
        ({"loss_mask": [0, 1, 2]}, "other than 0 and 1"),
        ({"attention_mask": [1, 0, 1]}, "within its attention_mask"),
        ({"attention_mask": [0, 0, 0]}, "all of it is padding"),
        ({"input_ids": [-1, 5, 6]}, "no token's number"),
        ({"input_ids": [2**32]}, "no token's number"),
        ({"input_ids": []}, "has no tokens"),
        ({"input_ids": [True, 5, 6]}, "not a list of whole numbers"),
        ({"input_ids": [[5, 6]]}, "not a list of whole numbers"),
    ],
)
def test_tokens_that_do_not_fit_together(more: dict, said: str):
    assert said in problem({"input_ids": [5, 6, 7], **more})
