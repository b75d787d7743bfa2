"""Kills one run again and again, at random moments, and starts it again each time; in the end it must be the run that
nobody has disturbed, bit for bit.

``npm run test:long -- kills [KILLS [SEED]]``. Killed are ranks, batch workers and the process that started the ranks,
while they start, train and save. Processes are forked from this one, which has imported all that they need.
"""

from __future__ import annotations

import contextlib
import json
import math
import os
import random
import shutil
import signal
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import NoReturn

import launch
import resume_run
from failure_cases import running_in
from launch import wait_until
from safetensors.torch import load_file
from test_resume import COMPARED, SAMPLES, write_run

from skrull_runtime import train
from skrull_runtime.guarding import meeting
from skrull_runtime.guarding.cause import ENDINGS, LAUNCHER_PID, first_of, read_all

RANKS = 2
TIMEOUT = 20.0  # seconds; no end may need it, since whoever is killed is missed at once
SOON = 10.0  # seconds from a kill to the end of everything that was started
GRACE = 3.5  # as in the launcher
MOMENTS = ("starting", "training", "saving")
VICTIMS = ("rank", "worker", "launcher")


@dataclass
class Start:
    """One start of the run: a launcher in a session of its own, and its ranks."""

    folder: Path
    steps: int
    pid: int = 0
    began: float = field(default_factory=time.time)
    code: int | None = None

    def fork(self) -> Start:
        """Starts it."""
        self.pid = os.fork()
        if self.pid == 0:
            try:
                self._launch()
            finally:
                os._exit(98)
        return self

    def _launch(self) -> NoReturn:
        """Stands for the launcher: it starts the ranks, and tells the first cause when they have ended."""
        os.setsid()
        log = os.open(self.folder / "log", os.O_CREAT | os.O_WRONLY | os.O_APPEND)
        os.dup2(log, 1)
        os.dup2(log, 2)
        endings = Path(tempfile.mkdtemp(dir=self.folder))
        os.environ |= {ENDINGS: str(endings), LAUNCHER_PID: str(os.getpid())}
        os.environ["MASTER_PORT"] = str(launch.free_port())
        ranks = [self._fork_rank(rank) for rank in range(RANKS)]
        codes = wait_for_ranks(ranks)
        cause = first_of(read_all(endings))
        if cause is not None:
            print(cause.line(), flush=True)
        os._exit(cause.code if cause is not None else max(map(abs, codes)))

    def _fork_rank(self, rank: int) -> int:
        pid = os.fork()
        if pid == 0:
            try:
                os.environ |= {"RANK": str(rank), "LOCAL_RANK": str(rank)}
                settings = replace(
                    resume_run.CONFIG.train,
                    total_steps=self.steps,
                    checkpoint_every=1,
                    timeout_seconds=TIMEOUT,
                )
                sys.argv[1:] = ["--no-preflight"]
                config = replace(resume_run.CONFIG, train=settings)
                train.main(config, resume_run.SCHEDULING, self.folder)
                os._exit(0)
            finally:
                os._exit(99)
        return pid

    def has_ended(self) -> bool:
        """Whether its launcher has."""
        if self.code is None:
            found, status = os.waitpid(self.pid, os.WNOHANG)
            if found:
                self.code = os.waitstatus_to_exitcode(status)
        return self.code is not None

    def is_gone(self) -> bool:
        """Whether nothing of it runs any more."""
        return self.has_ended() and not running_in([self.pid])

    def victims(self, kind: str) -> list[int]:
        """Its processes of a kind."""
        ranks = children(self.pid)
        if kind == "launcher":
            return [self.pid]
        return ranks if kind == "rank" else [each for rank in ranks for each in workers(rank)]


