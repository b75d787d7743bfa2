"""Attention by PyTorch is what its definition says, query by query, forward and backward; and is made once where it is kept."""

from __future__ import annotations

import math

import pytest
import torch

from skrull_runtime.batches.segments import Segments
from skrull_runtime.errors import UserError
from skrull_runtime.model.kernels import sdpa
from skrull_runtime.model.kernels.kept import is_kept, keeping_attention, made_once
from skrull_runtime.model.kernels.kernel import Attend, Masking
from skrull_runtime.model.kernels.sdpa import SdpaKernel
from skrull_runtime.model.kernels.sinks import gradient_of_sinks, with_sinks

HEADS, KV_HEADS, SCALING = 4, 2, 0.3
# Queries and keys of segments; queries are the last tokens of their keys.
SHAPES = [((5,), (5,)), ((5, 3), (5, 3)), ((4, 4), (4, 12)), ((1,), (7,)), ((2, 6, 1), (9, 6, 30))]
WINDOWS = [None, 1, 2, 5, 6, 7, 50]


def segments_of(queries: tuple[int, ...], keys: tuple[int, ...]) -> Segments:
    """As a micro-batch has them."""
    offsets = [torch.tensor([0, *each]).cumsum(0, dtype=torch.int32) for each in (queries, keys)]
    return Segments(queries, keys, *offsets)


def drawn(shape: tuple, width: int = 8, value_width: int = 8) -> list[torch.Tensor]:
    """Query, key, value, and the output's gradient."""
    source = torch.Generator().manual_seed(1)
    queries, keys = map(sum, shape)
    sizes = (
        (queries, HEADS, width),
        (keys, KV_HEADS, width),
        (keys, KV_HEADS, value_width),
        (queries, HEADS, value_width),
    )
    return [torch.randn(*size, generator=source, dtype=torch.float64) for size in sizes]


def seen(query: int, queries: int, keys: int, window: int | None) -> range:
    """The keys that a query of a segment sees: itself, and those before it that the window has."""
    own = keys - queries + query
    return range(0 if window is None else max(0, own + 1 - window), own + 1)


