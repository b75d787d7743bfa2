"""Losses and gradients of a step under DeepSpeed equal those of each family's own forward, one sequence at a time, in fp32:
two ranks, sequences packed, shared, and both at once, and ways of recomputation in turn."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import launch
import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tools"))

from model_configurations import configurations
from transformers import AutoConfig

from skrull_runtime.check_model.shrinking import shrunk

TOLERANCE = 1e-5
SCALED = ("deepseek_v3", "gemma3_text", "phi3")  # yarn, linear in some layers, longrope
FAMILIES = (
    "apertus", "arcee", "bamba", "cohere", "cohere2", "deepseek_v2", "deepseek_v3", "ernie4_5",
    "exaone4", "gemma", "gemma2", "gemma3_text", "glm", "glm4", "glm4_moe", "gpt_neox", "gpt_oss",
    "granite", "granitemoe", "helium", "hunyuan_v1_dense", "lfm2", "llama", "mistral", "mixtral",
    "nanochat", "olmo", "olmo2", "olmo3", "olmoe", "phi", "phi3", "qwen2", "qwen2_moe", "qwen3",
    "qwen3_moe", "qwen3_next", "seed_oss", "smollm3", "stablelm", "starcoder2",
)  # fmt: skip
WORKER = Path(__file__).with_name("families_worker.py")


def write_families(folder: Path) -> list[str]:
    """A folder with a small configuration for each, by name, of those that verdicts are made of."""
    for kind in FAMILIES:
        every = list(configurations(kind))
        config = every[-1 if kind in SCALED else 0]
        small = shrunk(AutoConfig.for_model(kind, **_without_type(config)).to_dict())
        AutoConfig.for_model(kind, **_without_type(small)).save_pretrained(folder / kind)
    (folder / "families.json").write_text(json.dumps(FAMILIES))
    return list(FAMILIES)


def _without_type(config: dict) -> dict:
    return {name: own for name, own in config.items() if name != "model_type"}


@pytest.mark.parametrize("stage", [2, 3])
def test_every_family_trains_as_its_own_forward_says(stage: int, tmp_path: Path):
    families = write_families(tmp_path)
    launch.run(
        2, WORKER, str(tmp_path), str(stage), timeout=1500
    )  # two minutes where nothing else runs
    results = json.loads((tmp_path / "results.json").read_text())
    assert list(results) == families
    assert all(own["drawn"] == 0 for own in results.values())
    if stage == 3:
        assert [name for name, own in results.items() if not own["reloaded"]] == []
    off = {
        name: own["distance"] for name, own in results.items() if not own["distance"] <= TOLERANCE
    }
    assert off == {}
