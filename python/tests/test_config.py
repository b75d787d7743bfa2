"""What a run states is held to the contract's words."""

from __future__ import annotations

from dataclasses import replace

import pytest
import tiny

from skrull_runtime.config import DataConfig, ModelConfig, require_known_words
from skrull_runtime.errors import UserError

MODEL = ModelConfig("random")
DATA = DataConfig(".", "bytes", "assistant", 9, "drop")


def test_known_words_pass():
    require_known_words(MODEL, DATA, tiny.train_config({"type": "adamw", "lr": 1.0}))


@pytest.mark.parametrize(
    ("part", "said"),
    [
        (replace(MODEL, checkpointing="some"), "checkpointing 'some'.*none, selective, attention"),
        (replace(MODEL, attention="flash9"), "attention 'flash9'"),
        (replace(DATA, supervise="first"), "supervise 'first'.*assistant, last, all"),
    ],
)
def test_a_word_that_this_runtime_does_not_know_is_refused(part: object, said: str):
    with pytest.raises(UserError, match=f"unknown value of {said}"):
        require_known_words(part)
