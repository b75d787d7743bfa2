"""Program of main.mjs: ``roofline.py RUN RESULTS SETTINGS``, the last as JSON.

Every rank's micro-batches of a run's first global batches, under some policies, by the runtime's own code on fake
tensors: what they ask of a GPU, and how long that would take at best.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from alone import alone
from charge import Gpu
from extended import Extended
from step import figures, step_of
from subject import Setting

from skrull_runtime.batches.sampler import ScheduledBatchSampler
from skrull_runtime.errors import UserError
from skrull_runtime.profiling.run_folder import RunFolder


def results(run: RunFolder, settings: dict[str, Any]) -> dict[str, Any]:
    """The document. Raises UserError where a policy has no schedule."""
    setting = Setting(Gpu(**settings["gpu"]), settings["kernel"], settings["workspace"])
    subject = Extended(run, setting, settings["all_layers"])
    policies = list(dict.fromkeys([run.scheduling.policy, *settings["policies"]]))
    batches = [*ScheduledBatchSampler(run.lengths, run.scheduling, settings["batches"])]
    found: dict[str, list[dict[str, Any]]] = {policy: [] for policy in policies}
    for policy in policies:
        for batch in batches:
            print(f"{policy}, global batch {batch.step}", file=sys.stderr, flush=True)
            found[policy].append(figures(subject, step_of(subject, batch, policy)))
    return {
        "format_version": 1,
        "gpu": settings["gpu"],
        "kernel": settings["kernel"],
        "model": run.plan["model"].get("name"),
        "layers_run": subject.layers,
        "ranks": {
            "data_parallel": run.scheduling.data_parallel,
            "context_parallel": run.scheduling.context_parallel,
        },
        "policies": found,
        "alone": alone(subject, settings["alone"]),
    }


def main() -> int:
    """The exit code."""
    folder, out, settings = sys.argv[1:]
    try:
        run = RunFolder(Path(folder))
        document = results(run, json.loads(settings))
    except UserError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    Path(out).write_text(json.dumps(document, sort_keys=True, indent=2) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
