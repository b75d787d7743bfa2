"""The benchmarks, which the suite does not run, take names of the runtime that are there."""

from __future__ import annotations

import ast
from importlib import import_module
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FILES = sorted((ROOT / "bench").rglob("*.py"))


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(ROOT)))
def test_what_a_benchmark_imports_is_there(file: Path):
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("skrull_runtime"):
            module = import_module(node.module)
            for alias in node.names:
                assert hasattr(module, alias.name) or _is_module(module, alias.name), alias.name


def _is_module(package: object, name: str) -> bool:
    return import_module(f"{package.__name__}.{name}") is not None
