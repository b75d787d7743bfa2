"""The program that ``launch.sh`` starts: the parent of a node's ranks, or of a run's nodes.

It outlives the launcher of the ranks, prints why the run has ended as the last line, and returns the documented exit code.
Nothing here imports torch, so that it starts at once.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import importlib.util
import json
import os
import random
import re
import shutil
import sys
import tempfile
import traceback
from collections.abc import Mapping, Sequence
from pathlib import Path

from .contract.exit_codes import DONE, FAULT, STOPPED, USER
from .errors import UserError
from .launching import meeting, tether
from .launching.library import LAUNCHERS
from .launching.nodes import Place, is_told, place_of
from .launching.outcome import Outcome, interrupted, lost, stopped_early

try:
    from .launching.hosts import start_on_hosts
    from .launching.watch import Others, Signals, Watch
except ModuleNotFoundError as missing:
    # The most likely first mistake, reported before anything else could.
    sys.exit(
        f"error: {sys.executable} has no {missing.name}: pip install -r requirements.txt in the run's folder, or set"
        " PYTHON to an interpreter that has it"
    )

MANIFEST = "skrull.manifest.json"
# Variables of the ranks, and torchrun's own, which would change what it does.
NOT_PASSED_ON = re.compile(
    r"(PET|TORCHELASTIC)_\w+|(LOCAL_|GROUP_|ROLE_|CROSS_)?(RANK|SIZE)|(LOCAL_|ROLE_)?WORLD_SIZE"
    r"|MASTER_(ADDR|PORT)|NODE_RANK"
)
PACKAGES = ("torch", "deepspeed", "transformers", "psutil")


class Over(Exception):
    """The run has ended before its ranks were started."""

    def __init__(self, outcome: Outcome):
        super().__init__(outcome.line)
        self.outcome = outcome


def main() -> None:
    """Ends with an exit code of :mod:`.contract.exit_codes`."""
    arguments = _arguments()
    signals = Signals()
    tied = tether.tether()
    try:
        outcome = _launch(arguments, signals, tied)
    except Over as over:
        outcome = over.outcome
    except UserError as error:
        outcome = Outcome(USER, f"error: {error}")
    except Exception as error:
        traceback.print_exc()
        outcome = Outcome(
            FAULT, f"error: this is a fault of skrull's launcher, not of your spec: {error!r}"
        )
    if tied is not None:
        tether.report(outcome)  # whoever started this node prints the line
    elif outcome.code != DONE:
        print(outcome.line, file=sys.stderr, flush=True)
    sys.exit(outcome.code)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="launch.sh", add_help=False, allow_abbrev=False)
    parser.add_argument("--launcher", choices=LAUNCHERS, required=True)
    parser.add_argument("--nodes", type=int, required=True)
    parser.add_argument("--gpus", type=int, required=True, help="ranks of a node")
    parser.add_argument("--timeout", type=float, required=True, help="in seconds")
    parser.add_argument("--host", action="append", default=[], dest="hosts")
    parser.add_argument("script", type=Path, help="train.py, in the run's folder")
    parser.add_argument("rest", nargs=argparse.REMAINDER, help="its arguments")
    return parser.parse_args()


def _launch(arguments: argparse.Namespace, signals: Signals, tied: tether.Tether | None) -> Outcome:
    folder = arguments.script.resolve().parent
    if arguments.hosts and not is_told(os.environ):
        return start_on_hosts(arguments.hosts, folder, arguments.rest, arguments.timeout, signals)
    _require_packages(folder)
    place = place_of(os.environ, arguments.nodes, arguments.gpus)
    others: list[Others] = [] if tied is None else [tied]
    link = None
    if place.nodes > 1:
        link = meeting.meet(
            place, _digest(folder), arguments.timeout, lambda: _check(signals, others)
        )
        others.append(link)
    elif place.port is not None:
        meeting.require_free(place.port)
    port = place.port or free_port()
    endings = Path(tempfile.mkdtemp(prefix="skrull-"))
    try:
        own = {n: v for n, v in os.environ.items() if not NOT_PASSED_ON.fullmatch(n)}
        command = command_of(arguments, place, port, endings, own)
        return Watch(endings, signals, others).run(command, own)
    finally:
        shutil.rmtree(endings, ignore_errors=True)
        if link is not None:
            link.close()


def command_of(
    arguments: argparse.Namespace,
    place: Place,
    port: int,
    folder: Path,
    environ: Mapping[str, str],
) -> list[str]:
    """The command that starts the ranks of this node. Raises UserError where the node has fewer GPUs than ranks."""
    devices = _devices(environ, arguments.gpus)
    make = {"deepspeed": _deepspeed, "torchrun": _torchrun}[arguments.launcher]
    library = [sys.executable, "-m", "skrull_runtime.launching.library", arguments.launcher]
    train = [str(arguments.script), *arguments.rest]
    return [*library, *make(place, port, devices, folder, arguments.timeout), *train]


def _devices(environ: Mapping[str, str], gpus: int) -> list[str]:
    """The GPUs of the node's ranks, as CUDA_VISIBLE_DEVICES names them."""
    visible = environ.get("CUDA_VISIBLE_DEVICES")
    if visible is None or environ.get("DS_ACCELERATOR") == "cpu":
        return [str(number) for number in range(gpus)]
    named = [name for name in visible.split(",") if name]
    if len(named) < gpus:
        raise UserError(
            f"CUDA_VISIBLE_DEVICES is {visible!r}, and this run takes {gpus} GPUs of a node: name as many, or"
            " change `cluster { gpus }` and compile again"
        )
    return named[:gpus]


