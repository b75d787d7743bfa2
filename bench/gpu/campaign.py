"""Everything that is measured whenever a GPU is at hand, in parts of at most nine minutes each.

    python bench/gpu/campaign.py install             # what `npm run bench:gpu -- prepare` brought; no network
    python bench/gpu/campaign.py PART [options]      # kernels, rates, layer, memory, profile, replay

Prints a table, or JSON with ``--format json``; ``--out FILE`` writes the JSON besides. Exit codes: 0, 1 where something is
not as it should be, 2 where a part could not run.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib
import importlib.util
import os
import shlex
import sys
from pathlib import Path
from typing import NoReturn

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
PARTS = ("kernels", "rates", "layer", "memory", "profile", "replay")
COMPILED = ("layer", "memory", "profile", "replay")  # need runs
FOLDER = ROOT / "build/gpu-campaign"
SITE = "site"  # below it: what `install` has put there
NEEDED = ("torch", "numpy")
SECONDS = 500  # leaves time to start and to end within nine minutes
COULD_NOT_RUN = 2

sys.path[:0] = [str(HERE), str(HERE.parent / "replay"), str(ROOT / "python")]


def main() -> int:
    """See above."""
    arguments = _arguments()
    from skrull_runtime.errors import UserError

    try:
        return _run(arguments)
    except UserError as error:
        return _refuse(str(error))


def _run(arguments: argparse.Namespace) -> int:
    if arguments.part == "install":
        from install import install

        install(arguments.folder, SITE)
        return 0
    if arguments.part in COMPILED and not (arguments.folder / "runs").is_dir():
        return _refuse(
            f"{arguments.folder} holds no compiled runs: make them with 'npm run bench:gpu -- prepare' where there is Node"
        )
    sys.path.append(str(arguments.folder / SITE))  # after what the machine has itself
    for name in NEEDED:
        if importlib.util.find_spec(name) is None:
            return _refuse(f"this Python ({sys.executable}) has no {name}")
    _choose_device(arguments)
    try:
        return _measure(arguments)
    except ModuleNotFoundError as error:
        if error.name is None or importlib.util.find_spec(error.name.split(".")[0]) is not None:
            raise
        return _refuse(f"{error.name} is missing: run 'python bench/gpu/campaign.py install' first")


def _arguments() -> argparse.Namespace:
    parser = _Parser(
        prog="campaign.py", description="Measures one part of what is to be known of a GPU."
    )
    parser.add_argument("part", choices=("install", *PARTS), metavar="PART", help=" ".join(PARTS))
    parser.add_argument("--format", choices=("table", "json"), default="table")
    parser.add_argument("--out", type=Path, help="a file for the JSON")
    parser.add_argument("--device", choices=("cuda", "cpu"), default="cuda")
    parser.add_argument("--small", action="store_true", help="tiny sizes, to rehearse")
    parser.add_argument("--kernels", default="", help="by name, with commas; all without it")
    parser.add_argument("--repeats", type=_positive, default=5, help="measurements of each (5)")
    parser.add_argument(
        "--seconds",
        type=_positive,
        default=SECONDS,
        help=f"after which nothing new begins ({SECONDS})",
    )
    parser.add_argument("--date", help="to state in the JSON")
    parser.add_argument("--predicted", type=Path, help="JSON of predictions, for the part layer")
    parser.add_argument("--folder", type=Path, default=FOLDER, help="what was prepared")
    arguments = parser.parse_args()
    if arguments.device == "cpu" and not arguments.small:
        parser.error("--device cpu is to rehearse: add --small")
    return arguments


class _Parser(argparse.ArgumentParser):
    """Says what is wrong in one line."""

    def error(self, message: str) -> NoReturn:
        sys.exit(_refuse(f"{message} (see --help)"))


def _positive(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"'{text}' is no whole number above 0")
    return int(text)


def _choose_device(arguments: argparse.Namespace) -> None:
    """Before anything is imported that asks which devices there are."""
    if arguments.device == "cpu":
        os.environ |= {"CUDA_VISIBLE_DEVICES": "", "DS_ACCELERATOR": "cpu"}


def _measure(arguments: argparse.Namespace) -> int:
    import torch
    from budget import Budget
    from document import as_json, as_table
    from machine import Machine, revision
    from settings import Settings

    from skrull_runtime.errors import UserError

    if arguments.device == "cuda" and not torch.cuda.is_available():
        raise UserError("torch sees no GPU here; --device cpu --small rehearses a part without one")
    budget = Budget(arguments.seconds)
    machine = Machine(torch.device(arguments.device))
    settings = Settings(
        machine,
        arguments.small,
        tuple(name for name in arguments.kernels.split(",") if name),
        arguments.repeats,
        arguments.folder,
        arguments.predicted,
        arguments.out,
    )
    with contextlib.redirect_stdout(sys.stderr):  # libraries remark on what they find
        result = importlib.import_module(f"parts.{arguments.part}").run(settings, budget)
    head = {
        "campaign": "skrull-gpu",
        "part": arguments.part,
        "command": shlex.join(["python", "bench/gpu/campaign.py", *sys.argv[1:]]),
        "revision": revision(ROOT, arguments.folder / "prepared.json"),
        "date": arguments.date,
        "machine": machine.description(),
        "small": arguments.small,
        "repeats": arguments.repeats,
        "seconds": round(budget.spent(), 1),
        "left_out": budget.left_out,
    }
    document = as_json(head, result)
    if arguments.out is not None:
        _write(arguments.out, document)
    sys.stdout.write(document if arguments.format == "json" else as_table(head, result))
    return 1 if result.off else 0


def _write(path: Path, document: str) -> None:
    from skrull_runtime.errors import UserError

    try:
        path.write_text(document, encoding="utf-8")
    except OSError as error:
        raise UserError(f"{path}: cannot be written ({error.strerror})") from error


def _refuse(message: str) -> int:
    sys.stderr.write(f"error: {message}\n")
    return COULD_NOT_RUN


if __name__ == "__main__":
    sys.exit(main())
