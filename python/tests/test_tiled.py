"""MLPs over tiles of tokens: gradients of whole ones, no more work where layers are recomputed, and less memory."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import tiny
import torch
from live_bytes import LiveBytes
from torch import nn
from torch.nn.functional import dropout

from skrull_runtime.errors import UserError
from skrull_runtime.model.build import base_of, build_model
from skrull_runtime.model.recomputation import recomputation_of
from skrull_runtime.model.tiled import TiledMlp

TOKENS = 50
MODES = ("none", "selective", "attention", "full", "offload")


def built(folder: Path, family: str = "qwen2", **settings: Any) -> Any:
    """A tiny model, to be called without a layout."""
    tiny.write_config(folder, family)
    model = build_model(replace(tiny.model_config(), **settings), folder, None, tiny.SEED)
    base_of(model).set_attn_implementation("eager")
    return model


def loss_of(model: Any, tokens: int = TOKENS) -> torch.Tensor:
    """Of a sequence."""
    recomputation_of(base_of(model)).begin(tokens)
    ids = (torch.arange(tokens) * 7 % tiny.VOCABULARY).unsqueeze(0)
    logits = model(input_ids=ids, use_cache=False).logits[0]
    return torch.nn.functional.cross_entropy(logits, ids[0].roll(-1))


def gradients(model: Any, tokens: int = TOKENS) -> dict[str, torch.Tensor]:
    """Of all trained parameters."""
    loss_of(model, tokens).backward()
    trained = {name: own for name, own in model.named_parameters() if own.requires_grad}
    return {name: own.grad for name, own in trained.items()}


def off(found: dict[str, torch.Tensor], expected: dict[str, torch.Tensor]) -> float:
    """The largest difference of a gradient, over the largest of the gradients."""
    assert found.keys() == expected.keys()
    largest = max(own.abs().max() for own in expected.values())
    return max(float((found[name] - expected[name]).abs().max() / largest) for name in expected)


@pytest.mark.parametrize("family", ["qwen2", "llama", "mistral", "qwen3", "starcoder2"])
@pytest.mark.parametrize(
    "lora", [None, {**tiny.LORA, "targets": ["all-linear"]}], ids=["whole", "adapters"]
)
def test_gradients_are_those_of_whole_mlps(family: str, lora: Any, tmp_path: Path):
    expected = gradients(built(tmp_path, family, lora=lora))
    # One token, a size that does not divide the tokens, and all but one.
    for tile in (1, 7, TOKENS - 1):
        assert off(gradients(built(tmp_path, family, lora=lora, mlp_tile=tile)), expected) < 1e-6


@pytest.mark.parametrize("mode", MODES)
def test_every_way_of_checkpointing_gives_the_same_gradients(mode: str, tmp_path: Path):
    expected = gradients(built(tmp_path, checkpointing="none", mlp_tile=7))
    found = gradients(built(tmp_path, checkpointing=mode, mlp_tile=7))
    assert all(torch.equal(found[name], expected[name]) for name in expected)


def test_a_rank_with_few_tokens_goes_by_the_fullest(tmp_path: Path):
    model = built(tmp_path, mlp_tile=20)
    order: list[str] = []
    for name, own in model.model.layers[0].mlp.named_parameters():
        own.register_post_accumulate_grad_hook(lambda _, name=name: order.append(name))
    orders = []
    for fullest in (50, 20):
        for tokens in (50, 3):
            ids = torch.arange(min(tokens, fullest)).unsqueeze(0)
            recomputation_of(model).begin(fullest)
            model(input_ids=ids, use_cache=False).logits.sum().backward()
            orders.append(order.copy())
            order.clear()
    assert orders[0] == orders[1] and orders[2] == orders[3]
    # Which is why they must.
    assert orders[0] != orders[2]


@pytest.mark.parametrize("mode", MODES)
def test_few_tokens_are_not_tiled(mode: str, tmp_path: Path):
    expected = gradients(built(tmp_path, checkpointing=mode))
    found = gradients(built(tmp_path, checkpointing=mode, mlp_tile=TOKENS))
    assert all(torch.equal(found[name], expected[name]) for name in expected)


def runs_of_mlps(model: Any, tokens: int) -> int:
    """How many tokens the MLP of the first layer processes in a forward and backward."""
    seen: list[int] = []
    base = base_of(model)
    base.model.layers[0].mlp.act_fn.register_forward_pre_hook(
        lambda _, inputs: seen.append(inputs[0].shape[1])
    )
    loss_of(model, tokens).backward()
    return sum(seen)


def test_tiles_cost_no_work_where_mlps_are_recomputed_anyway(tmp_path: Path):
    found = {
        mode: runs_of_mlps(built(tmp_path, checkpointing=mode, mlp_tile=7), TOKENS) // TOKENS
        for mode in MODES
    }
    assert found == dict.fromkeys(MODES, 2)


def test_gradients_in_bf16_are_no_further_off_than_those_of_whole_mlps(tmp_path: Path):
    def of_mlps(model: Any) -> torch.Tensor:
        found = gradients(model, 400)
        return torch.cat([own.double().flatten() for name, own in found.items() if ".mlp." in name])

    def error_of(tile: int | None) -> float:
        found = of_mlps(built(tmp_path, precision="bf16", mlp_tile=tile))
        return float((found - exact).norm() / exact.norm())

    exact = of_mlps(built(tmp_path, precision="bf16").double())
    plain = error_of(None)
    assert 0 < plain < 0.05
    # A hundred parts, added in bf16, would be further off.
    assert error_of(4) < 1.1 * plain


class Dropping(nn.Module):
    """An MLP whose output is its input, less what its dropout takes."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(6))
        self.drop = nn.Dropout(0.5)

    def forward(self, hidden: torch.Tensor) -> torch.Tensor:
        """Of any shape."""
        return self.drop(hidden * self.weight)


