"""The campaign of measurements for a GPU, rehearsed on a CPU: its documents, and that it tells a wrong kernel."""

from __future__ import annotations

import json
import runpy
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

CAMPAIGN = Path(__file__).resolve().parents[2] / "bench/gpu/campaign.py"
PARTS = ("output", "dq", "dk", "dv")
HEAD = {
    "format_version", "campaign", "part", "command", "revision", "date", "machine", "small", "repeats",
    "seconds", "left_out", "columns", "rows", "figures", "notes", "off", "kernels",
}  # fmt: skip
# A kernel that is off by one token, in place of SDPA, and then the campaign's own main program.
WRONG = """
import runpy, sys
sys.argv = [sys.argv[1], *sys.argv[2:]]
sys.path.insert(0, {python!r})
from skrull_runtime.model.kernels import sdpa
right = sdpa.SdpaKernel.forward
sdpa.SdpaKernel.forward = lambda self, q, k, v, *more: right(self, q, k.roll(1, 0), v, *more)
runpy.run_path(sys.argv[0], run_name="__main__")
"""


def campaign(*arguments: str, program: tuple[str, ...] = ()) -> subprocess.CompletedProcess[str]:
    """Runs it to its end."""
    command = [sys.executable, *program, str(CAMPAIGN), *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=600, check=False)


def rehearsed(*arguments: str) -> tuple[str, ...]:
    """The part ``kernels`` on a CPU."""
    return "kernels", "--device", "cpu", "--small", "--repeats", "1", *arguments


@pytest.fixture(scope="module")
def document(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Of a rehearsal that went well."""
    out = tmp_path_factory.mktemp("campaign") / "kernels.json"
    done = campaign(*rehearsed("--format", "json", "--date", "2026-01-02", "--out", str(out)))
    assert done.returncode == 0, done.stderr
    assert done.stdout == out.read_text()
    return json.loads(done.stdout)


def test_document_states_what_was_run_and_every_unit(document: dict[str, Any]):
    assert document.keys() == HEAD
    assert (document["format_version"], document["part"]) == (1, "kernels")
    assert document["date"] == "2026-01-02"
    assert document["command"].startswith("python bench/gpu/campaign.py kernels --device cpu")
    assert document["machine"]["device"] == "CPU"
    names = [column["name"] for column in document["columns"]]
    assert all(column["meaning"] for column in document["columns"])
    assert {column["unit"] for column in document["columns"] if column["name"].endswith("_ms")} == {
        "ms"
    }
    assert all(list(row) == names for row in document["rows"])


def test_the_kernel_of_a_cpu_is_as_exact_as_an_unsharded_sdpa(document: dict[str, Any]):
    assert {row["kernel"] for row in document["rows"]} == {*document["kernels"]} == {"sdpa"}
    assert {row["degree"] for row in document["rows"]} == {1, 2, 4}
    for row in document["rows"]:
        assert not row["off"]
        assert all(0 < row[f"{part}_error"] < 0.01 for part in PARTS)
    assert document["off"] == document["left_out"] == []


def test_a_kernel_that_is_wrong_on_purpose_is_told(document: dict[str, Any]):
    assert document["figures"]["ratio of sdpa, wrong on purpose"] > document["figures"]["off_above"]


def test_a_wrong_kernel_is_told_as_off():
    program = ("-c", WRONG.format(python=str(CAMPAIGN.parents[2] / "python")))
    done = campaign(*rehearsed("--format", "json"), program=program)
    assert done.returncode == 1, done.stderr
    document = json.loads(done.stdout)
    assert all(row["off"] for row in document["rows"])
    assert len(document["off"]) == len(document["rows"])


def test_a_part_begins_nothing_that_there_is_no_time_for():
    budget = runpy.run_path(str(CAMPAIGN.with_name("budget.py")))["Budget"](60)
    assert budget.allows("a short one")
    assert not budget.allows("a long one", 61)
    assert budget.left_out == ["a long one"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("nothing",), "invalid choice: 'nothing'"),
        (("kernels", "--device", "cpu"), "--device cpu is to rehearse: add --small"),
        (rehearsed("--kernels", "nix"), "no attention kernel is called 'nix'"),
        (rehearsed("--kernels", "flash2"), "attention kernel flash2 needs a GPU"),
        (rehearsed("--seconds", "0"), "'0' is no whole number above 0"),
        (
            ("replay", "--device", "cpu", "--small", "--folder", "nowhere"),
            "nowhere holds no compiled runs",
        ),
    ],
)
def test_mistakes_end_in_one_line(arguments: tuple[str, ...], said: str):
    done = campaign(*arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert said in done.stderr
    assert done.stderr.startswith("error: ")
    assert done.stderr.count("\n") == 1
