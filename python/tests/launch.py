"""Starts a script on several CPU processes that form one process group."""

from __future__ import annotations

import atexit
import functools
import json
import os
import random
import select
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
SERVER = Path(__file__).with_name("rank_server.py")
FOR_ALL = {
    "DS_ACCELERATOR": "cpu",
    "OMP_NUM_THREADS": "1",
    "TOKENIZERS_PARALLELISM": "false",
}

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


class Forked:
    """A process that the server of ranks has forked, with what is used here of ``subprocess.Popen``."""

    def __init__(self, pipe: int):
        self._pipe = os.fdopen(pipe)
        self.pid = int(self._pipe.readline())
        self.returncode: int | None = None

    def poll(self) -> int | None:
        """Its exit code once it has ended: that of a signal is negative."""
        if self.returncode is None and select.select([self._pipe], [], [], 0)[0]:
            self.returncode = int(self._pipe.readline())
            self._pipe.close()
        return self.returncode

    def send_signal(self, number: int) -> None:
        """Nothing where it has ended."""
        if self.poll() is None:
            os.kill(self.pid, number)

    def kill(self) -> None:
        """Ends it at once."""
        self.send_signal(signal.SIGKILL)


@dataclass
class Rank:
    """A started process and the file that its output goes to: a pipe could fill up and stop it."""

    process: subprocess.Popen | Forked
    log: IO[str]

    def output(self) -> str:
        """What it has printed so far."""
        self.log.seek(0)
        return self.log.read()


def start(
    ranks: int,
    script: Path,
    *arguments: str,
    extra_path: Path = PYTHON_ROOT,
    fresh: bool = False,
) -> list[Rank]:
    """Starts the script on every rank, with its output captured. A fresh process imports everything itself."""
    common = {
        **os.environ,
        **FOR_ALL,
        "PYTHONPATH": str(extra_path),
        "PYTHONFAULTHANDLER": "1",  # says where a rank was that is ended by an error of its own or by SIGABRT
        "MASTER_ADDR": "127.0.0.1",
        "MASTER_PORT": str(free_port()),
        "WORLD_SIZE": str(ranks),
        "LOCAL_SIZE": str(ranks),
    }
    begin = fork if extra_path == PYTHON_ROOT and not fresh else spawn
    started = []
    for rank in range(ranks):
        log = tempfile.TemporaryFile("w+")  # noqa: SIM115 - closed with the test's process
        environment = {**common, "RANK": str(rank), "LOCAL_RANK": str(rank)}
        started.append(Rank(begin([str(script), *arguments], environment, log), log))
    STARTED.extend(started)
    return started


def spawn(command: list[str], environment: dict[str, str], log: IO[str]) -> subprocess.Popen:
    """A Python process of its own."""
    return subprocess.Popen(
        [sys.executable, *command],
        env=environment,
        stdout=log,
        stderr=subprocess.STDOUT,
        text=True,
    )


def fork(command: list[str], environment: dict[str, str], log: IO[str]) -> Forked:
    """A process that has imported everything already."""
    reader, writer = os.pipe()
    request = {"command": command, "environment": environment, "folder": os.getcwd()}
    socket.send_fds(rank_server(), [json.dumps(request).encode()], [log.fileno(), writer])
    os.close(writer)
    return Forked(reader)


@functools.cache
def rank_server() -> socket.socket:
    """Where requests for ranks go. The server ends when this process does."""
    own, other = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    server = subprocess.Popen(
        [sys.executable, str(SERVER), str(other.fileno())],
        env={**os.environ, **FOR_ALL, "PYTHONPATH": str(PYTHON_ROOT)},
        pass_fds=[other.fileno()],
    )
    other.close()
    atexit.register(server.wait)
    atexit.register(own.close)  # first
    return own


def start_launcher(*arguments: str) -> list[Rank]:
    """Starts the parent of a node's ranks as ``launch.sh`` does."""
    return start(1, PYTHON_ROOT / "tests" / "launcher_program.py", *arguments, fresh=True)


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
