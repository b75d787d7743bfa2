"""Attention of a packed micro-batch in one process: local sequences, and shards whose other members are stood in for."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pytest
import torch
from transformers import AttentionInterface

from skrull_runtime.batches.layout import Layout, ShardGroup, zigzag_positions
from skrull_runtime.batches.packed import MicroBatch
from skrull_runtime.errors import UserError
from skrull_runtime.model import attention
from skrull_runtime.model.attention import NAME, AttentionContext, skrull_attention
from skrull_runtime.model.exchange import Arriving
from skrull_runtime.model.kernels.kernel import Masking
from skrull_runtime.model.kernels.sdpa import SdpaKernel
from skrull_runtime.model.slicing import Slicing

HEADS, KV_HEADS, WIDTH, SCALING = 4, 2, 8, 0.3
LOCAL = (5, 3)
CHUNKS = (2, 3)
DEGREE, FIRST = 2, 4
GROUP = ShardGroup(FIRST, DEGREE, (2, 3), CHUNKS)


def drawn(length: int, heads: int, seed: int) -> torch.Tensor:
    """``[S, heads, D]``."""
    source = torch.Generator().manual_seed(seed)
    return torch.randn(length, heads, WIDTH, generator=source, dtype=torch.float64)


def plain(q, k, v, window: int | None, sinks: torch.Tensor | None = None) -> torch.Tensor:
    """Attention of one sequence ``[S, heads, D]`` by its definition."""
    k, v = (each.repeat_interleave(HEADS // KV_HEADS, dim=1) for each in (k, v))
    products = torch.einsum("qhd,khd->hqk", q, k) * SCALING
    distance = torch.arange(len(q)).unsqueeze(1) - torch.arange(len(q))
    hidden = (distance < 0) | (distance >= (window or len(q)))
    logits = products.masked_fill(hidden, -torch.inf)
    if sinks is not None:
        logits = torch.cat((logits, sinks.view(-1, 1, 1).expand(-1, len(q), 1)), -1)
    return torch.einsum("hqk,khd->qhd", logits.softmax(-1)[..., : len(q)], v)


# Queries, keys and values of every sequence: two local ones, and two that two ranks share, whose lengths are exact.
LENGTHS = [*LOCAL, *(2 * DEGREE * chunk for chunk in CHUNKS)]
WHOLE = [
    [drawn(length, heads, 10 * n + kind) for n, length in enumerate(LENGTHS)]
    for kind, heads in enumerate((HEADS, KV_HEADS, KV_HEADS))
]


def held(sequences: list[torch.Tensor], member: int, local: bool, sharded: bool) -> torch.Tensor:
    """The rows of a member."""
    rows = list(sequences[: len(LOCAL)]) if local else []
    for own, chunk in zip(sequences[len(LOCAL) :], CHUNKS, strict=True):
        for part in zigzag_positions(chunk, DEGREE, member) if sharded else ():
            rows.append(own[part.start : part.stop])
    return torch.cat(rows)


class Gathering:
    """An exchange whose other members have sent their rows already."""

    def __init__(self, shards: list[torch.Tensor]):
        self._rows = torch.cat(shards)

    def start(self, own: torch.Tensor) -> Arriving:
        """All heads at once."""
        assert own.shape[1:] == (KV_HEADS, 2 * WIDTH)
        return Arriving(self._rows, None)


@dataclass
class Asked:
    """What stands in for groups and slicing, and was asked of them."""

    group: list = field(default_factory=list)
    heads: list = field(default_factory=list)
    kept: list = field(default_factory=list)

    def get(self, degree: int, first_rank: int) -> str:
        """As a table of groups."""
        self.group.append((degree, first_rank))
        return "the group"


class Recording(Slicing):
    """All heads at once, and notes what it was asked."""

    asked: Asked

    def heads(self, keys: int, heads: int, width: int) -> int:
        """See Slicing."""
        self.asked.heads.append((keys, heads, width))
        return heads

    def keeps(self, slice_heads: int, heads: int) -> bool:
        """See Slicing."""
        self.asked.kept.append((slice_heads, heads))
        return True


def attend(
    member: int, local: bool, sharded: bool, monkeypatch: pytest.MonkeyPatch, **options
) -> tuple[torch.Tensor, Asked]:
    """Output ``[T, H, D]`` of a member's rows, and what was asked."""
    own_local = LOCAL if local else ()
    layout = Layout(
        FIRST + member, own_local, tuple(range(len(own_local))), (GROUP,) if sharded else ()
    )
    q, k, v = (held(each, member, local, sharded) for each in WHOLE)
    batch = MicroBatch.of(np.zeros((4, len(q)), np.int64), layout)
    asked = Asked()
    shards = [
        torch.cat([held(each, other, False, True) for each in WHOLE[1:]], dim=-1)
        for other in range(DEGREE)
    ]

    def exchange(traffic, group):
        assert group == "the group"
        assert traffic is batch.plan.groups[0].full
        return Gathering(shards)

    monkeypatch.setattr(attention, "exchange", exchange)
    slicing = Recording()
    object.__setattr__(slicing, "asked", asked)
    context = AttentionContext(batch.plan, asked, SdpaKernel(), slicing)
    inputs = [each.transpose(0, 1).unsqueeze(0) for each in (q, k, v)]
    with torch.no_grad():
        output, weights = skrull_attention(
            None, *inputs, None, scaling=SCALING, skrull=context, **options
        )
    assert weights is None
    assert output.shape == (1, len(q), HEADS, WIDTH)
    return output[0], asked


