"""Runs that repeat bit for bit."""

from __future__ import annotations

import os

import torch

CUBLAS = "CUBLAS_WORKSPACE_CONFIG"  # read by cuBLAS when it starts


def be_deterministic() -> None:
    """From now on PyTorch adds in the same order every time; where it cannot, it raises. To be called before anything is
    computed."""
    os.environ.setdefault(CUBLAS, ":4096:8")
    torch.use_deterministic_algorithms(True)
    # Tensors that are about to be written whole need no value before.
    torch.utils.deterministic.fill_uninitialized_memory = False
