"""One rank of the attention test: outputs and gradients of every case against plain attention over whole sequences."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.distributed as dist

from skrull_runtime.batches.layout import Layout, layout_of, zigzag_positions
from skrull_runtime.batches.packed import MicroBatch
from skrull_runtime.model.attention import AttentionContext, skrull_attention
from skrull_runtime.model.groups import GroupTable
from skrull_runtime.model.kernels.sdpa import SdpaKernel
from skrull_runtime.model.slicing import Slicing

HEADS, KV_HEADS, WIDTH, SCALING = 8, 4, 8, 0.3
SOFTCAP = 0.9


def plain(
    q: torch.Tensor,
    k: torch.Tensor,
    v: torch.Tensor,
    window: int | None,
    sinks: torch.Tensor | None,
    softcap: bool,
) -> torch.Tensor:
    """Attention of one sequence, ``[S, heads, D]``, by its definition."""
    per = q.shape[1] // k.shape[1]
    k, v = (each.repeat_interleave(per, dim=1) for each in (k, v))
    products = torch.einsum("qhd,khd->hqk", q, k) * SCALING
    if softcap:
        products = SOFTCAP * torch.tanh(products / SOFTCAP)
    distance = torch.arange(len(q)).unsqueeze(1) - torch.arange(len(q))
    hidden = (distance < 0) | (distance >= (window or len(q)))
    products = products.masked_fill(hidden, -torch.inf)
    if sinks is not None:
        products = torch.cat((products, sinks.view(-1, 1, 1).expand(-1, len(q), 1)), -1)
    return torch.einsum("hqk,khd->qhd", products.softmax(-1)[..., : len(q)], v)


def own_positions(layout: Layout) -> list[tuple[int, range]]:
    """This rank's tokens: sequences and positions in them, packed one after another."""
    spans = [(k, range(n)) for k, n in zip(layout.local_sequences, layout.local, strict=False)]
    for group in layout.groups:
        for k, chunk in zip(group.sequences, group.chunks, strict=True):
            member = layout.rank - group.first_rank
            spans += [(k, own) for own in zigzag_positions(chunk, group.degree, member)]
    return spans


def packed(whole: list[torch.Tensor], layout: Layout) -> torch.Tensor:
    """This rank's tokens of tensors ``[S, heads, D]``, as ``[1, heads, T, D]``; padding is zero."""
    parts = []
    for k, positions in own_positions(layout):
        part = whole[k][positions.start : positions.stop]
        missing = len(positions) - len(part)
        parts.append(torch.cat((part, part.new_zeros(missing, *part.shape[1:]))))
    rows = torch.cat(parts) if parts else whole[0].new_zeros(1, *whole[0].shape[1:])
    return rows.transpose(0, 1).unsqueeze(0)


def difference(case: dict[str, Any], groups: GroupTable) -> float:
    """The largest, of outputs and of gradients, on this rank's real tokens."""
    generator = torch.Generator().manual_seed(case["seed"])
    lengths, window = case["lengths"], case["window"]
    q, k, v, weight = (
        [torch.randn(n, *own, generator=generator, dtype=torch.float64) for n in lengths]
        for own in (
            (HEADS, WIDTH),
            (KV_HEADS, WIDTH),
            (KV_HEADS, case["value_width"]),
            (HEADS, case["value_width"]),
        )
    )
    layout = layout_of(case["placements"], dist.get_rank(), lengths)
    size = max(1, sum(len(positions) for _, positions in own_positions(layout)))
    windows = [window] if window and case["reached"] else []
    batch = MicroBatch.of(np.zeros((4, size), np.int64), layout, windows)
    slicing = Slicing(case["workspace"], HEADS // KV_HEADS, 8, case["recomputes"])
    context = AttentionContext(batch.plan, groups, SdpaKernel(), slicing)
    inputs = [packed(each, layout).requires_grad_() for each in (q, k, v)]
    sinks = [torch.randn(HEADS, generator=generator).double().requires_grad_() for _ in range(2)]
    sinks[1].data.copy_(sinks[0].data)
    own_sinks, whole_sinks = sinks if case["sinks"] else (None, None)
    output, _ = skrull_attention(
        None,
        *inputs,
        None,
        scaling=SCALING,
        skrull=context,
        sliding_window=window,
        softcap=SOFTCAP if case["softcap"] else None,
        s_aux=own_sinks,
    )
    weights = packed(weight, layout).transpose(1, 2)
    (output * weights).sum().backward()
    whole = [[each.requires_grad_() for each in tensors] for tensors in (q, k, v)]
    outputs = [
        plain(*own, window, whole_sinks, case["softcap"]) for own in zip(*whole, strict=True)
    ]
    sum((out * w).sum() for out, w in zip(outputs, weight, strict=True)).backward()
    found = [output.transpose(1, 2), *(each.grad for each in inputs)]
    expected = [outputs, *([each.grad for each in tensors] for tensors in whole)]
    real = packed([torch.ones(n, 1, 1) for n in lengths], layout)
    pairs = zip(found, expected, strict=True)
    differences = [((own - packed(want, layout)) * real).abs().max().item() for own, want in pairs]
    if own_sinks is not None:
        total = own_sinks.grad if own_sinks.grad is not None else torch.zeros_like(own_sinks)
        dist.all_reduce(total)
        differences.append((total - whole_sinks.grad).abs().max().item())
    return max(differences)


def main() -> None:
    """Tries the cases of a JSON file and writes their differences."""
    cases_file, results_file = map(Path, sys.argv[1:])
    dist.init_process_group("gloo")
    groups = GroupTable()
    groups.prepare([2, 4])
    differences = []
    for case in json.loads(cases_file.read_text()):
        largest = torch.tensor(difference(case, groups))
        dist.all_reduce(largest, dist.ReduceOp.MAX)
        differences.append(largest.item())
    if dist.get_rank() == 0:
        results_file.write_text(json.dumps(differences))
    dist.destroy_process_group()


if __name__ == "__main__":
    main()
