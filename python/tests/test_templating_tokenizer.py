"""What is read of a tokenizer's folder: templates, special tokens, what it puts around a text, and its faults."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from skrull_runtime.data.samples.sample import RowProblem, Sample
from skrull_runtime.data.templating import Renderer, load_tokenizer
from skrull_runtime.errors import UserError

tokenizers = pytest.importorskip("tokenizers")
QUESTION = [{"role": "user", "content": "a b"}, {"role": "assistant", "content": "b"}]


def folder(path: Path, config: dict[str, Any] | None = None, begins: bool = False) -> str:
    """A tokenizer of four words, saved as a folder."""
    made = tokenizers.Tokenizer(
        tokenizers.models.WordLevel({"a": 0, "b": 1, "?": 2, "x": 3}, unk_token="?")
    )
    made.pre_tokenizer = tokenizers.pre_tokenizers.Whitespace()
    made.add_special_tokens(["<s>", "</s>"])
    if begins:
        made.post_processor = tokenizers.processors.TemplateProcessing(
            single="<s> $A", special_tokens=[("<s>", 4)]
        )
    path.mkdir(exist_ok=True)
    made.save(str(path / "tokenizer.json"))
    if config is not None:
        (path / "tokenizer_config.json").write_text(json.dumps(config))
    return str(path)


def ids(loaded: str, **rendering: Any) -> list[int]:
    (encoded,) = Renderer(load_tokenizer(loaded), rendering).encode(
        [Sample("text", completion="a")]
    )[0]
    return encoded.ids


def test_the_begin_token_is_what_the_tokenizer_puts_in_front(tmp_path: Path):
    named = {"bos_token": "<s>", "eos_token": {"content": "</s>"}}
    assert ids(folder(tmp_path / "none", named)) == [0, 5]
    assert ids(folder(tmp_path / "file", named, begins=True)) == [4, 0, 5]
    assert ids(folder(tmp_path / "config", {**named, "add_bos_token": True})) == [4, 0, 5]
    # transformers goes by the configuration where it says either way.
    assert ids(folder(tmp_path / "off", {**named, "add_bos_token": False}, begins=True)) == [0, 5]
    assert ids(folder(tmp_path / "given", named), begin="x", end="") == [3, 0]


def test_a_token_that_only_the_configuration_has_is_added(tmp_path: Path):
    config = {
        "eos_token": "<end>",
        "added_tokens_decoder": {"6": {"content": "<more>", "special": True}},
    }
    loaded = load_tokenizer(folder(tmp_path, config))
    assert loaded.added == {"<s>": 4, "</s>": 5, "<more>": 6, "<end>": 7}
    assert (loaded.vocabulary, loaded.end) == (8, "<end>")


def test_the_hash_is_of_what_decides_ids(tmp_path: Path):
    hashes = [
        load_tokenizer(folder(tmp_path, config)).sha256
        for config in (None, {}, {"add_bos_token": True})
    ]
    assert len(set(hashes)) == 3
    assert (
        load_tokenizer(str(tmp_path)).sha256
        == load_tokenizer(str(tmp_path / "tokenizer.json")).sha256
    )


def test_templates_are_found_where_transformers_finds_them(tmp_path: Path):
    named = [{"name": "default", "template": "d"}, {"name": "tool_use", "template": "t"}]
    path = folder(tmp_path, {"chat_template": named})
    loaded = load_tokenizer(path)
    assert (loaded.chat_template, loaded.tool_template) == ("d", "t")
    (tmp_path / "chat_template.jinja").write_text("f")
    loaded = load_tokenizer(path)
    assert (loaded.chat_template, loaded.tool_template) == ("f", "f")
    (tmp_path / "additional_chat_templates").mkdir()
    (tmp_path / "additional_chat_templates/tool_use.jinja").write_text("g")
    assert load_tokenizer(path).tool_template == "g"
    assert load_tokenizer(folder(tmp_path / "none", {})).chat_template is None


def test_tools_choose_their_template(tmp_path: Path):
    body = "{% for m in messages %}{{ m.content }} {% endfor %}"
    named = [{"name": "default", "template": body}, {"name": "tool_use", "template": "x " + body}]
    made = Renderer(load_tokenizer(folder(tmp_path, {"chat_template": named})), {})
    plain, tooled = (
        made.encode([Sample("conversation", QUESTION, [None, None], tools)])[0]
        for tools in (None, [{}])
    )
    assert isinstance(plain, list) and isinstance(tooled, list)
    assert (plain[0].ids, tooled[0].ids) == ([0, 1, 1], [3, 0, 1, 1])


def test_an_unnamed_default_is_refused(tmp_path: Path):
    named = [{"name": "tool_use", "template": "t"}]
    with pytest.raises(UserError, match="none of them is named 'default'"):
        Renderer(load_tokenizer(folder(tmp_path, {"chat_template": named})), {})


def test_a_marker_that_the_plain_tokenizer_makes_too_is_a_problem(tmp_path: Path):
    path = folder(tmp_path, {"eos_token": "x"})  # a word of the vocabulary
    result = Renderer(load_tokenizer(path), {}).encode([Sample("text", completion="a x")])[0]
    assert isinstance(result, RowProblem)
    assert "set `markers = tokens`" in str(result)


def test_what_cannot_be_read_is_told_with_its_file(tmp_path: Path):
    with pytest.raises(UserError, match=r"tokenizer\.json: cannot be read"):
        load_tokenizer(str(tmp_path))
    (tmp_path / "tokenizer.json").write_bytes(b"\xff{")
    with pytest.raises(UserError, match="is not a tokenizer that can be read"):
        load_tokenizer(str(tmp_path))
    folder(tmp_path)
    for text, reason in (("{", "is not JSON"), ("[]", "is not a JSON object")):
        (tmp_path / "tokenizer_config.json").write_text(text)
        with pytest.raises(UserError, match=reason):
            load_tokenizer(str(tmp_path))