@pytest.mark.parametrize("options", [{}, {"sliding_window": 3}, {"s_aux": torch.arange(4.0)}])
@pytest.mark.parametrize(("local", "sharded"), [(True, False), (False, True), (True, True)])
@pytest.mark.parametrize("member", [0, 1])
def test_a_member_has_the_output_of_its_tokens(
    member: int, local: bool, sharded: bool, options: dict, monkeypatch: pytest.MonkeyPatch
):
    found, asked = attend(member, local, sharded, monkeypatch, **options)
    sinks = options.get("s_aux")
    sinks = None if sinks is None else sinks.double()
    outputs = [
        plain(*own, options.get("sliding_window"), sinks) for own in zip(*WHOLE, strict=True)
    ]
    torch.testing.assert_close(found, held(outputs, member, local, sharded))
    if sharded:
        # All that its tokens see: of a sequence of four chunks, as many as are up to each of its own.
        keys = sum(chunk * ((member + 1) + (4 - member)) for chunk in CHUNKS)
        assert (asked.group, asked.heads) == ([(DEGREE, FIRST)], [(keys, KV_HEADS, WIDTH)])
        assert asked.kept == [(KV_HEADS, KV_HEADS)]
    else:
        assert asked == Asked()


def test_local_attention_has_gradients(monkeypatch: pytest.MonkeyPatch):
    batch = MicroBatch.of(np.zeros((4, sum(LOCAL)), np.int64), Layout(0, LOCAL, (0, 1), ()))
    leaves = [held(each, 0, True, False).requires_grad_() for each in WHOLE]
    context = AttentionContext(batch.plan, Asked(), SdpaKernel())
    inputs = [each.transpose(0, 1).unsqueeze(0) for each in leaves]
    output, _ = skrull_attention(None, *inputs, None, scaling=SCALING, skrull=context)
    weight = drawn(sum(LOCAL), HEADS, 99)
    found = torch.autograd.grad((output[0] * weight).sum(), leaves)
    parts = zip(*(each.split(LOCAL) for each in leaves), strict=True)
    expected = torch.cat([plain(*own, None) for own in parts])
    for own, want in zip(
        found, torch.autograd.grad((expected * weight).sum(), leaves), strict=True
    ):
        torch.testing.assert_close(own, want)


class Noting(SdpaKernel):
    """Keeps the mask that it is given."""

    def forward(self, q, k, v, segments, mask):
        """See Kernel."""
        self.mask = mask
        return super().forward(q, k, v, segments, Masking(mask.scaling, mask.window))


def test_a_kernel_is_told_what_the_layer_and_the_run_ask_for():
    batch = MicroBatch.of(np.zeros((4, 5), np.int64), Layout(0, (5,), (0,), ()))
    inputs = [drawn(5, heads, 1).transpose(0, 1).unsqueeze(0) for heads in (4, 2, 2)]
    kernel = Noting()
    for deterministic in (False, True):
        context = AttentionContext(batch.plan, Asked(), kernel, deterministic=deterministic)
        options = {"softcap": 7.0, "sliding_window": 2, "dropout": 0.0, "use_cache": False}
        skrull_attention(None, *inputs, None, scaling=0.7, skrull=context, **options)
        assert kernel.mask == Masking(0.7, 2, 7.0, deterministic)
    skrull_attention(None, *inputs, None, scaling=0.7, skrull=context)
    assert (kernel.mask.softcap, kernel.mask.window) == (0.0, None)
    assert AttentionContext(batch.plan, Asked(), kernel).deterministic is False


def test_what_would_be_wrong_is_refused():
    with pytest.raises(UserError, match="without its layout"):
        skrull_attention(None, None, None, None, None, scaling=1.0)
    with pytest.raises(UserError, match="dropout is not supported"):
        skrull_attention(None, None, None, None, None, scaling=1.0, dropout=0.1, skrull="context")


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"position_bias": torch.zeros(1)}, "takes position_bias, which skrull does not know"),
        ({"indices": torch.zeros(1), "block_indices": 1}, "takes block_indices, indices, which"),
        ({"attention_mask": torch.zeros(1, 1, 5, 5)}, "a mask of the model's own"),
        ({"is_causal": False}, "is not causal"),
        ({"key": drawn(4, 2, 1), "value": drawn(4, 2, 1)}, "other keys than the tokens"),
    ],
)
def test_attention_of_another_kind_is_refused_by_name(options: dict, reason: str):
    batch = MicroBatch.of(np.zeros((4, 5), np.int64), Layout(0, (5,), (0,), ()))
    context = AttentionContext(batch.plan, Asked(), SdpaKernel())
    asked = {"query": drawn(5, 4, 1), "key": drawn(5, 2, 1), "value": drawn(5, 2, 1), **options}
    for name in ("query", "key", "value"):
        asked[name] = asked[name].transpose(0, 1).unsqueeze(0)
    asked.setdefault("attention_mask", None)
    with pytest.raises(UserError, match=reason):
        skrull_attention(None, **asked, scaling=1.0, skrull=context)


def test_transformers_knows_it_by_name():
    attention.register()
    assert AttentionInterface()[NAME] is skrull_attention
    assert "flash" not in NAME
