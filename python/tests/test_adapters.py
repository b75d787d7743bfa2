"""Adapters of every kind train as plain peft does, packed and sharded over two ranks."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import launch
import pytest
import tiny
import torch
from pairwise import Case
from parity_cases import PLAIN
from peft import PeftModel
from test_outputs import evaluations, plain_loss
from test_parity import run_cases
from test_resume import SCRIPT, write_run
from transformers import AutoConfig, AutoModelForCausalLM, BitsAndBytesConfig

from skrull_runtime.checkpoints import export, merged
from skrull_runtime.config import DataConfig
from skrull_runtime.errors import UserError
from skrull_runtime.model.adapters import start
from skrull_runtime.model.adapters.ends import end_of
from skrull_runtime.model.adapters.wrap import with_adapters
from skrull_runtime.model.build import build_model


def case(lora: str, family: str, zero: int, checkpointing: str, **more: object) -> Case:
    """Sharded over two ranks."""
    stated = {"lora": lora, "family": family, "zero": zero, "checkpointing": checkpointing}
    usual = {"context": 2, "offload": "none", "reduction": "every-micro-batch", "tile": None}
    return PLAIN | usual | stated | more


def test_adapters_of_every_kind_equal_plain_training(tmp_path: Path):
    cases = [
        case("rslora", "qwen2", 2, "full", optimizer="adamw"),
        case("rslora", "llama", 3, "selective", context=1),
        case("dora", "qwen3", 0, "none", optimizer="adamw"),
        case("dora", "qwen2", 2, "full", tile=50),
        case("dora", "llama", 3, "full", tile=50),
        case("dora", "qwen2", 3, "selective", optimizer="adamw"),
        case("saved", "qwen2", 2, "full"),
        case("saved", "qwen2 untied", 3, "none", optimizer="adamw"),
        case("tokens", "qwen2", 2, "none", optimizer="adamw"),
        case("tokens", "qwen2 untied", 0, "full"),
        case("qlora", "llama", 0, "none", optimizer="adamw"),
        case("qlora dora", "qwen2", 2, "full"),
        case("qlora", "qwen3", 1, "selective", tile=50),
        case("experts", "mixtral", 0, "none", optimizer="adamw"),
        case("experts", "qwen3_moe", 1, "selective", reduction="once"),
        case("experts", "qwen3_moe", 2, "full", context=1),
        case("experts", "mixtral", 3, "full"),
        case("experts", "mixtral", 3, "selective", optimizer="adamw"),
    ]
    run_cases(2, cases, tmp_path)


def trained_in_parts(folder: Path, stage: int, family: str) -> Path:
    """A run that was resumed, and evaluated on its own data."""
    write_run(folder, stage, family)
    (folder / "evaluation_index.json").write_text((folder / "data_index.json").read_text())
    launch.run(2, SCRIPT, str(folder), "--steps", "4")
    launch.run(2, SCRIPT, str(folder))
    return folder / "output"


@pytest.mark.parametrize(
    ("lora", "family", "stage"),
    [("dora", "qwen2", 3), ("experts", "mixtral", 2), ("saved", "qwen2", 3), ("qlora", "qwen2", 2)],
)
def test_adapters_are_resumed_and_load_elsewhere(
    lora: str, family: str, stage: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("LORA", lora)
    output = trained_in_parts(tmp_path / "run", stage, family)
    torch.manual_seed(3)  # the run's seed: its frozen weights are random ones
    base = AutoModelForCausalLM.from_config(AutoConfig.from_pretrained(output / "model"))
    if lora == "qlora":
        tiny.quantise(base, torch.float32)
    model = PeftModel.from_pretrained(base, output / "model")
    model.train()  # bitsandbytes packs what is evaluated on CPU, and cannot where it is this narrow
    loss = plain_loss(model, tmp_path / "run" / "data.jsonl")
    first, last = evaluations(output)
    assert loss == pytest.approx(last["evaluation_loss"], rel=1e-5)
    assert loss < first["evaluation_loss"]
    # Nobody needs to know this machine's names of layers.
    stated = json.loads((output / "model" / "adapter_config.json").read_text())
    assert "layers.0" not in json.dumps(stated)


def built(folder: Path, family: str = "qwen2", width: int = 32, **adapters: Any) -> Any:
    """A tiny model with adapters."""
    tiny.write_config(folder, family, hidden_size=width)
    config = replace(tiny.model_config(), lora={**tiny.LORA, **adapters})
    return build_model(config, folder, folder, 1)


def disturb(model: torch.nn.Module) -> None:
    """As if it had been trained."""
    with torch.no_grad():
        for own in model.parameters():
            if own.requires_grad:
                own += 0.1 * torch.randn_like(own)


def exported(
    model: torch.nn.Module, folder: Path, monkeypatch: pytest.MonkeyPatch, **more: bool
) -> Path:
    """The folder of a model of one process, whose weights are in a folder of that name."""
    monkeypatch.setattr(export.dist, "get_rank", lambda: 0)
    monkeypatch.setattr(export, "require_success", lambda problem: problem and pytest.fail(problem))
    data = DataConfig(".", "bytes", "assistant", 99, "drop")
    return export.export_model(model, folder, folder, 0, "weights", data, **more)


@pytest.mark.parametrize(
    ("lora", "family"),
    [
        ("some", "qwen2"),
        ("dora", "llama"),
        ("experts", "mixtral"),
        ("saved", "qwen2"),
        ("tokens", "qwen2 untied"),
    ],
)
def test_a_run_starts_from_adapters_that_another_has_left(
    lora: str, family: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    own = tiny.ADAPTERS[lora]
    before = built(tmp_path, family, **own)
    disturb(before)
    exported(before, tmp_path, monkeypatch)
    start = {"kind": "folder", "name": "model"}
    after = built(tmp_path, family, **own, start=start)
    values = dict(before.named_parameters())
    for name, parameter in after.named_parameters():
        assert parameter.equal(values[name]), name


@pytest.mark.parametrize(
    ("lora", "family"),
    [
        ("rslora", "llama"),
        ("dora", "qwen3"),
        ("experts", "mixtral"),
        ("saved", "qwen2 untied"),
        ("tokens", "qwen2"),
        ("tokens", "qwen2 untied"),
    ],
)
def test_merged_weights_compute_what_adapters_do(
    lora: str, family: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(merged, "SHARD_BYTES", 20_000)  # several files
    model = built(tmp_path, family, **tiny.ADAPTERS[lora])
    disturb(model)
    before = {name: own.detach().clone() for name, own in model.named_parameters()}
    folder = exported(model, tmp_path, monkeypatch, merge=True)
    assert all(own.equal(before[name]) for name, own in model.named_parameters())
    names = {file.name for file in folder.iterdir()}
    assert len([name for name in names if name.endswith(".safetensors")]) > 1
    assert "adapter_config.json" not in names
    whole, notes = AutoModelForCausalLM.from_pretrained(
        folder, output_loading_info=True, dtype=torch.float32
    )
    assert not notes["missing_keys"] and not notes["unexpected_keys"]
    model.get_base_model().set_attn_implementation("eager")
    ids = torch.tensor([[1, 205, 250, 5, 257, 3]])
    with torch.no_grad():
        expected = model(input_ids=ids, use_cache=False).logits
        torch.testing.assert_close(whole(input_ids=ids).logits, expected, rtol=1e-4, atol=1e-5)


def test_adapters_that_are_not_those_of_the_run_are_refused_in_a_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    own = {**tiny.LORA, "targets": ["q_proj"]}
    folder = exported(built(tmp_path, **own), tmp_path, monkeypatch)
    start = {"kind": "folder", "name": "model"}
    for other, reason in {
        "rank": "their rank is 4, this run's 8",
        "rslora": r"they are scaled by 2.0, this run's by 4.0 \(alpha, rslora\)",
        "dora": "this run is DoRA, they are not",
        "targets": r"base_model.model.model.layers.0.self_attn.v_proj.lora_A.weight, .* and 1 more",
    }.items():
        changed = {"rank": 8, "rslora": True, "dora": True, "targets": ["q_proj", "v_proj"]}[other]
        with pytest.raises(UserError, match=reason):
            built(tmp_path, **{**own, other: changed}, start=start)
    with pytest.raises(UserError, match=r"q_proj.lora_A.weight is \[4, 32\], not \[4, 64\]"):
        built(tmp_path, width=64, **own, start=start)
    config = folder / "adapter_config.json"
    config.write_text("[1]")
    with pytest.raises(UserError, match=r"its adapter_config.json is not that of LoRA adapters$"):
        built(tmp_path, **own, start=start)
    config.unlink()
    with pytest.raises(
        UserError, match=r"holds no adapters of peft \(adapter_config.json is not there\)$"
    ):
        built(tmp_path, **own, start=start)
    with pytest.raises(UserError, match=r"'\.\./model' leaves the data root"):
        built(tmp_path, **own, start={"kind": "folder", "name": "../model"})


def test_adapters_of_another_model_of_the_hub_are_refused(tmp_path: Path):
    stated = {"base_model_name_or_path": "Qwen/Qwen2.5-7B"}
    assert start._other_base(stated, "qwen/qwen2.5-7b") is None
    assert start._other_base(stated, None) is None
    reason = "they are of 'Qwen/Qwen2.5-7B', this run is of 'a/b'"
    assert start._other_base(stated, "a/b") == reason


def test_a_target_that_no_module_has_is_said_so_with_those_there_are(tmp_path: Path):
    with pytest.raises(UserError, match=r"no matrix 'c_fc' .* they have q_proj, .*, down_proj$"):
        built(tmp_path, targets=["q_proj", "c_fc"])
    with pytest.raises(UserError, match="no matrix 'experts'"):
        built(tmp_path, targets=["experts"])


def test_another_number_of_parameters_than_the_plan_counted_is_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    # Two layers of 32 to 32 and 16, and of 64 to 32.
    own = 2 * 4 * (64 + 48 + 96)
    built(tmp_path, parameters=own)
    assert capsys.readouterr().out == ""
    built(tmp_path, parameters=own + 1)
    assert "1,664 parameters are trained, and the plan counted 1,665" in capsys.readouterr().out


def test_dense_mlps_beside_stacked_experts_have_no_adapters(tmp_path: Path):
    # peft would take their names for parts of the experts.
    with pytest.raises(UserError, match="no matrix 'mlp'"):
        built(tmp_path, "qwen3_moe", targets=["mlp"])
    model = built(tmp_path, "qwen3_moe", targets=["all-linear"])
    adapted = {name for name, own in model.named_parameters() if own.requires_grad}
    assert adapted and all(".self_attn." in name for name in adapted)


def test_what_a_run_under_zero_3_merges_has_the_evaluated_loss(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("LORA", "merged")
    write_run(tmp_path / "run", 3, "llama")
    index = (tmp_path / "run" / "data_index.json").read_text()
    (tmp_path / "run" / "evaluation_index.json").write_text(index)
    launch.run(2, SCRIPT, str(tmp_path / "run"))
    output = tmp_path / "run" / "output"
    model = AutoModelForCausalLM.from_pretrained(output / "model", dtype=torch.float32)
    loss = plain_loss(model, tmp_path / "run" / "data.jsonl")
    assert loss == pytest.approx(evaluations(output)[-1]["evaluation_loss"], rel=1e-5)


def test_rows_of_new_tokens_are_refused_under_zero_3(tmp_path: Path):
    tiny.write_config(tmp_path)
    model = build_model(tiny.model_config(), tmp_path, None, 1)
    with pytest.raises(UserError, match="cannot be trained under ZeRO 3: compile with zero = 2"):
        with_adapters(model, {**tiny.LORA, "token_rows": [3, 5]}, 1, partitioned=True)


@pytest.mark.parametrize("tied", [True, False], ids=["tied", "untied"])
def test_a_larger_vocabulary_is_exported_and_loads_elsewhere(
    tied: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    family = "qwen2" if tied else "qwen2 untied"
    tiny.write_config(tmp_path / "old", family)
    torch.manual_seed(1)
    published = AutoModelForCausalLM.from_config(AutoConfig.from_pretrained(tmp_path / "old"))
    published.save_pretrained(tmp_path / "weights")
    folder = tmp_path / "run"
    tiny.write_config(folder, family)
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**config, "vocab_size": 272}))
    stored = {"weights": "pretrained", "source": "weights", "source_kind": "folder"}
    lora = {**tiny.LORA, "token_rows": [258, 261]}
    stated = replace(tiny.model_config(), **stored, stored_vocabulary=258, lora=lora)
    model = build_model(stated, folder, tmp_path, 1)
    embedding = end_of(model.get_base_model().get_input_embeddings()).module.weight
    old = published.get_input_embeddings().weight
    assert embedding[:258].equal(old)
    torch.testing.assert_close(embedding[258:], old.mean(0).expand(14, -1))
    disturb(model)
    written = exported(model, folder, monkeypatch, resized=True)
    base = AutoModelForCausalLM.from_pretrained(tmp_path / "weights")
    base.resize_token_embeddings(272)
    elsewhere = PeftModel.from_pretrained(base, written)
    ids = torch.tensor([[1, 258, 260, 5, 261, 271]])
    model.get_base_model().set_attn_implementation("eager")
    with torch.no_grad():
        expected = model(input_ids=ids, use_cache=False).logits
        torch.testing.assert_close(elsewhere(input_ids=ids).logits, expected)


def test_weights_in_four_bits_are_those_of_transformers(tmp_path: Path):
    tiny.write_config(tmp_path, "llama")
    torch.manual_seed(1)
    published = AutoModelForCausalLM.from_config(AutoConfig.from_pretrained(tmp_path))
    published.save_pretrained(tmp_path / "weights")
    stored = {"weights": "pretrained", "source": "weights", "source_kind": "folder"}
    lora = {**tiny.LORA, "base": "nf4"}
    model = build_model(replace(tiny.model_config(), **stored, lora=lora), tmp_path, tmp_path, 1)
    settings = BitsAndBytesConfig(
        load_in_4bit=True,
        bnb_4bit_quant_type="nf4",
        bnb_4bit_use_double_quant=True,
        bnb_4bit_compute_dtype=torch.float32,
    )
    theirs = AutoModelForCausalLM.from_pretrained(
        tmp_path / "weights", quantization_config=settings, dtype=torch.float32, device_map="cpu"
    )
    model.get_base_model().set_attn_implementation("eager")
    ids = torch.tensor([[1, 258 - 8, 5, 7]])
    theirs.train()  # else bitsandbytes packs weights for the processor, and cannot where they are this narrow
    with torch.no_grad():
        expected = theirs(input_ids=ids).logits
        torch.testing.assert_close(model(input_ids=ids, use_cache=False).logits, expected)
        assert not torch.allclose(published(input_ids=ids).logits, expected, rtol=1e-3)


def test_what_cannot_be_kept_in_four_bits_is_refused(tmp_path: Path):
    with pytest.raises(UserError, match="no experts in four bits whose weights are one tensor"):
        built(tmp_path, "mixtral", targets=["q_proj"], base="nf4")
    tiny.write_config(tmp_path)
    config = replace(tiny.model_config(), lora={**tiny.LORA, "base": "nf4"})
    with pytest.raises(UserError, match="four bits cannot be partitioned by ZeRO 3"):
        build_model(config, tmp_path, None, 1, {"zero_optimization": {"stage": 3}})
