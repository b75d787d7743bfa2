"""The files for serving a model as it was trained: its tokenizer, its chat template, and the tokens it stops at."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

from ..config import DataConfig
from ..shapes import JsonObject
from .templating import Renderer, load_tokenizer
from .templating.declared import DeclaredTemplate
from .templating.declared_jinja import jinja_of
from .tokenizers.own_template import FILE, MORE, TOOLS
from .tokenizers.tokenizer import LoadedTokenizer

CONFIG_FILE = "tokenizer_config.json"
GENERATION_FILE = "generation_config.json"


def write_served(folder: Path, run_dir: Path, data: DataConfig) -> None:
    """Adds them to the folder of an exported model. Raises OSError where they cannot be written."""
    source = run_dir / data.tokenizer
    if data.tokenizer != "bytes":
        shutil.copytree(source, folder, dirs_exist_ok=True)
    tokenizer = load_tokenizer("bytes" if data.tokenizer == "bytes" else str(source))
    renderer = Renderer(tokenizer, data.rendering)
    ends = renderer.facts()["ends"] if data.conversations else []
    text_end = renderer.rendering["end"]
    stops = [*ends, tokenizer.end if text_end is None else text_end]
    _stop_at(folder / GENERATION_FILE, _single_ids(tokenizer, [end for end in stops if end]))
    if data.tokenizer != "bytes" and data.conversations:
        _write_template(folder, renderer)
        _end_with(folder, ends)


def _single_ids(tokenizer: LoadedTokenizer, texts: list[str]) -> list[int]:
    """The ids of those texts that are a single token, each once."""
    texts = list(dict.fromkeys(texts))
    found = [list(encoded.ids) for encoded in tokenizer.encode_batch(texts)] if texts else []
    return [ids[0] for ids in found if len(ids) == 1]


def _stop_at(file: Path, ids: list[int]) -> None:
    """Makes generation stop at these tokens too, besides those that it stopped at before."""
    config = _read(file)
    before = config.get("eos_token_id")
    known = before if isinstance(before, list) else [] if before is None else [before]
    config["eos_token_id"] = [*ids, *(number for number in known if number not in ids)]
    if config["eos_token_id"]:
        _write(file, config)


def _end_with(folder: Path, ends: list[str]) -> None:
    """Makes the token that ended the trained answers the tokenizer's end token."""
    for name in (CONFIG_FILE, "special_tokens_map.json"):
        if ends and (name == CONFIG_FILE or (folder / name).is_file()):
            _write(folder / name, {**_read(folder / name), "eos_token": ends[0]})


def _write_template(folder: Path, renderer: Renderer) -> None:
    """Writes the template that was trained, with its arguments as defaults, and the one for tools if that is another. The
    tokenizer's own templates stay as they are."""
    template, arguments = renderer.template, renderer.rendering["arguments"]
    if template.kind == "own" and not arguments:
        return
    if isinstance(template, DeclaredTemplate):
        text = jinja_of(template.template, renderer.tokenizer.end)
    elif template.kind == "jinja":
        text = renderer.rendering["template"]["text"]
    else:
        text = renderer.tokenizer.chat_template or ""
    shutil.rmtree(folder / MORE, ignore_errors=True)
    tools = renderer.tokenizer.tool_template
    if template.kind == "own" and tools is not None and tools != text:
        (folder / MORE).mkdir()
        (folder / MORE / f"{TOOLS}.jinja").write_text(
            _defaults(arguments) + tools, encoding="utf-8"
        )
    (folder / FILE).write_text(_defaults(arguments) + text, encoding="utf-8")
    config = _read(folder / CONFIG_FILE)
    config.pop("chat_template", None)
    _write(folder / CONFIG_FILE, config)


def _defaults(arguments: JsonObject) -> str:
    """Jinja that sets the arguments that a caller leaves out."""
    return "".join(
        f"{{%- if {name} is not defined %}}{{%- set {name} = {_literal(value)} %}}{{%- endif %}}"
        for name, value in sorted(arguments.items())
    )


def _literal(value: Any) -> str:
    """The value as Jinja writes it: it reads JSON's texts, numbers and truth values."""
    return json.dumps(value)


def _read(file: Path) -> JsonObject:
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    return found if isinstance(found, dict) else {}


def _write(file: Path, document: JsonObject) -> None:
    text = json.dumps(document, indent=2, ensure_ascii=False, sort_keys=True)
    file.write_text(text + "\n", encoding="utf-8")
