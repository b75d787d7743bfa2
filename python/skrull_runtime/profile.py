"""``python -m skrull_runtime.profile RUN_DIR``: measures the machine that a compiled run will train on.

It times collectives, and optimizer steps of the run's own model in the code that trains; fits the cost model; says how far
it is off on global batches that were not fitted; and writes a profile for the spec's ``cluster { profile }``. On several
nodes, or to choose how ranks start, start it like training: ``torchrun ... -m skrull_runtime.profile``.
"""

from __future__ import annotations

import argparse
import os
import platform
import socket
import sys
from dataclasses import replace
from pathlib import Path
from typing import NoReturn

import deepspeed
import torch
import torch.distributed as dist

from .config import SchedulingConfig
from .errors import UserError
from .model.build import DTYPES
from .profiling.arguments import parser_of
from .profiling.collectives import interpolated, measure_collectives, network_of
from .profiling.features import Batch, Communication, Terms
from .profiling.figures import figures_of, zero_included, zero_overlap
from .profiling.fit import Errors, fit_terms, predict
from .profiling.measure import StepTimer
from .profiling.memory import activation_factor
from .profiling.profile_file import Profile, Table, write_profile
from .profiling.rank.device_rates import device_rates
from .profiling.recipes import TARGET_SHARES, designed_batches, training_batches
from .profiling.run_folder import DemandedCollectives, RunFolder
from .training.end import ending_plainly
from .training.start import start_process_group

DESCRIPTION = """Measures the machine that a compiled run will train on, and writes a profile for a spec's cluster
{ profile }. Measured by themselves: collectives by size, matrix products in the model's shapes, copies in memory and to the
host, an offloaded optimizer's step. Fitted to times of whole steps of the run's own model: attention, output head, norms and activations, what a
micro-batch takes at least and besides, and a step. What it prints of steps held out was not fitted."""
QUICK = {"observations": 18, "repeats": 1, "held_out": 3}
LARGEST_COLLECTIVE = {"cuda": 2**30, "cpu": 2**26}  # bytes
COLLECTIVE_REPEATS = 7


def main() -> None:
    """Measures on all ranks; rank 0 reports and writes the profile. It ends like a run, with the same exit codes."""
    arguments = _arguments()
    with ending_plainly():
        run = RunFolder(arguments.run_dir)
        if "RANK" not in os.environ:
            ranks = arguments.ranks or run.plan["topology"]["gpus_per_node"]
            _scheduling_on(run.scheduling, ranks)  # raises before anything is started
            _start_ranks(ranks)
        start_process_group(run.config.train.timeout_seconds)
        _profile(run, arguments)


def _arguments() -> argparse.Namespace:
    parser = parser_of("profile", DESCRIPTION)
    parser.add_argument(
        "--out", type=Path, default=Path("profile.json"), help="the profile to write"
    )
    parser.add_argument("--gpu", help="GPU of the catalogue; without it the run's")
    parser.add_argument(
        "--ranks", type=int, help="ranks to start on this machine; without it those of one node"
    )
    parser.add_argument("--observations", type=int, default=48, help="steps to fit (48)")
    parser.add_argument("--held-out", type=int, default=8, help="global batches to test on (8)")
    parser.add_argument(
        "--repeats", type=int, default=3, help="timings of each; the median counts (3)"
    )
    parser.add_argument(
        "--minutes",
        type=float,
        default=2.5,
        help="time for steps; what is left of --repeats then is left out (2.5)",
    )
    parser.add_argument("--quick", action="store_true", help="fewer of everything: rough figures")
    parser.add_argument(
        "--local_rank", "--local-rank", type=int, default=-1, help=argparse.SUPPRESS
    )
    arguments = parser.parse_args()
    if arguments.quick:
        vars(arguments).update(QUICK)
    if arguments.ranks is not None and arguments.ranks < 1:
        parser.error("--ranks must be at least 1")
    for name, least in (("observations", 12), ("held_out", 1), ("repeats", 1)):
        if getattr(arguments, name) < least:
            parser.error(f"--{name.replace('_', '-')} must be at least {least}")
    return arguments


