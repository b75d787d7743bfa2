"""Every attention kernel against the definition in fp32, with the error of an unsharded SDPA as the measure."""

from __future__ import annotations

from budget import Budget
from comparison import CONTROL, OFF, PARTS, Control, Inputs, compared
from document import Column, Result, Row, failed
from settings import Settings, kernels_of
from shapes import Case
from timing import timed

from skrull_runtime.errors import UserError
from skrull_runtime.model.kernels.kernel import Kernel

HEADS = ((16, 16), (32, 8), (28, 4))  # query heads, key-value heads
WIDTHS = (64, 128, 256)
CASES = (
    Case("local", (1, 7, 300, 1024, 2048)),
    Case("local, windowed", (300, 1024, 2048), window=512),
    Case("sharded", (4096,), degree=8),
    Case("sharded, windowed", (4096,), degree=8, window=512),
    Case("grouped", (4096, 1000, 333), degree=4),
    Case("shards of two tokens", (8, 8), degree=4),  # segments of one query
)
SMALL_HEADS, SMALL_WIDTHS = ((2, 2), (4, 1)), (16,)
SMALL_CASES = (
    Case("local", (1, 7, 60)),
    Case("local, windowed", (60, 33), window=16),
    Case("sharded", (96,), degree=4),
    Case("sharded, windowed", (96,), degree=4, window=16),
    Case("grouped", (96, 41), degree=2),
)
COLUMNS = (
    Column("kernel", "", "attention kernel of the runtime"),
    Column("case", "", "shape of the packed segments"),
    Column("heads", "", "query heads"),
    Column("kv_heads", "", "key-value heads"),
    Column("width", "elements", "of a head"),
    Column("degree", "ranks", "that share a sequence; the middle one's part is computed"),
    Column("window", "tokens", "that a query sees; all before it where there is none"),
    *(
        Column(f"{part}_error", "", f"of {part}: norm of the difference, over the norm", 5)
        for part in PARTS
    ),
    *(
        Column(f"{part}_sdpa_error", "", f"likewise, of an unsharded SDPA's {part}", 5, shown=False)
        for part in PARTS
    ),
    Column("ratio", "", "the largest of these errors over SDPA's", 2),
    Column("off", "", f"whether that is above {OFF}"),
    Column("forward_ms", "ms", "a forward"),
    Column("backward_ms", "ms", "a backward"),
    Column("forward_bytes", "bytes", "beyond its inputs, at the peak of a forward", shown=False),
    Column("backward_bytes", "bytes", "likewise, of a backward", shown=False),
)


def run(settings: Settings, budget: Budget) -> Result:
    """Compares, and times."""
    kernels, missing = kernels_of(settings)
    names = [kernel.name for kernel in kernels]
    heads, widths, cases = HEADS, WIDTHS, CASES
    if settings.small:
        heads, widths, cases = SMALL_HEADS, SMALL_WIDTHS, SMALL_CASES
    result = Result(
        COLUMNS, [], missing, {"off_above": OFF, "control_scaling": CONTROL}, kernels=names
    )
    _check_control(kernels, Inputs.of(cases[0], heads[0], widths[0], settings), result)
    for case in cases:
        for own in heads:
            for width in widths:
                if budget.allows(f"{case.name}, {own[0]}:{own[1]} heads of {width}"):
                    inputs = Inputs.of(case, own, width, settings)
                    for kernel in kernels:
                        _add(kernel, inputs, settings, result)
    return result


def _check_control(kernels: list[Kernel], inputs: Inputs, result: Result) -> None:
    """The comparison tells a kernel that is wrong, or it says nothing of one that is right."""
    for kernel in kernels:
        control = Control(kernel)
        row = compared(control, inputs)
        result.figures[f"ratio of {control.name}"] = row["ratio"]
        if not row["off"]:
            result.off.append(f"{control.name}, is not told from a right one")


def _add(kernel: Kernel, inputs: Inputs, settings: Settings, result: Result) -> None:
    """A row; and what is off about it."""
    heads, kv_heads, width = inputs.whole.q.shape[1], *inputs.whole.k.shape[1:]
    what = f"{kernel.name} on {inputs.case.name}, {heads}:{kv_heads} heads of {width}"
    try:
        row = _row(kernel, inputs, settings)
    except (RuntimeError, UserError) as error:
        result.off.append(failed(what, error))
        return
    result.rows.append(row)
    if row["off"]:
        result.off.append(f"{what}: {row['ratio']:.1f} times the error of an unsharded SDPA")


def _row(kernel: Kernel, inputs: Inputs, settings: Settings) -> Row:
    case, whole = inputs.case, inputs.whole
    row: Row = {"kernel": kernel.name, "case": case.name, "heads": whole.q.shape[1]}
    row |= {"kv_heads": whole.k.shape[1], "width": whole.q.shape[2]}
    row |= {"degree": case.degree, "window": case.window}
    row |= compared(kernel, inputs)
    return row | timed(kernel, inputs.own(), inputs.segments, case.window, settings)
