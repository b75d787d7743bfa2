"""Attention kernels get the arguments that their libraries ask for, and give what attention is by its definition."""

from __future__ import annotations

import inspect
import sys
from importlib import import_module
from types import ModuleType

import kernel_standins
import pytest
import torch

from skrull_runtime import versions
from skrull_runtime.batches.segments import Segments
from skrull_runtime.errors import UserError
from skrull_runtime.model.kernels import flash2, flash3, varlen
from skrull_runtime.model.kernels.choose import choose_kernel
from skrull_runtime.model.kernels.kernel import Attend, Kernel, Masking
from skrull_runtime.model.kernels.sdpa import SdpaKernel

GPU = torch.device("cuda")
VARLEN = "torch.nn.attention.varlen"
MASKS = [Masking(0.3), Masking(0.3, window=1), Masking(0.3, window=3), Masking(0.3, window=50)]
SHAPES = [((5, 3), (5, 3)), ((4, 4), (4, 12)), ((1,), (7,)), ((2, 6, 1), (9, 6, 30))]


@pytest.fixture
def libraries(monkeypatch: pytest.MonkeyPatch) -> None:
    """All are installed, on a Hopper GPU."""
    package = ModuleType("flash_attn")
    package.flash_attn_interface = kernel_standins.flash2()
    monkeypatch.setitem(sys.modules, "flash_attn", package)
    interface = kernel_standins.flash3()
    monkeypatch.setattr(flash3, "_module", lambda: interface)
    operators = kernel_standins.varlen()
    monkeypatch.setitem(sys.modules, VARLEN, operators)
    monkeypatch.setattr(torch.nn.attention, "varlen", operators, raising=False)
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda device: (9, 0))


def kernel_named(name: str) -> Kernel:
    """Made as a run makes it."""
    return SdpaKernel() if name == "sdpa" else choose_kernel(name, GPU)


def results(
    kernel: Kernel,
    lengths: tuple,
    mask: Masking,
    heads: int = 4,
    sinks: torch.Tensor | None = None,
    widths: tuple[int, int] = (8, 8),
) -> list[torch.Tensor]:
    """Output and gradients of fixed inputs; ``widths`` of a key's head and of a value's."""
    queries, keys = lengths
    offsets = [torch.tensor([0, *each]).cumsum(0, dtype=torch.int32) for each in lengths]
    segments = Segments(queries, keys, *offsets)
    generator = torch.Generator().manual_seed(1)
    rows = ((sum(queries), heads), (sum(keys), 2), (sum(keys), 2), (sum(queries), heads))
    of_key, of_value = widths
    made = [
        torch.randn(*own, width, generator=generator, dtype=torch.float64)
        for own, width in zip(rows, (of_key, of_key, of_value, of_value), strict=True)
    ]
    inputs = [each.requires_grad_() for each in made[:3]]
    output = Attend.apply(*inputs, segments, kernel, mask, sinks)
    wanted = inputs if sinks is None else [*inputs, sinks]
    return [output, *torch.autograd.grad(output, wanted, made[3])]


@pytest.mark.parametrize("mask", MASKS, ids=lambda mask: f"window {mask.window}")
@pytest.mark.parametrize("name", ["flash2", "flash3", "varlen"])
def test_a_kernel_gives_what_sdpa_does(name: str, mask: Masking, libraries: None):
    for lengths in SHAPES:
        found, expected = (results(kernel_named(each), lengths, mask) for each in (name, "sdpa"))
        for own, want in zip(found, expected, strict=True):
            torch.testing.assert_close(own, want)


@pytest.mark.parametrize("widths", [(24, 16), (12, 12), (8, 24), (192, 128), (160, 104)], ids=str)
@pytest.mark.parametrize("name", ["flash2", "flash3", "varlen"])
def test_heads_of_any_width_are_filled_up(name: str, widths: tuple[int, int], libraries: None):
    mask = Masking(0.1, window=3)
    for lengths in SHAPES:
        for own, want in zip(
            results(kernel_named(name), lengths, mask, widths=widths),
            results(kernel_named("sdpa"), lengths, mask, widths=widths),
            strict=True,
        ):
            assert own.shape == want.shape
            torch.testing.assert_close(own, want)


@pytest.mark.parametrize("window", [None, 3])
@pytest.mark.parametrize("name", ["flash2", "flash3", "varlen", "sdpa"])
def test_sinks_are_one_more_logit_of_every_head(name: str, window: int | None, libraries: None):
    mask = Masking(0.3, window)
    for lengths in SHAPES:
        sinks = torch.tensor([0.5, -1.0, 2.0, 0.0], dtype=torch.float64, requires_grad=True)
        found = results(kernel_named(name), lengths, mask, sinks=sinks)
        for own, want in zip(found, by_definition(lengths, mask, sinks), strict=True):
            torch.testing.assert_close(own, want, atol=1e-6, rtol=1e-6)


