"""Runs failing runs, many a minute: ranks are forked from this process, which has imported all that they need.

``npm run test:long -- failures`` runs the whole product, ``--pairwise`` every two settings together, ``--every N``
one case of N.
"""

from __future__ import annotations

import contextlib
import json
import math
import os
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NoReturn

import failure_run
import launch
from launch import wait_until
from pairwise import Case, pairwise, product
from test_resume import write_run

RANKS = 2
TIMEOUT = 5.0  # seconds, of the runs
SOON = 5.0  # seconds from a failure to the end of all ranks, where it can be seen
LATER = TIMEOUT + 10  # where a rank is frozen
AT_ONCE = 2  # cases
FACTORS: dict[str, list[Any]] = {
    "point": list(failure_run.POINTS),
    "how": list(failure_run.WAYS),
    "stage": [0, 1, 2, 3],
    "reduction": ["every-micro-batch", "once"],
    "context": [1, 2],
    "victim": [0, 1],
}


def is_valid(case: Case) -> bool:
    """Stage 0 knows one reduction only."""
    return case["stage"] > 0 or case["reduction"] == "every-micro-batch"


def all_cases() -> list[Case]:
    """The product."""
    return product(FACTORS, is_valid)


def pairwise_cases() -> list[Case]:
    """Every two settings together."""
    return pairwise(FACTORS, is_valid)


@dataclass
class Attempt:
    """A case that runs, its ranks each in a session of their own."""

    case: Case
    folder: Path
    ranks: list[int] = field(default_factory=list)  # processes
    ended: dict[int, tuple[int, float]] = field(default_factory=dict)  # exit code and time by rank
    started: float = field(default_factory=time.time)

    def start(self) -> None:
        """Forks the ranks."""
        write_case(self.folder, self.case)
        port = str(launch.free_port())
        for rank in range(RANKS):
            pid = os.fork()
            if pid == 0:
                self._become(rank, port)
            self.ranks.append(pid)

    def _become(self, rank: int, port: str) -> NoReturn:
        try:
            os.setsid()
            log = os.open(self.folder / f"log-{rank}", os.O_CREAT | os.O_WRONLY)
            os.dup2(log, 1)
            os.dup2(log, 2)
            os.environ |= {"RANK": str(rank), "LOCAL_RANK": str(rank), "MASTER_PORT": port}
            failure_run.main(self.folder)
        finally:
            os._exit(99)  # a rank that fails never comes here

    def is_over(self) -> bool:
        """Whether all have ended that can, or have had more than enough time."""
        for rank, pid in enumerate(self.ranks):
            if rank not in self.ended:
                found, status = os.waitpid(pid, os.WNOHANG)
                if found:
                    self.ended[rank] = os.waitstatus_to_exitcode(status), time.time()
        mark = self.folder / failure_run.MARK
        late = mark.exists() and time.time() > mark.stat().st_mtime + 2 * LATER
        waited = set(range(RANKS)) - set(self.ended) - frozen_ranks(self.case)
        return not waited or late or time.time() > self.started + 600

    def result(self) -> dict[str, Any]:
        """What was seen; ends what is left."""
        mark = self.folder / failure_run.MARK
        injected = mark.stat().st_mtime if mark.exists() else math.nan
        wait_until(lambda: not set(running_in(self.ranks)) - frozen_ranks(self.case), 3)
        left = running_in(self.ranks)
        for rank, pid in enumerate(self.ranks):
            with contextlib.suppress(ProcessLookupError):
                os.killpg(pid, signal.SIGKILL)
            if rank not in self.ended:
                os.waitpid(pid, 0)
        logs = [(self.folder / f"log-{rank}").read_text() for rank in range(RANKS)]
        return {
            "codes": [self.ended.get(rank, (None,))[0] for rank in range(RANKS)],
            "seconds": max((at for _, at in self.ended.values()), default=math.nan) - injected,
            "said": [log.splitlines()[-1] if log else "" for log in logs],
            "tracebacks": ["Traceback" in log for log in logs],
            "left": left,
            "tail": "\n".join(log[-1500:] for log in logs),
        }


def frozen_ranks(case: Case) -> set[int]:
    """Ranks that cannot end by themselves."""
    return {case["victim"]} if case["how"] == "stop" and case["point"] != "worker" else set()