def by_definition(
    q: torch.Tensor,
    k: torch.Tensor,
    v: torch.Tensor,
    shape: tuple,
    window: int | None,
    sinks: torch.Tensor | None = None,
    softcap: float = 0.0,
) -> tuple[torch.Tensor, torch.Tensor]:
    """Output, and log-sum-exp ``[T, H]``: one query at a time."""
    k, v = (each.repeat_interleave(HEADS // KV_HEADS, dim=1) for each in (k, v))
    outputs, sums = [], []
    first_query = first_key = 0
    for queries, keys in zip(*shape, strict=True):
        for query in range(queries):
            at = [first_key + key for key in seen(query, queries, keys, window)]
            products = SCALING * torch.einsum("shd,hd->hs", k[at], q[first_query + query])
            if softcap:
                products = softcap * torch.tanh(products / softcap)
            if sinks is not None:
                products = torch.cat((products, sinks.unsqueeze(1)), 1)
            sums.append(torch.logsumexp(products, 1))
            shares = torch.exp(products - sums[-1].unsqueeze(1))[:, : len(at)]
            outputs.append(torch.einsum("hs,shd->hd", shares, v[at]))
        first_query, first_key = first_query + queries, first_key + keys
    return torch.stack(outputs), torch.stack(sums)


def compared(
    shape: tuple,
    window: int | None,
    width: int = 8,
    value_width: int = 8,
    sinks: torch.Tensor | None = None,
    softcap: float = 0.0,
):
    """Asserts that outputs and gradients are those of the definition."""
    *inputs, gradient = drawn(shape, width, value_width)
    leaves = [each.requires_grad_() for each in inputs]
    wanted = leaves if sinks is None else [*leaves, sinks]
    output = Attend.apply(
        *leaves, segments_of(*shape), SdpaKernel(), Masking(SCALING, window, softcap), sinks
    )
    expected, _ = by_definition(*leaves, shape, window, sinks, softcap)
    torch.testing.assert_close(output, expected)
    found = torch.autograd.grad(output, wanted, gradient)
    for own, want in zip(found, torch.autograd.grad(expected, wanted, gradient), strict=True):
        torch.testing.assert_close(own, want, atol=1e-6, rtol=1e-6)


@pytest.mark.parametrize("block", [2, 512])
@pytest.mark.parametrize("window", WINDOWS)
def test_attention_is_that_of_its_definition(
    window: int | None, block: int, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(sdpa, "QUERY_BLOCK", block)
    for shape in SHAPES:
        compared(shape, window)


@pytest.mark.parametrize("window", [None, 1, 5])
def test_values_may_be_of_another_width_than_keys(
    window: int | None, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(sdpa, "QUERY_BLOCK", 2)
    for shape in SHAPES:
        compared(shape, window, value_width=4)


@pytest.mark.parametrize("window", [None, 1, 5])
@pytest.mark.parametrize("with_sinks", [False, True])
def test_a_softcap_bends_the_products(
    with_sinks: bool, window: int | None, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(sdpa, "QUERY_BLOCK", 2)
    for shape in SHAPES:
        for value_width in (8, 4):
            sinks = torch.randn(HEADS, dtype=torch.float64).requires_grad_() if with_sinks else None
            compared(shape, window, value_width=value_width, sinks=sinks, softcap=0.7)


@pytest.mark.parametrize("window", [None, 3])
def test_sinks_take_their_share_and_get_their_gradient(window: int | None):
    for shape in SHAPES:
        sinks = torch.tensor([0.5, -1.0, 2.0, 0.0], dtype=torch.float64, requires_grad=True)
        compared(shape, window, sinks=sinks)


def test_the_log_sum_exp_is_of_every_block(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(sdpa, "QUERY_BLOCK", 2)
    shape = ((3, 4), (8, 4))
    q, k, v, _ = drawn(shape)
    kernel = SdpaKernel()
    assert kernel.name == "sdpa"
    output, rest = kernel.forward(q, k, v, segments_of(*shape), Masking(SCALING))
    expected, sums = by_definition(q, k, v, shape, None)
    torch.testing.assert_close(output, expected)
    found = torch.cat([each.view(HEADS, -1) for each in rest], dim=1)
    torch.testing.assert_close(found, sums.T)
    # Three queries in blocks of two; four that are square in one.
    assert [each.numel() // HEADS for each in rest] == [2, 1, 4]


def test_gradients_are_written_over_whatever_was_there():
    for shape, window in ((((5,), (5,)), None), (((2, 3), (6, 3)), 2)):
        q, k, v, gradient = drawn(shape)
        kernel, segments, mask = SdpaKernel(), segments_of(*shape), Masking(SCALING, window)
        made = kernel.forward(q, k, v, segments, mask)
        into = [[torch.full_like(each, fill) for each in (q, k, v)] for fill in (0.0, 99.0)]
        for targets in into:
            kernel.backward(gradient, (q, k, v), made, segments, mask, tuple(targets))
        for clean, dirty in zip(*into, strict=True):
            assert clean.equal(dirty)


def places(length: int, known: int, window: int | None) -> list[tuple[int, int, int, int, bool]]:
    """Rows and columns of blocks, and whether they are causal as they are."""
    return [
        (own.rows.start, own.rows.stop, own.columns.start, own.columns.stop, own.causal)
        for own in sdpa._blocks(length, known, window)
    ]


def test_blocks_are_the_keys_that_their_queries_see(monkeypatch: pytest.MonkeyPatch):
    assert places(5, 5, None) == places(5, 5, 5) == [(0, 5, 0, 5, True)]
    assert places(5, 5, 4) == [(0, 5, 0, 5, False)]
    assert places(1025, 2000, None) == [
        (0, 512, 0, 1487, False),
        (512, 1024, 0, 1999, False),
        (1024, 1025, 0, 2000, False),
    ]
    monkeypatch.setattr(sdpa, "QUERY_BLOCK", 2)
    # Queries 4 to 8 of nine tokens, each with itself and two before it.
    assert places(5, 9, 3) == [(0, 2, 2, 6, False), (2, 4, 4, 8, False), (4, 5, 6, 9, False)]
    assert places(3, 3, 1) == [(0, 2, 0, 2, False), (2, 3, 2, 3, False)]


def test_a_mask_hides_what_is_ahead_and_what_is_behind_the_window():
    (block,) = sdpa._blocks(3, 5, 2)
    hidden = block.mask(2, torch.zeros(1, dtype=torch.float64))
    out = -math.inf
    # Tokens 2, 3 and 4 see themselves and the one before; the block has keys 1 to 4.
    assert hidden.tolist() == [[0, 0, out, out], [out, 0, 0, out], [out, out, 0, 0]]
    assert hidden.dtype == torch.float64
    (causal,) = sdpa._blocks(3, 3, None)
    assert causal.mask(None, torch.zeros(1)) is None


def test_a_mask_has_a_softcap_or_window_only_where_asked():
    plain = Masking(0.5)
    assert (plain.window, plain.softcap, plain.deterministic) == (None, 0.0, False)


def test_without_sinks_a_result_is_left_alone():
    q, k, v, _ = drawn(SHAPES[0])
    made = SdpaKernel().forward(q, k, v, segments_of(*SHAPES[0]), Masking(SCALING))
    assert with_sinks(made, None) is made
    assert gradient_of_sinks(None, q, made) is None


def test_a_kernel_without_log_sum_exp_cannot_have_sinks():
    output = torch.zeros(5, HEADS, 8)
    with pytest.raises(UserError, match="sinks"):
        with_sinks((output, [output.new_empty(0)]), torch.zeros(HEADS))


class Counting:
    """Makes a number more every time."""

    def __init__(self):
        self.times = 0

    def __call__(self):
        self.times += 1
        return torch.tensor(self.times), []


def test_what_a_layer_keeps_is_made_once_and_handed_out_in_order():
    make = Counting()
    forward, recomputation = keeping_attention()
    assert not is_kept()
    with forward:
        assert is_kept()
        made = [made_once(make) for _ in range(3)]
    assert not is_kept()
    assert made_once(make)[0] == 4
    with recomputation:
        assert is_kept()
        again = [made_once(make) for _ in range(3)]
    assert make.times == 4
    assert all(own is other for own, other in zip(made, again, strict=True))


def test_a_layer_within_another_keeps_its_own():
    make = Counting()
    outer, outer_again = keeping_attention()
    inner, inner_again = keeping_attention()
    with outer:
        made_once(make)
        with inner:
            made_once(make)
        made_once(make)
    with outer_again:
        found = [made_once(make)[0]]
        with inner_again:
            found.append(made_once(make)[0])
        found.append(made_once(make)[0])
    assert found == [1, 2, 3]
    assert make.times == 3


def test_a_failure_leaves_nothing_kept():
    forward, _ = keeping_attention()
    with pytest.raises(ValueError, match="layer"), forward:
        raise ValueError("of the layer")
    assert not is_kept()