def by_definition(lengths: tuple, mask: Masking, sinks: torch.Tensor) -> list[torch.Tensor]:
    """As gpt-oss has it: the softmax of the products and the sink, whose share is dropped."""
    queries, keys = lengths
    generator = torch.Generator().manual_seed(1)
    rows = ((sum(queries), 4), (sum(keys), 2), (sum(keys), 2), (sum(queries), 4))
    q, k, v, gradient = (
        torch.randn(*own, 8, generator=generator, dtype=torch.float64).requires_grad_()
        for own in rows
    )
    window = (-1 if mask.window is None else mask.window - 1, 0)
    outputs = []
    parts = zip(q.split(queries), k.split(keys), v.split(keys), strict=True)
    for own_q, own_k, own_v in parts:
        products = kernel_standins._products(own_q, own_k, mask.scaling, window, 0.0)
        logits = torch.cat((products, sinks.view(-1, 1, 1).expand(-1, len(own_q), 1)), -1)
        shares = logits.softmax(-1)[..., :-1]
        outputs.append(torch.einsum("hqk,khd->qhd", shares, own_v.repeat_interleave(2, dim=1)))
    output = torch.cat(outputs)
    return [output, *torch.autograd.grad(output, (q, k, v, sinks), gradient)]


@pytest.mark.parametrize("name", ["flash2", "flash3"])
def test_a_softcap_reaches_the_kernel(name: str, libraries: None):
    capped = results(kernel_named(name), SHAPES[0], Masking(0.3, softcap=0.5))
    plain = results(kernel_named(name), SHAPES[0], Masking(0.3))
    assert not torch.allclose(capped[0], plain[0])


def test_a_softcap_that_a_kernel_has_not_is_refused(libraries: None):
    with pytest.raises(UserError, match="softcap"):
        results(kernel_named("varlen"), SHAPES[0], Masking(0.3, softcap=0.5))


def test_the_best_kernel_that_is_there_is_taken(libraries: None, monkeypatch: pytest.MonkeyPatch):
    assert choose_kernel("auto", GPU).name == "flash3"
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda device: (8, 0))
    assert choose_kernel("auto", GPU).name == "flash2"
    with pytest.raises(UserError, match=r"flash3 is for Hopper GPUs .* not 8\.0"):
        choose_kernel("flash3", GPU)
    monkeypatch.setitem(sys.modules, "flash_attn", None)
    assert choose_kernel("auto", GPU).name == "varlen"
    monkeypatch.delattr(sys.modules[VARLEN], "_varlen_attn")
    with pytest.raises(UserError, match="no attention kernel for packed sequences: flash3 is for"):
        choose_kernel("auto", GPU)
    assert choose_kernel("sdpa", GPU).name == "sdpa"
    assert choose_kernel("auto", torch.device("cpu")).name == "sdpa"


def test_an_older_library_is_refused_by_name(libraries: None, monkeypatch: pytest.MonkeyPatch):
    def older(q, k, v, cu_seqlens_q, cu_seqlens_k, max_seqlen_q, max_seqlen_k, window_size): ...

    monkeypatch.setattr(
        sys.modules["flash_attn"].flash_attn_interface, "_flash_attn_varlen_forward", older
    )
    reason = flash2.make(GPU)
    assert isinstance(reason, str)
    assert "needs flash-attn 2.7 or later: it has no dropout_p" in reason


@pytest.mark.skipif(
    versions.numbers(torch.__version__) < (2, 11), reason="torch has no such operators before 2.11"
)
def test_the_operators_of_this_torch_have_the_parameters_that_are_used():
    kernel = varlen.make(GPU)
    assert not isinstance(kernel, str), kernel
    # The stand-ins are of the same signature; torch 2.11 lacks the last parameters of the forward, which it need not have.
    for name, function in vars(kernel_standins.varlen()).items():
        if name.startswith("_varlen"):
            used = varlen.BACKWARD if name.endswith("backward") else varlen.FORWARD
            own = [*inspect.signature(getattr(import_module(VARLEN), name)._init_fn).parameters]
            stand_in = [*inspect.signature(function).parameters]
            assert own[: len(used)] == stand_in[: len(used)] == list(used)
            assert all(a == b for a, b in zip(own, stand_in, strict=False))


def test_heads_that_no_kernel_takes_are_named(libraries: None):
    q = torch.randn(3, 2, 264)
    segments = Segments((3,), (3,), *[torch.tensor([0, 3], dtype=torch.int32)] * 2)
    with pytest.raises(UserError, match="flash2 takes heads of up to 256, the model's have 264"):
        Attend.apply(q, q, q, segments, choose_kernel("flash2", GPU), Masking(0.3))


@pytest.mark.parametrize("name", ["flash3", "flash2", "varlen"])
def test_a_kernel_of_a_gpu_is_refused_without_one(name: str):
    with pytest.raises(UserError, match=f"attention '{name}' needs a GPU; use attention = sdpa"):
        choose_kernel(name, torch.device("cpu"))
