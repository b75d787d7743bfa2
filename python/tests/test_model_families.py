"""What families do around their layers, each by itself; and which models a run checks before it trains them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import launch
import pytest
import tiny
import torch
import transformers
from test_resume import SCRIPT, write_run
from torch import nn
from transformers import AutoConfig, AutoModelForCausalLM, AutoModelForImageTextToText

from skrull_runtime.batches.layout import Layout, ShardGroup, layout_of, own_lengths
from skrull_runtime.batches.segments import windows_in
from skrull_runtime.check_model.reading import described
from skrull_runtime.contract import document
from skrull_runtime.errors import UserError
from skrull_runtime.model import build
from skrull_runtime.model.families import checked
from skrull_runtime.model.families.decoders import decoder_of
from skrull_runtime.model.families.floats import with_floats
from skrull_runtime.model.families.mixers import OwnSequences
from skrull_runtime.model.families.rope import OwnLengths, forget_lengths
from skrull_runtime.model.weights.matching import text_part
from skrull_runtime.refusals import is_tested

TESTS = Path(__file__).resolve().parent
ROOT = TESTS.parent
LENGTHS = (7, 40, 16, 33)
VERSION = document("models.json")["versions"]["transformers"]
PHI3 = {
    "rope_type": "longrope", "rope_theta": 10000.0, "original_max_position_embeddings": 16,
    "short_factor": [1.0, 1.5], "long_factor": [2.0, 4.0],
}  # fmt: skip
DYNAMIC = {"rope_type": "dynamic", "rope_theta": 10000.0, "factor": 4.0}


def rotary(kind: str) -> nn.Module:
    """The rotary embedding of a small model that was made for 16 positions."""
    own = {
        "hidden_size": 16,
        "num_attention_heads": 4,
        "num_key_value_heads": 4,
        "num_hidden_layers": 1,
    }
    if kind == "longrope":
        config = AutoConfig.for_model(
            "phi3", rope_parameters=PHI3, max_position_embeddings=64,
            original_max_position_embeddings=16, pad_token_id=0, **own,
        )  # fmt: skip
    else:
        config = AutoConfig.for_model(
            "llama", rope_parameters=DYNAMIC, max_position_embeddings=16, head_dim=4, **own
        )
    config.vocab_size = 8
    return AutoModelForCausalLM.from_config(config).model.rotary_emb


@pytest.mark.parametrize("kind", ["longrope", "dynamic"])
def test_a_sequence_is_rotated_by_its_own_length(kind: str):
    x = torch.zeros(1, 1, 16)
    plain, ours = rotary(kind), rotary(kind)
    expected = []
    for length in LENGTHS:
        forget_lengths(plain)
        expected.append(plain(x, torch.arange(length).unsqueeze(0)))
    lengths = OwnLengths(ours)
    lengths.begin(Layout(0, LENGTHS, tuple(range(4)), ()))
    positions = torch.cat([torch.arange(length) for length in LENGTHS]).unsqueeze(0)
    for own, parts in zip(ours(x, positions), zip(*expected, strict=True), strict=True):
        torch.testing.assert_close(own, torch.cat(parts, 1))
    together = rotary(kind)(x, positions)
    assert not torch.allclose(together[0], ours(x, positions)[0])


@pytest.mark.parametrize("kind", ["longrope", "dynamic"])
def test_a_member_rotates_its_chunks_as_the_whole_sequence_does(kind: str):
    length, chunk = (
        15,
        4,
    )  # padded to 16 positions, the last of which would be beyond the model's own
    x = torch.zeros(1, 1, 16)
    cosines, _ = rotary(kind)(x, torch.arange(length).unsqueeze(0))
    ours = rotary(kind)
    OwnLengths(ours).begin(Layout(1, (), (), (ShardGroup(0, 2, (0,), (chunk,), (length,)),)))
    found, _ = ours(x, torch.tensor([[4, 5, 6, 7, 8, 9, 10, 11]]))
    torch.testing.assert_close(found, cosines[:, 4:12])


def test_the_lengths_of_a_layout_cover_its_tokens():
    placements = [
        {"sequence": 0, "degree": 1, "first_rank": 1},
        {"sequence": 1, "degree": 2, "first_rank": 0},
        {"sequence": 2, "degree": 2, "first_rank": 0},
    ]
    layout = layout_of(placements, 1, [5, 7, 9])
    assert own_lengths(layout) == [(5, 5), (7, 4), (9, 6)]
    assert own_lengths(layout_of(placements, 3, [5, 7, 9])) == [(1, 1)]


class Mixer(nn.Module):
    """A running sum and a convolution over tokens."""

    def __init__(self):
        super().__init__()
        self.conv1d = nn.Conv1d(2, 2, 3, padding=2, groups=2)

    def forward(
        self, hidden: torch.Tensor, scale: torch.Tensor | None = None, cache: object = None
    ):
        """hidden ``[1, T, 2]``, scale ``[1, T]``."""
        mixed = self.conv1d(hidden.transpose(1, 2))[..., : hidden.shape[1]].transpose(1, 2)
        summed = mixed.cumsum(1) if scale is None else (mixed * scale.unsqueeze(2)).cumsum(1)
        return summed, cache


def test_a_mixer_begins_anew_with_every_sequence():
    torch.manual_seed(0)
    mixer, hidden, scale = Mixer(), torch.randn(1, 12, 2), torch.rand(1, 12)
    alone = [
        mixer(h, scale=s)[0]
        for h, s in zip(hidden.split((5, 1, 6), 1), scale.split((5, 1, 6), 1), strict=True)
    ]
    sequences = OwnSequences(mixer, on_gpu=False)
    sequences.begin(Layout(0, (5, 1, 6), (0, 1, 2), ()))
    found, cache = mixer(hidden, scale=scale, cache="a cache")
    torch.testing.assert_close(found, torch.cat(alone, 1))
    assert cache == "a cache"
    group = ShardGroup(0, 2, (0,), (3,), (12,))
    with pytest.raises(UserError, match="need whole sequences"):
        sequences.begin(Layout(0, (), (), (group,)))


def test_a_mixer_that_kernels_keep_apart_is_told_where_sequences_begin(tmp_path: Path):
    done = subprocess.run(
        [sys.executable, str(TESTS / "packed_mixer_worker.py")],
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), str(TESTS / "standins")])},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert (done.returncode, done.stdout) == (0, "calls: [0, 5, 6, 17]\n"), done.stderr


def test_a_mixer_whose_kernels_are_missing_is_refused_on_a_gpu():
    config = AutoConfig.for_model(
        "qwen3_next", num_hidden_layers=1, layer_types=["linear_attention"]
    )
    with torch.device("meta"):
        model = AutoModelForCausalLM.from_config(config)
    with pytest.raises(UserError, match="pip install flash-linear-attention causal-conv1d"):
        OwnSequences(model, on_gpu=True)
    assert len(OwnSequences(model, on_gpu=False).found) == 1


def test_a_model_without_mixers_takes_shared_sequences():
    sequences = OwnSequences(nn.Linear(2, 2), on_gpu=True)
    sequences.begin(Layout(0, (), (), (ShardGroup(0, 2, (0,), (3,), (12,)),)))
    assert sequences.found == []


def test_of_a_model_with_parts_the_text_decoder_s_tensors_are_taken():
    whole = {
        "language_model.model.layers.0.w": "model.layers.0.w",
        "language_model.lm_head.weight": "lm_head.weight",
        "model.language_model.norm.weight": "model.norm.weight",
        "lm_head.weight": "lm_head.weight",
    }
    assert text_part([*whole, "vision_tower.w", "model.multi_modal_projector.w"]) == whole


def test_text_decoders_without_a_name_of_their_own_are_taken_too():
    own = ["model.embed_tokens.weight", "model.layers.0.w", "model.norm.weight", "lm_head.weight"]
    assert text_part([*own, "visual.blocks.0.w"]) == {key: key for key in own}


@pytest.mark.parametrize("kind", ["qwen2_vl", "qwen2_5_vl", "qwen3_vl"])
def test_a_model_of_pictures_computes_for_text_what_its_twin_does(kind: str):
    text = {
        "hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 2, "vocab_size": 64,
        "num_attention_heads": 4, "num_key_value_heads": 2, "head_dim": 8, "bos_token_id": 1,
        "eos_token_id": 2,
        "rope_parameters": {"rope_type": "default", "rope_theta": 100.0, "mrope_section": [1, 1, 2]},
    }  # fmt: skip
    pictures = {"depth": 1, "hidden_size": 32, "num_heads": 2, "out_hidden_size": 32}
    pictures |= {"intermediate_size": 32, "embed_dim": 32, "deepstack_visual_indexes": []}
    stated = AutoConfig.for_model(kind, text_config=text, vision_config=pictures).to_dict()
    found, whole = decoder_of(stated)
    assert found.rope_parameters == {"rope_type": "default", "rope_theta": 100.0}
    torch.manual_seed(0)
    model = AutoModelForImageTextToText.from_config(whole, attn_implementation="eager").eval()
    twin = AutoModelForCausalLM.from_config(found, attn_implementation="eager").eval()
    tensors = model.state_dict()
    twin.load_state_dict({own: tensors[key] for key, own in text_part(tensors).items()})
    ids = torch.arange(1, 41).unsqueeze(0)
    assert torch.equal(model(input_ids=ids).logits, twin(ids).logits)


def test_a_text_decoder_may_be_described_on_the_first_level():
    flat = {
        "model_type": "qwen2_5_vl", "hidden_size": 64, "intermediate_size": 96, "vocab_size": 70,
        "num_hidden_layers": 3, "num_attention_heads": 4, "num_key_value_heads": 2,
        "rope_theta": 1e6, "rope_scaling": {"type": "mrope", "mrope_section": [2, 3, 3]},
        "vision_config": {"depth": 1, "hidden_size": 64}, "tie_word_embeddings": True,
    }  # fmt: skip
    assert described(Path("config.json"), flat).model_type == "qwen2_5_vl"
    found, _ = decoder_of(flat)
    dimensions = found.hidden_size, found.num_hidden_layers, found.vocab_size
    assert (found.model_type, *dimensions, found.tie_word_embeddings) == ("qwen2", 64, 3, 70, True)
    assert found.rope_parameters == {"rope_type": "default", "rope_theta": 1e6}


def test_windows_are_those_of_the_text_decoder(tmp_path: Path):
    file = tmp_path / "config.json"
    file.write_text(json.dumps({"text_config": {"sliding_window": 7}, "sliding_window": 9}))
    assert windows_in(file) == (7,)
    file.write_text(json.dumps({"sliding_window": 9}))
    assert windows_in(file) == (9,)


@pytest.mark.parametrize(
    ("config", "version", "tested"),
    [
        ({"model_type": "llama"}, "4.0", True),
        ({"model_type": "gemma2"}, VERSION, True),
        ({"model_type": "gemma2"}, "4.0", False),
        ({"model_type": "gemma2", "layer_types": ["full_attention", "other"]}, VERSION, False),
        ({"model_type": "gemma2", "rope_scaling": {"type": "yarn"}}, VERSION, False),
        ({"model_type": "never_seen"}, VERSION, False),
        ({"model_type": "gemma3", "text_config": {"model_type": "llama"}}, VERSION, False),
    ],
)
def test_a_verdict_covers_what_was_tried(config: dict, version: str, tested: bool):
    assert is_tested(config, version) == tested


def small(folder: Path, kind: str, **own: object) -> Path:
    """A folder with a small configuration."""
    keys = (
        "hidden_size",
        "intermediate_size",
        "num_hidden_layers",
        "num_attention_heads",
        "vocab_size",
    )
    sizes = {name: tiny.CONFIG[name] for name in keys}
    AutoConfig.for_model(kind, **{**sizes, **own}).save_pretrained(folder)
    return folder


def test_what_no_verdict_is_known_of_is_checked_before_it_is_built(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture
):
    folder = small(tmp_path, "gemma2", head_dim=8, num_key_value_heads=2)
    asked = []
    monkeypatch.setattr(checked, "is_tested", lambda config, version: asked.append(version))
    build.build_model(tiny.model_config(), folder, None, tiny.SEED)
    assert asked == [transformers.__version__]
    assert "checking the model, as no gemma2 like it was tested" in capfd.readouterr().out
    dropping = small(tmp_path, "gpt2", n_embd=32, n_layer=2, n_head=4)
    with pytest.raises(UserError, match="model_type = gpt2 cannot be trained: it has dropout"):
        checked.require_checked(dropping)


def test_the_text_decoder_of_a_model_with_parts_is_built(tmp_path: Path):
    sizes = {name: tiny.CONFIG[name] for name in ("hidden_size", "intermediate_size", "num_hidden_layers", "num_attention_heads", "vocab_size")}  # fmt: skip
    text = {**sizes, "model_type": "gemma3_text", "head_dim": 8, "num_key_value_heads": 2}
    whole = {
        "model_type": "gemma3",
        "text_config": text,
        "vision_config": {"model_type": "siglip_vision_model"},
    }
    (tmp_path / "config.json").write_text(json.dumps(whole))
    model = build.build_model(tiny.model_config(), tmp_path, None, tiny.SEED)
    assert type(model).__name__ == "Gemma3ForCausalLM"
    assert not [name for name, _ in model.named_parameters() if "vision" in name]


def test_a_run_checks_its_model_and_trains_it(tmp_path: Path):
    folder = tmp_path / "run"
    write_run(folder, 3)
    small(
        folder, "gemma2", head_dim=8, num_key_value_heads=2, sliding_window=40,
        rope_parameters={"rope_type": "linear", "factor": 2.0, "rope_theta": 10000.0},
    )  # fmt: skip
    said = launch.run(2, SCRIPT, str(folder))
    assert "checking the model, as no gemma2 like it was tested" in said
    assert (folder / "output/model/model.safetensors").is_file()


def test_numbers_that_json_lacks_come_as_transformers_reads_them(tmp_path: Path):
    of_class = AutoConfig.for_model("bamba", num_hidden_layers=2)
    of_class.save_pretrained(tmp_path)
    written = checked.parsed_config(tmp_path)
    assert written["time_step_limit"] == [0.0, {"__float__": "Infinity"}]
    written |= {"attention_dropout": 0, "rms_norm_eps": 1}
    read = with_floats(written)
    assert read["time_step_limit"] == [0.0, float("inf")]
    assert type(read["rms_norm_eps"]) is float
    again = AutoConfig.for_model(read.pop("model_type"), **read)
    assert again.time_step_limit == of_class.time_step_limit
