"""Verdicts on every model of transformers, and the table that both programs read: ``npm run test:long -- models [FOLDER]``.

A quarter of an hour on two cores. It writes ``contract/models.json`` and ``docs/models.md``; what was measured stays in the
folder. Exit code 1 where a family of the parity suite is off, or one that was taken is not any more.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tools"))

import launch
import model_table
from test_families import FAMILIES, TOLERANCE, WORKER, write_families

ROOT = Path(__file__).resolve().parents[2]
TOOLS = ROOT / "python/tools"
STAGES = (2, 3)


def main() -> int:
    """Measures, writes, and says what has changed."""
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else tempfile.mkdtemp())
    before = json.loads((ROOT / "contract/models.json").read_text())["taken"]
    with (folder / "verdicts.jsonl").open("w") as out:
        command = [sys.executable, str(TOOLS / "model_verdicts.py")]
        path = {**os.environ, "PYTHONPATH": str(ROOT / "python")}
        subprocess.run(command, stdout=out, env=path, check=True)
    figures = parity(folder)
    model_table.write(folder / "verdicts.jsonl", figures)
    off = {
        f"{name} under ZeRO {stage}"
        for name, own in figures.items()
        for stage, far in own.items()
        if not far <= TOLERANCE
    }
    lost = set(before) - set(json.loads((ROOT / "contract/models.json").read_text())["taken"])
    print(
        f"{len(figures)} families under ZeRO 2 and 3, off: {sorted(off) or 'none'}; no longer taken: {sorted(lost) or 'none'}"
    )
    return 1 if off or lost else 0


def parity(folder: Path) -> dict[str, dict[str, float]]:
    """The largest relative difference of every family of the suite, by ZeRO stage."""
    found: dict[str, dict[str, float]] = {name: {} for name in FAMILIES}
    for stage in STAGES:
        own = folder / f"zero{stage}"
        own.mkdir(exist_ok=True)
        write_families(own)
        launch.run(2, WORKER, str(own), str(stage), timeout=1800)
        for name, result in json.loads((own / "results.json").read_text()).items():
            found[name][str(stage)] = result["distance"]
    (folder / "parity.json").write_text(json.dumps(found))
    return found


if __name__ == "__main__":
    sys.exit(main())
