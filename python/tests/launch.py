"""Starts a script on several CPU processes that form one process group."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import IO

PYTHON_ROOT = Path(__file__).resolve().parents[1]


def free_port() -> int:
    """A TCP port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@dataclass
class Rank:
    """A started process and the file that its output goes to: a pipe could fill up and stop it."""

    process: subprocess.Popen
    log: IO[str]

    def output(self) -> str:
        """What it has printed so far."""
        self.log.seek(0)
        return self.log.read()


def start(ranks: int, script: Path, *arguments: str, extra_path: Path = PYTHON_ROOT) -> list[Rank]:
    """Starts the script on every rank, with its output captured."""
    common = {
        **os.environ,
        "DS_ACCELERATOR": "cpu",
        "OMP_NUM_THREADS": "1",
        "TOKENIZERS_PARALLELISM": "false",
        "PYTHONPATH": str(extra_path),
        "PYTHONFAULTHANDLER": "1",  # says where a rank was that is ended by an error of its own or by SIGABRT
        "MASTER_ADDR": "127.0.0.1",
        "MASTER_PORT": str(free_port()),
        "WORLD_SIZE": str(ranks),
        "LOCAL_SIZE": str(ranks),
    }
    started = []
    for rank in range(ranks):
        log = tempfile.TemporaryFile("w+")  # noqa: SIM115 - closed with the test's process
        process = subprocess.Popen(
            [sys.executable, str(script), *arguments],
            env={**common, "RANK": str(rank), "LOCAL_RANK": str(rank)},
            stdout=log,
            stderr=subprocess.STDOUT,
            text=True,
        )
        started.append(Rank(process, log))
    return started


def finish(ranks: list[Rank], timeout: float = 600, grace: float = 20) -> list[tuple[int, str]]:
    """Exit code and output of every rank; once one has failed, the others get a moment and are killed."""
    deadline = time.monotonic() + timeout
    failed = False
    while any(rank.process.poll() is None for rank in ranks):
        if not failed and any(rank.process.poll() not in (None, 0) for rank in ranks):
            failed = True
            deadline = min(deadline, time.monotonic() + grace)
        if time.monotonic() > deadline:
            end(ranks)
        time.sleep(0.05)
    return [(rank.process.returncode, rank.output()) for rank in ranks]


def end(ranks: list[Rank], moment: float = 3) -> None:
    """Ends what still runs; the output shows where it was."""
    for number in (signal.SIGABRT, signal.SIGKILL):
        for rank in ranks:
            rank.process.send_signal(number)
        time.sleep(moment)


def run(ranks: int, script: Path, *arguments: str, timeout: float = 600) -> str:
    """Runs the script on every rank; fails the test with the output of a rank that failed. Returns rank 0's."""
    results = finish(start(ranks, script, *arguments), timeout)
    for rank, (code, output) in enumerate(results):
        assert code == 0, f"rank {rank} ended with {code}:\n{output[-4000:]}"
    return results[0][1]
