"""Layer inputs in the host's memory: they come back as they left, in the order in which they are needed, and take no memory
of the device meanwhile."""

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

from skrull_runtime.errors import UserError
from skrull_runtime.model import offload
from skrull_runtime.model.build import build_model
from skrull_runtime.model.offload import LEAVING, LayerInputs, Pieces

LAYERS, TOKENS, HIDDEN = 7, 40, tiny.CONFIG["hidden_size"]
INPUT_BYTES = 4 * TOKENS * HIDDEN


def built(folder: Path, mode: str) -> Any:
    """A model of several layers, to be called without a layout."""
    folder.mkdir(exist_ok=True)
    config = tiny.CONFIG | {"num_hidden_layers": LAYERS}
    (folder / "config.json").write_text(json.dumps(config))
    model = build_model(replace(tiny.model_config(), checkpointing=mode), folder, None, tiny.SEED)
    model.set_attn_implementation("sdpa")
    return model


def loss_of(model: Any) -> torch.Tensor:
    """Of a sequence."""
    ids = torch.arange(TOKENS).unsqueeze(0) % tiny.VOCABULARY
    logits = model(input_ids=ids, use_cache=False).logits[0]
    return torch.nn.functional.cross_entropy(logits, ids[0].roll(-1))


def gradients(model: Any) -> dict[str, torch.Tensor]:
    """Of all parameters."""
    model.zero_grad()
    loss_of(model).backward()
    return {name: parameter.grad.clone() for name, parameter in model.named_parameters()}


def test_gradients_are_those_of_full_checkpointing_bit_for_bit(tmp_path: Path):
    expected = gradients(built(tmp_path, "full"))
    model = built(tmp_path, "offload")
    for found in (gradients(model), gradients(model)):
        assert all(torch.equal(found[name], expected[name]) for name in expected)


def test_the_inputs_of_layers_leave_the_device(tmp_path: Path):
    def not_on_the_host(tensor: torch.Tensor) -> bool:
        return tensor.untyped_storage().nbytes() != offload.PIECE

    kept = {}
    for mode in ("none", "selective", "full", "offload"):
        model = built(tmp_path, mode)
        with LiveBytes(not_on_the_host) as live:
            loss = loss_of(model)
            kept[mode] = live.now
            loss.backward()
    # The last inputs have not left yet: they are needed first.
    assert kept["full"] - kept["offload"] == (LAYERS - LEAVING) * INPUT_BYTES
    assert kept["none"] > kept["selective"] > kept["full"] > kept["offload"]


def test_a_micro_batch_uses_the_memory_of_the_one_before(tmp_path: Path, monkeypatch):
    stores: list[LayerInputs] = []
    made = LayerInputs.__init__

    def noted(self: LayerInputs) -> None:
        made(self, piece=1024)
        stores.append(self)

    monkeypatch.setattr(LayerInputs, "__init__", noted)
    model = built(tmp_path, "offload")
    for _ in range(3):
        gradients(model)
    (store,) = stores
    assert store.pieces is not None and INPUT_BYTES % 1024 == 0
    assert store.pieces.count == LAYERS * INPUT_BYTES // 1024


class LateLane:
    """Copies that run as late as they may: when the computation waits for them, or for later ones."""

    def __init__(self) -> None:
        self.queue: list[Callable[[], None]] = []
        self.waits: list[int] = []

    def run(self, copies: Callable[[], None]) -> int:
        """Nothing is copied yet."""
        self.queue.append(copies)
        return len(self.queue)

    def wait(self, event: int) -> None:
        """Copies until that one."""
        self.waits.append(event)
        for n in range(event):
            self.queue[n]()
            self.queue[n] = lambda: None


def chain(store: LayerInputs, layers: int, size: int) -> tuple[torch.Tensor, torch.Tensor]:
    """An input and what layers make of it, each of which needs its own input in the backward."""
    source = torch.randn(3, size, requires_grad=True)
    hidden = source
    for _ in range(layers):
        hidden = store.checkpoint(lambda own: torch.tanh(own * own) + own, hidden)
    return source, hidden.sum()


def plain(source: torch.Tensor, layers: int) -> torch.Tensor:
    """The gradient of the input without checkpointing."""
    own = source.detach().clone().requires_grad_()
    hidden = own
    for _ in range(layers):
        hidden = torch.tanh(hidden * hidden) + hidden
    hidden.sum().backward()
    assert own.grad is not None
    return own.grad


@pytest.mark.parametrize("leaving", [1, 2, 9])
def test_the_computation_waits_for_every_copy_that_it_needs(leaving: int):
    store, lane = LayerInputs(piece=16, leaving=leaving), LateLane()
    store._lane, store.pieces = lane, Pieces(16, False)  # type: ignore[assignment]
    # Of different sizes: pieces of one are used by the next, and its copies must not overtake.
    for layers, size in ((5, 7), (6, 30), (4, 3), (1, 5)):
        source, loss = chain(store, layers, size)
        loss.backward()
        assert torch.equal(source.grad, plain(source, layers))  # type: ignore[arg-type]
    assert lane.waits


def test_the_input_of_the_layer_before_is_fetched_ahead():
    store, lane = LayerInputs(piece=64, leaving=1), LateLane()
    store._lane, store.pieces = lane, Pieces(64, False)  # type: ignore[assignment]
    _, loss = chain(store, 5, 8)
    left = len(lane.queue)
    assert left == 5
    started: list[int] = []
    wait = lane.wait
    lane.wait = lambda event: (wait(event), started.append(len(lane.queue) - left))[0]  # type: ignore[method-assign]
    loss.backward()
    # The last has not left. When the computation waits for an input, one copy back per earlier layer was started.
    assert started == [0, 1, 2, 3, 4]
    assert len(lane.queue) - left == 4


def test_a_graph_that_is_never_trained_on_is_forgotten():
    store = LayerInputs(piece=64)
    chain(store, 5, 8)
    source, loss = chain(store, 3, 8)
    loss.backward()
    assert torch.equal(source.grad, plain(source, 3))  # type: ignore[arg-type]


def test_nothing_leaves_where_nothing_is_trained():
    store = LayerInputs(piece=64)
    with torch.no_grad():
        chain(store, 3, 8)
    assert store.pieces is None


def test_a_host_without_memory_is_named(monkeypatch: pytest.MonkeyPatch):
    def empty(*_: Any, **__: Any) -> torch.Tensor:
        raise RuntimeError("CUDA error: out of memory\nmore")

    pieces = Pieces(2**20, False)
    pieces.take(3 * 2**20 - 5)
    assert pieces.count == 3
    monkeypatch.setattr(torch, "empty", empty)
    expected = r"holds 0\.0 GiB of layer inputs there \(CUDA error: out of memory\)\. Set a smaller"
    with pytest.raises(UserError, match=expected):
        pieces.take(1)
