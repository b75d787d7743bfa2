"""Samples to tokens and labels: the same pieces, and so the same counts, as the compiler's ``src/lengths``."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

from .errors import UserError
from .rendering import CHATML, CHATML_MESSAGES, Segment, read_row, render, render_conversation

START, END = "<|im_start|>", "<|im_end|>"
IGNORED = -100

Encode = Callable[[str], list[int]]


class Tokens(NamedTuple):
    """Token ids of a sample, and for each the next token where the loss counts it, else -100."""

    ids: Sequence[int]  # or arrays of numpy
    labels: Sequence[int]


def bytes_encoder() -> Encode:
    """Ids 0 to 255 are the UTF-8 bytes; the two ChatML markers, alone, are 256 and 257."""
    markers = {START: [256], END: [257]}
    return lambda text: markers[text] if text in markers else list(text.encode())


def load_encoder(path: str) -> Encode:
    """An encoder that adds no tokens of its own: ``bytes``, a ``tokenizer.json``, or a folder with one.

    Raises UserError where it cannot be read.
    """
    if path == "bytes":
        return bytes_encoder()
    from tokenizers import Tokenizer

    file = Path(path) / "tokenizer.json" if Path(path).is_dir() else Path(path)
    try:
        tokenizer = Tokenizer.from_file(str(file))
    except Exception as error:  # the library raises bare Exceptions
        raise UserError(f"{file}: is not a tokenizer that can be read ({error})") from error
    tokenizer.no_truncation()
    tokenizer.no_padding()
    # "Fast": it does not keep where in the text each token was, which is a fifth of the time.
    return lambda text: tokenizer.encode_batch_fast([text], add_special_tokens=False)[0].ids


def tokenize(
    messages: Iterable[dict[str, str]],
    encode: Encode,
    supervise: str = "assistant",
    max_length: int | None = None,
) -> Tokens:
    """Tokens of a conversation in ChatML; see :func:`tokenize_segments`."""
    return tokenize_segments(render_conversation(messages, CHATML), encode, supervise, max_length)


def tokenize_segments(
    segments: Iterable[Segment],
    encode: Encode,
    supervise: str = "assistant",
    max_length: int | None = None,
) -> Tokens:
    """Tokens of a sample, with labels already shifted: ``labels[t]`` is token t + 1 or -100.

    Tokenised piece by piece, so that a marker inside a content can never move a message's boundary. Supervised are the
    trained pieces after their headers; with ``supervise="last"`` those of the last answer, with ``"all"`` every token.
    ``max_length`` keeps the first tokens.
    """
    ids: list[int] = []
    counted: list[bool] = []
    for text, header, trained in supervise_segments(list(segments), supervise):
        if max_length is not None and len(ids) >= max_length:
            break  # the rest would be cut off
        piece = encode(text)
        given = _common_prefix(piece, encode(header)) if header and trained else 0
        ids += piece
        counted += [False] * given + [trained] * (len(piece) - given)
    ids, counted = ids[:max_length], counted[:max_length]
    labels = [
        token if counts else IGNORED for token, counts in zip(ids[1:], counted[1:], strict=True)
    ]
    return Tokens(ids, [*labels, IGNORED])


def supervise_segments(segments: list[Segment], supervise: str) -> list[Segment]:
    """The pieces with what the loss counts of them decided."""
    if supervise == "assistant":
        return segments
    if supervise == "all":
        return [Segment(text, "", True) for text, _, _ in segments]
    # The last answer is the last stretch of trained pieces: its content and what ends it.
    start = len(segments)
    while start > 0 and not segments[start - 1].trained:
        start -= 1
    while start > 0 and segments[start - 1].trained:
        start -= 1
    return [segment._replace(trained=False) for segment in segments[:start]] + segments[start:]


def _common_prefix(body: list[int], header: list[int]) -> int:
    """The header's tokens are those that the content did not merge with (it may begin with a newline)."""
    count = 0
    while count < len(header) and count < len(body) and body[count] == header[count]:
        count += 1
    return count


def main() -> None:
    """Prints length and targets of every line of a JSONL file, one JSON object a line."""
    parser = argparse.ArgumentParser(description="Token counts of JSONL data.")
    parser.add_argument("data", type=Path)
    parser.add_argument("--tokenizer", required=True)
    parser.add_argument("--supervise", choices=("assistant", "last", "all"), default="assistant")
    parser.add_argument(
        "--rendering", type=json.loads, default=CHATML_MESSAGES, help="JSON, as train.py states it"
    )
    arguments = parser.parse_args()
    encode = load_encoder(arguments.tokenizer)
    with arguments.data.open(encoding="utf-8") as lines:
        for line in lines:
            segments = render(read_row(line), arguments.rendering)
            tokens = tokenize_segments(segments, encode, arguments.supervise)
            targets = sum(label != IGNORED for label in tokens.labels)
            sys.stdout.write(json.dumps({"length": len(tokens.ids), "supervised": targets}) + "\n")


if __name__ == "__main__":
    main()
