"""Attention's FLOPs a second by length, shard and head width, against an unsharded run and the chip's matrix rate."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from budget import Budget
from document import Column, Result, Row, failed
from settings import Settings, fast_kernels_of
from shapes import Case
from timing import timed
from torch.nn.functional import scaled_dot_product_attention

from skrull_runtime.model.kernels.kernel import Kernel

FORWARD_FLOPS = 4  # a pair of a query and a key, and an element of the head: two products
BACKWARD_FLOPS = 10  # five products, one of them the forward's again
PLAIN = "plain"  # PyTorch's SDPA on the whole sequence
LENGTHS = tuple(2**n for n in range(11, 19))
DEGREES = (1, 2, 4, 8)
WIDTHS = (128, 64, 256)
ELEMENTS = 4096  # of all query heads of a token
GROUP = 4  # query heads of a key-value head
PRODUCT = 8192  # rows and columns of the matrices
COLUMNS = (
    Column("kernel", "", "attention kernel; plain: PyTorch's SDPA on the whole sequence"),
    Column("length", "tokens", "of the sequence"),
    Column("degree", "ranks", "that share it; the middle one's queries against its keys"),
    Column("width", "elements", "of a head"),
    Column("heads", "", "query heads"),
    Column("kv_heads", "", "key-value heads", shown=False),
    Column("forward_ms", "ms", "a forward"),
    Column("backward_ms", "ms", "a backward"),
    Column("forward_tflops", "TFLOP/s", "of pairs that causal attention needs", 1),
    Column("backward_tflops", "TFLOP/s", "likewise, of two and a half times the FLOPs", 1),
    Column("of_plain", "", "rate of forward and backward over that of plain"),
    Column("of_unsharded", "", "over that of the same kernel on the whole sequence"),
    Column("of_matmul", "", "over the rate of a large matrix product"),
    Column("forward_bytes", "bytes", "beyond its inputs, at the peak of a forward", shown=False),
    Column("backward_bytes", "bytes", "likewise, of a backward", shown=False),
)


def run(settings: Settings, budget: Budget) -> Result:
    """Measures, the shortest sequences first."""
    kernels, missing = fast_kernels_of(settings)
    lengths, widths, elements = (LENGTHS, WIDTHS, ELEMENTS)
    if settings.small:
        lengths, widths, elements = ((64, 256), (16,), 64)
    result = Result(COLUMNS, [], missing, kernels=[kernel.name for kernel in kernels])
    matmul = matrix_rate(settings)
    result.figures["matmul_tflops"] = matmul / 1e12
    seconds = 0.0  # that the last shape of the length before has taken; time grows with its square
    for number, length in enumerate(lengths):
        expected = seconds * (length / lengths[number - 1]) ** 2 if number else 0.0
        for width in widths:
            before = budget.spent()
            if not budget.allows(f"{length} tokens, heads of {width}", expected):
                continue
            try:
                result.rows += _rows(kernels, length, width, elements, settings, matmul)
            except RuntimeError as error:  # out of memory, or a kernel without heads so wide
                result.notes.append(failed(f"{length} tokens, heads of {width}", error))
            seconds = budget.spent() - before
    return result


def matrix_rate(settings: Settings) -> float:
    """FLOPs a second of a large matrix product."""
    size = 256 if settings.small else PRODUCT
    left, right = (
        torch.randn(size, size, device=settings.device).to(settings.precision) for _ in range(2)
    )
    product = torch.empty_like(left)
    milliseconds = settings.machine.milliseconds(
        lambda: torch.mm(left, right, out=product), max(5, settings.repeats)
    )
    return 2e3 * size**3 / milliseconds


def _rows(
    kernels: list[Kernel],
    length: int,
    width: int,
    elements: int,
    settings: Settings,
    matmul: float,
) -> list[Row]:
    heads = max(GROUP, elements // width)
    shape: Row = {"length": length, "width": width, "heads": heads, "kv_heads": heads // GROUP}
    whole = Case("whole", (length,))
    plain = _with_rates({"kernel": PLAIN, "degree": 1, **shape}, _plain(shape, settings), whole)
    rows = [plain]
    for kernel in kernels:
        own: list[Row] = []
        for degree in DEGREES:
            case = Case("rates", (length,), degree)
            head = {"kernel": kernel.name, "degree": degree, **shape}
            own.append(_with_rates(head, _attended(kernel, case, shape, settings), case))
        rows += [row | {"of_unsharded": _rate(row) / _rate(own[0])} for row in own]
    return [
        row | {"of_plain": _rate(row) / _rate(plain), "of_matmul": 1e12 * _rate(row) / matmul}
        for row in rows
    ]


def _attended(kernel: Kernel, case: Case, shape: Row, settings: Settings) -> Row:
    segments = case.segments(settings.device)
    queries, keys = sum(segments.queries), sum(segments.keys)
    counts = ((queries, "heads"), (keys, "kv_heads"), (keys, "kv_heads"), (queries, "heads"))
    tensors = [
        _random((tokens, shape[heads], shape["width"]), settings) for tokens, heads in counts
    ]
    q, k, v, gradient = tensors
    return timed(kernel, (q, k, v, gradient), segments, None, settings)


def _plain(shape: Row, settings: Settings) -> Row:
    sizes = [(1, shape[heads], shape["length"], shape["width"]) for heads in ("heads", "kv_heads")]
    q, k, v = (_random(size, settings).requires_grad_() for size in (*sizes, sizes[1]))
    gradient = _random(sizes[0], settings)

    def forward() -> torch.Tensor:
        return scaled_dot_product_attention(q, k, v, is_causal=True, enable_gqa=True)

    output = forward()
    backward: Callable[[], Any] = lambda: torch.autograd.grad(  # noqa: E731
        output, (q, k, v), gradient, retain_graph=True
    )
    machine, repeats = settings.machine, settings.repeats
    return {
        "forward_ms": machine.milliseconds(forward, repeats),
        "backward_ms": machine.milliseconds(backward, repeats),
        "forward_bytes": machine.peak_bytes(forward),
        "backward_bytes": machine.peak_bytes(backward),
    }


def _random(shape: tuple[int, ...], settings: Settings) -> torch.Tensor:
    return torch.randn(shape, device=settings.device).to(settings.precision)


def _with_rates(head: Row, times: Row, case: Case) -> Row:
    work = case.pairs() * head["heads"] * head["width"] / 1e12
    return {
        **head,
        **times,
        "forward_tflops": FORWARD_FLOPS * work / (times["forward_ms"] / 1e3),
        "backward_tflops": BACKWARD_FLOPS * work / (times["backward_ms"] / 1e3),
        "_work": (FORWARD_FLOPS + BACKWARD_FLOPS) * work,
    }


def _rate(row: Row) -> float:
    """TFLOPs a second of forward and backward together."""
    return row["_work"] / ((row["forward_ms"] + row["backward_ms"]) / 1e3)
