"""Verdicts on the models of the installed transformers: ``python tools/model_verdicts.py [TYPE ...] > verdicts.jsonl``.

One line of JSON for every configuration of :mod:`model_configurations`; ``model_table.py`` makes the contract and the page of them.
"""

from __future__ import annotations

import json
import os
import sys
import time

os.environ.update(CUDA_VISIBLE_DEVICES="", OMP_NUM_THREADS="1", DS_ACCELERATOR="cpu")

from model_configurations import configurations, every_type

from skrull_runtime.check_model.check import verdict_of
from skrull_runtime.refusals import kinds_of
from skrull_runtime.shapes import JsonObject


def answers(kind: str) -> list[JsonObject]:
    """A verdict for each configuration of a type."""
    try:
        own = list(configurations(kind))
    except Exception as error:
        reason = f"transformers has no default configuration of it ({type(error).__name__})"
        return [{"model_type": kind, "taken": False, "reason": reason, "traits": {}, "figures": {}}]
    return [{"kinds": kinds_of(config), **verdict_of(config).as_json()} for config in own]


def main() -> None:
    """Prints a line for every configuration."""
    for kind in sys.argv[1:] or every_type():
        started = time.monotonic()
        for answer in answers(kind):
            seconds = round(time.monotonic() - started, 1)
            print(json.dumps({"asked": kind, "seconds": seconds, **answer}), flush=True)


if __name__ == "__main__":
    main()
