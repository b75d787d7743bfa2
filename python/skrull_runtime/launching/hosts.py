"""Starts ``launch.sh`` on every node over ssh, as one would by hand. Nothing here imports torch."""

from __future__ import annotations

import contextlib
import json
import math
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO, TextIO

from ..contract.exit_codes import DONE, USER
from ..errors import UserError
from ..guarding.cause import ENDINGS, LAUNCHER_PID
from .meeting import Message
from .outcome import FINISHED, Outcome, first_of, interrupted
from .tether import OVER_SSH, reported
from .watch import STOP, TICK, Signals

CARRIED = re.compile(
    r"(SKRULL|HF|WANDB|NCCL|GLOO)_\w+|OMP_NUM_THREADS|CUDA_VISIBLE_DEVICES|PYTORCH_CUDA_ALLOC_CONF"
    r"|TOKENIZERS_PARALLELISM|MASTER_PORT"
)
PRIVATE = (ENDINGS, LAUNCHER_PID, OVER_SSH)
GRACE = 9.0  # seconds for the other nodes to end once one has; each gives its ranks a part of them
INTERRUPTION = 2.2
UNREACHED = 255  # ssh's own exit code
NO_LAUNCH = 127  # bash's, where it does not find the file


def carried(environ: Mapping[str, str]) -> dict[str, str]:
    """The part of the environment that every node gets."""
    return {
        name: value
        for name, value in environ.items()
        if CARRIED.fullmatch(name) and name not in PRIVATE
    }


def ssh_command(
    host: str,
    variables: Mapping[str, str],
    launch: Path,
    arguments: Sequence[str],
    timeout: float,
) -> list[str]:
    """The command that starts a node. All users of both machines can see its variables, so they must not be secret."""
    alive = max(1, math.ceil(timeout / 4))
    options = [
        "BatchMode=yes",
        f"ConnectTimeout={max(5, min(60, math.ceil(timeout)))}",
        f"ServerAliveInterval={alive}",
        "ServerAliveCountMax=3",
    ]
    settings = [f"{name}={value}" for name, value in variables.items()]
    remote = shlex.join(["exec", "env", *settings, "bash", str(launch), *arguments])
    return ["ssh", "-T", *(part for o in options for part in ("-o", o)), "--", host, remote]


class Node:
    """A node that was started over ssh."""

    def __init__(self, host: str, command: Sequence[str], first: Message):
        self.host = host
        self.outcome: Outcome | None = None  # once the node has reported it
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,  # Ctrl-C reaches the node as a message, and does not end its ssh
        )
        streams = ((self._process.stdout, sys.stdout), (self._process.stderr, sys.stderr))
        self._readers = [
            threading.Thread(target=self._show, args=stream, daemon=True) for stream in streams
        ]
        for reader in self._readers:
            reader.start()
        self.tell(first)

    def _show(self, lines: IO[bytes], shown: TextIO) -> None:
        for line in lines:
            text = line.decode(errors="replace").rstrip("\r\n")
            text, told = reported(text)
            self.outcome = told or self.outcome
            if text or told is None:
                print(f"{self.host}: {text}", file=shown, flush=True)

    def tell(self, message: Message) -> None:
        """Sends a message, if the node can be reached."""
        assert self._process.stdin is not None
        with contextlib.suppress(OSError, ValueError):
            self._process.stdin.write(json.dumps(message).encode() + b"\n")
            self._process.stdin.flush()

    def has_ended(self) -> bool:
        """Whether its ssh has ended and all its output has been shown."""
        if self._process.poll() is None:
            return False
        for reader in self._readers:
            reader.join(timeout=1)
        return True

    def cut(self) -> None:
        """Ends the connection, and so the node."""
        assert self._process.stdin is not None
        with contextlib.suppress(OSError):
            self._process.stdin.close()
        self._process.kill()

    def ending(self) -> Outcome:
        """How it ended, by its own report or otherwise by ssh's exit code."""
        if self.outcome is not None:
            return self.outcome
        code = self._process.returncode
        if code == DONE:
            return FINISHED
        if code == UNREACHED:
            reason = (
                "cannot be reached over ssh, or the connection to it is lost; ssh says more above, and"
                f" `ssh {self.host} true` has to work without a password"
            )
        elif code == NO_LAUNCH:
            reason = (
                "cannot start launch.sh: the run's folder, bash and Python have to be at the same paths on every"
                " host"
            )
        else:
            reason = f"has ended with exit code {code} without saying why; its output is above"
        return Outcome(USER, f"error: {self.host} {reason}", primary=False)


class Fleet:
    """The nodes of a run, from start to end."""

    def __init__(self, nodes: Sequence[Node], timeout: float, signals: Signals):
        self._nodes, self._signals = nodes, signals
        self._beat_every = beat_every(timeout)
        self._next_beat = time.monotonic()
        self._asked: Outcome | None = None
        self._failed: Outcome | None = None
        self._cut_at: float | None = None

    def run(self) -> Outcome:
        """Waits until no node is left, and returns how the run has ended."""
        running = list(self._nodes)
        while running:
            self._look()
            time.sleep(TICK)
            ended = [node for node in running if node.has_ended()]
            running = [node for node in running if node not in ended]
            for node in ended:
                self._take(node)
        if self._asked is not None and self._asked != STOP:
            return self._asked
        return first_of(node.ending() for node in self._nodes)

    def _take(self, ended: Node) -> None:
        outcome = ended.ending()
        if self._failed is not None or outcome.code in (DONE, STOP.code):
            return
        self._failed = outcome
        self._tell({"ended": outcome.to_json()})
        self._cut_by(GRACE)

    def _look(self) -> None:
        for number in self._signals.take():
            if number == signal.SIGINT:
                again = self._asked is not None and self._asked != STOP
                self._cut_by(0.0 if again else INTERRUPTION)
            self._asked = interrupted() if number == signal.SIGINT else self._asked or STOP
            self._tell({"signal": number})
        now = time.monotonic()
        if now >= self._next_beat:
            self._next_beat = now + self._beat_every
            self._tell({})
        if self._cut_at is not None and now > self._cut_at:
            for node in self._nodes:
                node.cut()

    def _tell(self, message: Message) -> None:
        for node in self._nodes:
            node.tell(message)

    def _cut_by(self, seconds: float) -> None:
        at = time.monotonic() + seconds
        self._cut_at = at if self._cut_at is None else min(at, self._cut_at)


def beat_every(timeout: float) -> float:
    """Seconds between signs of life."""
    return min(5.0, timeout / 4)


def start_on_hosts(
    hosts: Sequence[str],
    folder: Path,
    arguments: Sequence[str],
    timeout: float,
    signals: Signals,
) -> Outcome:
    """Starts the run on all hosts, the first of which is node 0, and waits for its end.

    Raises UserError where there is no ssh.
    """
    if shutil.which("ssh") is None:
        raise UserError(
            "there is no ssh, which `cluster { hosts }` starts the nodes with: install it, or start launch.sh on"
            " every node with NODE_RANK and MASTER_ADDR set"
        )
    address = os.environ.get("MASTER_ADDR") or hosts[0]
    python = os.environ.get("PYTHON") or sys.executable
    silence = timeout + beat_every(timeout)
    first: Message = {"environment": carried(os.environ), "silence": silence}
    nodes = []
    for number, host in enumerate(hosts):
        own = {"NODE_RANK": str(number), "MASTER_ADDR": address, "PYTHON": python, OVER_SSH: "1"}
        command = ssh_command(host, own, folder / "launch.sh", arguments, timeout)
        nodes.append(Node(host, command, first))
    return Fleet(nodes, timeout, signals).run()
