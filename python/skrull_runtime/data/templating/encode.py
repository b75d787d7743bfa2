"""Turns texts into ids, and ranges of characters into ranges of tokens.

A whole text is tokenised at once, as it will be for the served model; the answers are located afterwards, by their
borders. A token belongs to an answer if it starts inside it: where a merge crosses the start, the answer's first
characters stay untrained, and where it crosses the end, the characters after the answer are trained too. Between a prompt
and its completion, a token across the border is trained: "Answer: " and "B" may share the only token that there is to
learn. The same holds for what a template tags, as in transformers.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from ...errors import UserError
from ..masking.draft import Answer, Draft
from ..samples.sample import Encoded, RowProblem, Span
from ..tokenizers.tokenizer import LoadedTokenizer, TextEncoding

# Methods whose answers begin with the token that contains their first character.
WHOLE_TOKENS = ("text", "generation")

Ranges = list[tuple[int, int, int]]  # first token, token after the last, turn


class Tokens(NamedTuple):
    """The tokens of a draft, with its answers and, on request, each token's range of characters."""

    ids: list[int]
    answers: Ranges
    offsets: list[tuple[int, int]]


def encode_drafts(
    tokenizer: LoadedTokenizer, drafts: Sequence[Draft], keep_text: bool = False
) -> list[Tokens | RowProblem]:
    """The tokens of every draft, or why it has none. Raises UserError where the tokenizer fails."""
    encodings = _encode(tokenizer, [draft.text for draft in drafts])
    results: list[Tokens | RowProblem] = []
    for draft, encoding in zip(drafts, encodings, strict=True):
        try:
            results.append(_one(tokenizer, draft, encoding, keep_text))
        except RowProblem as problem:
            results.append(problem)
    return results


def _encode(tokenizer: LoadedTokenizer, texts: list[str]) -> Sequence[TextEncoding]:
    try:
        return tokenizer.encode_batch(texts)
    except Exception as error:  # the library raises bare Exceptions
        raise UserError(f"the tokenizer cannot encode this data ({error})") from error


def _one(
    tokenizer: LoadedTokenizer, draft: Draft, encoding: TextEncoding, keep_text: bool
) -> Tokens:
    ids = encoding.ids
    end = len(draft.text)
    first = token_over if draft.method in WHOLE_TOKENS else token_from
    spans = [
        (
            first(encoding, len(ids), answer.start, end),
            token_from(encoding, len(ids), answer.end, end),
            answer.turn,
        )
        for answer in draft.answers
    ]
    offsets = list(encoding.offsets) if keep_text else []
    if draft.quoted:
        ids, spans, offsets = _unquote(tokenizer, draft, encoding, spans, offsets)
    return Tokens(ids, spans, offsets)


def token_over(encoding: TextEncoding, tokens: int, position: int, end: int) -> int:
    """The first token that contains character ``position`` or a later one; ``tokens`` if there is none."""
    for at in range(position, end):
        token = encoding.char_to_token(at)
        if token is not None:
            return token
    return tokens


def token_from(encoding: TextEncoding, tokens: int, position: int, end: int) -> int:
    """The first token that starts at character ``position`` or later; ``tokens`` if there is none.

    ``end``: characters of the text. A normalizer may leave characters without a token.
    """
    token = token_over(encoding, tokens, position, end)
    while token < tokens and _characters(encoding, token)[0] < position:
        token += 1
    return token


def _characters(encoding: TextEncoding, token: int) -> tuple[int, int]:
    found = encoding.token_to_chars(token)
    assert found is not None, "a token without characters"
    return found


def _unquote(
    tokenizer: LoadedTokenizer,
    draft: Draft,
    encoding: TextEncoding,
    spans: Ranges,
    offsets: list[tuple[int, int]],
) -> tuple[list[int], Ranges, list[tuple[int, int]]]:
    """Replaces special ids that contents made by ids of the same characters as plain text. All other ids stay."""
    ids = list(encoding.ids)
    controls = set(tokenizer.added.values())
    for at in reversed(_special_tokens(draft, encoding, controls)):
        start, end = _characters(encoding, at)
        text = draft.text[start:end]
        plain = tokenizer.plain(text)
        if controls.intersection(plain):
            raise RowProblem(
                f"has {text!r} in a content, which this tokenizer cannot encode as plain text: set `markers = tokens`"
            )
        ids[at : at + 1] = plain
        more = len(plain) - 1
        spans = [
            (first + more * (first > at), last + more * (last > at), turn)
            for first, last, turn in spans
        ]
        if offsets:
            offsets[at : at + 1] = [(start, end)] * len(plain)
    return ids, spans, offsets


def _special_tokens(draft: Draft, encoding: TextEncoding, controls: set[int]) -> list[int]:
    ids = encoding.ids
    found: set[int] = set()
    for start, end in draft.quoted:
        token = encoding.char_to_token(start)
        while token is not None and token < len(ids) and _characters(encoding, token)[0] < end:
            if ids[token] in controls:
                found.add(token)
            token += 1
    return sorted(found)


def as_spans(found: Sequence[tuple[int, int, int]], trained: Sequence[bool | None]) -> list[Span]:
    """Spans of tokens, each with what the row says about whether the loss counts its message."""
    return [
        Span(start, end, turn, (trained[turn] if turn < len(trained) else None) is not False)
        for start, end, turn in found
        if end > start
    ]


def require_answers(draft: Draft, spans: Sequence[Span]) -> None:
    """Raises RowProblem where no token is left of what must be trained."""
    if draft.answers and not spans:
        raise RowProblem("has an answer of no tokens")


def require_characters(drafts: Sequence[Draft]) -> None:
    """Raises RowProblem for half of a surrogate pair, which JSON can write and UTF-8 cannot."""
    for draft in drafts:
        try:
            draft.text.isascii() or draft.text.encode()
        except UnicodeEncodeError as error:
            half = ord(draft.text[error.start])
            raise RowProblem(f"has \\u{half:04x}, half of a character, in its text") from None


def text_answer(prompt: str, text: str) -> list[Answer]:
    """A text's only answer: what follows the prompt."""
    return [Answer(len(prompt), len(text), 0)]


def around(
    begin: Sequence[int], tokens: Tokens, end: Sequence[int], trained: bool, characters: int
) -> Encoded:
    """A text's tokens with the tokens around them; ``characters``: the text's length.

    Raises RowProblem where there is nothing to learn.
    """
    ids, offsets = [*begin, *tokens.ids, *end], tokens.offsets
    start = len(begin) + tokens.answers[0][0]
    if not tokens.ids or start == len(ids):
        raise RowProblem("has no text to learn")
    if offsets:
        offsets = [(0, 0)] * len(begin) + offsets + [(characters, characters)] * len(end)
    return Encoded(ids, [Span(start, len(ids), 0, trained)], "text", offsets=offsets)
