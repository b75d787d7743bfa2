"""The connection between a node that was started over ssh and the machine that started it: ssh's own standard streams.

The node receives its environment first, then signals, which ssh does not pass on, and reports of other nodes; a node whose
tether is cut ends. It sends the run's output, and how the run ended. Messages to the node are JSON objects, one per line;
its own message is a line that begins with :data:`MARK`. Nothing here imports torch.
"""

from __future__ import annotations

import json
import os
import queue
import sys
import threading
import time
from collections.abc import Iterator

from .meeting import Message
from .outcome import Outcome

OVER_SSH = "SKRULL_OVER_SSH"  # set where a node was started by another machine
MARK = "\x1eskrull-ended "
CUT = "the ssh connection to the machine that started the run is lost"


def _lines(file: int) -> Iterator[bytes]:
    """Whole lines of an open file, read without Python's own buffer: a thread that waits for input would hold its lock when
    this process ends."""
    rest = b""
    while read := os.read(file, 1 << 16):
        *lines, rest = (rest + read).split(b"\n")
        yield from lines


class Tether:
    """The node's side of the connection."""

    def __init__(self, incoming: int):
        lines = _lines(incoming)
        first = json.loads(next(lines))
        self.environment: dict[str, str] = first["environment"]
        self._silence = float(first["silence"])  # seconds without a message before it counts as cut
        self._heard = time.monotonic()
        self._inbox: queue.Queue[Message] = queue.Queue()
        self._cut = False
        threading.Thread(target=self._read, args=(lines,), daemon=True).start()

    def _read(self, lines: Iterator[bytes]) -> None:
        for line in lines:
            self._heard = time.monotonic()
            message = json.loads(line)
            if message:
                self._inbox.put(message)
        self._cut = True

    def receive(self, timeout: float = 0.0) -> Message | None:
        """See :class:`.watch.Others`."""
        try:
            return self._inbox.get(timeout=timeout) if timeout else self._inbox.get_nowait()
        except queue.Empty:
            pass
        silent = time.monotonic() - self._heard
        if self._cut or silent > self._silence:
            self._cut, self._heard = False, float("inf")  # reported only once
            return {"lost": CUT}
        return None

    def tell(self, message: Message) -> None:
        """Does nothing: the machine that started this node learns it from :func:`report`."""


def tether() -> Tether | None:
    """This node's tether, if it was started over ssh; its environment becomes this process's. Otherwise None."""
    if os.environ.pop(OVER_SSH, None) is None:
        return None
    made = Tether(sys.stdin.fileno())
    os.environ.update(made.environment)
    return made


def report(outcome: Outcome) -> None:
    """Tells the machine that started this node how the node has ended."""
    print(f"{MARK}{json.dumps(outcome.to_json())}", flush=True)


def reported(line: str) -> tuple[str, Outcome | None]:
    """Splits a line that :func:`report` printed into the text before it, which a killed rank may have left without a line
    end, and the outcome. Any other line is returned whole, with None."""
    before, mark, told = line.partition(MARK)
    try:
        return (before, Outcome.from_json(json.loads(told))) if mark else (line, None)
    except ValueError:
        return line, None
