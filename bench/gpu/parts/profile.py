"""The machine's figures as ``skrull_runtime.profile`` has them, by one process in place of all ranks.

Collectives and the host's processors are not measured: the profile leaves them to the catalogue. It is written beside what was prepared.
"""

from __future__ import annotations

import statistics

from budget import Budget
from document import Column, Result
from replay import OBSERVATIONS, own_rates, profile_of
from settings import Settings
from world import clock, start

from skrull_runtime.profiling.measure import StepTimer
from skrull_runtime.profiling.memory import activation_factor
from skrull_runtime.profiling.profile_file import rounded, write_profile
from skrull_runtime.profiling.recipes import designed_batches
from skrull_runtime.profiling.run_folder import RunFolder

FILE = "profile.json"
ROUNDS, SMALL_OBSERVATIONS = 5, 12
UNITS = {
    "matmul_flops": "FLOP/s",
    "head_flops": "FLOP/s",
    "attention_flops": "FLOP/s",
    "small_shard_tokens": "tokens",
    "elementwise_bytes_per_second": "bytes/s",
    "micro_batch_us": "us",
    "micro_batch_least_us": "us",
    "step_us": "us",
    "memory_bandwidth": "bytes/s",
    "host_link": "bytes/s",
    "activation_factor": "",
}
COLUMNS = (
    Column("figure", "", "as a profile names it"),
    Column("value", "", "in the unit beside it", None),
    Column("unit", "", "of the value"),
)


def run(settings: Settings, budget: Budget) -> Result:
    """Times designed steps round by round, then fits."""
    folder = RunFolder(settings.run_folder("replay-small" if settings.small else "replay"))
    scheduling = folder.scheduling
    start(scheduling.data_parallel * scheduling.context_parallel)
    count = SMALL_OBSERVATIONS if settings.small else OBSERVATIONS
    designed = designed_batches(count, scheduling, folder.lengths)
    timer = StepTimer(folder, scheduling, clock)
    rounds: list[list[float]] = []
    longest = 0.0
    for number in range(min(ROUNDS, settings.repeats)):
        before = budget.spent()
        if number and not budget.allows(f"round {number + 1}", longest):
            break
        rounds.append(timer.medians(designed, 1))
        longest = max(longest, budget.spent() - before)
    times = [statistics.median(own) for own in zip(*rounds, strict=True)]
    profile, errors, notes = profile_of(folder, designed, times, own_rates(folder, timer))
    factor = activation_factor(timer, folder.plan, 0)
    if factor is not None:
        profile["activation_factor"] = factor
    write_profile(settings.folder / FILE, profile)
    rows = [
        {"figure": name, "value": rounded(float(profile[name])), "unit": unit}
        for name, unit in UNITS.items()
        if name in profile
    ]
    figures = {
        "steps": errors.steps,
        "rounds": len(rounds),
        "median_error": errors.median,
        "p90_error": errors.p90,
        "profile": rounded(profile),
    }
    notes.append(f"the profile is in {settings.folder / FILE}")
    return Result(COLUMNS, rows, notes, figures, kernels=[timer.trainer.kernel.name])
