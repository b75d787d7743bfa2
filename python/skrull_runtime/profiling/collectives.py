"""Times of collectives by size, for every size of group. For sharded sequences these are all-gathers, and the all-to-alls
that send gradients of keys and values back; for ZeRO, all-gathers and reduce-scatters."""

from __future__ import annotations

import statistics
from bisect import bisect_left
from collections.abc import Callable
from typing import Literal

import numpy as np
import torch
import torch.distributed as dist

from ..model.groups import GroupTable
from ..process.collectives import all_gather_single, reduce_scatter_single
from .devices.timing import median_seconds
from .profile_file import NetworkFigures, Table

Column = Literal["all_gather_us", "reduce_scatter_us", "all_to_all_us"]
COLUMNS: tuple[Column, ...] = ("all_gather_us", "reduce_scatter_us", "all_to_all_us")
RINGS: tuple[Column, ...] = COLUMNS[:2]
POINTS = 7
SMALLEST_BYTES = 16 * 1024


def measure_collectives(
    groups: GroupTable,
    degrees: list[int],
    ranks_per_node: int,
    largest_bytes: int,
    dtype: torch.dtype,
    device: torch.device,
    repeats: int,
) -> list[Table]:
    """A table for every degree above 1; all groups of a degree communicate at once, as in training. Collective.

    ``largest_bytes``: size of the largest gathered whole.
    """
    sizes = _sizes(largest_bytes)
    world, rank = dist.get_world_size(), dist.get_rank()
    tables: list[Table] = []
    for degree in sorted({d for d in degrees if d > 1}):
        group = dist.group.WORLD if degree == world else groups.get(degree, rank - rank % degree)
        times = [_times(group, degree, size, dtype, device, repeats) for size in sizes]
        columns = {name: _growing([own[name] for own in times]) for name in COLUMNS}
        tables.append(
            {
                "ranks": degree,
                "nodes": -(-degree // ranks_per_node),
                "megabytes": [size / 1e6 for size in sizes],
                "all_gather_us": columns["all_gather_us"],
                "reduce_scatter_us": columns["reduce_scatter_us"],
                "all_to_all_us": columns["all_to_all_us"],
            }
        )
    return tables


def _sizes(largest: int) -> list[int]:
    """Sizes in bytes, evenly spaced on a logarithmic scale."""
    ratio = max(2.0, largest / SMALLEST_BYTES) ** (1 / (POINTS - 1))
    return [int(SMALLEST_BYTES * ratio**n) for n in range(POINTS)]


def _times(
    group: dist.ProcessGroup | None,
    degree: int,
    size: int,
    dtype: torch.dtype,
    device: torch.device,
    repeats: int,
) -> dict[Column, float]:
    """Median times (us) of collectives whose whole has ``size`` bytes, by column, on the slowest rank."""
    part = torch.zeros(max(1, size // (dtype.itemsize * degree)), dtype=dtype, device=device)
    whole = part.new_zeros(degree * part.numel())
    other = torch.empty_like(whole)
    collectives: tuple[Callable[[], object], ...] = (
        lambda: all_gather_single(whole, part, group=group),
        lambda: reduce_scatter_single(part, whole, group=group),
        lambda: dist.all_to_all_single(other, whole, group=group),
    )
    medians = [1e6 * median_seconds(each, device, repeats) for each in collectives]
    return dict(zip(COLUMNS, medians, strict=True))


def _growing(times: list[float]) -> list[float]:
    """The times, changed so that no larger size is faster than a smaller one, which would be noise."""
    grown: list[float] = []
    for time_ in times:
        grown.append(max(time_, grown[-1] * 1.001) if grown else time_)
    return grown


def network_of(tables: list[Table]) -> NetworkFigures | None:
    """What groups on several nodes reach, of the group on most nodes; None without such a group and one inside of a node.

    A ring brings every byte into a node once, over the cards of all of the group's ranks there. Where the way inside of a
    node takes longer than that, the figure is what the cards reached, which is less than they could.
    """
    crossing = max(tables, key=lambda table: table["nodes"], default=None)
    inside = [table for table in tables if table["nodes"] == 1]
    if crossing is None or crossing["nodes"] == 1 or not inside:
        return None
    nodes = crossing["nodes"]
    into_node = (nodes - 1) / nodes / (crossing["ranks"] / nodes)  # of the whole, over one card
    slope = statistics.mean(_slope(crossing, column) for column in RINGS)
    starts = statistics.mean(crossing[own][0] / inside[-1][own][0] for own in COLUMNS)
    return {
        "network_bytes_per_second": 1e12 * into_node / slope,
        "crossing_factor": max(1.0, starts),
    }


def _slope(table: Table, column: Column) -> float:
    """us a megabyte, by a line whose relative errors are least, as the compiler fits it."""
    times = np.array(table[column])
    slope, _ = np.polyfit(np.array(table["megabytes"]), times, 1, w=1 / times)
    return float(slope)


def interpolated(table: Table, column: Column, megabytes: float) -> float:
    """The time (us) of a collective of that size: linear between the measured sizes, proportional beyond the largest."""
    sizes, times = table["megabytes"], table[column]
    if megabytes <= sizes[0]:
        return times[0]
    if megabytes >= sizes[-1]:
        return times[-1] * megabytes / sizes[-1]
    n = bisect_left(sizes, megabytes)
    share = (megabytes - sizes[n - 1]) / (sizes[n] - sizes[n - 1])
    return times[n - 1] + share * (times[n] - times[n - 1])
