"""The runtime's packages and what each may import: the picture in docs/architecture.md, held."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parents[1] / "skrull_runtime"
MOST_MODULES = 12  # of a package
MOST_LINES = 60  # of a function

# Modules beside the packages, which any of them may import unless the table says otherwise.
BASE = {"config", "contract", "documents", "errors", "refusals", "schema", "shapes"}
ROOMS: dict[str, set[str]] = {
    "guarding": set(),
    "launching": {"guarding"},
    "process": {"guarding"},
    "scheduling": set(),
    "data.samples": set(),
    "data.readers": set(),
    "data.tokenizers": set(),
    "data.layouts": {"data.samples"},
    "data.jinja": {"data.samples"},
    "data.masking": {"data.jinja", "data.samples"},
    "data.templating": {"data.jinja", "data.masking", "data.samples", "data.tokenizers"},
    "data.tokenised": {"data.layouts", "data.readers", "data.samples", "data.templating", "guarding"},
    "data": {
        "data.layouts", "data.readers", "data.samples", "data.templating", "data.tokenised",
        "data.tokenizers",
    },
    "batches": {"data", "guarding", "process", "scheduling"},
    "model.families": {"batches"},
    "model.weights": {"process"},
    "model.kernels": {"batches"},
    "model.adapters": {"model.weights", "process"},
    "model": {
        "batches", "data", "model.adapters", "model.families", "model.kernels", "model.weights",
        "process",
    },
    "check_model": {"batches", "data", "model", "model.families", "model.kernels", "scheduling"},
    "describe": {"check_model", "model.adapters", "model.families"},
    "versions": {"model.kernels"},
    "training": {
        "batches", "data", "guarding", "model", "model.adapters", "model.kernels", "process", "scheduling", "versions",
    },
    "defaults": {"training"},
    "checkpoints": {
        "batches", "data", "defaults", "guarding", "launching", "model", "model.adapters", "process",
    },
    "reporting": {"batches", "profiling", "training"},
    "profiling.devices": set(),
    "profiling.rank": {"model", "profiling", "profiling.devices", "training"},
    "profiling": {
        "batches", "data", "model", "model.kernels", "process", "profiling.devices", "scheduling",
        "training",
    },
}  # fmt: skip
ENTRIES = {"train", "profile", "report", "launcher"}  # may import all, and nobody imports them


def modules() -> dict[str, Path]:
    """All modules and packages by their dotted names below the package."""
    found = {}
    for file in PACKAGE.rglob("*.py"):
        parts = list(file.relative_to(PACKAGE).with_suffix("").parts)
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = file
    return found


MODULES = modules()


def room(module: str) -> str:
    """The innermost package of the table that a module is in, or the module beside them."""
    parts = module.split(".")
    names = (".".join(parts[:n]) for n in range(len(parts), 0, -1))
    return next((name for name in names if name in ROOMS), parts[0])


def imports(module: str) -> Iterator[str]:
    """What a module imports of the runtime."""
    file = MODULES[module]
    package = module if file.name == "__init__.py" else module.rpartition(".")[0]
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.ImportFrom) and node.level:
            parents = package.split(".") if package else []
            kept = parents[: len(parents) - node.level + 1]
            base = ".".join([*kept, *([node.module] if node.module else [])])
            for alias in node.names:
                full = f"{base}.{alias.name}" if base else alias.name
                yield full if full in MODULES else base


@pytest.mark.parametrize("name", sorted(ROOMS))
def test_a_room_imports_what_the_table_allows(name: str):
    allowed = ROOMS[name] | BASE | {name}
    found = {(m, other) for m in MODULES if room(m) == name for other in imports(m)}
    assert {(m, other) for m, other in found if room(other) not in allowed} == set()


@pytest.mark.parametrize("name", sorted(BASE))
def test_what_every_room_may_import_imports_no_room(name: str):
    found = {other for m in MODULES if room(m) == name for other in imports(m)}
    assert {other for other in found if room(other) not in BASE} == set()


def test_nobody_imports_an_entry_point():
    found = {(m, other) for m in MODULES for other in imports(m) if room(other) in ENTRIES}
    assert found == set()


def test_every_module_is_in_a_room():
    assert {room(m) for m in MODULES if m} == set(ROOMS) | BASE | ENTRIES


def test_there_are_no_circles():
    TopologicalSorter(ROOMS).prepare()
    TopologicalSorter({m: set(imports(m)) - {m} for m in MODULES}).prepare()


def test_a_package_is_seen_at_a_glance():
    files = [file for file in MODULES.values() if file.name != "__init__.py"]
    sizes = {file.parent: sum(other.parent == file.parent for other in files) for file in files}
    assert {folder: size for folder, size in sizes.items() if size > MOST_MODULES} == {}


def functions(file: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            yield node


def test_no_function_is_long():
    long = [
        f"{file.relative_to(PACKAGE)}: {function.name}"
        for file in MODULES.values()
        for function in functions(file)
        if (function.end_lineno or 0) - function.lineno >= MOST_LINES
    ]
    assert long == []
