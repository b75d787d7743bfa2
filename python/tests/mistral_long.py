"""Mistral's tokenizers against its own library: ``npm run test:long -- mistral``.

Installs ``mistral_common`` beside the virtual environment, converts its tokenizers by transformers, takes its own chat
templates, and compares ids conversation by conversation. Contents are plain text in both.
"""

from __future__ import annotations

import json
import logging
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

from conversations import KINDS, difference, of_transformers, sample
from npm_tokenizers import BUILD

from skrull_runtime.data.samples.sample import RowProblem
from skrull_runtime.data.templating import Renderer, load_tokenizer

PACKAGES = BUILD.with_name("mistral")
NEEDED = ["mistral_common[sentencepiece]==1.13.1", "protobuf"]
ONLY_OURS = "refused there only"
AS_TRANSFORMERS = "as apply_chat_template"  # which its own library does not equal
FILES = {
    "v1": "tokenizer.model.v1",
    "v2": "mistral_instruct_tokenizer_240216.model.v2",
    "v3": "mistral_instruct_tokenizer_240323.model.v3",
    "v3 tekken": "tekken_240911.json",
    "v7": "mistral_instruct_tokenizer_241114.model.v7",
}


def install() -> None:
    if not (PACKAGES / "mistral_common").is_dir():
        pip = [sys.executable, "-m", "pip", "install", "--quiet", "--target", str(PACKAGES)]
        subprocess.run([*pip, *NEEDED], check=True)
    sys.path.append(str(PACKAGES))  # behind the environment's own


def converted(version: str, file: Path) -> str:
    """A folder with the tokenizer as transformers converts it, and its chat template."""
    from transformers import AutoTokenizer
    from transformers.integrations.mistral import convert_tekken_tokenizer

    folder = BUILD / f"mistral_{version.replace(' ', '_')}"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    if file.suffix == ".json":
        convert_tekken_tokenizer(str(file), template(version)).save_pretrained(folder)
        return str(folder)
    shutil.copy(file, folder / "tokenizer.model")
    config = {
        "tokenizer_class": "LlamaTokenizer",
        "bos_token": "<s>",
        "eos_token": "</s>",
        "unk_token": "<unk>",
        "add_bos_token": True,
        "legacy": False,
    }
    (folder / "tokenizer_config.json").write_text(json.dumps(config))
    made = AutoTokenizer.from_pretrained(folder)
    made.add_special_tokens({"additional_special_tokens": control_texts(file)})
    made.chat_template = template(version)
    made.save_pretrained(folder)
    return str(folder)


def control_texts(file: Path) -> list[str]:
    from sentencepiece import SentencePieceProcessor

    model = SentencePieceProcessor(model_file=str(file))
    pieces = [n for n in range(model.vocab_size()) if model.is_control(n)]
    return [model.id_to_piece(n) for n in pieces if model.id_to_piece(n) not in ("<s>", "</s>")]


def template(version: str) -> str:
    from mistral_common.integrations.chat_templates.template_generator import (
        TemplateConfig,
        build_chat_template,
    )
    from mistral_common.tokens.tokenizers.base import TokenizerVersion

    number, _, tekken = version.partition(" ")
    return build_chat_template(TemplateConfig(TokenizerVersion(number), spm=not tekken))


def reference(file: Path) -> Callable[[str], list[int]]:
    """What mistral_common makes of a kind of conversation; raises where it refuses it."""
    from mistral_common.protocol.instruct.request import ChatCompletionRequest
    from mistral_common.protocol.instruct.validator import ValidationMode
    from mistral_common.tokens.tokenizers.mistral import MistralTokenizer

    tokenizer = MistralTokenizer.from_file(str(file), ValidationMode.finetuning)

    def encode(kind: str) -> list[int]:
        messages, tools, _ = KINDS[kind]
        request = ChatCompletionRequest.from_openai(json.loads(json.dumps(messages)), tools=tools)
        return list(tokenizer.encode_chat_completion(request).tokens)

    return encode


def outcome(
    ours: Renderer, transformers: Any, theirs: Callable[[str], list[int]], kind: str
) -> tuple[str, str]:
    """How our ids of a kind of conversation compare, and what differs."""
    (result,) = ours.encode([sample(kind)])
    try:
        expected = theirs(kind)
    except Exception as error:  # of many classes
        return (
            ("refused by both", "") if isinstance(result, RowProblem) else (ONLY_OURS, f"{error}")
        )
    if isinstance(result, RowProblem):
        return "refused here only", str(result)
    ids = result[0].ids
    if ids == expected:
        return "the same", ""
    told = difference(ours.tokenizer, transformers, kind, None)
    if told is None:
        at = next(
            (n for n, pair in enumerate(zip(ids, expected, strict=False)) if len({*pair}) > 1), -1
        )
        return AS_TRANSFORMERS, f"from {at}: {ids[at : at + 6]}, not {expected[at : at + 6]}"
    return "others", told


def main() -> None:
    logging.disable(logging.WARNING)
    install()
    import mistral_common

    differs = False
    for version, name in FILES.items():
        file = Path(mistral_common.__file__).parent / "data" / name
        folder, theirs = converted(version, file), reference(file)
        ours = Renderer(load_tokenizer(folder), {"rewritten": "split"})
        transformers = of_transformers(folder)
        found = {kind: outcome(ours, transformers, theirs, kind) for kind in KINDS}
        print(f"{version}: {dict(Counter(label for label, _ in found.values()))}")
        for kind, (label, why) in found.items():
            if label not in ("the same", "refused by both"):
                print(f"  {kind}: {label}: {why[:200]}")
        differs = differs or any(label == "others" for label, _ in found.values())
    sys.exit(differs)


if __name__ == "__main__":
    main()
