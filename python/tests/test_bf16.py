"""Training in bf16 is as far from full precision as plain PyTorch in bf16 is: packing and sharding add no error."""

from __future__ import annotations

import json
from pathlib import Path

import launch
import tiny

WORKER = Path(__file__).with_name("bf16_worker.py")
# Roundings are as many and as large, in another order. Leaving out one sequence has to be told from them.
TOLERANCE = 1.3  # of what plain PyTorch in bf16 is off
CASES = [
    {"zero": zero, "context": context, "optimizer": optimizer, "policy": policy, "reduction": when}
    for zero, context, optimizer, policy, when in (
        (0, 2, "adamw", "auto", "every-micro-batch"),
        (1, 1, "adamw", "auto", "every-micro-batch"),
        (1, 2, "sgd", "auto", "once"),
        (2, 2, "adamw", "auto", "once"),
        (2, 1, "sgd", "auto", "every-micro-batch"),
        (3, 2, "sgd", "auto", "every-micro-batch"),
        (3, 1, "adamw", "auto", "every-micro-batch"),
    )
]


def test_rounding_is_the_only_difference_in_bf16(tmp_path: Path):
    tiny.write_config(tmp_path)
    (tmp_path / "cases.json").write_text(json.dumps(CASES))
    arguments = str(tmp_path / "cases.json"), str(tmp_path / "results.json")
    launch.run(2, WORKER, *arguments)
    results = json.loads((tmp_path / "results.json").read_text())
    pairs = list(zip(CASES, results, strict=True))
    assert all(result["plain"] > 0 for result in results)
    assert all(result["wrong"] > 2 * TOLERANCE * result["plain"] for result in results)
    assert [pair for pair in pairs if pair[1]["ours"] > TOLERANCE * pair[1]["plain"]] == []
