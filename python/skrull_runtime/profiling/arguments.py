"""Arguments that all calibrating programs share."""

from __future__ import annotations

import argparse
from pathlib import Path


def parser_of(program: str, description: str) -> argparse.ArgumentParser:
    """A parser of a run's folder and of a name for the profile that may be written."""
    parser = argparse.ArgumentParser(
        prog=f"python -m skrull_runtime.{program}", description=description
    )
    parser.add_argument("run_dir", type=Path, metavar="RUN_DIR", help="folder that skrull compiled")
    parser.add_argument("--name", help="the machine, for people")
    return parser
