"""``python -m skrull_runtime.scheduling``: JSON problems, one a line, to JSON answers, one a line."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping

from . import ScheduleError, schedule


def main() -> None:
    """Answers every line of standard input."""
    for line in sys.stdin:
        answer: Mapping[str, object]
        try:
            answer = schedule(json.loads(line))
        except ScheduleError as error:
            answer = error.document()
        except json.JSONDecodeError as error:
            message = f"the input is not JSON: {error}"
            answer = ScheduleError("invalid-problem", message, path="").document()
        print(json.dumps(answer, separators=(",", ":")))


if __name__ == "__main__":
    main()
