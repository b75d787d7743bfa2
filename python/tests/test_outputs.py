"""What a run leaves: a model that transformers loads, evaluation of it, and figures for trackers."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import launch
import pytest
import tiny
import torch
from peft import PeftModel
from run_data import chatml
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from test_resume import SCRIPT, write_run
from torch.nn.functional import cross_entropy
from transformers import AutoConfig, AutoModelForCausalLM

from skrull_runtime import versions
from skrull_runtime.checkpoints import export
from skrull_runtime.config import DataConfig
from skrull_runtime.data.tokens import IGNORED
from skrull_runtime.model.build import build_model


def plain_loss(model: torch.nn.Module, data: Path) -> float:
    """Mean loss of a target token, one sample at a time through transformers' own attention."""
    total, targets = 0.0, 0
    for line in data.read_text().splitlines():
        tokens = chatml(json.loads(line)["messages"])
        with torch.no_grad():
            logits = model(input_ids=torch.tensor([tokens.ids])).logits[0]
        labels = torch.tensor(tokens.labels)
        total += cross_entropy(logits, labels, ignore_index=IGNORED, reduction="sum").item()
        targets += int((labels != IGNORED).sum())
    return total / targets


def trained(folder: Path, stage: int, family: str = "qwen2") -> Path:
    """A run that is evaluated on its own data."""
    write_run(folder, stage, family)
    shutil.copy(folder / "data_index.json", folder / "evaluation_index.json")
    launch.run(2, SCRIPT, str(folder))
    return folder / "output"


def evaluations(output: Path) -> list[dict]:
    """The entries of evaluation.jsonl."""
    return [json.loads(line) for line in (output / "evaluation.jsonl").read_text().splitlines()]


@pytest.mark.parametrize("stage", [2, 3])
def test_the_exported_model_has_the_evaluated_loss(
    stage: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("TENSORBOARD", "1")
    output = trained(tmp_path / "run", stage)
    model = AutoModelForCausalLM.from_pretrained(output / "model", dtype=torch.float32)
    first, last = evaluations(output)
    assert [first["steps"], last["steps"]] == [4, 8]
    assert last["evaluation_loss"] < first["evaluation_loss"]
    loss = plain_loss(model, tmp_path / "run" / "data.jsonl")
    assert loss == pytest.approx(last["evaluation_loss"], rel=1e-5)
    assert_tracked(output)


def assert_tracked(output: Path) -> None:
    """TensorBoard has the steps of the metrics, and these have the figures that are promised."""
    entries = [json.loads(line) for line in (output / "metrics.jsonl").read_text().splitlines()]
    events = EventAccumulator(str(output / "tensorboard"))
    events.Reload()
    losses = [event.value for event in events.Scalars("loss")]
    assert losses == pytest.approx([entry["loss"] for entry in entries], rel=1e-6)
    assert [event.step for event in events.Scalars("evaluation_loss")] == [4, 8]
    for entry in entries:
        assert 0 <= entry["padding"] < 1
        assert entry["imbalance"] >= 1
        assert entry["memory_resident"] > 10**7
        assert entry["scheduling_seconds"] > 0
        assert entry["waited_seconds"] >= 0
        assert entry["mfu"] > entry["tokens"] * 1e6 / (entry["seconds"] * 2 * 1e12)


@pytest.mark.skipif(
    not versions.has("adapters-recomputed"), reason="this DeepSpeed trains no adapters so"
)
def test_adapters_are_exported_with_the_configuration_that_they_are_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("LORA", "some")
    output = trained(tmp_path / "run", 3, "yarn")
    assert not (output / "model" / "model.safetensors").exists()
    for file in (output / "model").glob("*.json"):
        assert str(tmp_path) not in file.read_text(), f"{file.name} says where it was made"
    adapters = json.loads((output / "model" / "adapter_config.json").read_text())
    assert adapters["base_model_name_or_path"] == ""  # random weights have no name
    config = AutoConfig.from_pretrained(output / "model")
    assert config.rope_parameters["rope_type"] == "yarn"
    torch.manual_seed(3)  # the run's seed: its frozen weights are random ones
    base = AutoModelForCausalLM.from_config(config)
    model = PeftModel.from_pretrained(base, output / "model")
    loss = plain_loss(model, tmp_path / "run" / "data.jsonl")
    assert loss == pytest.approx(evaluations(output)[-1]["evaluation_loss"], rel=1e-5)


@pytest.mark.filterwarnings("error")  # peft's, where it asks the hub for the base
@pytest.mark.parametrize("source", ["Qwen/Qwen2.5-0.5B", "weights/qwen"])
def test_adapters_name_their_base_as_it_can_be_found_elsewhere(
    source: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    tiny.write_config(tmp_path)
    model = build_model(tiny.model_config(lora=True), tmp_path, None, 1)
    model.get_base_model().config.name_or_path = str(tmp_path / source)
    monkeypatch.setattr(export.dist, "get_rank", lambda: 0)
    monkeypatch.setattr(export, "require_success", lambda problem: None)
    data = DataConfig(".", "bytes", "assistant", 99, "drop")
    folder = export.export_model(model, tmp_path, tmp_path, 0, source, data)
    adapters = json.loads((folder / "adapter_config.json").read_text())
    assert adapters["base_model_name_or_path"] == source
    assert str(tmp_path) not in (folder / "config.json").read_text()


def test_an_export_that_cannot_be_written_says_so(tmp_path: Path):
    folder = tmp_path / "run"
    write_run(folder)
    launch.run(2, SCRIPT, str(folder), "--steps", "1")
    exported = folder / "output" / "model"
    shutil.rmtree(exported)
    exported.write_text("in the way")
    results = launch.finish(launch.start(2, SCRIPT, str(folder), "--steps", "2"))
    assert [code for code, _ in results] == [1, 1]
    assert "the model cannot be written" in results[0][1]
    assert "Traceback" not in results[0][1]
