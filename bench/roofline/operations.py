"""The cost of an ATen operation, by its name and the tensors that it takes and gives."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
from charge import Cost
from torch.utils.flop_counter import flop_registry

# They stop the host until the device has come to them. `lift_fresh`: a tensor of Python's numbers, which is copied.
SYNCHRONISING = {"_local_scalar_dense", "nonzero", "lift_fresh", "unique2", "masked_select"}
FREE = {
    "empty", "empty_like", "empty_strided", "new_empty", "new_empty_strided", "_unsafe_view",
    "promote_types",
}  # fmt: skip
FILLING = {
    "zeros", "ones", "full", "arange", "zeros_like", "ones_like", "full_like", "new_zeros",
    "new_ones", "new_full", "fill_", "zero_", "normal_", "uniform_",
}  # fmt: skip
PICKING = {"index_select", "index", "gather", "embedding"}  # rows, and not the table they lie in
ADDING = {"index_add_", "scatter_add_", "index_put_", "index_add", "scatter_add", "index_put"}
# Some are a kernel that fills, and one that copies or adds.
KERNELS = {"slice_backward": 2, "select_backward": 2, "index_add": 2, "embedding_dense_backward": 2}


def size(tensor: torch.Tensor) -> int:
    """Bytes of a tensor that exist: an expanded one has fewer than elements."""
    return min(tensor.numel() * tensor.element_size(), tensor.untyped_storage().nbytes())


def cost_of(function: Any, args: Any, kwargs: dict[str, Any], out: Any) -> Cost:
    """Of an operation that has been run on fake tensors."""
    name = name_of(function)
    if name in FREE or is_view(function):
        return Cost(launches=0)
    made = [*tensors(out)]
    written = sum(map(size, made))
    return Cost(
        KERNELS.get(name, 1),
        _flops(function, args, kwargs, out),
        *_traffic(name, [*tensors(args)], [*tensors(kwargs)], written),
    )


def _traffic(
    name: str, inputs: list[torch.Tensor], named: list[torch.Tensor], written: int
) -> tuple[int, int]:
    """Bytes read and written. ``named`` are arguments by keyword: where results go, which is not read."""
    if name in FILLING:
        return 0, written
    if name in PICKING:
        return written + sum(size(each) for each in inputs if _is_index(each)), written
    if name in ADDING:
        added = max((size(each) for each in inputs[1:] if not _is_index(each)), default=0)
        index = sum(size(each) for each in inputs[1:] if _is_index(each))
        return 2 * added + index, added
    if name == "copy_":
        return sum(map(size, inputs[1:])), size(inputs[0])
    twice = written if name in KERNELS else 0  # filled before
    return sum(map(size, inputs)), written + twice


def _is_index(tensor: torch.Tensor) -> bool:
    return not tensor.dtype.is_floating_point


def _flops(function: Any, args: Any, kwargs: dict[str, Any], out: Any) -> float:
    count = flop_registry.get(function.overloadpacket)
    if count is None:
        return 0
    return count(*args, **{k: v for k, v in kwargs.items() if k != "out"}, out_val=out)


def name_of(function: Any) -> str:
    """Without its namespace and overload."""
    return function.overloadpacket.__name__


def is_view(function: Any) -> bool:
    """Whether the result shares its input's memory, and nothing is written to that."""
    returned = function._schema.returns
    return bool(returned) and all(
        own.alias_info is not None and not own.alias_info.is_write for own in returned
    )


def tensors(value: Any) -> Iterator[torch.Tensor]:
    """All in lists and dictionaries."""
    if isinstance(value, torch.Tensor):
        yield value
    elif isinstance(value, list | tuple):
        for each in value:
            yield from tensors(each)
    elif isinstance(value, dict):
        yield from tensors([*value.values()])
