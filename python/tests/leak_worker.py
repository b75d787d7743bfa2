"""One rank of the leak test: token losses of every sequence before and after one sequence's tokens are changed."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import deepspeed
import tiny
import torch
import torch.distributed as dist

from skrull_runtime.data.tokens import Tokens
from skrull_runtime.model.attention import AttentionContext
from skrull_runtime.model.build import build_model
from skrull_runtime.model.groups import GroupTable
from skrull_runtime.model.kernels.choose import choose_kernel
from skrull_runtime.model.loss import SummedLossModel


def sequence_losses(model, data, members, config, groups) -> torch.Tensor:
    """Sum of token losses of every sequence of the global batch, over all ranks."""
    batch = tiny.step_batch(0, members, data, config, dist.get_rank())
    losses = torch.zeros(len(members), dtype=torch.float64)
    kernel = choose_kernel("sdpa", torch.device("cpu"))
    with torch.no_grad():
        for micro_batch in batch.micro_batches:
            context = AttentionContext(micro_batch.plan, groups, kernel)
            _, tokens, _ = model(
                micro_batch.input_ids,
                micro_batch.position_ids,
                micro_batch.counted,
                micro_batch.targets,
                context,
            )
            owners = micro_batch.sequence_ids[0][micro_batch.counted]
            losses.index_add_(0, owners.clamp(min=0), torch.where(owners >= 0, tokens, 0).double())
    dist.all_reduce(losses)
    return losses


def main() -> None:
    """Changes one local and one sharded sequence in turn, and writes whose losses changed."""
    folder, results_file = map(Path, sys.argv[1:])
    deepspeed.ops.__compatible_ops__["deepspeed_shm_comm"] = False
    deepspeed.init_distributed(dist_backend="gloo", verbose=False)
    data = tiny.samples()
    members = tiny.global_batches(len(data))[0]
    config = tiny.scheduling(dist.get_world_size(), 2, "auto")
    groups = GroupTable()
    groups.prepare([2])
    model_config = tiny.model_config()
    model = SummedLossModel(
        build_model(model_config, folder, None, tiny.SEED), model_config.loss_chunk
    )
    layouts = [
        m.layout for m in tiny.step_batch(0, members, data, config, dist.get_rank()).micro_batches
    ]
    sharded = {k for layout in layouts for group in layout.groups for k in group.sequences}
    everyone: list[set[int]] = [set()] * dist.get_world_size()
    dist.all_gather_object(everyone, sharded)
    sharded = set().union(*everyone)
    local = set(range(len(members))) - sharded
    before = sequence_losses(model, data, members, config, groups)
    results = {}
    for kind, chosen in (("local", max(local)), ("sharded", max(sharded))):
        sample = data[members[chosen]]
        changed = list(data)
        changed[members[chosen]] = Tokens(
            [(token + 1) % tiny.VOCABULARY for token in sample.ids], sample.labels
        )
        after = sequence_losses(model, changed, members, config, groups)
        differences = (after - before).abs()
        own = differences[chosen].item()
        differences[chosen] = 0.0
        results[kind] = {"own": own, "others": differences.max().item()}
    if dist.get_rank() == 0:
        results_file.write_text(json.dumps(results))
    dist.destroy_process_group()


if __name__ == "__main__":
    main()
