"""Counts the operations of one attention layer, in a process of its own: its process group is a fake of many ranks."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.distributed as dist
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.testing._internal.distributed.fake_pg import FakeStore

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "bench/roofline"))

from charge import Gpu
from faked import faked
from meter import Meter, Tally
from standin import NAME, StandIn

from skrull_runtime.batches.layout import Layout, ShardGroup
from skrull_runtime.batches.packed import MicroBatch
from skrull_runtime.model.attention import AttentionContext, skrull_attention
from skrull_runtime.model.groups import GroupTable
from skrull_runtime.model.slicing import Slicing

HEADS, KV_HEADS, WIDTH = 14, 2, 64  # Qwen2.5-0.5B


def batch_of(case: dict[str, Any]) -> MicroBatch:
    """Rank 0's part of a layout that the case describes, ids and labels 0."""
    local, groups = tuple(case["local"]), []
    for degree, chunks in case["groups"]:
        groups.append(ShardGroup(0, degree, tuple(range(len(chunks))), tuple(chunks)))
    layout = Layout(0, local, tuple(range(len(local))), tuple(groups))
    size = sum(local) + sum(group.tokens for group in groups)
    return MicroBatch.of(np.zeros((4, size), np.int64), layout, case["windows"])


def counted(case: dict[str, Any], groups: GroupTable) -> dict[str, Any]:
    """Of the layer's forward and backward."""
    meter, fake = Meter(Gpu("any", 1e15, 1e12)), FakeTensorMode(allow_non_fake_inputs=True)
    batch = batch_of(case)
    slicing = Slicing(query_heads=HEADS // KV_HEADS)
    with fake:
        plan = faked(batch, fake).plan
        inputs = [
            torch.empty(1, heads, batch.size, WIDTH, dtype=torch.bfloat16, requires_grad=True)
            for heads in (HEADS, KV_HEADS, KV_HEADS)
        ]
        gradient = torch.empty(1, batch.size, HEADS, WIDTH, dtype=torch.bfloat16)
        context = AttentionContext(plan, groups, StandIn("varlen", meter), slicing)
        with meter.counting():
            output, _ = skrull_attention(
                None, *inputs, None, scaling=0.1, skrull=context, sliding_window=case["window"]
            )
            forward = meter.take()
            output.backward(gradient)
            backward = meter.take()
    return {"forward": figures(forward), "backward": figures(backward)}


def figures(tally: Tally) -> dict[str, int]:
    """What the test looks at. The kernel itself is left out of launches and bytes."""
    plumbing = tally.without(NAME)
    return {
        "launches": plumbing.launches,
        "bytes": plumbing.bytes,
        "synchronisations": tally.synchronisations,
        "received": tally.received,
        "kernels": tally.launches - plumbing.launches,
    }


def main() -> None:
    """Counts the cases of a JSON file and writes their figures."""
    cases_file, results_file = map(Path, sys.argv[1:])
    dist.init_process_group("fake", store=FakeStore(), rank=0, world_size=8)
    groups = GroupTable()
    groups.prepare([2, 4, 8])
    results = [counted(case, groups) for case in json.loads(cases_file.read_text())]
    results_file.write_text(json.dumps(results))
    dist.destroy_process_group()


if __name__ == "__main__":
    main()
