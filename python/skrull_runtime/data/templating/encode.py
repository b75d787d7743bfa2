"""Texts to ids, and ranges of characters to ranges of tokens.

A whole text is tokenised at once, as the served model's will be; where an answer lies in it is found afterwards, at the
borders only. A token belongs to an answer if it starts inside: of one that a merge made across the border, the answer's
first characters stay untrained, and at the end the characters behind it are trained along. Of a prompt and its
completion such a token is trained: "Answer: " and "B" may share the only token that there is to learn. So it is of what
a template tags: transformers marks it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from ...errors import UserError
from ..masking.draft import Answer, Draft
from ..samples.sample import Encoded, RowProblem, Span
from ..tokenizers.tokenizer import LoadedTokenizer

WHOLE_TOKENS = (
    "text",
    "generation",
)  # methods whose answers begin with the token that their first character is in


class Tokens(NamedTuple):
    """A draft's ids; its answers as (first token, token behind the last, turn); where asked for, each token's range of
    characters."""

    ids: list[int]
    answers: list[tuple[int, int, int]]
    offsets: list[tuple[int, int]]


def encode_drafts(
    tokenizer: LoadedTokenizer, drafts: Sequence[Draft], keep_text: bool = False
) -> list[Tokens | RowProblem]:
    """Every draft's tokens, or why it has none."""
    encodings = _encode(tokenizer, [draft.text for draft in drafts])
    results: list[Tokens | RowProblem] = []
    for draft, encoding in zip(drafts, encodings, strict=True):
        try:
            results.append(_one(tokenizer, draft, encoding, keep_text))
        except RowProblem as problem:
            results.append(problem)
    return results


def _encode(tokenizer: LoadedTokenizer, texts: list[str]) -> list[Any]:
    try:
        return tokenizer.encode_batch(texts)
    except Exception as error:  # the library raises bare Exceptions
        raise UserError(f"the tokenizer cannot encode this data ({error})") from error


def _one(tokenizer: LoadedTokenizer, draft: Draft, encoding: Any, keep_text: bool) -> Tokens:
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


def token_over(encoding: Any, tokens: int, position: int, end: int) -> int:
    """The first token that is of character ``position`` or later; ``tokens`` if there is none."""
    for at in range(position, end):
        token = encoding.char_to_token(at)
        if token is not None:
            return token
    return tokens


def token_from(encoding: Any, tokens: int, position: int, end: int) -> int:
    """The first token that starts at character ``position`` or later; ``tokens`` if there is none.

    ``end``: characters of the text. A normalizer may leave characters without a token.
    """
    token = token_over(encoding, tokens, position, end)
    while token < tokens and encoding.token_to_chars(token)[0] < position:
        token += 1
    return token


def _unquote(tokenizer: LoadedTokenizer, draft: Draft, encoding: Any, spans, offsets):
    """Special ids that a content made, by ids of the same characters as plain text. All other ids stay."""
    ids = list(encoding.ids)
    controls = set(tokenizer.added.values())
    for at in reversed(_special_tokens(draft, encoding, controls)):
        start, end = encoding.token_to_chars(at)
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


def _special_tokens(draft: Draft, encoding: Any, controls: set[int]) -> list[int]:
    ids = encoding.ids
    found: set[int] = set()
    for start, end in draft.quoted:
        token = encoding.char_to_token(start)
        while token is not None and token < len(ids) and encoding.token_to_chars(token)[0] < end:
            if ids[token] in controls:
                found.add(token)
            token += 1
    return sorted(found)


def as_spans(found: Sequence[tuple[int, int, int]], trained: Sequence[bool | None]) -> list[Span]:
    """Spans of tokens with what the row says of each message's part in the loss."""
    return [
        Span(start, end, turn, (trained[turn] if turn < len(trained) else None) is not False)
        for start, end, turn in found
        if end > start
    ]


def require_answers(draft: Draft, spans: Sequence[Span]) -> None:
    """Raises RowProblem where no token is left of what has to be trained."""
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
    """A text's tokens with those that stand around them; ``characters``: the text's length.

    Raises RowProblem where there is nothing to learn.
    """
    ids, offsets = [*begin, *tokens.ids, *end], tokens.offsets
    start = len(begin) + tokens.answers[0][0]
    if not tokens.ids or start == len(ids):
        raise RowProblem("has no text to learn")
    if offsets:
        offsets = [(0, 0)] * len(begin) + offsets + [(characters, characters)] * len(end)
    return Encoded(ids, [Span(start, len(ids), 0, trained)], "text", offsets=offsets)
