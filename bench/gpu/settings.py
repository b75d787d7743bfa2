"""What a part is asked for, by its command line."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import torch
from machine import Machine

from skrull_runtime.errors import UserError
from skrull_runtime.model.kernels.choose import ON_GPUS
from skrull_runtime.model.kernels.kernel import Kernel
from skrull_runtime.model.kernels.sdpa import SdpaKernel


@dataclass(frozen=True)
class Settings:
    """Of one call."""

    machine: Machine
    small: bool  # tiny sizes, to rehearse
    kernels: tuple[str, ...]  # by name; empty for all that there are
    repeats: int
    folder: Path  # what `prepare` has made
    predicted: Path | None = None
    out: Path | None = None

    @property
    def device(self) -> torch.device:
        """Where it runs."""
        return self.machine.device

    @property
    def precision(self) -> torch.dtype:
        """Of what is measured."""
        return torch.bfloat16

    def run_folder(self, name: str) -> Path:
        """A compiled run. Raises UserError where it was not prepared."""
        path = self.folder / "runs" / name
        if not (path / "plan.json").is_file():
            raise UserError(
                f"{path} is missing: make it with 'npm run bench:gpu -- prepare' where there is Node, and bring the folder"
            )
        return path


def kernels_of(settings: Settings) -> tuple[list[Kernel], list[str]]:
    """The kernels asked for, the runtime's best first, and why others are missing.

    Raises UserError for a name that no kernel has, and where one that was asked for is not there.
    """
    known = [*ON_GPUS, SdpaKernel.name]
    for name in settings.kernels:
        if name not in known:
            raise UserError(f"no attention kernel is called '{name}': {', '.join(known)}")
    made: list[Kernel] = []
    missing = []
    for name in settings.kernels or known:
        kernel = _made(name, settings)
        if not isinstance(kernel, str):
            made.append(kernel)
        elif settings.kernels:
            raise UserError(f"attention kernel {name} {kernel}")
        else:
            missing.append(f"{name} {kernel}")
    return made, missing


def fast_kernels_of(settings: Settings) -> tuple[list[Kernel], list[str]]:
    """Likewise; on a GPU that has another, without SDPA, whose masks tell nothing of how training goes there."""
    kernels, missing = kernels_of(settings)
    if settings.machine.is_gpu and not settings.kernels:
        kernels = [kernel for kernel in kernels if kernel.name != SdpaKernel.name] or kernels
    return kernels, missing


def _made(name: str, settings: Settings) -> Kernel | str:
    if name == SdpaKernel.name:
        return SdpaKernel()
    return ON_GPUS[name](settings.device) if settings.machine.is_gpu else "needs a GPU"
