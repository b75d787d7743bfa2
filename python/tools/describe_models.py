"""Dimensions of many models in one process: ``python tools/describe_models.py < configurations.jsonl``.

A line of the input is a configuration, a line of the output its description (``skrull_runtime.describe``), in the same order.
"""

from __future__ import annotations

import json
import os
import sys

os.environ.update(CUDA_VISIBLE_DEVICES="", OMP_NUM_THREADS="1", DS_ACCELERATOR="cpu")

from skrull_runtime.describe.dimensions import describe


def main() -> None:
    """Prints a line for every configuration."""
    for line in sys.stdin:
        print(json.dumps(describe(json.loads(line))), flush=True)


if __name__ == "__main__":
    main()
