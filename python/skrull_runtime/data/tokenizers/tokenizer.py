"""A tokenizer as it lies in a folder, with what its configuration says of templates and special tokens."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from ...errors import UserError
from ...shapes import JsonObject
from . import byte_tokens
from .own_template import own_templates

if TYPE_CHECKING:
    from tokenizers import Tokenizer

# As transformers names them to templates.
NAMES = ("bos_token", "eos_token", "unk_token", "sep_token", "pad_token", "cls_token", "mask_token")
BYTES = "bytes"


class TextEncoding(Protocol):
    """What is used of an Encoding of ``tokenizers``. Characters and tokens are counted from 0."""

    @property
    def ids(self) -> list[int]:
        """The ids of the tokens."""

    @property
    def offsets(self) -> list[tuple[int, int]]:
        """The range of characters of every token."""

    def char_to_token(self, position: int, /) -> int | None:
        """The first token of a character; None where it has none."""

    def token_to_chars(self, token: int, /) -> tuple[int, int] | None:
        """The range of characters of a token; None where there is no such token."""


class LoadedTokenizer:
    """What turns text into ids, and what is known about it.

    ``sha256``: of the files that decide ids. ``special``: texts of named tokens, as templates get them. ``chat_template``
    and ``tool_template``: the tokenizer's own Jinja, the second for conversations with tools; None where it has none.
    ``vocabulary``: the largest id plus one. ``begin``, ``begin_ids``: what it puts in front of a text by itself.
    ``end``: the text of its end token, or None.
    """

    def __init__(self, path: str, backend: Tokenizer, files: dict[str, bytes], config: JsonObject):
        self.path = path
        self.special = _named(config)
        self.chat_template, self.tool_template = own_templates(path, config)
        self.end = self.special.get("eos_token")
        self.sha256 = _digest(files)
        self._backend = backend
        self._text = files.get("tokenizer.json", b"")
        self._plain_ids: dict[str, list[int]] = {}
        self._describe(config)

    def _describe(self, config: JsonObject) -> None:
        backend = self._backend
        added = backend.get_added_tokens_decoder()
        self.controls = {token.content: number for number, token in added.items() if token.special}
        self.added = {token.content: number for number, token in added.items()}
        vocabulary = backend.get_vocab(with_added_tokens=True)
        self.vocabulary = max(vocabulary.values(), default=-1) + 1
        self.begin_ids, self.begin = self._begins(config, vocabulary)

    def _begins(self, config: JsonObject, vocabulary: dict[str, int]) -> tuple[list[int], str]:
        """transformers puts the begin token in front where the configuration says so, otherwise where the file does."""
        if "add_bos_token" in config or "add_eos_token" in config:
            bos = self.special.get("bos_token")
            if not config.get("add_bos_token") or bos is None or bos not in vocabulary:
                return [], ""
            return [vocabulary[bos]], bos
        bare = self._backend.encode("a", add_special_tokens=False).ids
        whole = self._backend.encode("a").ids
        ids = whole[: _position(whole, bare)]
        return ids, "".join(self._backend.id_to_token(token) or "" for token in ids)

    def encode_batch(self, texts: Sequence[str]) -> Sequence[TextEncoding]:
        """Encodings of whole texts, without the tokenizer's own tokens around them."""
        return self._backend.encode_batch(texts, add_special_tokens=False)

    def decode(self, ids: Sequence[int]) -> str:
        """The text of ids, including special tokens, for display."""
        return self._backend.decode(list(ids), skip_special_tokens=False)

    def plain(self, text: str) -> list[int]:
        """Ids of a text that stands within another; none is the id of an added token."""
        if text not in self._plain_ids:
            self._plain_ids[text] = self._encode_plainly(text)
        return self._plain_ids[text]

    def _encode_plainly(self, text: str) -> list[int]:
        # After a newline, so that SentencePiece puts no blank in front of the text.
        newline = self._plain_backend.encode("\n", add_special_tokens=False).ids
        ids = self._plain_backend.encode("\n" + text, add_special_tokens=False).ids
        if ids[: len(newline)] == newline:
            return ids[len(newline) :]
        return self._plain_backend.encode(text, add_special_tokens=False).ids

    @cached_property
    def _plain_backend(self) -> Tokenizer:
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

    def encode_batch(self, texts: Sequence[str]) -> Sequence[TextEncoding]:
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
    # Each core has a process that encodes: a pool of threads in each would only compete with them.
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    file = Path(path) / "tokenizer.json" if Path(path).is_dir() else Path(path)
    files = {"tokenizer.json": _read(file)}
    config_file = file.with_name("tokenizer_config.json")
    if config_file.is_file():
        files[config_file.name] = _read(config_file)
    config = _config(config_file, files.get(config_file.name, b"{}"))
    return LoadedTokenizer(str(file.parent), _backend(file, files, config), files, config)


def _backend(file: Path, files: dict[str, bytes], config: JsonObject) -> Tokenizer:
    from tokenizers import Tokenizer

    try:
        backend = Tokenizer.from_str(files["tokenizer.json"].decode())
    except Exception as error:  # the library raises bare Exceptions
        raise UserError(f"{file}: is not a tokenizer that can be read ({error})") from error
    backend.no_truncation()
    backend.no_padding()
    _add_missing(backend, config)
    return backend


def _add_missing(backend: Tokenizer, config: JsonObject) -> None:
    """Adds the tokens that only the configuration knows; transformers adds them after the others."""
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


def _named(config: JsonObject) -> dict[str, str]:
    texts = {}
    for name in NAMES:
        value = config.get(name)
        text = value.get("content") if isinstance(value, dict) else value
        if isinstance(text, str):
            texts[name] = text
    return texts


def _position(whole: list[int], part: list[int]) -> int:
    """Where ``part`` starts in ``whole``; 0 where it does not occur."""
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


def _config(file: Path, content: bytes) -> JsonObject:
    try:
        config = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise UserError(f"{file}: is not JSON that can be read ({error})") from None
    if not isinstance(config, dict):
        raise UserError(f"{file}: is not a JSON object")
    return config