def _start_ranks(ranks: int) -> NoReturn:
    """Replaces this process by the launcher of the program's ranks on this machine, so that signals reach the launcher."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    launcher = ["-m", "torch.distributed.run", "--nnodes", "1", "--nproc_per_node", str(ranks)]
    address = ["--master_addr", "127.0.0.1", "--master_port", str(port)]
    module = ["-m", "skrull_runtime.profile", *sys.argv[1:]]
    sys.stdout.flush()
    os.execv(sys.executable, [sys.executable, *launcher, *address, *module])


def _profile(run: RunFolder, arguments: argparse.Namespace) -> None:
    scheduling = _scheduling_on(run.scheduling, dist.get_world_size())
    timer = StepTimer(run, scheduling)
    tables = _measure_collectives(run, scheduling, timer)
    demand = run.plan["demand"]
    communication = _communication(tables, demand["collectives"])
    head = demand["flops"]["head_per_target"] > 0
    shares = TARGET_SHARES if head else (demand["target_share"],)
    designed = designed_batches(arguments.observations, scheduling, run.lengths, shares)
    held_out = training_batches(arguments.held_out, scheduling, run.lengths, run.supervised)
    _say(f"timing {len(designed)} steps to fit and {len(held_out)} of the run's own to test on")
    limit = 60 * arguments.minutes
    times = timer.medians([*designed, *held_out], arguments.repeats, limit)
    factor = activation_factor(timer, run.plan, dist.get_rank())
    device = device_rates(run, timer, _ranks_of_node())
    if dist.get_rank() != 0:
        return
    if not head:
        designed, held_out = (
            [replace(b, targets=[0] * len(b.targets)) for b in part]
            for part in (designed, held_out)
        )
    fitted, tested = times[: len(designed)], times[len(designed) :]
    terms = fit_terms(designed, fitted, scheduling, communication)
    figures, notes = figures_of(terms, demand, device.products_flops)
    included = zero_included(run.plan, dist.get_world_size())
    overlap = zero_overlap(terms, tables, included, run.config.model.precision)
    profile: Profile = {
        "format_version": 1,
        "name": arguments.name or _machine(),
        "gpu": arguments.gpu or run.plan["topology"]["gpu"],
        "precision": run.config.model.precision,
        **figures,
        "zero_included": included,
        **device.figures,
    }
    if overlap is not None:
        profile["zero_overlap"] = overlap
    if factor is not None:
        profile["activation_factor"] = factor
    if tables:
        profile["collectives"] = tables
    network = network_of(tables)
    if network is not None:
        profile.update(network)
    _report(terms, [(designed, fitted), (held_out, tested)], scheduling, communication, notes)
    write_profile(arguments.out, profile)
    print(f"wrote {arguments.out}: name it in the spec's cluster {{ profile }} and compile again")


def _scheduling_on(compiled: SchedulingConfig, ranks: int) -> SchedulingConfig:
    """The run's scheduling on ``ranks`` ranks; if they are fewer than a CP group, they form one group. Raises UserError where
    they cannot be divided into groups."""
    context = min(compiled.context_parallel, ranks)
    if ranks % context:
        raise UserError(
            f"{ranks} ranks do not divide into groups of the CP degree {context}: use another --ranks"
        )
    if ranks & (ranks - 1) and compiled.degrees != "local-or-all":
        raise UserError(f"degrees = {compiled.degrees} need a power of two of ranks, not {ranks}")
    return replace(compiled, data_parallel=ranks // context, context_parallel=context)


def _measure_collectives(
    run: RunFolder, scheduling: SchedulingConfig, timer: StepTimer
) -> list[Table]:
    """Tables for the groups that share sequences, for all ranks, because of ZeRO, and for those of a node beside them."""
    device, world = timer.trainer.device, dist.get_world_size()
    dtype = DTYPES[run.config.model.precision]
    weights = run.plan["model"]["shape"]["parameters"] * dtype.itemsize
    gathered = (
        run.plan["demand"]["collectives"]["bytes_per_token"]
        * scheduling.bucket
        * scheduling.context_parallel
    )
    of_node = _ranks_of_node()
    degrees = [*timer.degrees, world]
    if 1 < of_node < world and world % of_node == 0:
        timer.groups.prepare([of_node])
        degrees.append(of_node)
    return measure_collectives(
        timer.groups,
        degrees,
        of_node,
        min(LARGEST_COLLECTIVE[device.type], max(weights, gathered)),
        dtype,
        device,
        COLLECTIVE_REPEATS,
    )


def _ranks_of_node() -> int:
    return int(os.environ.get("LOCAL_WORLD_SIZE", dist.get_world_size()))


def _communication(tables: list[Table], collectives: DemandedCollectives) -> Communication:
    """The time (us) of a group in a micro-batch, from the measured times at its sizes."""
    by_degree = {table["ranks"]: table for table in tables}

    def time_of(degree: int, tokens: int) -> float:
        megabytes = collectives["bytes_per_token"] * tokens / 1e6
        table = by_degree[degree]
        gather = interpolated(table, "all_gather_us", megabytes)
        back = interpolated(table, "all_to_all_us", megabytes)
        return collectives["gathers"] * gather + collectives["all_to_alls"] * back

    return time_of


def _report(
    terms: Terms,
    sets: list[tuple[list[Batch], list[float]]],
    scheduling: SchedulingConfig,
    communication: Communication,
    notes: list[str],
) -> None:
    print(f"  {terms.token:12.3f} us a token, targets apart")
    print(f"  {terms.target:12.3f} us a target")
    print(f"  {1e6 * terms.square:12.3f} us a square of 1,000 tokens")
    print(f"  {terms.shard:12.3f} us a token on every rank, for small shards")
    print(f"  {terms.least:12.0f} us that a micro-batch takes at least")
    print(f"  {terms.micro_batch:12.0f} us a micro-batch besides")
    print(f"  {terms.step:12.0f} us a step")
    for title, (batches, times) in zip(("fitted", "held out"), sets, strict=True):
        errors = Errors.of(predict(terms, batches, scheduling, communication), times)
        print(
            f"  {title:<8} {errors.steps:3} steps: median error {errors.median:.1%},"
            f" p90 {errors.p90:.1%}, bias {errors.bias:+.1%}"
        )
    for note in notes:
        print(f"  {note}")


def _machine() -> str:
    ranks = dist.get_world_size()
    accelerator = deepspeed.accelerator.get_accelerator()
    if accelerator.device_name() == "cuda":
        return f"{ranks} x {torch.cuda.get_device_name()}"
    return f"{ranks} x {platform.processor() or platform.machine()} process"


def _say(text: str) -> None:
    if dist.get_rank() == 0:
        print(text, flush=True)


if __name__ == "__main__":
    main()
