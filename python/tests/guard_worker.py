"""One rank under the guard, without torch: arguments are its rank, how many there are, the time-out, a folder, and what
it does once all have come."""

from __future__ import annotations

import json
import multiprocessing
import os
import sys
import time
from dataclasses import asdict
from pathlib import Path

from skrull_runtime.guarding import place
from skrull_runtime.guarding.cause import LAUNCHER_PID, Cause
from skrull_runtime.guarding.guard import Guard, need_workers
from skrull_runtime.guarding.watch import Server, Timing, Watch

rank, ranks, timeout = int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3])
folder, action = Path(sys.argv[4]), sys.argv[5]
timing = Timing(timeout, float(sys.argv[6]), ranks)
file = folder / "server.json"


def wait_for(path: Path) -> None:
    while not path.exists():
        time.sleep(0.01)


if rank == 0 and not file.exists():
    watch = Watch(2, timing, "secret")
    server = Server("127.0.0.1", watch.port, "secret", "first-host", 99)
    (folder / "server.tmp").write_text(json.dumps(asdict(server)))
    (folder / "server.tmp").rename(file)
if action == "lost worker":  # before there is a guard
    worker = multiprocessing.Process(target=time.sleep, args=(60,))
    worker.start()
    need_workers([worker])
    worker.kill()
    worker.join()
wait_for(file)
server = Server(**json.loads(file.read_text()))
guard = Guard(rank, server, timing)
guard.wait_for_all()
place.at(f"step 4 of {rank}")
(folder / f"ready-{rank}-{time.monotonic_ns()}").touch()
while len(list(folder.glob("ready-*"))) < ranks:
    time.sleep(0.01)
if action == "fail":
    guard.fail(Cause.of(rank, "user", "the disk is full"))
elif action == "fault":
    guard.fail(Cause.of(rank, "fault", "KeyError: 5"))
elif action == "symptom":
    guard.fail(Cause.of(rank, "lost", "waited in vain", primary=False))
elif action == "symptom after launcher":
    while Path(f"/proc/{os.environ[LAUNCHER_PID]}").exists():
        time.sleep(0.01)
    time.sleep(0.5)
    guard.fail(Cause.of(rank, "lost", "a connection has closed", primary=False))
elif action == "late":
    time.sleep(1.0)
    guard.fail(Cause.of(rank, "user", "the first cause, told late"))
elif action == "much later":
    time.sleep(4.0)
    guard.fail(Cause.of(rank, "user", "the first cause, told much later"))
elif action == "leave":
    guard.leave()
elif action == "leave late":
    time.sleep(1.0)
    guard.leave()
else:
    time.sleep(60)  # as in a collective
