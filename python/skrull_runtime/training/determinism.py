"""Runs that repeat bit for bit."""

from __future__ import annotations

import os

import torch

CUBLAS = "CUBLAS_WORKSPACE_CONFIG"  # read by cuBLAS when it starts


def be_deterministic() -> None:
    """From now on PyTorch adds in the same order every time, and raises where it cannot. Must be called before anything is
    computed."""
    os.environ.setdefault(CUBLAS, ":4096:8")
    torch.use_deterministic_algorithms(True)
    # Tensors that are about to be overwritten need no initial values.
    # torch gives this module a class with the property, which mypy does not see.
    torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]
