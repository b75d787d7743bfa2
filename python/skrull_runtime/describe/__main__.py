"""``python -m skrull_runtime.describe DIR``: the dimensions of the model of ``DIR/config.json``, as JSON.

``-`` instead of a folder reads the configuration from a line of the standard input, as the compiler does. Exit code 1, with
the reason in a line, where there is no such model.
"""

from __future__ import annotations

import json
import os
import sys

from ..check_model.reading import stated_in
from ..errors import UserError
from .dimensions import describe

USAGE = "usage: python -m skrull_runtime.describe DIR|-"


def main() -> int:
    """Prints the description; returns the exit code."""
    if len(sys.argv) != 2:
        print(USAGE, file=sys.stderr)
        return 2
    try:
        config = stated_in(sys.argv[1]).config
        os.environ.update(CUDA_VISIBLE_DEVICES="", DS_ACCELERATOR="cpu")
        found = describe(config)
    except UserError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except ImportError as error:
        print(f"error: this needs torch and transformers ({error})", file=sys.stderr)
        return 1
    print(json.dumps(found))
    return 0


if __name__ == "__main__":
    sys.exit(main())
