"""The ledger of memory that the compiler's model is tested against is of the runtime's code as it is."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
import transformers

ROOT = Path(__file__).resolve().parents[2]
MODEL = "Qwen/Qwen2.5-0.5B"
CASES = [
    "full packed lora flash2",
    "selective shared whole flash2",
    "selective packed dora flash2",
    "selective packed nf4 flash2",
]


@pytest.fixture(scope="module")
def known() -> dict[str, Any]:
    """The committed document."""
    document = json.loads((ROOT / "test/vectors/memory-ledger.json").read_bytes())
    here = (torch.__version__.split("+")[0], transformers.__version__)
    if here != (document["torch"], document["transformers"]):
        pytest.skip("what a layer keeps may differ between versions of torch and transformers")
    return document


def test_the_ledger_is_of_this_runtime(known: dict[str, Any], tmp_path: Path):
    out = tmp_path / "ledger.json"
    # A process of its own: the ledger has process groups without ranks.
    subprocess.run(
        [sys.executable, ROOT / "bench/roofline/memory.py", MODEL, out, *CASES],
        env={
            "DS_ACCELERATOR": "cpu",
            "OMP_NUM_THREADS": "1",
            "PYTHONPATH": f"{ROOT / 'python'}:{ROOT / 'bench/replay'}",
        },
        check=True,
    )
    assert json.loads(out.read_bytes())["cases"] == {
        name: known["models"][MODEL][name] for name in CASES
    }
