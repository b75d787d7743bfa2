"""Compile, profile, train and report with real ranks; the compiler accepts the profiles that come out."""

from __future__ import annotations

import json
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

import launch
import pytest

from skrull_runtime.errors import UserError
from skrull_runtime.profiling.fit import Errors
from skrull_runtime.profiling.history import MeasuredStep, batches_of, measured_steps
from skrull_runtime.profiling.run_folder import RunFolder
from skrull_runtime.scheduling.forecast import predicted_us

ROOT = Path(__file__).resolve().parents[2]
CLI = ROOT / "dist/cli/main.js"
STEPS = 20
REPRESENTATIVE = STEPS - 2  # the first two of a start are not
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
    assert written["zero_included"] | {"parameters": 1, "trained": 1} == {
        **{"stage": 2, "ranks": 2, "parameters": 1, "trained": 1},
        **{"gradients": "fp32", "offload": "none"},
    }
    assert written["memory_bandwidth"] > 1e8
    assert "host_link" not in written
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
    assert (own["predicted"]["steps"], own["left_out"]) == (REPRESENTATIVE, 2)
    logged = [json.loads(line) for line in metrics_of(folder)]
    assert [n for n, one in enumerate(logged) if one.get("disturbed")] == [0, 1]
    settled = logged[2:]
    off = sorted(abs(one["predicted_seconds"] / one["seconds"] - 1) for one in settled)
    assert own["predicted"]["median"] == pytest.approx((off[8] + off[9]) / 2, rel=1e-4)


def slow(folder: Path) -> Path:
    """Metrics of a machine that is three times slower than predicted, without the noise of this one."""
    file = folder / "slow.jsonl"
    logged = [json.loads(line) for line in metrics_of(folder)]
    lines = [json.dumps(one | {"seconds": 3 * one["predicted_seconds"]}) for one in logged]
    file.write_text("\n".join(lines) + "\n")
    return file


def test_a_report_gives_the_parts_of_a_step(folder: Path) -> None:
    metrics = slow(folder)
    own = report(folder, "--metrics", str(metrics))
    settled = [json.loads(line) for line in metrics.read_text().splitlines()][2:]

    def mean(key: str) -> float:
        return statistics.fmean(one[key] for one in settled)

    parts = {row["id"]: row for row in own["parts"]}
    whole = [row for row in own["parts"] if row["of"] is None]
    predicted = sum(row["predicted"] for row in whole)
    assert predicted == pytest.approx(mean("predicted_seconds"), rel=1e-4)
    # Fitted parts come to the steps' times, but for what the plan's own figures still count.
    assert sum(row["actual"] for row in whole) == pytest.approx(3 * predicted, rel=0.15)
    assert own["seconds"] == pytest.approx(mean("seconds"), rel=1e-4)
    assert own["waited_seconds"] == pytest.approx(mean("waited_seconds"), rel=1e-4)
    optimizer = parts["optimizer"]
    assert (optimizer["origin"], optimizer["of"]) == ("measured", "step")
    assert optimizer["actual"] == pytest.approx(mean("optimizer_seconds"), rel=1e-4)
    assert optimizer["actual"] > 0
    # Traffic was not measured: nobody says what it took.
    assert parts["zero-micro-batches"]["origin"] == "modelled"
    assert parts["zero-micro-batches"]["actual"] is None


def seconds_of(sampler: Path, folder: Path, steps: list[MeasuredStep]) -> list[float]:
    """What the constants of a compiled run predict of steps on the schedules of the run in ``run``."""
    trained = RunFolder(folder / "run")
    batches = batches_of(steps, trained, trained.scheduling)
    scheduling = RunFolder(sampler).scheduling
    return [predicted_us(b.schedule, scheduling, b.lengths, b.targets) / 1e6 for b in batches]


def slowed(line: str) -> str:
    """A step as on a machine that takes twice what is predicted, to within 4%: steps of this one vary with its load."""
    step = json.loads(line)
    seconds = 2 * step["predicted_seconds"] * (1 + 0.02 * (step["step"] % 5 - 2))
    return json.dumps(step | {"seconds": seconds, "optimizer_seconds": seconds / 10})


def test_the_corrected_plan_predicts_steps_that_it_was_not_made_from(folder: Path) -> None:
    lines = [slowed(line) for line in metrics_of(folder)[2:]]
    (folder / "even.jsonl").write_text("\n".join(lines[::2]) + "\n")
    out = folder / "even.json"
    report(folder, "--metrics", str(folder / "even.jsonl"), "--write-profile", str(out))
    skrull("compile", str(write_spec(folder, out)), "--out", str(folder / "again"))
    (folder / "odd.jsonl").write_text("\n".join(lines[1::2]) + "\n")
    odd, _ = measured_steps(folder / "odd.jsonl")
    times = [own.seconds for own in odd]
    before = Errors.of(seconds_of(folder / "run", folder, odd), times)
    after = Errors.of(seconds_of(folder / "again", folder, odd), times)
    assert after.median < 0.5 * before.median
    assert before.median == pytest.approx(
        Errors.of([own.predicted_seconds for own in odd], times).median, rel=1e-6
    )


def trained(folder: Path, name: str, changes: dict[str, str], steps: int) -> str:
    """What rank 0 prints of training a copy of the corrected run whose plan says other things."""
    run = folder / name
    shutil.copytree(folder / "again", run)
    sampler = run / "sampler.py"
    text = sampler.read_text()
    for pattern, value in changes.items():
        text, count = re.subn(pattern, value, text)
        assert count == 1, pattern
    sampler.write_text(text)
    ranks = launch.start(2, run / "train.py", "--steps", str(steps), extra_path=run)
    results = launch.finish(ranks)
    assert [code for code, _ in results] == [0, 0], results
    assert "python -m skrull_runtime.report" not in results[1][1]
    return results[0][1]


def test_a_run_warns_where_its_plan_is_wrong(folder: Path) -> None:
    said = trained(folder, "wrong", {'"fixed_us": [0-9.e+-]+': '"fixed_us": 5e7'}, 7)
    (warning,) = [line for line in said.splitlines() if line.startswith("warning: steps take")]
    assert "the median of 5" in warning
    assert "within 20% (runs with a profile, 120 measurements)" in warning
    assert "that the optimizer's step takes" in warning or "do not tell which part" in warning
    assert said.index(warning) < said.index("done: 7 steps")


def test_a_run_does_not_warn_where_its_plan_is_right(folder: Path) -> None:
    # Other programs on this machine must not make the plan wrong.
    said = trained(folder, "right", {'"time": 0.2': '"time": 9'}, 7)
    assert "warning: steps take" not in said


def test_a_report_corrects_the_profile(folder: Path) -> None:
    out = folder / "corrected.json"
    own = report(folder, "--metrics", str(slow(folder)), "--out", str(out))
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
    assert f"time of {REPRESENTATIVE} steps" in ended.stdout
    for line in ("all parts", "the steps", "attention", "behind the last backward"):
        assert line in ended.stdout


def test_a_metrics_file_cut_short_counts_its_whole_lines(folder: Path) -> None:
    lines = metrics_of(folder)
    cut = folder / "cut.jsonl"
    cut.write_text("\n".join(lines[:11]) + "\n" + lines[11][:40])
    own = report(folder, "--metrics", str(cut))
    assert (own["predicted"]["steps"], own["unreadable_lines"]) == (9, 1)
    assert own["corrected"]["errors"]["steps"] == 9


def test_few_steps_are_reported_on_but_correct_nothing(folder: Path) -> None:
    few = folder / "few.jsonl"
    few.write_text("\n".join(metrics_of(folder)[2:5]) + "\n")
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