def _deepspeed(
    place: Place, port: int, devices: Sequence[str], folder: Path, timeout: float
) -> list[str]:
    # DeepSpeed counts the nodes and their ranks by this table; it does not look up the names.
    world: dict[str, list[int] | list[str]] = {
        f"node-{node}": list(range(len(devices))) for node in range(place.nodes)
    }
    world[f"node-{place.node}"] = list(devices)
    encoded = base64.urlsafe_b64encode(json.dumps(world).encode()).decode()
    where = [f"--master_addr={place.address}", f"--master_port={port}"]
    return [f"--world_info={encoded}", f"--node_rank={place.node}", *where, "--log_level=critical"]


def _torchrun(
    place: Place, port: int, devices: Sequence[str], folder: Path, timeout: float
) -> list[str]:
    where = [f"--master_addr={place.address}", f"--master_port={port}"]
    counts = [f"--nnodes={place.nodes}", f"--nproc_per_node={len(devices)}"]
    patience = f"--rdzv_conf=timeout={max(1, round(timeout))}"
    logs = f"--log_dir={folder / 'logs'}"
    return [*counts, f"--node_rank={place.node}", *where, patience, logs]


def _check(signals: Signals, others: Sequence[Others]) -> None:
    """Raises Over where a signal, or a report of another node, has arrived."""
    for number in signals.take():
        raise Over(_of_signal(number))
    for other in others:
        message = other.receive()
        if message is None:
            continue
        if "signal" in message:
            raise Over(_of_signal(int(message["signal"])))
        if ended := Outcome.from_json(message.get("ended")):
            raise Over(ended)
        if "lost" in message:
            raise Over(lost(str(message["lost"])))


def _of_signal(number: int) -> Outcome:
    return stopped_early() if 128 + number == STOPPED else interrupted()


def _require_packages(folder: Path) -> None:
    missing = [name for name in PACKAGES if importlib.util.find_spec(name) is None]
    if missing:
        raise UserError(
            f"{sys.executable} has no {', '.join(missing)}: pip install -r {folder / 'requirements.txt'}, or set"
            " PYTHON to an interpreter that has"
        )


def _digest(folder: Path) -> str:
    """The digest of what the compiler wrote: equal on nodes that have the same run."""
    manifest = folder / MANIFEST
    return hashlib.sha256(manifest.read_bytes()).hexdigest() if manifest.is_file() else ""


def free_port() -> int:
    """A TCP port that nothing listens on here. It is below 32768 (on Linux, elsewhere 49152), where the system starts
    assigning ports to connections by itself, so it stays free until the ranks take it."""
    while True:
        port = random.randrange(10_000, 32_768)
        try:
            meeting.require_free(port)
        except UserError:
            continue
        return port


if __name__ == "__main__":
    main()
