"""``python -m skrull_runtime.check_model DIR``: whether skrull trains the model of ``DIR/config.json`` exactly.

It makes the model small, with random weights, and compares its losses and gradients on two CPU ranks with its own forward,
one sequence at a time. ``-`` instead of a folder reads the configuration from a line of the standard input, as the compiler
does. Exit code 0 where the model is taken, else 1 with the reason in a line.
"""

from __future__ import annotations

import argparse
import json
import os
import sys

from ..errors import UserError
from .reading import stated_in
from .verdict import Verdict


def main() -> int:
    """Prints the verdict; returns the exit code."""
    arguments = _arguments()
    verdict = check(arguments.folder)
    said = (
        json.dumps(verdict.as_json(), indent=2) if arguments.format == "json" else verdict.as_text()
    )
    print(said, file=sys.stdout if verdict.taken or arguments.format == "json" else sys.stderr)
    return 0 if verdict.taken else 1


def check(place: str) -> Verdict:
    """The verdict on the configuration in a folder, or on that of the standard input (``-``)."""
    try:
        described = stated_in(place)
        # Before torch is imported: a check needs no GPU, and several threads would only wait for each other.
        os.environ.update(CUDA_VISIBLE_DEVICES="", OMP_NUM_THREADS="1", DS_ACCELERATOR="cpu")
        from .check import verdict_of
    except UserError as error:
        return Verdict("unknown", False, str(error))
    except ImportError as error:
        lacking = f"the check needs torch, transformers and deepspeed ({error})"
        return Verdict("unknown", False, lacking, checked=False)
    return verdict_of(described.config, described.notes)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m skrull_runtime.check_model",
        description="Whether skrull trains a model exactly, tried on a small copy with random weights.",
    )
    parser.add_argument(
        "folder", metavar="DIR", help="the folder with config.json, or - for standard input"
    )
    parser.add_argument("--format", choices=("text", "json"), default="text")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
