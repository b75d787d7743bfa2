"""A model's random weights are drawn from the run's seed alone, and its settings reach it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any, get_args

import pytest
import tiny
import torch
from torch import nn
from torch.utils.checkpoint import checkpoint
from transformers import AutoConfig, AutoModelForCausalLM

from skrull_runtime.contract.vocabularies import Checkpointing
from skrull_runtime.errors import UserError
from skrull_runtime.model import build, recomputation
from skrull_runtime.model.adapters.wrap import with_adapters
from skrull_runtime.model.attention import NAME
from skrull_runtime.model.kernels.kept import keeping_attention
from skrull_runtime.model.recomputation import recomputation_of

CHECKPOINTING: tuple[str, ...] = get_args(Checkpointing)


def built(folder: Path, seed: int = 5, ds_config: dict[str, Any] | None = None, **settings: Any):
    """A tiny model."""
    if not (folder / "config.json").exists():
        tiny.write_config(folder)
    return build.build_model(
        replace(tiny.model_config(), **settings), folder, None, seed, ds_config
    )


def values(model: nn.Module) -> dict[str, torch.Tensor]:
    """Its parameters."""
    return {name: p.detach().clone() for name, p in model.named_parameters()}


def alike(one: dict[str, torch.Tensor], other: dict[str, torch.Tensor]) -> list[str]:
    """Names of parameters that are equal."""
    assert one.keys() == other.keys()
    return [name for name in one if one[name].equal(other[name])]


def expected(folder: Path, seed: int, dtype: torch.dtype = torch.float32) -> dict:
    """As transformers draws them from a seed."""
    torch.manual_seed(seed)
    config = AutoConfig.from_pretrained(folder)
    return values(AutoModelForCausalLM.from_config(config, dtype=dtype))


def test_random_weights_are_those_of_the_seed_whatever_was_drawn_before(tmp_path: Path):
    torch.manual_seed(99)
    ours = values(built(tmp_path))
    assert alike(ours, expected(tmp_path, 5)) == list(ours)
    torch.manual_seed(98)
    assert alike(ours, values(built(tmp_path))) == list(ours)
    torch.manual_seed(99)
    drawn = [name for name, own in ours.items() if own.unique().numel() > 1]
    other = alike(ours, values(built(tmp_path, 6)))
    assert drawn and not set(drawn) & set(other)


def test_a_seed_of_64_bits_is_taken_modulo_2_to_the_63(tmp_path: Path):
    wrapped = values(built(tmp_path, 2**63 + 5))
    assert alike(wrapped, expected(tmp_path, 5)) == list(wrapped)
    largest = values(built(tmp_path, 2**63 - 1))
    assert alike(largest, expected(tmp_path, 2**63 - 1)) == list(largest)


def test_adapters_are_those_of_the_seed_too(tmp_path: Path):
    found = []
    for seed in (5, 2**63 + 5, 6):
        torch.manual_seed(seed % 7)
        adapters = values(built(tmp_path, seed, lora=tiny.LORA))
        found.append({name: own for name, own in adapters.items() if "lora_A" in name})
        assert len(found[-1]) == 2 * len(tiny.LORA["targets"])
    assert alike(found[0], found[1]) == list(found[0])
    assert alike(found[0], found[2]) == []


def test_adapters_are_seeded_by_themselves(tmp_path: Path):
    plain = built(tmp_path)
    found = []
    for before in (1, 2):
        torch.manual_seed(before)
        model = with_adapters(built(tmp_path), tiny.LORA, 3)
        torch.manual_seed(before)
        wrapped = with_adapters(built(tmp_path), tiny.LORA, 2**63 + 3)
        found += [{n: p for n, p in values(m).items() if "lora_A" in n} for m in (model, wrapped)]
    for each in found[1:]:
        assert alike(found[0], each) == list(each)
    config = model.peft_config["default"]
    assert (config.r, config.lora_alpha, config.lora_dropout, config.bias) == (4, 8, 0.0, "none")
    assert set(config.target_modules) == {"q_proj", "v_proj", "down_proj"}
    trained = {name.split(".")[-2] for name, p in model.named_parameters() if p.requires_grad}
    assert trained == {"default"}
    assert build.base_of(model) is model.get_base_model()
    assert build.base_of(plain) is plain


def test_a_model_has_its_precision_its_attention_and_trains(tmp_path: Path):
    for precision, dtype in (("fp32", torch.float32), ("bf16", torch.bfloat16)):
        model = built(tmp_path, precision=precision)
        assert {p.dtype for p in model.parameters()} == {dtype}
        assert model.config._attn_implementation == NAME
        assert model.training


def test_kernels_and_norms_are_changed_where_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    asked: list[str] = []
    monkeypatch.setattr(build, "use_liger", lambda model, device: asked.append(f"liger {device}"))
    monkeypatch.setattr(build, "compile_norms", lambda model: asked.append("norms"))
    built(tmp_path)
    assert asked == []
    built(tmp_path, kernels="liger")
    built(tmp_path, compile_norms=True)
    assert asked == ["liger cpu", "norms"]


def test_others_than_rank_0_have_no_weights_of_their_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    placed: list[tuple[Any, ...]] = []

    def place(model, value, device, ds_config) -> None:
        parameter = next(model.parameters())
        placed.append((parameter.device.type, str(device), ds_config))
        own = value("a name", parameter)
        assert own is not parameter and own.shape == parameter.shape and not own.requires_grad

    monkeypatch.setattr(build, "place", place)
    partitioned = {"zero_optimization": {"stage": 3}}
    built(tmp_path)
    assert placed == []
    built(tmp_path, ds_config=partitioned)
    monkeypatch.setattr(build, "is_root", lambda: False)
    built(tmp_path, ds_config=partitioned)
    assert placed == [("cpu", "cpu", partitioned), ("meta", "cpu", partitioned)]


def recomputed(model: nn.Module) -> tuple[int, int]:
    """How often a layer's attention and the activation of its MLP run in a forward and backward."""
    layer = model.model.layers[0]
    times = [0, 0]

    def counting(number: int, module: nn.Module) -> None:
        module.register_forward_pre_hook(lambda *_: times.__setitem__(number, times[number] + 1))

    counting(0, layer.self_attn.o_proj)
    counting(1, layer.mlp.act_fn)
    model.set_attn_implementation("eager")
    model(input_ids=torch.tensor([[1, 2, 3]]), use_cache=False).logits.sum().backward()
    return times[0], times[1]


