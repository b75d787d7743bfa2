"""Pretrained weights are the model's, all of them and nothing else, or the run is refused with the reason.

What transformers itself loads completely is accepted, and gives the same parameters as its own loading.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import tiny
import torch
from safetensors.torch import load_file, save_file
from transformers import AutoConfig, AutoModelForCausalLM

from skrull_runtime.errors import UserError
from skrull_runtime.model.build import build_model
from skrull_runtime.model.weights.files import PretrainedFiles, StoredTensor
from skrull_runtime.model.weights.matching import Matching
from skrull_runtime.model.weights.placing import without_parameters

Tensors = dict[str, torch.Tensor]
UNTIED = {"tie_word_embeddings": False}
PRETRAINED = replace(
    tiny.model_config(), weights="pretrained", source="weights", source_kind="folder"
)


def stored(folder: Path, family: str = "qwen2", **config: object) -> Path:
    """The weights of a random model of that family, as transformers stores them, in ``folder/weights``."""
    tiny.write_config(folder, family)
    path = folder / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | config))
    torch.manual_seed(3)
    model = AutoModelForCausalLM.from_config(
        AutoConfig.from_pretrained(folder), dtype=torch.float32
    )
    model.save_pretrained(folder / "weights")
    return folder / "weights"


def change(weights: Path, how: Callable[[Tensors], Tensors]) -> None:
    """Stores other tensors in place of those that are there."""
    file = weights / "model.safetensors"
    save_file(how(load_file(file)), file, metadata={"format": "pt"})


def configure(folder: Path, **config: object) -> None:
    """Other settings in the configuration of the run."""
    path = folder / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | config))


def without(part: str) -> Callable[[Tensors], Tensors]:
    """Leaves out the tensors with that in their names."""
    return lambda tensors: {key: t for key, t in tensors.items() if part not in key}


def renamed(how: Callable[[str], str]) -> Callable[[Tensors], Tensors]:
    """The same tensors by other names."""
    return lambda tensors: {how(key): t for key, t in tensors.items()}


def split(weights: Path) -> None:
    """Two files and their index, as large models are stored."""
    tensors = load_file(weights / "model.safetensors")
    (weights / "model.safetensors").unlink()
    names = sorted(tensors)
    parts = names[::2], names[1::2]
    places = {}
    for number, part in enumerate(parts, 1):
        file = f"model-{number:05}-of-00002.safetensors"
        save_file({name: tensors[name] for name in part}, weights / file, metadata={"format": "pt"})
        places |= dict.fromkeys(part, file)
    index = {"metadata": {}, "weight_map": places}
    (weights / "model.safetensors.index.json").write_text(json.dumps(index))


def pickled(weights: Path) -> None:
    """As before safetensors."""
    file = weights / "model.safetensors"
    torch.save(load_file(file), weights / "pytorch_model.bin")
    file.unlink()


def with_old_buffers(tensors: Tensors) -> Tensors:
    """What earlier versions of transformers stored besides."""
    return tensors | {"model.layers.0.self_attn.rotary_emb.inv_freq": torch.ones(4)}


ACCEPTED: dict[str, tuple[str, dict, Callable[[Path], None]]] = {
    **{
        name: (name, {}, lambda _: None) for name in ("llama", "mixtral", "qwen3_moe", "starcoder2")
    },
    "untied": ("qwen3", UNTIED, lambda _: None),
    "several files": ("mistral", {}, split),
    "pickled": ("qwen2", UNTIED, pickled),
    "bare decoder, tied head": (
        "qwen2",
        {},
        lambda weights: change(weights, renamed(lambda key: key.removeprefix("model."))),
    ),
    "bare decoder with a head": (
        "qwen2",
        UNTIED,
        lambda weights: change(weights, renamed(lambda key: key.removeprefix("model."))),
    ),
    "old buffers": ("llama", UNTIED, lambda weights: change(weights, with_old_buffers)),
    "embeddings stored as the head": (
        "qwen2",
        {},
        lambda weights: change(
            weights, renamed(lambda key: key.replace("model.embed_tokens", "lm_head"))
        ),
    ),
    "tied head stored twice": (
        "qwen2",
        {},
        lambda weights: change(
            weights, lambda t: t | {"lm_head.weight": t["model.embed_tokens.weight"].clone()}
        ),
    ),
    "of another type": (
        "llama",
        UNTIED,
        lambda weights: change(weights, lambda t: {key: v.bfloat16() for key, v in t.items()}),
    ),
}


@pytest.mark.parametrize("name", ACCEPTED)
def test_what_transformers_loads_completely_is_loaded_alike(name: str, tmp_path: Path):
    family, config, alter = ACCEPTED[name]
    weights = stored(tmp_path, family, **config)
    alter(weights)
    expected, info = AutoModelForCausalLM.from_pretrained(
        weights, dtype=torch.float32, output_loading_info=True
    )
    assert not info["missing_keys"] and not info["unexpected_keys"]
    found = build_model(PRETRAINED, tmp_path, tmp_path, 1)
    theirs = dict(expected.named_parameters()) | dict(expected.named_buffers())
    ours = dict(found.named_parameters()) | dict(found.named_buffers())
    assert ours.keys() == theirs.keys()
    for key, value in theirs.items():
        assert ours[key].equal(value), key


def deeper(folder: Path) -> None:
    configure(folder, num_hidden_layers=4)


REFUSED: dict[str, tuple[dict, Callable[[Path], None], str]] = {
    "prefix": (
        UNTIED,
        lambda f: change(f / "weights", renamed(lambda key: f"language_model.{key}")),
        r"27 in all\) of the model .* Every key starts with 'language_model.'",
    ),
    "a layer": (
        UNTIED,
        lambda f: change(f / "weights", without("layers.1.")),
        r"model.layers.1.*\(12 in all\) of the model are not in the files.*not copied",
    ),
    "no head": (
        UNTIED,
        lambda f: change(f / "weights", without("lm_head")),
        "lm_head.weight .*set tie_word_embeddings to true",
    ),
    "no embeddings": ({}, lambda f: change(f / "weights", without("embed")), "2 in all"),
    "deeper configuration": ({}, deeper, r"24 in all\).* more layers than the weights"),
    "deeper weights": (
        {},
        lambda f: configure(f, num_hidden_layers=1),
        r"\(12 in all\) of the files are not in the model\. The weights have more layers",
    ),
    "other model": (
        {},
        lambda f: change(f / "weights", lambda t: t | {"score.weight": torch.ones(2, 32)}),
        "score.weight .*They are of another model",
    ),
    "vocabulary": (
        {},
        lambda f: configure(f, vocab_size=300),
        r"model.embed_tokens.weight is \[258, 32\], not \[300, 32\]",
    ),
    "other head": (
        {},
        lambda f: change(f / "weights", lambda t: t | {"lm_head.weight": torch.ones(258, 32)}),
        "set tie_word_embeddings to false",
    ),
    "quantised": (
        {},
        lambda f: change(
            f / "weights",
            lambda t: {k: v.to(torch.int8) if "mlp" in k else v for k, v in t.items()},
        ),
        "are of type I8. Quantised weights cannot be trained",
    ),
    "a file of several": (
        {},
        lambda f: (split(f / "weights"), next((f / "weights").glob("*-of-*")).unlink()),
        "is in its index, but not there",
    ),
    "an index that leaves its folder": (
        {},
        lambda f: (
            (f / "weights/model.safetensors").rename(f / "weights/model.safetensors.index.json")
            and (f / "weights/model.safetensors.index.json").write_text(
                '{"weight_map": {"a": "../x"}}'
            )
        ),
        "leaves its folder",
    ),
    "cut short": (
        {},
        lambda f: (f / "weights/model.safetensors").write_bytes(
            (f / "weights/model.safetensors").read_bytes()[:5000]
        ),
        "was the copy cut short",
    ),
    "nothing": ({}, lambda f: (f / "weights/model.safetensors").unlink(), "there is none of"),
    "not an index": (
        {},
        lambda f: (
            (f / "weights/model.safetensors").unlink(),
            (f / "weights/model.safetensors.index.json").write_text("[1"),
        ),
        "is not an index",
    ),
    "code in a pickle": (
        {},
        lambda f: (
            (f / "weights/model.safetensors").unlink(),
            torch.save({"a": Path("b")}, f / "weights/pytorch_model.bin"),
        ),
        "cannot be read as weights",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_would_train_from_random_values_is_refused(name: str, tmp_path: Path):
    config, spoil, reason = REFUSED[name]
    stored(tmp_path, **config)
    spoil(tmp_path)
    with pytest.raises(UserError, match=reason):
        build_model(PRETRAINED, tmp_path, tmp_path, 1)


@pytest.mark.parametrize("family", ["mixtral", "qwen3_moe"])
def test_an_expert_that_is_not_there_is_missed(family: str, tmp_path: Path):
    change(stored(tmp_path, family), without("experts.2."))
    with pytest.raises(UserError, match=r"gate_up_proj is \[3, \d+, 32\], not \[4, \d+, 32\]"):
        build_model(PRETRAINED, tmp_path, tmp_path, 1)


def test_settings_of_generation_stay_with_the_model(tmp_path: Path):
    weights = stored(tmp_path)
    (weights / "generation_config.json").write_text(json.dumps({"temperature": 0.3}))
    model = build_model(PRETRAINED, tmp_path, tmp_path, 1)
    assert model.generation_config.temperature == 0.3


VECTORS = json.loads(
    (Path(__file__).resolve().parents[2] / "test/vectors/weights.json").read_text()
)
CASES = [
    {**case, "of": name}
    for case in VECTORS["cases"]
    for name in (VECTORS["models"] if case["of"] == "*" else [case["of"]])
]
VERDICTS = {
    "are quantised": "quantised",
    "are not those of the model": "incomplete",
    "have other shapes": "other shapes",
}


def headers_of(case: dict) -> dict[str, StoredTensor]:
    """The stored tensors of a case; ``test/inputs/weights.test.ts`` makes the same."""
    tensors = {}
    for name, shape in (VECTORS["models"][case["of"]]["tensors"] | case.get("add", {})).items():
        if "drop" in case and re.search(case["drop"], name):
            continue
        key = re.sub(*case["rename"], name, count=1) if "rename" in case else name
        special = "type" in case and re.search(case["type"][0], key)
        kind = case["type"][1] if special else "BF16"
        tensors[key] = StoredTensor(Path("none"), tuple(shape), kind)
    return tensors


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case['of']}: {case['name']}")
def test_the_compiler_judges_headers_alike(case: dict, tmp_path: Path):
    config = VECTORS["models"][case["of"]]["config"] | case.get("config", {})
    (tmp_path / "config.json").write_text(json.dumps(config))
    with without_parameters():
        model = AutoModelForCausalLM.from_config(AutoConfig.from_pretrained(tmp_path))
    files = PretrainedFiles("weights", [])
    files.tensors = headers_of(case)
    assert verdict(Matching(model, files)) == case["is"]


def verdict(matching: Matching) -> str:
    """In a word."""
    matching._require_ties = lambda: None  # of values, which a header has none of
    try:
        matching.require_complete()
    except UserError as error:
        return next(word for text, word in VERDICTS.items() if text in str(error))
    return "complete"


@pytest.mark.parametrize("name", VECTORS["models"])
def test_the_vectors_are_what_transformers_stores(name: str, tmp_path: Path):
    """The same files under the installed version."""
    (tmp_path / "config.json").write_text(json.dumps(VECTORS["models"][name]["config"]))
    model = AutoModelForCausalLM.from_config(AutoConfig.from_pretrained(tmp_path))
    model.save_pretrained(tmp_path / "weights")
    tensors = load_file(tmp_path / "weights/model.safetensors")
    shapes = {key: list(tensor.shape) for key, tensor in tensors.items()}
    assert shapes == VECTORS["models"][name]["tensors"]