def running_in(sessions: list[int]) -> list[int]:
    """The ranks, counted from 0, that still have a process."""
    found = set()
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            fields = stat.read_text().rpartition(")")[2].split()
            if fields[0] != "Z" and int(fields[3]) in sessions:
                found.add(sessions.index(int(fields[3])))
    return sorted(found)


def names_cause(line: str, case: Case) -> bool:
    """Whether a last line tells who failed, and how: as another rank says it, or the launcher, who sees the signal."""
    worker = case["point"] == "worker"
    gone = ("ended without a word", ": it was ended by SIGKILL")
    said = {
        "raise": (f"RuntimeError: injected at {case['point']} (a fault of skrull or",),
        "kill": ("the process that makes this rank's batches",) if worker else gone,
        "stop": (
            f"made none for {TIMEOUT:.1f} s" if worker else f"not answered for {TIMEOUT:g} s",
        ),
    }[case["how"]]
    named = line.startswith(f"error: rank {case['victim']} on ")
    return named and any(each in line for each in said)


def write_case(folder: Path, case: Case) -> None:
    """The folder of a run that is to fail."""
    write_run(folder, case["stage"])
    shutil.copy(folder / "data_index.json", folder / "evaluation_index.json")
    (folder / failure_run.CASE_FILE).write_text(json.dumps({**case, "timeout": TIMEOUT}))


def problem_of(case: Case, result: dict[str, Any]) -> str | None:
    """What is not as it should be."""
    frozen, victim, how = frozen_ranks(case), case["victim"], case["how"]
    worker = case["point"] == "worker"
    code = 3 if how == "raise" else 1
    expected: list[int | None] = [code] * RANKS
    if how == "kill" and not worker:
        expected[victim] = -signal.SIGKILL
    for rank in frozen:
        expected[rank] = None
    if result["codes"] != expected:
        return f"exit codes {result['codes']}, not {expected}"
    if not result["seconds"] <= (LATER if how == "stop" else SOON):
        return f"the last rank ended after {result['seconds']:.1f} s"
    if set(result["left"]) - frozen:
        return f"processes of ranks {result['left']} are left"
    witnesses = [r for r in range(RANKS) if expected[r] == code]
    for rank in witnesses:
        if not names_cause(result["said"][rank], case):
            return f"rank {rank} says {result['said'][rank]!r}"
        if result["tracebacks"][rank] != (how == "raise" and rank == victim):
            return f"rank {rank} shows a traceback, or none"
    return None


def run_all(cases: list[Case]) -> Iterator[tuple[Case, dict[str, Any]]]:
    """Cases with what was seen of them, as they end."""
    os.environ |= {
        "MASTER_ADDR": "127.0.0.1",
        "WORLD_SIZE": str(RANKS),
        "LOCAL_SIZE": str(RANKS),
        "TOKENIZERS_PARALLELISM": "false",
    }
    waiting, running = list(reversed(cases)), list[Attempt]()
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as name:
        while waiting or running:
            while waiting and len(running) < AT_ONCE:
                attempt = Attempt(waiting.pop(), Path(name) / f"run-{len(waiting)}")
                attempt.start()
                running.append(attempt)
            for attempt in [each for each in running if each.is_over()]:
                running.remove(attempt)
                yield attempt.case, attempt.result()
                shutil.rmtree(attempt.folder, ignore_errors=True)
            time.sleep(0.02)


def main() -> int:
    """Runs the cases of a file, or the whole product; exit code 1 where one is not as it should be."""
    chosen = pairwise_cases() if sys.argv[1:] == ["--pairwise"] else all_cases()
    if len(sys.argv) == 3 and sys.argv[1] == "--every":  # of the product, for who has less time
        chosen = chosen[:: int(sys.argv[2])]
    off, slowest = 0, {"raise": 0.0, "kill": 0.0, "stop": 0.0}
    started = time.time()
    for case, result in run_all(chosen):
        slowest[case["how"]] = max(slowest[case["how"]], result["seconds"])
        if problem := problem_of(case, result):
            off += 1
            print(f"off: {case}: {problem}\n{result['tail']}", flush=True)
    times = ", ".join(f"{how} {seconds:.1f} s" for how, seconds in slowest.items())
    print(
        f"{len(chosen)} of {len(all_cases())} failures in {time.time() - started:.0f} s, {off} not as they should be;"
        f" slowest end: {times} (time-out {TIMEOUT:g} s)"
    )
    return 1 if off else 0


if __name__ == "__main__":
    sys.exit(main())
