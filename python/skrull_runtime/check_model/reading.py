"""A model's configuration in a folder, and what can be told of it without importing torch."""

from __future__ import annotations

import ast
import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from ..errors import UserError
from ..schema import shown
from ..shapes import JsonObject

MOST_BYTES = 4 << 20  # of a config.json; published ones have a few thousand
MOST_LAYERS = 4096
MOST_ANYTHING = 1 << 40  # a number of a configuration
PARTS = ("text_config", "vision_config", "audio_config", "thinker_config")
MAPPING = "MODEL_FOR_CAUSAL_LM_MAPPING_NAMES", ("modeling_auto.py",)
# Versions of transformers have the table in one of these files, or a part of it in each.
CONFIGURATIONS = "CONFIG_MAPPING_NAMES", ("auto_mappings.py", "configuration_auto.py")
# Without these a class of transformers would take dimensions of its own choice.
NEEDED = (
    ("num_hidden_layers", "n_layer", "n_layers", "num_layers"),
    ("hidden_size", "n_embd", "d_model", "dim", "model_dim"),
    ("vocab_size",),
)


@dataclass(frozen=True)
class Described:
    """A configuration as it was read."""

    config: JsonObject
    model_type: str
    notes: tuple[str, ...] = ()


def read_config(file: Path) -> Described:
    """Raises UserError, with the reason in a line, where it is no configuration of a model that transformers has."""
    return described(file, _parsed(file))


def stated_in(place: str) -> Described:
    """As :func:`read_config`, of the file in a folder, or of a line of the standard input (``-``)."""
    if place == "-":
        return described(Path("config.json"), json.loads(sys.stdin.readline()))
    return read_config(Path(place) / "config.json")


def described(file: Path, config: Any) -> Described:
    """As :func:`read_config`, of a configuration that has been parsed; ``file`` names it in messages."""
    if not isinstance(config, dict):
        raise UserError(f"{file}: is not a JSON object")
    kind = config.get("model_type")
    if not isinstance(kind, str) or not kind:
        raise UserError(f"{file}: has no model_type")
    _check_bounds(file, config)
    notes = []
    if "auto_map" in config:
        if kind not in known_types():
            raise UserError(
                f"{file}: {shown(kind)} is not in the installed transformers, and code that comes with a model"
                " (auto_map) is never executed"
            )
        notes.append("auto_map is ignored: code that comes with a model is never executed")
    if kind not in known_types():
        raise UserError(f"{file}: {shown(kind)} is no model_type of the installed transformers")
    if not _has_parts(config):
        _check_dimensions(file, config)
        if kind not in causal_types():
            raise UserError(f"{file}: {shown(kind)} is no causal language model of transformers")
    return Described(config, kind, tuple(notes))


def _has_parts(config: JsonObject) -> bool:
    """Whether it is of a model with parts besides its text decoder, which may be described on the first level."""
    parts = {name: own for name, own in config.items() if isinstance(own, dict)}
    return any(name in PARTS or "model_type" in own for name, own in parts.items())


def _parsed(file: Path) -> Any:
    try:
        with file.open("rb") as opened:
            content = opened.read(MOST_BYTES + 1)
    except OSError as error:
        raise UserError(f"{file}: cannot be read ({error.strerror})") from error
    if len(content) > MOST_BYTES:
        raise UserError(f"{file}: is larger than {MOST_BYTES >> 20} MiB, which no configuration is")
    try:
        config = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise UserError(f"{file}: is not JSON ({str(error)[:80]})") from error
    return config


def _check_bounds(file: Path, config: JsonObject) -> None:
    for name, value in _numbers(config):
        short = name.rpartition(".")[2]
        layers = "layer" in short and isinstance(value, int) and "size" not in short
        most = MOST_LAYERS if layers or short == "depth" else MOST_ANYTHING
        if abs(value) > most:
            raise UserError(f"{file}: {shown(name)} = {value:g} is more than any model has")


def _numbers(value: Any, name: str = "") -> Iterator[tuple[str, int | float]]:
    """All numbers of a configuration with their dotted names."""
    if isinstance(value, dict):
        for key, own in value.items():
            yield from _numbers(own, f"{name}.{key}" if name else str(key))
    elif isinstance(value, list):
        for own in value:
            yield from _numbers(own, f"{name}[]")
    elif isinstance(value, (int, float)) and not isinstance(value, bool):
        yield name, value


def _check_dimensions(file: Path, config: JsonObject) -> None:
    missing = [names[0] for names in NEEDED if not any(name in config for name in names)]
    if missing:
        raise UserError(f"{file}: has no {', '.join(missing)}")
    for names in NEEDED:
        for name in names:
            value = config.get(name, 1)
            if isinstance(value, bool) or not isinstance(value, int) or value < 1:
                raise UserError(f"{file}: {name} = {shown(value)} is no count")


@cache
def known_types() -> frozenset[str]:
    """Every model_type that the installed transformers has a configuration for."""
    return frozenset(_names(*CONFIGURATIONS)) | causal_types()


@cache
def causal_types() -> frozenset[str]:
    """Those that it has a causal language model for."""
    return frozenset(_names(*MAPPING))


def _names(table: str, files: tuple[str, ...]) -> list[str]:
    """The keys of a table of transformers, read from its source: importing it takes seconds.

    Raises ModuleNotFoundError where transformers is missing, and UserError where it has no such table.
    """
    found = find_spec("transformers")
    if found is None or found.origin is None:
        raise ModuleNotFoundError("transformers is not installed", name="transformers")
    names: list[str] = []
    for file in files:
        path = Path(found.origin).parent / "models/auto" / file
        if path.is_file():
            names += _keys(ast.parse(path.read_text(encoding="utf-8")), table)
    if not names:
        raise UserError(f"this transformers has no {table}")
    return names


def _keys(module: ast.Module, table: str) -> Iterator[str]:
    """The keys that a module states of a table, where it assigns it or updates it."""
    for node in module.body:
        value = getattr(node, "value", None)
        if not isinstance(value, ast.Call) or not value.args:
            continue
        targets = [*getattr(node, "targets", []), getattr(node, "target", None)]
        updated = getattr(value.func, "value", None)
        if table not in {getattr(own, "id", None) for own in [*targets, updated]}:
            continue
        stated = value.args[0]
        if isinstance(stated, ast.Dict):
            keys: list[ast.expr | None] = list(stated.keys)
        else:
            pairs = getattr(stated, "elts", [])
            keys = [pair.elts[0] for pair in pairs if isinstance(pair, ast.Tuple)]
        yield from (key.value for key in keys if isinstance(key, ast.Constant))  # type: ignore[misc]
