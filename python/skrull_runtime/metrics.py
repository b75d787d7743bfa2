"""One line of figures a step: JSON lines in the output folder, and a readable line on the screen."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

HEADER = f"{'step':>6} {'loss':>9} {'tokens/s':>9} {'sequences':>9} {'micro-batches':>13} {'seconds':>8} {'predicted':>9}"


class MetricsLog:
    """Appends to ``metrics.jsonl``. Lines of steps after ``trained_steps`` (of a killed run) are dropped first."""

    def __init__(self, output: Path, trained_steps: int, log_every: int):
        output.mkdir(parents=True, exist_ok=True)
        self.path = output / "metrics.jsonl"
        self.log_every = log_every
        kept = [line for line in self._lines() if _step_of(line) in range(trained_steps)]
        self.path.write_text("".join(f"{line}\n" for line in kept))

    def _lines(self) -> list[str]:
        return self.path.read_text().splitlines() if self.path.exists() else []

    def add(self, entry: dict[str, Any]) -> None:
        """Writes a step's entry; prints every ``log_every``-th."""
        with self.path.open("a") as stream:
            stream.write(json.dumps(entry) + "\n")
        if entry["step"] % self.log_every == 0:
            print(
                f"{entry['step']:>6} {entry['loss']:>9.4f} {entry['tokens_per_second']:>9.0f}"
                f" {entry['sequences']:>9} {entry['micro_batches']:>13} {entry['seconds']:>8.2f}"
                f" {entry['predicted_seconds']:>9.2f}",
                flush=True,
            )


def _step_of(line: str) -> int:
    try:
        return int(json.loads(line)["step"])
    except (ValueError, KeyError, TypeError):
        return -1  # cut short by a kill
