"""A tokenizer as it lies in a folder, with what its configuration says of templates and special tokens."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

from ...errors import UserError
from . import byte_tokens
from .own_template import own_templates

# As transformers names them to templates.
NAMES = ("bos_token", "eos_token", "unk_token", "sep_token", "pad_token", "cls_token", "mask_token")
BYTES = "bytes"


class LoadedTokenizer:
    """What turns text into ids, and what is known of it.

    ``sha256``: of the files that decide ids. ``special``: named tokens' texts, as templates get them. ``chat_template``
    and ``tool_template``: Jinja of the tokenizer itself, the second where tools are given; None where it has none.
    ``vocabulary``: the largest id plus one. ``begin``, ``begin_ids``: what it puts in front of a text by itself.
    ``end``: the text of its end token, or None.
    """

    def __init__(self, path: str, backend: Any, files: dict[str, bytes], config: dict[str, Any]):
        self.path = path
        self.special = _named(config)
        self.chat_template, self.tool_template = own_templates(path, config)
        self.end = self.special.get("eos_token")
        self.sha256 = _digest(files)
        self._backend = backend
        self._text = files.get("tokenizer.json", b"")
        self._plain_ids: dict[str, list[int]] = {}
        self._describe(config)

    def _describe(self, config: dict[str, Any]) -> None:
        backend = self._backend
        added = backend.get_added_tokens_decoder()
        self.controls = {token.content: number for number, token in added.items() if token.special}
        self.added = {token.content: number for number, token in added.items()}
        vocabulary = backend.get_vocab(with_added_tokens=True)
        self.vocabulary = max(vocabulary.values(), default=-1) + 1
        self.begin_ids, self.begin = self._begins(config, vocabulary)

    def _begins(self, config: dict[str, Any], vocabulary: dict[str, int]) -> tuple[list[int], str]:
        """transformers puts the begin token in front where the configuration says so, else where the file does."""
        if "add_bos_token" in config or "add_eos_token" in config:
            bos = self.special.get("bos_token")
            added = bool(config.get("add_bos_token")) and bos in vocabulary
            return ([vocabulary[bos]], bos) if added else ([], "")
        bare = self._backend.encode("a", add_special_tokens=False).ids
        whole = self._backend.encode("a").ids
        ids = whole[: _position(whole, bare)]
        return ids, "".join(self._backend.id_to_token(token) for token in ids)

    def encode_batch(self, texts: Sequence[str]) -> list[Any]:
        """Encodings of whole texts, without tokens of the tokenizer's own around them."""
        return self._backend.encode_batch(texts, add_special_tokens=False)

    def decode(self, ids: Sequence[int]) -> str:
        """Text of ids, special tokens and all, to look at."""
        return self._backend.decode(list(ids), skip_special_tokens=False)

    def plain(self, text: str) -> list[int]:
        """Ids of a text in the midst of another, none of them an added token's."""
        if text not in self._plain_ids:
            self._plain_ids[text] = self._encode_plainly(text)
        return self._plain_ids[text]

    def _encode_plainly(self, text: str) -> list[int]:
        # Behind a newline, so that SentencePiece puts no blank in front of the text.
        newline = self._plain_backend.encode("\n", add_special_tokens=False).ids
        ids = self._plain_backend.encode("\n" + text, add_special_tokens=False).ids
        if ids[: len(newline)] == newline:
            return ids[len(newline) :]
        return self._plain_backend.encode(text, add_special_tokens=False).ids

    @cached_property
    def _plain_backend(self) -> Any:
        """The same tokenizer without its added tokens."""
        from tokenizers import Tokenizer

        document = json.loads(self._text)
        document["added_tokens"] = []
        document["post_processor"] = None
        document["truncation"] = document["padding"] = None
        return Tokenizer.from_str(json.dumps(document))


