"""``python -m skrull_runtime.report RUN_DIR``: predicted against measured step times of a run that has trained.

It says how far the plan was off, whole and by part, and proposes a profile that would have been closer. It needs no GPU and
no ranks.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from statistics import fmean

from .errors import UserError
from .profiling.arguments import parser_of
from .profiling.correction import FEWEST, Correction, corrected
from .profiling.fit import Errors
from .profiling.history import batches_of, measured_steps, scheduling_of
from .profiling.profile_file import rounded, write_profile
from .profiling.run_folder import RunFolder
from .reporting.parts import Row, as_lines, rows_of
from .shapes import JsonObject

DESCRIPTION = """Predicted against measured step times of a run that has trained: the errors, the parts of a step, and
with --write-profile a profile that would have been closer. Step times, the optimizer behind the last backward and the wait
for data are measured; parts of a step are fitted to the step times, and some only modelled: each line says which. Steps that
are not representative are left out: the first ones of a start, and those behind a checkpoint or an evaluation."""
FIGURES = (
    ("matmul_flops", "matrix products, FLOPs/s"),
    ("elementwise_bytes_per_second", "norms, activations, bytes/s"),
    ("head_flops", "output head and loss, FLOPs/s"),
    ("attention_flops", "attention, FLOPs/s"),
    ("small_shard_tokens", "small shards, tokens"),
    ("micro_batch_least_us", "least time of a micro-batch, us"),
    ("micro_batch_us", "fixed cost of a micro-batch, us"),
    ("step_us", "fixed cost of a step, us"),
)


def main() -> None:
    """Prints the report. Mistakes of the user end it with a message and exit code 1."""
    arguments = _arguments()
    # Reading the run's constants imports DeepSpeed, which would look for a GPU and print what it found.
    os.environ.setdefault("DS_ACCELERATOR", "cpu")
    try:
        report = _report(arguments)
    except UserError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(1)
    print(json.dumps(rounded(report), indent=2) if arguments.format == "json" else as_text(report))


def _arguments() -> argparse.Namespace:
    parser = parser_of("report", DESCRIPTION)
    parser.add_argument(
        "--metrics", type=Path, help="metrics file; without it metrics.jsonl of the run's output"
    )
    parser.add_argument(
        "--write-profile",
        "--out",
        dest="out",
        metavar="FILE",
        type=Path,
        help="corrected profile to write, for a spec's cluster { profile }",
    )
    parser.add_argument("--ranks", type=int, help="ranks it trained on; without it as compiled")
    parser.add_argument("--format", choices=("text", "json"), default="text")
    return parser.parse_args()


def _report(arguments: argparse.Namespace) -> JsonObject:
    """The report as a document. Raises UserError where there is nothing to report on."""
    run = RunFolder(arguments.run_dir)
    metrics = arguments.metrics or run.path / run.config.train.output / "metrics.jsonl"
    every, unreadable = measured_steps(metrics)
    steps = [own for own in every if not own.disturbed] or every
    times = [1e6 * step.seconds for step in steps]
    correction, rows = None, []
    if len(steps) >= FEWEST:
        scheduling = scheduling_of(run, arguments.ranks)
        batches = batches_of(steps, run, scheduling)
        correction = corrected(run, scheduling, batches, times, arguments.name)
        rows = rows_of(steps, batches, run.plan, scheduling, correction)
    if arguments.out is not None:
        if correction is None:
            raise UserError(
                f"{metrics}: {len(steps)} measured steps are too few to correct a profile by,"
                f" {FEWEST} are needed"
            )
        write_profile(arguments.out, correction.profile)
    waits = [own.waited_seconds for own in steps if own.waited_seconds is not None]
    return {
        "format_version": 1,
        "profile": run.plan["hardware"]["profile"],
        "unreadable_lines": unreadable,
        "left_out": len(every) - len(steps),
        "predicted": asdict(Errors.of([1e6 * step.predicted_seconds for step in steps], times)),
        "seconds": fmean(own.seconds for own in steps),
        "waited_seconds": fmean(waits) if waits else None,
        "parts": [asdict(row) for row in rows],
        "corrected": None if correction is None else _as_document(run, correction),
        "written": None if arguments.out is None else str(arguments.out),
    }


def _as_document(run: RunFolder, correction: Correction) -> JsonObject:
    before: Mapping[str, object] = run.plan["hardware"]["figures"]
    figures = [
        {"key": key, "before": before.get(key), "after": correction.profile.get(key)}
        for key, _ in FIGURES
        if before.get(key) is not None or correction.profile.get(key) is not None
    ]
    return {
        "errors": asdict(correction.errors),
        "figures": figures,
        "notes": correction.notes,
        "profile": correction.profile,
    }


def as_text(report: JsonObject) -> str:
    """The report in lines of at most 80 characters, except for names of files."""
    profile = report["profile"]
    steps = report["predicted"]["steps"]
    lines = [
        f"Predicted against measured time of {steps:,} step{'' if steps == 1 else 's'}",
        f"  compiled with {'the catalogue' if profile is None else 'a profile'}"
        + ("" if profile is None else f", {profile[:50]}"),
        "",
        f"  {'':<34}{'median':>9}{'p90':>9}{'bias':>9}{'rank':>12}",
        f"  {'':<34}{'error':>9}{'error':>9}{'':>9}{'correlation':>12}",
        _row("as compiled", report["predicted"]),
    ]
    for key, what in (("left_out", "not representative"), ("unreadable_lines", "no step")):
        if report[key]:
            lines.insert(1, f"  lines that are {what}, left out: {report[key]}")
    own = report["corrected"]
    if own is None:
        return "\n".join([*lines, "", f"  {FEWEST} steps are needed to correct the profile by"])
    lines += [_row("corrected, on steps not fitted", own["errors"]), ""]
    rows = [Row(**row) for row in report["parts"]]
    lines += [*as_lines(rows, report["seconds"], report["waited_seconds"]), ""]
    lines += _figure_lines(own["figures"])
    lines += [f"  {note}" for note in own["notes"]]
    if report["written"] is not None:
        lines += ["", f"wrote {report['written']}: name it in cluster {{ profile }}"]
    return "\n".join(lines)


def _figure_lines(figures: list[JsonObject]) -> list[str]:
    """A table of the profile's figures."""
    lines = [f"  {'':<34}{'as compiled':>15}{'corrected':>15}"]
    names = dict(FIGURES)
    for figure in figures:
        after = "left out" if figure["after"] is None else f"{figure['after']:.4g}"
        before = "from the model" if figure["before"] is None else f"{figure['before']:.4g}"
        lines.append(f"  {names[figure['key']]:<34}{before:>15}{after:>15}")
    return lines


def _row(title: str, errors: JsonObject) -> str:
    correlation = errors["rank_correlation"]
    rank = "-" if correlation is None else f"{correlation:.3f}"
    return f"  {title:<34}{errors['median']:>9.1%}{errors['p90']:>9.1%}{errors['bias']:>+9.1%}{rank:>12}"


if __name__ == "__main__":
    main()
