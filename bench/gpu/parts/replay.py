"""The work of every rank of 4 x 8 under four policies, one rank after another: computing is measured, communication modelled
as planned."""

from __future__ import annotations

import statistics
from typing import Any

from budget import Budget
from document import Column, Result, Row
from replay import replayed
from settings import Settings
from world import start

from skrull_runtime.errors import UserError
from skrull_runtime.model.kernels.choose import choose_kernel
from skrull_runtime.profiling.run_folder import RunFolder

BASELINE = "deepspeed"
BATCHES = 2
MIB = 2**20
COLUMNS = (
    Column("policy", "", "of the schedules"),
    Column("micro_batches", "", "of a global batch", 1),
    Column("step_seconds", "s", "of all ranks: computing measured, communication modelled"),
    Column("planned_seconds", "s", "of the same schedules, by the plan"),
    Column("computed_seconds", "s", "measured, of all ranks together"),
    Column("communication_seconds", "s", "modelled, exposed, of all ranks together"),
    Column("speed", "", f"of steps, over {BASELINE}", 2),
    Column("planned_speed", "", f"likewise, by the plan, over {BASELINE}", 2),
    Column("peak_mib", "MiB", "measured, of the fullest rank", 0),
    Column("planned_mib", "MiB", "by the plan, of its tokens", 0),
)
SUMS = {
    "step_seconds": "seconds",
    "planned_seconds": "predicted_seconds",
    "computed_seconds": "computed",
    "communication_seconds": "waited",
    "micro_batches": "micro_batches",
}


def run(settings: Settings, budget: Budget) -> Result:
    """Replays, and takes means over global batches. Raises UserError where there was no time for a single one."""
    folder = RunFolder(settings.run_folder("replay-small" if settings.small else "replay"))
    scheduling = folder.scheduling
    start(scheduling.data_parallel * scheduling.context_parallel)
    batches = 1 if settings.small else BATCHES
    policies = replayed(folder, batches, settings.repeats, budget.allows)
    if not policies:
        raise UserError("no policy was replayed in the time given: raise --seconds")
    baseline = _means(policies[BASELINE]) if BASELINE in policies else None
    rows = [{"policy": policy, **_row(own, baseline)} for policy, own in policies.items()]
    hardware = folder.plan["hardware"]
    figures: Row = {
        "ranks": scheduling.data_parallel * scheduling.context_parallel,
        "global_batches": len(next(iter(policies.values()))),
        "planned_by": "a profile" if hardware["profile"] else "the catalogue's figures",
    }
    kernel = choose_kernel(folder.config.model.attention, settings.device)
    return Result(COLUMNS, rows, [], figures, kernels=[kernel.name])


def _row(batches: list[dict[str, Any]], baseline: Row | None) -> Row:
    row = _means(batches)
    if baseline is not None:
        row["speed"] = baseline["step_seconds"] / row["step_seconds"]
        row["planned_speed"] = baseline["planned_seconds"] / row["planned_seconds"]
    row["peak_mib"] = max(own["peak_bytes"] for own in batches) / MIB
    row["planned_mib"] = max(own["predicted_bytes"] for own in batches) / MIB
    return row


def _means(batches: list[dict[str, Any]]) -> Row:
    return {
        name: float(statistics.fmean(own[key] for own in batches)) for name, key in SUMS.items()
    }
