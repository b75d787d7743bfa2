"""Host memory of a start under ZeRO 3, over one copy of the weights: ``npm run test:long -- host-memory [RANKS]``.

Sums the proportional set size of all ranks (shared pages count once), sampled while a model of 276 MB in bf16 starts on
CPU ranks, less what the same ranks have with a tiny model. Its largest parameter is 9% of it, as few models' is.
On CPU ranks the partitions themselves lie in host memory, so one copy is the least that there can be.
"""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path

import launch
import tiny
import torch
from transformers import AutoConfig, AutoModelForCausalLM

WORKER = Path(__file__).with_name("host_memory_worker.py")
MOST = 1.3  # copies of the weights
SCALED = {
    "model_type": "llama",
    "hidden_size": 768,
    "intermediate_size": 2048,
    "num_hidden_layers": 16,
    "num_attention_heads": 12,
    "num_key_value_heads": 12,
    "vocab_size": 16_000,
    "tie_word_embeddings": False,
}
# What is held in host memory besides weights is left out of the first two: on a GPU it is not there.
CASES = {
    "pretrained weights, all trained, to the model": ("pretrained", False, False),
    "random weights, all trained, to the model": ("random", False, False),
    "pretrained weights, adapters trained, to the first step": ("pretrained", True, True),
}


def write_models(folder: Path) -> int:
    """Both models with stored weights; bytes of the scaled one's."""
    for name, changes in (("tiny", {}), ("scaled", SCALED)):
        own = folder / name
        own.mkdir()
        (own / "config.json").write_text(json.dumps(tiny.CONFIG | changes))
        model = AutoModelForCausalLM.from_config(
            AutoConfig.from_pretrained(own), dtype=torch.bfloat16
        )
        model.save_pretrained(own / "weights")
    return sum(parameter.numel() * 2 for parameter in model.parameters())


def held(ranks: list[launch.Rank]) -> int:
    """Bytes of all ranks together."""
    total = 0
    for rank in ranks:
        for line in Path(f"/proc/{rank.process.pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                total += int(line.split()[1]) * 1024
    return total


def measure(ranks: int, folder: Path, case: tuple[str, bool, bool]) -> tuple[int, int]:
    """Bytes above the tiny model's start: at the peak, and at the end."""
    weights, lora, trainer = case
    described = json.dumps({"weights": weights, "lora": lora, "trainer": trainer})
    with tempfile.TemporaryDirectory() as made:
        signs = Path(made)
        started = launch.start(ranks, WORKER, str(folder), made, described, fresh=True)
        await_all(started, signs, "ready")
        before = held(started)
        (signs / "go").touch()
        peak = before
        while len(list(signs.glob("done-*"))) < ranks:
            peak = max(peak, held(started))
            require_running(started)
        after = held(started)
        (signs / "end").touch()
        launch.finish(started)
        return max(peak, after) - before, after - before


def await_all(started: list[launch.Rank], signs: Path, name: str) -> None:
    """Until every rank has given a sign."""

    def given() -> bool:
        require_running(started)
        return len(list(signs.glob(f"{name}-*"))) == len(started)

    assert launch.wait_until(given, 900)


def require_running(started: list[launch.Rank]) -> None:
    """Fails with the output of a rank that has failed."""
    for rank in started:
        if rank.process.poll() not in (None, 0):
            output = rank.output()
            launch.end(started)
            raise AssertionError(output[-4000:])


def main() -> int:
    """Exit code 1 where a start needs too much."""
    ranks = int(sys.argv[1]) if len(sys.argv) > 1 else 8
    worst = 0.0
    with tempfile.TemporaryDirectory() as made:
        copy = write_models(Path(made))
        print(f"{ranks} ranks, weights of {copy / 1e6:.0f} MB", flush=True)
        for name, case in CASES.items():
            peak, end = (each / copy for each in measure(ranks, Path(made), case))
            worst = max(worst, peak)
            print(f"{name}: {peak:.2f} copies at the peak, {end:.2f} at the end", flush=True)
    print(f"at most {MOST} allowed: {'passed' if worst <= MOST else 'FAILED'}")
    return 0 if worst <= MOST else 1


if __name__ == "__main__":
    sys.exit(main())
