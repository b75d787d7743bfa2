"""Which attention kernel a run uses."""

from __future__ import annotations

from collections.abc import Callable

import torch

from ...errors import UserError
from . import flash2, flash3, varlen
from .kernel import Kernel
from .sdpa import SdpaKernel

# By name, the best first. Each makes its kernel or says why it cannot.
ON_GPUS: dict[str, Callable[[torch.device], Kernel | str]] = {
    "flash3": flash3.make,
    "flash2": flash2.make,
    "varlen": varlen.make,
}


def choose_kernel(name: str, device: torch.device) -> Kernel:
    """The attention kernel of that name; "auto" takes the best available one.

    On a GPU, "auto" never takes SDPA, whose masks take memory quadratic in the length. Raises UserError where the named
    kernel, or with "auto" every kernel, is not available.
    """
    if name == "sdpa" or (name == "auto" and device.type != "cuda"):
        return SdpaKernel()
    if device.type != "cuda":
        raise UserError(f"attention '{name}' needs a GPU; use attention = sdpa")
    problems = []
    for candidate, make in ON_GPUS.items():
        if name not in ("auto", candidate):
            continue
        made = make(device)
        if not isinstance(made, str):
            return made
        problems.append(f"{candidate} {made}")
    if name == "auto":
        raise UserError(
            f"no attention kernel for packed sequences: {'; '.join(problems)}. Install flash-attn, or a torch with"
            " torch.nn.attention.varlen (2.11 or later)"
        )
    raise UserError(f"attention = {'; '.join(problems)}; use attention = auto")
