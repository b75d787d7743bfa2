"""Collectives of whole tensors, by the names that the installed torch has for them."""

from __future__ import annotations

import torch.distributed as dist

# torch 2.13 renamed both.
all_gather_single = (
    dist.all_gather_single if hasattr(dist, "all_gather_single") else dist.all_gather_into_tensor
)
reduce_scatter_single = (
    dist.reduce_scatter_single
    if hasattr(dist, "reduce_scatter_single")
    else dist.reduce_scatter_tensor
)
