"""check_model: bad input is answered in a line, models by what they do; and the comparison finds what it is there to find."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from transformers import AutoConfig

from skrull_runtime.check_model import __main__ as command
from skrull_runtime.check_model import check, comparing, reading
from skrull_runtime.check_model.check import verdict_of
from skrull_runtime.check_model.ranks import bounded
from skrull_runtime.check_model.reading import read_config
from skrull_runtime.check_model.shrinking import shrunk
from skrull_runtime.errors import UserError
from skrull_runtime.model.families.logits import Logits

LLAMA = {
    "model_type": "llama", "hidden_size": 4096, "num_hidden_layers": 32, "num_attention_heads": 32,
    "num_key_value_heads": 8, "intermediate_size": 11008, "vocab_size": 32000,
}  # fmt: skip
ROOT = Path(__file__).resolve().parents[1]


def written(folder: Path, content: object) -> Path:
    """A folder with such a config.json."""
    text = content if isinstance(content, str) else json.dumps(content)
    (folder / "config.json").write_text(text)
    return folder


def asked(folder: Path, *options: str) -> subprocess.CompletedProcess[str]:
    """What the command says."""
    return subprocess.run(
        [sys.executable, "-m", "skrull_runtime.check_model", str(folder), *options],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=200,
    )


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("{", "is not JSON"),
        ("[" * 100_000, "is not JSON"),
        ([], "is not a JSON object"),
        (" " * (5 << 20), "larger than 4 MiB"),
        ({}, "has no model_type"),
        ({"model_type": 7}, "has no model_type"),
        (LLAMA | {"model_type": "resnet"}, "no causal language model"),
        (LLAMA | {"model_type": "my_own"}, "no model_type of the installed transformers"),
        (LLAMA | {"model_type": "my_own", "auto_map": {"AutoConfig": "x.Y"}}, "is never executed"),
        ({"model_type": "llama", "vocab_size": 9}, "has no num_hidden_layers, hidden_size"),
        (LLAMA | {"num_hidden_layers": 10**9}, "num_hidden_layers' = 1e+09 is more than"),
        (LLAMA | {"rope_parameters": {"factor": 1e300}}, "is more than any model has"),
        (LLAMA | {"hidden_size": "wide"}, "is no count"),
        (LLAMA | {"hidden_size": -1}, "is no count"),
    ],
)
def test_bad_input_is_refused_in_a_line(content: object, reason: str, tmp_path: Path):
    started = time.perf_counter()
    with pytest.raises(UserError) as raised:
        read_config(written(tmp_path, content) / "config.json")
    assert reason.replace("'", "") in str(raised.value).replace('"', "").replace("'", "")
    assert "\n" not in str(raised.value)
    assert time.perf_counter() - started < 5


def test_the_command_answers_bad_input_before_it_imports_anything(tmp_path: Path):
    started = time.perf_counter()
    done = asked(written(tmp_path, LLAMA | {"num_hidden_layers": 10**9}))
    assert (done.returncode, done.stdout) == (1, "")
    assert len(done.stderr.splitlines()) == 1 and "Traceback" not in done.stderr
    assert time.perf_counter() - started < 5
    nowhere = asked(tmp_path / "nowhere", "--format", "json")
    assert nowhere.returncode == 1
    assert "cannot be read" in json.loads(nowhere.stdout)["reason"]


def test_the_command_reads_a_line_and_says_what_it_lacks(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.setattr(sys, "argv", ["check_model", "-"])
    monkeypatch.setattr(sys, "stdin", io.StringIO(json.dumps(LLAMA | {"hidden_size": 0}) + "\n"))
    assert command.main() == 1
    assert capsys.readouterr().err.startswith("refused: unknown: config.json: hidden_size = 0")
    monkeypatch.setattr(reading, "find_spec", lambda name: None)
    for read in (reading.known_types, reading.causal_types):
        read.cache_clear()
    monkeypatch.setattr(sys, "stdin", io.StringIO(json.dumps(LLAMA) + "\n"))
    assert command.main() == 1
    assert capsys.readouterr().err.startswith("unchecked: unknown: the check needs torch")


def test_the_command_takes_a_model_and_ignores_its_code(tmp_path: Path):
    own = LLAMA | {"auto_map": {"AutoModelForCausalLM": "evil.Model"}}
    (tmp_path / "evil.py").write_text("raise SystemExit('executed')")
    done = asked(written(tmp_path, own), "--format", "json")
    answer = json.loads(done.stdout)
    assert (done.returncode, answer["verdict"], answer["reason"]) == (0, "taken", None)
    assert answer["notes"] == [
        "auto_map is ignored: code that comes with a model is never executed"
    ]
    assert set(answer["figures"]) >= {"local", "sharded", "mixed", "others of local"}
    assert max(answer["figures"].values()) <= comparing.TOLERANCE
    assert answer["traits"]["grouped"] is True and set(answer["versions"]) == {
        "torch",
        "transformers",
    }


@pytest.mark.parametrize(
    ("kind", "own", "reason"),
    [
        (
            "bloom",
            {"attention_dropout": 0.0, "hidden_dropout": 0.0},
            "does not go through the registry",
        ),
        ("llama4_text", {}, "blocks of tokens"),
        ("deepseek_v32", {}, "index_topk"),
        ("doge", {}, "a mask of the model's own"),
        (
            "bert",
            {"attention_probs_dropout_prob": 0.0, "hidden_dropout_prob": 0.0},
            "is not causal",
        ),
        ("gpt2", {}, "it has dropout"),
        ("bart", {}, "an encoder besides its decoder"),
        ("mllama", {}, "no causal language model of its own"),
        ("llama", {"num_attention_heads": 0}, "transformers cannot read"),
    ],
)
def test_a_model_is_refused_by_name(kind: str, own: dict, reason: str):
    verdict = verdict_of(AutoConfig.for_model(kind).to_dict() | own)
    assert not verdict.taken
    assert reason in str(verdict.reason)


@pytest.mark.parametrize(
    ("kind", "traits"),
    [
        ("gemma2", {"softcap": True, "logits_softcap": True, "windows": "some", "scaling": "own"}),
        ("gpt_oss", {"sinks": True, "experts": True, "rope": ["yarn"]}),
        ("deepseek_v3", {"value_width": "own", "experts": True}),
        ("gemma3_text", {"rope_bases": 2, "windows": "some"}),
        ("phi3", {"fused": ["gate_up_proj", "qkv_proj"]}),
        ("qwen3_next", {"layers": ["full_attention", "linear_attention"], "partial_rotary": True}),
    ],
)
def test_a_model_is_taken_with_what_it_does(kind: str, traits: dict):
    verdict = verdict_of(AutoConfig.for_model(kind).to_dict())
    assert verdict.reason is None and verdict.taken
    assert {name: verdict.traits[name] for name in traits} == traits


def test_what_is_wrong_is_noticed(monkeypatch: pytest.MonkeyPatch):
    """Without the scale of its logits, without windows, and where sequences run on into the next."""
    monkeypatch.setattr(Logits, "of", classmethod(lambda cls, config: cls()))
    verdict = verdict_of(AutoConfig.for_model("granite", logits_scaling=4.0).to_dict())
    assert "not those of its own forward" in str(verdict.reason)
    monkeypatch.setattr("skrull_runtime.model.families.mixers.is_mixer", lambda module: False)
    hybrid = AutoConfig.for_model("qwen3_next").to_dict()
    assert "see each other" in str(verdict_of(hybrid).reason)


def test_a_small_copy_keeps_every_kind_of_layer_and_the_ratios():
    whole = AutoConfig.for_model("gemma3_text").to_dict()
    small = shrunk(whole)
    assert small["layer_types"] == ["sliding_attention", "full_attention"]
    assert small["num_attention_heads"] // small["num_key_value_heads"] == 2
    assert small["vocab_size"] < 100 and small["sliding_window"] < 10
    latent = shrunk(AutoConfig.for_model("deepseek_v3").to_dict())
    assert latent["num_hidden_layers"] == 2 and latent["first_k_dense_replace"] == 1
    assert latent["v_head_dim"] != latent["qk_nope_head_dim"] + latent["qk_rope_head_dim"]


def test_a_check_is_bounded():
    with pytest.raises(UserError, match=r"longer than 0\.3 s"):
        bounded(lambda: time.sleep(30), 0.3)
    with pytest.raises(UserError, match="without an answer"):
        bounded(lambda: os._exit(3))
    with pytest.raises(UserError, match="ValueError: of ours"):
        bounded(lambda: exec("raise ValueError('of ours')"))
    assert check.bounded(lambda: [1]) == [1]