def wait_for_ranks(ranks: list[int]) -> list[int]:
    """Exit codes; ranks that have no guard yet are killed after a moment, as all launchers do where one has ended."""
    codes: dict[int, int] = {}
    failed = math.inf
    while len(codes) < len(ranks):
        for rank in set(ranks) - set(codes):
            found, status = os.waitpid(rank, os.WNOHANG)
            if found:
                codes[rank] = os.waitstatus_to_exitcode(status)
                failed = min(failed, time.time()) if codes[rank] else failed
            elif time.time() > failed + GRACE:
                os.kill(rank, signal.SIGKILL)
        time.sleep(0.02)
    return list(codes.values())


def children(pid: int) -> list[int]:
    """Processes that a process has started."""
    with contextlib.suppress(OSError):
        return [int(c) for c in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    return []


def workers(rank: int) -> list[int]:
    """Its batch workers, by the name that torch gives them: libraries start programs for a moment, which nobody misses."""
    found = []
    for pid in children(rank):
        with contextlib.suppress(OSError):
            if Path(f"/proc/{pid}/comm").read_text().strip() == "pt_data_worker":
                found.append(pid)
    return found


def lines_of(path: Path) -> int:
    """How many, so far."""
    return len(path.read_text().splitlines()) if path.exists() else 0


def wait_for(moment: str, start: Start, draw: random.Random) -> None:
    """Until the moment has come, or the start has ended without it."""
    metrics = start.folder / "output" / "metrics.jsonl"
    checkpoints = start.folder / "output" / "checkpoints"
    before, wanted = lines_of(metrics), draw.randint(1, 3)
    if moment == "starting":
        time.sleep(draw.uniform(0, 2.5))
    elif moment == "training":
        wait_until(lambda: start.has_ended() or lines_of(metrics) >= before + wanted, 120)
        time.sleep(draw.uniform(0, 0.3))
    else:
        known = set(checkpoints.glob("step-*"))

        def saves() -> bool:
            new = set(checkpoints.glob("step-*")) - known
            return any(not (path / "skrull_state.json").exists() for path in new)

        wait_until(lambda: start.has_ended() or saves(), 120)
        time.sleep(draw.uniform(0, 0.05))


def disturbed(
    folder: Path, steps: int, kills: int, draw: random.Random
) -> tuple[Counter, list[str]]:
    """Runs to the end with so many kills, or fewer where it comes to its end before; what was killed, and what was wrong."""
    done, wrong, slowest, causes = Counter[str](), list[str](), 0.0, Counter[str]()
    earlier: tuple[Start, float] | None = None  # may still be ending
    while sum(done.values()) < kills:
        start = Start(folder, steps).fork()
        if earlier is not None:
            slowest, earlier = max(slowest, end_of(*earlier, wrong)), None
        moment, kind = draw.choice(MOMENTS), draw.choice(VICTIMS)
        wait_for(moment, start, draw)
        targets = start.victims(kind)
        if start.has_ended():
            if start.code == 0:
                break
            wrong.append(f"a start ended with {start.code} by itself: {last_line(folder)}")
            if len(wrong) > 3:
                break
            continue
        if not targets:  # a worker that has not been started yet
            targets, kind = start.victims("launcher"), "launcher"
        with contextlib.suppress(ProcessLookupError):
            os.kill(draw.choice(targets), signal.SIGKILL)
        killed = time.time()
        done[f"{kind} {moment}"] += 1
        # The next start comes as soon as the launcher has ended, as a supervisor's would: the lock makes it wait.
        wait_until(start.has_ended, SOON)
        if draw.random() < 0.5:
            earlier = start, killed
        else:
            slowest = max(slowest, end_of(start, killed, wrong))
        # A rank without a guard yet knows no better; the launcher tells how the other one ended.
        if moment != "starting" and "another rank has ended" in last_line(folder):
            wrong.append(f"{kind} killed while {moment}: a symptom is told: {last_line(folder)}")
        causes[last_line(folder).partition(": ")[2].partition("(")[0][:70]] += 1
        if sum(done.values()) % 10 == 0:
            trained = lines_of(folder / "output" / "metrics.jsonl")
            print(
                f"{sum(done.values())} kills, step {trained}, slowest end {slowest:.1f} s",
                flush=True,
            )
    last = Start(folder, steps).fork()
    wait_until(last.is_gone, 1800)
    if last.code != 0:
        wrong.append(f"the last start ended with {last.code}: {last_line(folder)}")
    print(f"slowest end {slowest:.1f} s; last lines: {dict(causes)}")
    return done, wrong


def end_of(start: Start, killed: float, wrong: list[str]) -> float:
    """Seconds from a kill to the end of the last process of its start."""
    wait_until(start.is_gone, max(0.0, killed + SOON - time.time()))
    if not start.is_gone():
        wrong.append(
            f"not all processes ended within {SOON:g} s of a kill: {last_line(start.folder)};"
            f" left: {', '.join(left_of(start.pid))}"
        )
        print(wrong[-1], flush=True)
        os.killpg(start.pid, signal.SIGKILL)
    return time.time() - killed


def left_of(session: int) -> list[str]:
    """Processes that still run: their state, and what they wait for in the kernel."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            name, _, rest = (process / "stat").read_text().rpartition(")")
            state, parent, _, own = rest.split()[:4]
            if int(own) == session and state != "Z":
                waits = (process / "wchan").read_text()
                found.append(
                    f"{name.partition('(')[2]} {process.name} of {parent}, {state} {waits}"
                )
    return found


def last_line(folder: Path) -> str:
    """Of the output of all starts."""
    return ((folder / "log").read_text().splitlines() or [""])[-1]


def differences(found: Path, expected: Path) -> list[str]:
    """Of two finished runs."""
    wrong = []
    entries = [
        [json.loads(line) for line in (run / "output/metrics.jsonl").read_text().splitlines()]
        for run in (found, expected)
    ]
    figures = [[{name: e[name] for name in COMPARED} for e in each] for each in entries]
    if figures[0] != figures[1]:
        wrong.append("the steps have other figures than those of the undisturbed run")
    epochs = Counter[int]()
    for entry in entries[0]:
        epochs[entry["epoch"]] += entry["sequences"]
    whole = [count for epoch, count in epochs.items() if epoch < max(epochs)]
    if not all(count == SAMPLES for count in whole) or not whole:
        wrong.append(f"epochs of {dict(epochs)} samples, not of {SAMPLES}")
    weights = [load_file(run / "output/model/model.safetensors") for run in (found, expected)]
    if weights[0].keys() != weights[1].keys() or not all(
        bytes(weights[0][name].numpy().data) == bytes(weights[1][name].numpy().data)
        for name in weights[0]
    ):
        wrong.append("the weights are not those of the undisturbed run")
    return wrong


def main() -> int:
    """Exit code 1 where something is not as it should be."""
    kills = int(sys.argv[1]) if len(sys.argv) > 1 else 100
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else 1
    steps = 2 * kills + 8  # so many that the kills come before the end
    meeting.START_AT_LEAST = 300
    sys.argv[1:] = []
    os.environ |= {"MASTER_ADDR": "127.0.0.1", "WORLD_SIZE": str(RANKS), "LOCAL_SIZE": str(RANKS)}
    os.environ["TOKENIZERS_PARALLELISM"] = "false"
    began = time.time()
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as name:
        whole, killed = Path(name) / "whole", Path(name) / "killed"
        write_run(whole)
        shutil.copytree(whole, killed)
        reference = Start(whole, steps).fork()
        wait_until(reference.is_gone, math.inf)
        assert reference.code == 0, last_line(whole)
        print(f"undisturbed: {steps} steps in {time.time() - began:.0f} s", flush=True)
        done, wrong = disturbed(killed, steps, kills, random.Random(seed))
        wrong = wrong or differences(killed, whole)
        print(
            f"{sum(done.values())} kills in {time.time() - began:.0f} s: {dict(sorted(done.items()))}"
        )
        for each in wrong:
            print(f"wrong: {each}")
        if wrong:
            print((killed / "log").read_text()[-6000:])
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