class ByteTokenizer(LoadedTokenizer):
    """``bytes``: see :mod:`.byte_tokens`. It has no template of its own and adds nothing to a text."""

    def __init__(self) -> None:
        self.path = BYTES
        self.special: dict[str, str] = {}
        self.chat_template = self.tool_template = None
        self.end = "<|im_end|>"
        self.sha256 = hashlib.sha256(b"bytes 256 257").hexdigest()
        self.controls = self.added = dict(byte_tokens.MARKERS)
        self.vocabulary = 256 + len(self.added)
        self.begin_ids, self.begin = [], ""

    def encode_batch(self, texts: Sequence[str]) -> list[Any]:
        return byte_tokens.encode_batch(texts)

    def decode(self, ids: Sequence[int]) -> str:
        markers = {number: text.encode() for text, number in self.added.items()}
        pieces = (markers.get(number) or bytes([number]) for number in ids)
        return b"".join(pieces).decode(errors="replace")

    def plain(self, text: str) -> list[int]:
        return list(text.encode())


def load_tokenizer(path: str) -> LoadedTokenizer:
    """``bytes``, a ``tokenizer.json``, or a folder with one. Raises UserError where it cannot be read."""
    if path == BYTES:
        return ByteTokenizer()
    # One process a core encodes: a pool of threads in each would only be in their way.
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    file = Path(path) / "tokenizer.json" if Path(path).is_dir() else Path(path)
    files = {"tokenizer.json": _read(file)}
    config_file = file.with_name("tokenizer_config.json")
    if config_file.is_file():
        files[config_file.name] = _read(config_file)
    config = _config(config_file, files.get(config_file.name, b"{}"))
    return LoadedTokenizer(str(file.parent), _backend(file, files, config), files, config)


def _backend(file: Path, files: dict[str, bytes], config: dict[str, Any]) -> Any:
    from tokenizers import Tokenizer

    try:
        backend = Tokenizer.from_str(files["tokenizer.json"].decode())
    except Exception as error:  # the library raises bare Exceptions
        raise UserError(f"{file}: is not a tokenizer that can be read ({error})") from error
    backend.no_truncation()
    backend.no_padding()
    _add_missing(backend, config)
    return backend


def _add_missing(backend: Any, config: dict[str, Any]) -> None:
    """Tokens that only the configuration knows; transformers adds them behind the others."""
    from tokenizers import AddedToken

    known = {token.content for token in backend.get_added_tokens_decoder().values()}
    flags = ("lstrip", "rstrip", "normalized", "single_word", "special")
    declared = config.get("added_tokens_decoder")
    entries = sorted((declared if isinstance(declared, dict) else {}).items(), key=_number)
    for _, token in entries:
        if isinstance(token, dict) and token.get("content") and token["content"] not in known:
            told = {flag: bool(token[flag]) for flag in flags if flag in token}
            backend.add_tokens([AddedToken(token["content"], **told)])
            known.add(token["content"])
    for text in _named(config).values():
        if text not in known:
            backend.add_tokens([AddedToken(text, special=True, normalized=False)])
            known.add(text)


def _number(entry: tuple[str, Any]) -> int:
    return int(entry[0]) if entry[0].isdigit() else 0


def _named(config: dict[str, Any]) -> dict[str, str]:
    texts = {}
    for name in NAMES:
        value = config.get(name)
        text = value.get("content") if isinstance(value, dict) else value
        if isinstance(text, str):
            texts[name] = text
    return texts


def _position(whole: list[int], part: list[int]) -> int:
    """Where ``part`` lies in ``whole``; 0 where it does not."""
    places = range(len(whole) - len(part) + 1)
    return next((at for at in places if whole[at : at + len(part)] == part), 0)


def _digest(files: dict[str, bytes]) -> str:
    digest = hashlib.sha256()
    for name, content in sorted(files.items()):
        digest.update(f"{name} {len(content)}\n".encode())
        digest.update(content)
    return digest.hexdigest()


def _read(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise UserError(f"{file}: cannot be read ({error.strerror})") from error


def _config(file: Path, content: bytes) -> dict[str, Any]:
    try:
        config = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise UserError(f"{file}: is not JSON that can be read ({error})") from None
    if not isinstance(config, dict):
        raise UserError(f"{file}: is not a JSON object")
    return config
