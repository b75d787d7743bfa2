"""Watches over the ranks of this node: passes on signals, ends what is left of a run that has failed, and finds out why it
ended. Nothing here imports torch."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import FrameType
from typing import Protocol

import psutil

from ..contract.exit_codes import DONE, FAULT, STOPPED, USER
from ..guarding.cause import ENDINGS, LAUNCHER_PID, Cause, Kind, first_of, read_all
from . import tree
from .library import Exit, read_exits
from .meeting import Message
from .outcome import FINISHED, Outcome, interrupted, lost, stopped, stopped_early

TICK = 0.1  # seconds between looks
GRACE = 3.5  # seconds for ranks to end by themselves once one has failed
INTERRUPTION = 1.5  # seconds for them to end on Ctrl-C


class Signals:
    """Signals (SIGTERM and SIGINT) that this process was sent and has not dealt with yet."""

    def __init__(self) -> None:
        self._sent: list[int] = []
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._note)

    def _note(self, number: int, frame: FrameType | None) -> None:
        self._sent.append(number)

    def take(self) -> list[int]:
        """The signals since the last call."""
        taken, self._sent = self._sent, []
        return taken


class Others(Protocol):
    """Parties outside this node that may say that the run is over: other nodes, or the machine that started this one."""

    def receive(self, timeout: float = 0.0) -> Message | None:
        """A message: ``signal`` with a number, ``ended`` with an outcome, or ``lost`` with a reason; None if there is none."""

    def tell(self, message: Message) -> None:
        """Sends them a message."""


class Watch:
    """One start of this node's ranks."""

    def __init__(self, folder: Path, signals: Signals, others: Sequence[Others]):
        self._folder, self._signals, self._others = folder, signals, others
        self._asked: Outcome | None = None  # by a signal
        self._told: set[psutil.Process] = set()  # ranks that were sent SIGTERM
        self._word: Outcome | None = None  # of another node
        self._spread = False
        self._kill_at: float | None = None

    def run(self, command: Sequence[str], environ: Mapping[str, str]) -> Outcome:
        """Starts the ranks through a launcher, and returns how they ended once no process of theirs is left."""
        tree.adopt_orphans()
        own = {ENDINGS: str(self._folder), LAUNCHER_PID: str(os.getpid())}
        self._launcher = subprocess.Popen(
            command,
            env={**environ, **own},
            stdin=subprocess.DEVNULL,
            start_new_session=True,  # a terminal's Ctrl-C reaches this process alone
        )
        try:
            self._until(lambda: self._launcher.poll() is not None)
            self._kill_by(GRACE)  # ranks whose launcher was killed end by themselves
            self._until(lambda: not tree.descendants())
        finally:
            tree.kill_all()
        outcome = self._outcome(self._launcher.returncode)
        self._spread_word(outcome)
        return outcome

    def _until(self, over: Callable[[], bool]) -> None:
        while not over():
            self._look()
            time.sleep(TICK)

    def _look(self) -> None:
        for number in self._signals.take():
            self._take_signal(number)
        for other in self._others:
            while message := other.receive():
                self._take_message(message)
        if self._asked == STOP:
            self._pass_on(signal.SIGTERM)
        self._notice_failures()
        if self._kill_at is not None and time.monotonic() > self._kill_at:
            tree.kill_all()

    def _take_signal(self, number: int) -> None:
        if number == signal.SIGTERM:
            self._asked = self._asked or STOP
            return
        if self._asked is not None and self._asked != STOP:  # a second Ctrl-C
            self._kill_by(0.0)
        self._asked = interrupted()
        self._spread_word(self._asked)
        tree.send(signal.SIGINT, self._ranks())
        self._kill_by(INTERRUPTION)

    def _take_message(self, message: Message) -> None:
        if "signal" in message:
            self._take_signal(int(message["signal"]))
        elif "lost" in message:
            self._take_word(lost(str(message["lost"])))
        elif (
            outcome := Outcome.from_json(message.get("ended"))
        ) and outcome.code not in DONE_OR_STOPPED:
            self._take_word(outcome)

    def _take_word(self, outcome: Outcome) -> None:
        self._word = self._word or outcome
        self._kill_by(GRACE)

    def _notice_failures(self) -> None:
        causes = [cause for cause in read_all(self._folder) if cause.kind != "stopped"]
        if causes or any(exit.code not in DONE_OR_STOPPED for exit in read_exits(self._folder)):
            self._kill_by(GRACE)
        first = first_of(causes)
        if first is not None and first.primary:
            self._spread_word(Outcome.of(first))

    def _kill_by(self, seconds: float) -> None:
        at = time.monotonic() + seconds
        self._kill_at = at if self._kill_at is None else min(at, self._kill_at)

    def _ranks(self) -> list[psutil.Process]:
        return tree.children(self._launcher.pid)

    def _pass_on(self, number: int) -> None:
        """Passes a signal on to every rank once: a second one could be taken for impatience."""
        ranks = [rank for rank in self._ranks() if rank not in self._told]
        tree.send(number, ranks)
        self._told.update(ranks)

    def _spread_word(self, outcome: Outcome) -> None:
        if self._spread:
            return
        self._spread = True
        for other in self._others:
            other.tell({"ended": outcome.to_json()})

    def _outcome(self, code: int) -> Outcome:
        """Why the ranks have ended: by what they wrote themselves, otherwise by what is known about their processes."""
        if self._asked is not None and self._asked != STOP:
            return self._asked
        cause = first_of(read_all(self._folder))
        if cause is not None and cause.primary:
            return Outcome.of(cause)
        if self._word is not None and self._word.primary:
            return self._word
        exits = read_exits(self._folder)
        if self._asked == STOP and cause is None and code != 0:
            saved = any(exit.code == STOPPED for exit in exits)
            return stopped() if saved else stopped_early()
        silent = [exit for exit in exits if exit.code not in DONE_OR_STOPPED]
        if silent:
            return _of_exit(silent[0])
        if cause is not None:
            return Outcome.of(cause)
        return self._word or _of_launcher(code)


STOP = stopped_early()
DONE_OR_STOPPED = (DONE, STOPPED)


def _of_exit(exit: Exit) -> Outcome:
    """The outcome of a rank that reported no cause itself."""
    if exit.code < 0:
        name = signal.Signals(-exit.code).name
        reason = f"it was ended by {name}" + (
            "; the system kills processes like this when it runs out of memory"
            if name == "SIGKILL"
            else ""
        )
        return Outcome.of(_cause(exit, "lost", reason))
    if exit.code == 2:  # argparse's
        return Outcome.of(_cause(exit, "user", "it refuses the arguments of launch.sh, see above"))
    reason = f"it has ended with exit code {exit.code} before it could say why; its output above says more"
    return Outcome.of(_cause(exit, "fault", reason))


def _cause(exit: Exit, kind: Kind, reason: str) -> Cause:
    code = FAULT if kind == "fault" else USER
    host = socket.gethostname()
    return Cause(exit.rank, host, exit.pid, exit.time, code, kind, reason, primary=True)


def _of_launcher(code: int) -> Outcome:
    if code == 0:
        return FINISHED
    how = (
        f"was ended by {signal.Signals(-code).name}"
        if code < 0
        else f"has ended with exit code {code}"
    )
    line = f"error: {socket.gethostname()}: the launcher of the ranks {how}; its output above says more"
    return Outcome(USER if code < 0 else FAULT, line)
