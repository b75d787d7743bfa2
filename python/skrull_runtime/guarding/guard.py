"""A rank's side of the guard: a thread that ends this rank with the first cause of the run's end, whatever its main thread
is doing, and that tells the others what happens here.

It needs nothing from torch and no response from the main thread, which a collective or a kernel may block until the
time-out.
"""

from __future__ import annotations

import os
import selectors
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import partial
from multiprocessing.process import BaseProcess
from typing import NoReturn

from . import place
from .cause import LAUNCHER_PID, Cause
from .others import Other, launcher_by_command
from .reasons import StoppedEarly, judge
from .telling import end_now, or_end
from .tied import untie
from .watch import SYMPTOM_WAIT, Server, Timing
from .wire import Wire

WORD_WAIT = SYMPTOM_WAIT + 3.0  # seconds for rank 0's word on what this rank has told it
SIGNAL_WAIT = 1.5  # likewise where a user waits, or a launcher that may kill this process

_guard: Guard | None = None
_workers: list[Other] = []  # of this rank, since they were started


def current() -> Guard | None:
    """This process's guard; None before the ranks have met, and where there is none."""
    return _guard


def need_workers(processes: Iterable[BaseProcess]) -> None:
    """Says that this rank cannot do without these. One that ends before there is a guard is reported once there is one."""
    _workers.extend(Other(process.pid) for process in processes if process.pid is not None)


