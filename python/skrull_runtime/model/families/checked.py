"""The check of a model that no verdict is known of, before a run trains it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import transformers

from ...errors import UserError
from ...refusals import is_tested

ROOT = Path(__file__).resolve().parents[3]  # the folder that holds the package
SECONDS = 300.0


def parsed_config(run_dir: Path) -> Any:
    """A run's ``config.json``. Raises UserError where it cannot be read."""
    try:
        return json.loads((run_dir / "config.json").read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise UserError(f"config.json: cannot be read ({error}); compile again") from error


def require_checked(run_dir: Path) -> None:
    """Checks a model whose kind is not among the tested ones, in a process of its own: a process that has groups and a device
    cannot fork the check's ranks.

    Raises UserError with the reason where the model is refused.
    """
    config = parsed_config(run_dir)
    if is_tested(config, transformers.__version__):
        return
    kind = config.get("model_type")
    print(f"checking the model, as no {kind} like it was tested", flush=True)
    verdict = _answer(run_dir)
    for note in verdict["notes"]:
        print(f"note: {note}", flush=True)
    if verdict["verdict"] != "taken":
        raise UserError(f"config.json: model_type = {kind} cannot be trained: {verdict['reason']}")


def _answer(run_dir: Path) -> dict[str, Any]:
    """What ``check_model`` says in JSON. Raises UserError where it says nothing."""
    command = [sys.executable, "-m", "skrull_runtime.check_model", str(run_dir), "--format", "json"]
    path = os.pathsep.join([str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])])
    outside = {n: v for n, v in os.environ.items() if n not in ("RANK", "LOCAL_RANK", "WORLD_SIZE")}
    try:
        done = subprocess.run(
            command,
            env={**outside, "PYTHONPATH": path},
            capture_output=True,
            text=True,
            timeout=SECONDS,
        )
        answer: dict[str, Any] = json.loads(done.stdout)
    except (OSError, ValueError, subprocess.TimeoutExpired) as error:
        raise UserError(f"the model could not be checked ({error})") from error
    return answer