def tiled(module: nn.Module, tile: int) -> TiledMlp:
    """Its forward by tiles."""
    return TiledMlp(module, module.forward, tile)


def test_dropout_is_drawn_again_in_the_backward():
    module = Dropping()
    mlp = tiled(module, 3)
    hidden = torch.randn(1, 10, 6, requires_grad=True)
    torch.manual_seed(4)
    output = mlp(hidden)
    torch.manual_seed(4)
    parts = [dropout(own, 0.5) for own in hidden.split(3, dim=1)]
    assert torch.equal(output, torch.cat(parts, 1))
    after = torch.rand(5)
    torch.rand(11)
    before = torch.get_rng_state()
    output.sum().backward()
    assert torch.get_rng_state().equal(before)
    kept = (output.detach() != 0) * 2.0
    assert torch.equal(hidden.grad, kept)
    assert torch.allclose(module.weight.grad, (hidden * kept).sum((0, 1)), atol=1e-6)
    torch.manual_seed(4)
    mlp(hidden)
    assert torch.equal(torch.rand(5), after)  # as many numbers were drawn


def test_dropout_in_recomputed_layers_is_that_of_the_forward(tmp_path: Path):
    lora = {**tiny.LORA, "dropout": 0.3}
    found = []
    for mode in MODES:
        model = built(tmp_path, checkpointing=mode, mlp_tile=7, lora=lora)
        torch.manual_seed(3)
        found.append(gradients(model))
    for each in found[1:]:
        assert all(torch.equal(each[name], found[0][name]) for name in found[0])


def test_the_hooks_of_a_weight_run_once(tmp_path: Path):
    model = built(tmp_path, mlp_tile=7, checkpointing="full")
    weight = model.model.layers[0].mlp.down_proj.weight
    runs: list[str] = []
    weight.register_hook(lambda _: runs.append("gradient"))
    weight.register_post_accumulate_grad_hook(lambda _: runs.append("added"))
    loss_of(model).backward()
    # The gradient is looked at for every tile, by whoever searches what is not finite.
    assert runs.count("added") == 1 and runs[-2:] == ["gradient", "added"]


def test_nothing_is_kept_where_nothing_is_trained(tmp_path: Path):
    expected = loss_of(built(tmp_path))
    model = built(tmp_path, mlp_tile=7)
    with torch.no_grad():
        assert torch.allclose(loss_of(model), expected)
    model.eval()
    assert torch.allclose(loss_of(model), expected)


def peak_of(step: Callable[[], object]) -> int:
    """Bytes of tensors at the peak."""
    with LiveBytes() as live:
        step()
    return live.peak


def test_the_intermediate_results_of_a_whole_micro_batch_never_exist(tmp_path: Path):
    wide, tokens = 40 * tiny.CONFIG["hidden_size"], 1000
    config = tiny.CONFIG | {"intermediate_size": wide}
    tmp_path.mkdir(exist_ok=True)
    (tmp_path / "config.json").write_text(json.dumps(config))

    def peak(tile: int | None) -> int:
        settings = replace(tiny.model_config(), mlp_tile=tile)
        model: Any = build_model(settings, tmp_path, None, tiny.SEED)
        recomputation_of(model).begin(tokens)
        mlp = model.model.layers[0].mlp
        hidden = torch.randn(1, tokens, tiny.CONFIG["hidden_size"], requires_grad=True)
        return peak_of(lambda: mlp(hidden).sum().backward())

    of_token = 4 * wide
    weights = 3 * 4 * wide * tiny.CONFIG["hidden_size"]
    whole, tiles = peak(None), peak(20)
    assert whole > 4 * tokens * of_token
    # Of a tile some seven tensors, the gradients of weights twice, and some of the model's width.
    assert tiles < 8 * 20 * of_token + 2 * weights + 6 * 4 * tokens * tiny.CONFIG["hidden_size"]
    assert tiles < whole / 4


def test_experts_are_refused_by_name(tmp_path: Path):
    with pytest.raises(UserError, match=r"tiled_mlp: MixtralSparseMoeBlock has experts"):
        built(tmp_path, "mixtral", mlp_tile=7)
