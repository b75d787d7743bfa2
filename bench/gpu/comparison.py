"""How far a kernel is from what is right, and from what is usual in its precision."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import torch
from document import Row
from reference import Attended, Whole, by_definition, by_pytorch
from settings import Settings
from shapes import Case, key_rows, query_rows

from skrull_runtime.batches.segments import Segments
from skrull_runtime.model.kernels.kernel import Kernel, Masking

OFF = 2.0  # times the error of an unsharded SDPA
CONTROL = 1.05  # of the scaling of the control, a kernel that is wrong on purpose
PARTS = ("output", "dq", "dk", "dv")


@dataclass(frozen=True)
class Control:
    """A kernel that takes products for a little larger than they are: the comparison must tell."""

    kernel: Kernel

    @property
    def name(self) -> str:
        """Of what it is made of."""
        return f"{self.kernel.name}, wrong on purpose"

    def forward(self, q: Any, k: Any, v: Any, segments: Segments, mask: Masking) -> Any:
        """See :class:`skrull_runtime.model.kernels.kernel.Kernel`."""
        return self.kernel.forward(q, k, v, segments, self._wrong(mask))

    def backward(
        self, gradient: Any, inputs: Any, made: Any, segments: Segments, mask: Masking, into: Any
    ) -> None:
        """Likewise."""
        self.kernel.backward(gradient, inputs, made, segments, self._wrong(mask), into)

    @staticmethod
    def _wrong(mask: Masking) -> Masking:
        return replace(mask, scaling=mask.scaling * CONTROL)


@dataclass(frozen=True)
class Inputs:
    """A case with its tensors: the rank's own, cut out of whole sequences, and what is right."""

    case: Case
    whole: Whole
    segments: Segments
    queries: torch.Tensor  # rows of the whole sequences, int64 [T]
    keys: torch.Tensor  # likewise [K]
    right: Attended
    usual: Attended  # by an unsharded SDPA

    @classmethod
    def of(cls, case: Case, heads: tuple[int, int], width: int, settings: Settings) -> Inputs:
        """Random numbers, the same on every machine of a kind."""
        device = settings.device
        torch.manual_seed(17)
        segments = case.segments(device)
        queries, keys = query_rows(case, device), key_rows(case, segments, device)
        tokens = sum(case.whole)

        def random(count: int) -> torch.Tensor:
            return torch.randn(tokens, count, width, device=device).to(settings.precision)

        q, k, v, gradient = random(heads[0]), random(heads[1]), random(heads[1]), random(heads[0])
        others = torch.ones(tokens, dtype=torch.bool, device=device)
        others[queries] = False
        gradient[others] = 0  # only this rank's queries count
        whole = Whole(q, k, v, gradient, case.whole, width**-0.5, case.window)
        return cls(case, whole, segments, queries, keys, by_definition(whole), by_pytorch(whole))

    def own(self) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]:
        """Query ``[T, H, D]``, key and value ``[K, H_kv, D]``, the output's gradient ``[T, H, D]``."""
        whole = self.whole
        return whole.q[self.queries], whole.k[self.keys], whole.v[self.keys], self._gradient()

    def _gradient(self) -> torch.Tensor:
        return self.whole.gradient[self.queries]

    def errors(self, found: Attended) -> dict[str, float]:
        """Of whole sequences' output and gradients, where the rank's queries have a part in them."""
        right, made = self.right.parts(), found.parts()
        for name in ("output", "dq"):
            right[name], made[name] = right[name][self.queries], made[name][self.queries]
        return {
            name: ((made[name].float() - right[name]).norm() / right[name].norm()).item()
            for name in PARTS
        }

    def gathered(self, output: torch.Tensor, gradients: list[torch.Tensor]) -> Attended:
        """What the rank has computed, at its place in whole sequences; parts of one key's gradient added in fp32."""
        totals = []
        rows = (self.queries, self.queries, self.keys, self.keys)
        for own, at in zip((output, *gradients), rows, strict=True):
            total = own.new_zeros((len(self.whole.q), *own.shape[1:]), dtype=torch.float32)
            totals.append(total.index_add_(0, at, own.float()))
        return Attended(*totals)


def compared(kernel: Kernel, inputs: Inputs) -> Row:
    """Errors of a kernel, and of an unsharded SDPA."""
    mask = Masking(inputs.whole.scaling, inputs.case.window)
    q, k, v, gradient = inputs.own()
    made = kernel.forward(q, k, v, inputs.segments, mask)
    into = torch.empty_like(q), torch.empty_like(k), torch.empty_like(v)
    kernel.backward(gradient, (q, k, v), made, inputs.segments, mask, into)
    errors = inputs.errors(inputs.gathered(made[0], list(into)))
    usual = inputs.errors(inputs.usual)
    ratio = max(_ratio(errors[part], usual[part]) for part in PARTS)
    # An error that is no number is above every limit.
    row: Row = {"ratio": ratio, "off": not ratio <= OFF}
    row |= {f"{part}_error": errors[part] for part in PARTS}
    return row | {f"{part}_sdpa_error": usual[part] for part in PARTS}


def _ratio(error: float, usual: float) -> float:
    return 1.0 if error == usual else error / max(usual, torch.finfo(torch.float32).eps)
