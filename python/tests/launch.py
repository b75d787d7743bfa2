"""Starts a script on several CPU processes that form one process group."""

from __future__ import annotations

import os
import random
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import IO

PYTHON_ROOT = Path(__file__).resolve().parents[1]


STARTED: list[Rank] = []  # by the test that runs


def free_port() -> int:
    """A TCP port that nobody listens on, and that no connection will be given while the ranks start: systems give
    those from 32768 (Linux) or 49152 on."""
    while True:
        port = random.randrange(10_000, 32_768)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port


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
    STARTED.extend(started)
    return started


def start_launcher(*arguments: str) -> list[Rank]:
    """Starts the parent of a node's ranks as ``launch.sh`` does."""
    return start(1, PYTHON_ROOT / "tests" / "launcher_program.py", *arguments)


def finish(ranks: list[Rank], timeout: float = 600, grace: float = 60) -> list[tuple[int, str]]:
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
        wait_until(lambda: all(rank.process.poll() is not None for rank in ranks), moment)


def wait_until(condition: Callable[[], bool], timeout: float = 300) -> bool:
    """Whether it came true in time; long enough for a slow machine."""
    deadline = time.monotonic() + timeout
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def run(ranks: int, script: Path, *arguments: str, timeout: float = 600) -> str:
    """Runs the script on every rank; fails the test with the output of a rank that failed. Returns rank 0's."""
    results = finish(start(ranks, script, *arguments), timeout)
    for rank, (code, output) in enumerate(results):
        assert code == 0, f"rank {rank} ended with {code}:\n{output[-4000:]}"
    return results[0][1]
