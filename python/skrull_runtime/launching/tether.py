"""The connection between a node that was started over ssh and the machine that started it: ssh's own standard streams.

The node's environment comes in first, then signals, which ssh does not pass on, and the word of other nodes; a node whose tether is
cut ends. Out goes the run's output, and how it ended. Messages in are JSON objects, one a line; the one that goes out is a line that
begins with :data:`MARK`. Nothing here imports torch.
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
    """Whole lines of an open file. Without Python's own buffer, whose lock a thread that waits for input would hold when this
    process ends."""
    rest = b""
    while read := os.read(file, 1 << 16):
        *lines, rest = (rest + read).split(b"\n")
        yield from lines


class Tether:
    """The node's side of it."""

    def __init__(self, incoming: int):
        lines = _lines(incoming)
        first = json.loads(next(lines))
        self.environment: dict[str, str] = first["environment"]
        self._silence = float(
            first["silence"]
        )  # seconds without a word after which it counts as cut
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
        """As :class:`..guarding.watch.Others` has it."""
        try:
            return self._inbox.get(timeout=timeout) if timeout else self._inbox.get_nowait()
        except queue.Empty:
            pass
        silent = time.monotonic() - self._heard
        if self._cut or silent > self._silence:
            self._cut, self._heard = False, float("inf")  # said once
            return {"lost": CUT}
        return None

    def tell(self, message: Message) -> None:
        """Nothing: whoever started this node learns it from :func:`report`."""


def tether() -> Tether | None:
    """This node's, if it was started over ssh. Its environment becomes this process's."""
    if os.environ.pop(OVER_SSH, None) is None:
        return None
    made = Tether(sys.stdin.fileno())
    os.environ.update(made.environment)
    return made


def report(outcome: Outcome) -> None:
    """Tells whoever started this node how it has ended."""
    print(f"{MARK}{json.dumps(outcome.to_json())}", flush=True)


def reported(line: str) -> tuple[str, Outcome | None]:
    """What stands before what :func:`report` has printed, as where a killed rank left a line without its end, and that;
    of any other line all, and None."""
    before, mark, told = line.partition(MARK)
    try:
        return (before, Outcome.from_json(json.loads(told))) if mark else (line, None)
    except ValueError:
        return line, None