def test_checkpointing_runs_what_it_says_again(tmp_path: Path):
    found = {mode: recomputed(built(tmp_path, checkpointing=mode)) for mode in CHECKPOINTING}
    whole_layers = {"attention": (2, 2), "full": (2, 2), "offload": (2, 2)}
    assert found == {"none": (1, 1), "selective": (1, 2), **whole_layers}


def test_micro_batches_recompute_as_little_as_their_tokens_allow(tmp_path: Path):
    model = built(tmp_path, checkpointing="full", lighter_checkpointing=tiny.LIGHTER)
    modes = recomputation_of(model)
    found = {}
    for tokens in (1, 120, 121, 180, 181, 250, 251):
        modes.begin(tokens)
        found[tokens] = (modes.mode_of(tokens), recomputed(model), modes.recomputes_layers)
    none, selective = ("none", (1, 1), False), ("selective", (1, 2), False)
    attention, full = ("attention", (2, 2), True), ("full", (2, 2), True)
    assert list(found.values()) == [none, none, selective, selective, attention, attention, full]
    assert modes.share_of_less([100, 251, 300, 250]) == 0.5
    assert modes.share_of_less([]) is None
    assert recomputation_of(built(tmp_path, checkpointing="full")).share_of_less([1]) is None


def test_attention_alone_is_kept_where_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    used: list[Any] = []

    def noted(function: Any, *args: Any, **options: Any) -> Any:
        used.append(options.get("context_fn"))
        return checkpoint(function, *args, **options)

    monkeypatch.setattr(recomputation, "checkpoint", noted)
    for mode, expected in (
        ("none", []),
        ("full", [None] * 2),
        ("attention", [keeping_attention] * 2),
    ):
        used.clear()
        recomputed(built(tmp_path, checkpointing=mode))
        assert used == expected


class Matched:
    """Weights that are all ones."""

    def value(self, name: str) -> torch.Tensor:
        """Of a parameter."""
        return torch.ones(())


def test_pretrained_weights_come_from_the_folder_or_the_hub(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    tiny.write_config(tmp_path)
    found: list[tuple[Any, ...]] = []

    class Complete(Matched):
        """Notes what is asked of it."""

        def __init__(self, model, files, of_parts=False, growing=()):
            found.append(("files", files))

        def require_complete(self) -> None:
            """All are there."""
            found.append(("complete",))

    monkeypatch.setattr(build, "Matching", Complete)
    monkeypatch.setattr(build, "find_files", lambda *own: ("files of", *own))
    monkeypatch.setattr(build, "set_generation", lambda model, *own: found.append(own))
    monkeypatch.setattr(
        build, "place", lambda model, value, device, ds: found.append((value("w", None), ds))
    )
    hub = replace(tiny.model_config(), weights="pretrained", source="a/b", source_kind="hub")
    build.build_model(hub, tmp_path, tmp_path, 1, {"a": 1})
    own = ("a/b", False, "main")
    assert found == [
        ("files", ("files of", *own)),
        ("complete",),
        own,
        (torch.ones(()), {"a": 1}),
    ]
    found.clear()
    build.build_model(replace(hub, revision="v2"), tmp_path, None, 1)
    assert found[0] == ("files", ("files of", "a/b", False, "v2"))
    assert found[3][1] == {}
    folder = replace(hub, source="weights", source_kind="folder")
    with pytest.raises(UserError, match="there is no folder"):
        build.build_model(folder, tmp_path, tmp_path, 1)
    (tmp_path / "weights").mkdir()
    found.clear()
    build.build_model(folder, tmp_path, tmp_path, 1)
    assert found[0][1][1:3] == (str(tmp_path / "weights"), True)


def test_a_configuration_that_cannot_be_read_is_said_to_be_so(tmp_path: Path):
    with pytest.raises(UserError, match=r"config\.json: cannot be read"):
        build.build_model(tiny.model_config(), tmp_path, None, 1)
    tiny.write_config(tmp_path)
    content = (tmp_path / "config.json").read_text()
    (tmp_path / "config.json").write_text(content.replace("{", '{"attention_dropout": 0.1,', 1))
    with pytest.raises(UserError, match="cannot be trained"):
        build.build_model(tiny.model_config(), tmp_path, None, 1)