class Guard:
    """Connected to rank 0 from its construction, which must be in the main thread, after all forks.

    Raises OSError where rank 0 cannot be reached.
    """

    def __init__(self, rank: int, server: Server, timing: Timing):
        global _guard
        self.rank, self._server, self._timing = rank, server, timing
        address = server.address, server.port
        self._wire = Wire(socket.create_connection(address, timeout=timing.start))
        self._complete, self._left = threading.Event(), threading.Event()
        self._lock = threading.Lock()
        self._own: Cause | None = None  # told to rank 0
        self._exit_at = float("inf")
        self._saves = False
        self._heard = self._looked = time.monotonic()
        own = {"rank": rank, "host": socket.gethostname(), "pid": os.getpid()}
        self._wire.send({"token": server.token, **own, "place": place.current()})
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._wire, selectors.EVENT_READ, self._hear)
        self._others: list[tuple[Other, Callable[[Other], None]]] = []
        self._watch_signals()
        for pid in {int(os.environ.get(LAUNCHER_PID, 0)), launcher_by_command() or 0} - {0}:
            self._watch(Other(pid), self._end_with_launcher)
        for worker in _workers:
            self._watch(worker, self._miss_worker)
        untie()
        run = partial(or_end, self._run, rank)
        threading.Thread(target=run, name="skrull-guard", daemon=True).start()
        _guard = self

    def wait_for_all(self) -> None:
        """Returns when every rank has arrived; ends this process where one does not."""
        self._complete.wait()

    def saves_when_stopped(self) -> None:
        """From now on the main thread answers SIGTERM, with a checkpoint."""
        self._saves = True

    def release_workers(self) -> None:
        """Stops watching the workers: this rank is about to end them itself."""
        with self._lock:
            self._others = [entry for entry in self._others if entry[1] != self._miss_worker]

    def fail(self, cause: Cause) -> NoReturn:
        """Ends all ranks with the first cause that any rank reports now: this one or another."""
        self._tell(cause, WORD_WAIT)
        while time.monotonic() < self._exit_at:  # the thread ends the process when rank 0 answers
            time.sleep(0.05)
        # What the thread has reported before takes precedence.
        end_now(self._own or cause, self.rank)

    def leave(self) -> None:
        """Returns when every rank has done its work, so that the others do not report one as lost."""
        self.release_workers()
        place.at("the end")
        self._wire.send({"place": place.current(), "leave": True})
        self._left.wait()
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGINT, signal.default_int_handler)

    def _run(self) -> None:
        pinged = 0.0
        while not self._left.is_set():
            for key, _ in self._selector.select(self._timing.interval):
                key.data()
            now = time.monotonic()
            self._forgive_own_sleep(now)
            self._look_at_others()
            if now - pinged >= self._timing.interval and self._wire.is_clear():
                pinged = now
                self._wire.send({"place": place.current()})
            if now - self._heard > self._timing.timeout:
                why = "its process is frozen, or its node cannot be reached"
                self._lose_rank_0(f"has not answered for {self._timing.timeout:g} s: {why}")
            if self._own is not None and now > self._exit_at:
                end_now(self._own, self.rank)

    def _hear(self) -> None:
        messages = self._wire.receive()
        if messages is None:
            self._selector.unregister(self._wire)
            problem = self._wire.problem
            why = (
                "ended without a word: it was killed, as a system does that runs out of memory"
                if problem is None
                else f"cannot be reached any more ({problem})"
            )
            self._lose_rank_0(why)
        for message in messages or ():
            self._heard = time.monotonic()
            if "end" in message:
                end_now(Cause.from_json(message["end"]), self.rank)
            if message.get("complete"):
                self._complete.set()
            if message.get("left"):
                self._left.set()

    def _lose_rank_0(self, why: str) -> None:
        """Without rank 0, nobody can say what came first: this rank ends with its own cause, if any, or with the loss."""
        if self._left.is_set():
            return
        lost = replace(Cause.of(0, "lost", why), host=self._server.host, pid=self._server.pid)
        end_now(self._own if self._own is not None and self._own.primary else lost, self.rank)

    def _tell(self, cause: Cause, seconds: float) -> None:
        """Tells rank 0, and waits that many seconds for its word."""
        with self._lock:
            if self._own is not None:
                return
            self._own = cause
            self._exit_at = time.monotonic() + seconds
        self._wire.send({"cause": cause.to_json(), "place": place.current()})

    def _watch(self, other: Other, on_end: Callable[[Other], None]) -> None:
        self._others.append((other, on_end))
        descriptor = other.descriptor
        if descriptor is not None:  # wakes the thread, which then looks for what has ended
            self._selector.register(
                descriptor,
                selectors.EVENT_READ,
                lambda: self._selector.unregister(descriptor),
            )

    def _look_at_others(self) -> None:
        for entry in list(self._others):
            if entry[0].has_ended() and self._is_missed(entry):
                entry[1](entry[0])

    def _is_missed(self, entry: tuple[Other, Callable[[Other], None]]) -> bool:
        """Whether this rank still depends on it; true only once."""
        with self._lock:
            missed = entry in self._others
            self._others = [each for each in self._others if each is not entry]
            return missed

    def _end_with_launcher(self, launcher: Other) -> None:
        reason = (
            f"the launcher of this node (process {launcher.pid}) has ended, and its ranks with it"
        )
        self._tell(Cause.of(self.rank, "lost", reason), SIGNAL_WAIT)

    def _miss_worker(self, worker: Other) -> None:
        signal_name = worker.signal_of_end()
        how = f"was ended by {signal_name}" if signal_name else "has ended"
        reason = (
            f"the process that makes this rank's batches (process {worker.pid}) {how};"
            " the system kills processes like this when it runs out of memory"
        )
        self._tell(Cause.of(self.rank, "user", reason), WORD_WAIT)

    def _watch_signals(self) -> None:
        """Has the system write each signal to a socket at once, even while the main thread is in a kernel."""
        reader, writer = socket.socketpair()
        reader.setblocking(False)
        writer.setblocking(False)
        self._signals = reader, writer
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda number, frame: None)
        signal.set_wakeup_fd(writer.fileno(), warn_on_full_buffer=False)
        self._selector.register(reader, selectors.EVENT_READ, self._take_signals)

    def _take_signals(self) -> None:
        numbers = self._signals[0].recv(1024)
        if signal.SIGINT in numbers:
            self._tell(Cause.of(self.rank, "interrupted", "interrupted"), SIGNAL_WAIT)
        elif signal.SIGTERM in numbers and not self._saves:
            self._tell(judge(StoppedEarly()).cause(self.rank), SIGNAL_WAIT)

    def _forgive_own_sleep(self, now: float) -> None:
        """While this process itself did not run, rank 0 cannot be blamed for silence."""
        lost = now - self._looked - self._timing.interval
        if lost > max(1.0, 2 * self._timing.interval):
            self._heard += lost
        self._looked = now
