"""Compile, profile, train and report with real ranks; the compiler accepts the profiles that come out."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import launch
import pytest

from skrull_runtime.errors import UserError
from skrull_runtime.profiling.history import measured_steps

ROOT = Path(__file__).resolve().parents[2]
CLI = ROOT / "dist/cli/main.js"
STEPS = 12
MODEL = {
    "model_type": "qwen2",
    "architectures": ["Qwen2ForCausalLM"],
    "hidden_size": 32,
    "intermediate_size": 64,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "vocab_size": 300,
    "max_position_embeddings": 4096,
    "rms_norm_eps": 1e-6,
    "rope_theta": 10000.0,
    "tie_word_embeddings": True,
    "hidden_act": "silu",
}
SPEC = """skrull 1
model {{ config = "model/config.json" weights = random precision = fp32 }}
cluster {{ gpus = 2 gpu = cpu {profile} }}
data {{ train = ["data.jsonl"] tokenizer = "bytes" max_length = 1K }}
parallel {{ context = 2 zero = 2 reduction = every-micro-batch }}
memory {{ budget = 1 GiB reserve = 128 MiB bucket = 512 }}
schedule {{ global_batch = 6 }}
train {{ optimizer = adamw {{ lr = 1e-3 }} steps = {steps} }}
"""


def skrull(*arguments: str) -> str:
    """What the compiler prints; fails where it does."""
    ended = subprocess.run(["node", CLI, *arguments], capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return ended.stdout


def write_spec(folder: Path, profile: Path | None = None) -> Path:
    line = "" if profile is None else f'profile = "{profile.name}"'
    spec = folder / "spec.skrull"
    spec.write_text(SPEC.format(profile=line, steps=STEPS))
    return spec


def module(name: str, run: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """A module of the runtime that lies in the run's folder, on it."""
    kept = {key: value for key, value in os.environ.items() if key not in ("RANK", "WORLD_SIZE")}
    env = {**kept, "DS_ACCELERATOR": "cpu", "OMP_NUM_THREADS": "1", "PYTHONPATH": str(run)}
    command = [sys.executable, "-m", f"skrull_runtime.{name}", str(run), *arguments]
    # Files, not pipes: ranks that nobody ends would keep these open.
    with tempfile.TemporaryFile("w+") as out, tempfile.TemporaryFile("w+") as error:
        process = subprocess.Popen(command, env=env, stdout=out, stderr=error, cwd=run)
        if not launch.wait_until(lambda: process.poll() is not None, 600):
            process.terminate()
        code = process.wait()
        out.seek(0)
        error.seek(0)
        return subprocess.CompletedProcess(command, code, out.read(), error.read())


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A compiled run that has trained, in ``run``."""
    if shutil.which("node") is None or not CLI.is_file():
        pytest.skip("the compiler is not built: npm run build")
    folder = tmp_path_factory.mktemp("calibration")
    (folder / "model").mkdir()
    (folder / "model/config.json").write_text(json.dumps(MODEL))
    with (folder / "data.jsonl").open("w") as stream:
        for number in range(60):
            answer = "word " * (number % 9 * 20 + 3)
            messages = [
                {"role": "user", "content": f"question {number}"},
                {"role": "assistant", "content": answer},
            ]
            stream.write(json.dumps({"messages": messages}) + "\n")
    skrull("compile", str(write_spec(folder)), "--out", str(folder / "run"))
    run = folder / "run"
    results = launch.finish(launch.start(2, run / "train.py", extra_path=run))
    assert [code for code, _ in results] == [0, 0], results
    return folder


def report(folder: Path, *arguments: str) -> dict:
    ended = module("report", folder / "run", "--format", "json", *arguments)
    assert ended.returncode == 0, ended.stderr
    return json.loads(ended.stdout)


def metrics_of(folder: Path) -> list[str]:
    return (folder / "run/output/metrics.jsonl").read_text().splitlines()


def test_a_measured_profile_is_what_the_compiler_plans_with(folder: Path) -> None:
    profile = folder / "measured.json"
    ended = module("profile", folder / "run", "--out", str(profile), "--quick", "--name", "a test")
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert "fitted" in ended.stdout and "held out" in ended.stdout
    written = json.loads(profile.read_text())
    assert written["name"] == "a test"
    assert written["zero_included"]["stage"] == 2
    assert written["micro_batch_us"] + written["step_us"] > 0
    assert [table["ranks"] for table in written["collectives"]] == [2]
    plan = json.loads(skrull("plan", str(write_spec(folder, profile)), "--format", "json"))
    hardware = plan["hardware"]
    assert hardware["profile"] == "a test"
    for key in hardware["measured"]:
        assert hardware["figures"][key] == written[key]
    # The setting is the measured one, so what was measured is what is planned with.
    assert plan["scheduling"]["cost"]["fixed"] == pytest.approx(written["micro_batch_us"])
    assert plan["step"]["fixed_us"] == pytest.approx(written["step_us"])


def test_other_ranks_than_divide_into_groups_are_refused(folder: Path) -> None:
    ended = module("profile", folder / "run", "--ranks", "3", "--quick")
    assert ended.returncode != 0
    assert "3 ranks do not divide into groups of the CP degree 2" in ended.stderr


def test_a_report_gives_the_errors_of_the_metrics_file(folder: Path) -> None:
    own = report(folder)
    assert own["format_version"] == 1
    assert own["predicted"]["steps"] == STEPS
    logged = [json.loads(line) for line in metrics_of(folder)]
    off = sorted(abs(one["predicted_seconds"] / one["seconds"] - 1) for one in logged)
    assert own["predicted"]["median"] == pytest.approx((off[5] + off[6]) / 2, rel=1e-4)


def test_a_report_corrects_the_profile(folder: Path) -> None:
    # A machine that is three times slower than predicted, without the noise of this one.
    slow = folder / "slow.jsonl"
    logged = [json.loads(line) for line in metrics_of(folder)]
    lines = [json.dumps(one | {"seconds": 3 * one["predicted_seconds"]}) for one in logged]
    slow.write_text("\n".join(lines) + "\n")
    out = folder / "corrected.json"
    own = report(folder, "--metrics", str(slow), "--out", str(out))
    assert own["predicted"]["median"] == pytest.approx(2 / 3, rel=1e-4)
    assert own["corrected"]["errors"]["median"] < 1 / 3
    plan = json.loads(skrull("plan", str(write_spec(folder, out)), "--format", "json"))
    assert plan["hardware"]["profile"] == own["corrected"]["profile"]["name"]
    figures = own["corrected"]["figures"]
    assert plan["step"]["fixed_us"] == pytest.approx(figures[-1]["after"], rel=1e-4)


def test_text_has_at_most_80_columns(folder: Path) -> None:
    ended = module("report", folder / "run")
    assert ended.returncode == 0, ended.stderr
    assert max(map(len, ended.stdout.splitlines())) <= 80
    assert f"time of {STEPS} steps" in ended.stdout


def test_a_metrics_file_cut_short_counts_its_whole_lines(folder: Path) -> None:
    lines = metrics_of(folder)
    cut = folder / "cut.jsonl"
    cut.write_text("\n".join(lines[:9]) + "\n" + lines[9][:40])
    own = report(folder, "--metrics", str(cut))
    assert (own["predicted"]["steps"], own["unreadable_lines"]) == (9, 1)
    assert own["corrected"]["errors"]["steps"] == 9


def test_few_steps_are_reported_on_but_correct_nothing(folder: Path) -> None:
    few = folder / "few.jsonl"
    few.write_text("\n".join(metrics_of(folder)[:3]) + "\n")
    own = report(folder, "--metrics", str(few))
    assert (own["predicted"]["steps"], own["corrected"]) == (3, None)
    ended = module("report", folder / "run", "--metrics", str(few), "--out", "never.json")
    assert ended.returncode == 1
    assert "too few to correct a profile by, 8 are needed" in ended.stderr


@pytest.mark.parametrize("content", ["", '{"step": 0, "sec', "null\n[]\n7\n"])
def test_a_metrics_file_without_a_step_is_refused(tmp_path: Path, content: str) -> None:
    empty = tmp_path / "empty.jsonl"
    empty.write_text(content)
    with pytest.raises(UserError, match="has no measured step"):
        measured_steps(empty)


def test_a_run_without_a_step_ends_with_a_message(folder: Path, tmp_path: Path) -> None:
    empty = tmp_path / "empty.jsonl"
    empty.touch()
    ended = module("report", folder / "run", "--metrics", str(empty))
    assert (ended.returncode, ended.stdout) == (1, "")
    assert f"error: {empty}: has no measured step" in ended.stderr


def test_steps_of_another_schedule_are_refused(folder: Path) -> None:
    ended = module("report", folder / "run", "--ranks", "4")
    assert ended.returncode == 1
    assert "was not measured on the schedule that the folder gives it now" in ended.stderr
