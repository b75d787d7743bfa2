"""What a run states is held to the contract, and every word of the contract does something here."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any, get_args

import pytest
import tiny

from skrull_runtime.config import DataConfig, ModelConfig, require_contract
from skrull_runtime.contract import document
from skrull_runtime.contract import vocabularies as words
from skrull_runtime.data import layouts
from skrull_runtime.errors import UserError
from skrull_runtime.scheduling import POLICIES
from skrull_runtime.training import optimizer

MODEL = ModelConfig("random")
DATA = DataConfig(".", "bytes", "assistant", 9, "drop")
SCHEDULING = tiny.scheduling(2, 2, "auto")
TRAIN = tiny.train_config({"type": "adamw", "lr": 1.0, "betas": (0.9, 0.95)})


def test_what_the_compiler_writes_passes():
    require_contract(MODEL, DATA, TRAIN, SCHEDULING)


RATE = {"type": "constant", "warmup_steps": 0}


@pytest.mark.parametrize(
    ("part", "said"),
    [
        (replace(MODEL, checkpointing="some"), 'ModelConfig.*/checkpointing is "some", not "none"'),
        (replace(MODEL, attention="flash9"), '/attention is "flash9"'),
        (replace(MODEL, source_kind="disk"), '/source_kind is "disk", not "hub" or "folder"'),
        (replace(MODEL, lora={"rank": 0}), "/lora/alpha is missing"),
        (replace(MODEL, loss_chunk=0), "/loss_chunk is 0, not at least 1"),
        (replace(DATA, supervise="first"), '/supervise is "first", not "assistant" or "last"'),
        (replace(DATA, rendering={"markers": "words"}), '/rendering/markers is "words"'),
        (replace(DATA, rendering={"mark": "text"}), 'has a key that is not known: "mark"'),
        (replace(TRAIN, non_finite_gradients="ignore"), '/non_finite_gradients is "ignore"'),
        (replace(TRAIN, learning_rate=RATE | {"type": "step"}), '/learning_rate/type is "step"'),
        (
            replace(TRAIN, optimizer={"type": "lion", "lr": 1.0}),
            '/optimizer/type is "lion", not "adamw" or .* /optimizer/type is "lion", not "sgd"',
        ),
        (
            replace(TRAIN, optimizer={"type": "sgd", "lr": 1.0, "decayed": "some"}),
            '/optimizer/decayed is "some", not "matrices" or "all"',
        ),
        (replace(SCHEDULING, policy="first"), 'SchedulingConfig.*/policy is "first", not "auto"'),
        (replace(SCHEDULING, cost={"a1": 1.0, "a2": 1.0}), "/cost/comm is missing"),
        (replace(SCHEDULING, forecast={"fixed_us": 1.0}), "/forecast/target_us is missing"),
    ],
)
def test_what_this_runtime_does_not_know_is_refused_at_its_place(part: Any, said: str):
    with pytest.raises(UserError, match=f"{said}.*Compile the run again"):
        require_contract(part)


@pytest.mark.parametrize(
    ("vocabulary", "done"),
    [
        (words.LearningRateKind, optimizer._SHAPES),
        (words.OptimizerKind, optimizer._BUILDERS),
        (words.OnlinePolicy, POLICIES),
        (words.Format, {"auto", *layouts._READERS}),
    ],
)
def test_every_word_does_something_here(vocabulary: Any, done: Iterable[str]):
    assert set(get_args(vocabulary)) == set(done)


def test_every_format_has_its_columns():
    assert set(get_args(words.Format)) == set(document("data-names.json")["formats"])
