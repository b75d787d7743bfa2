"""The tokenizer that needs no file: ids 0 to 255 are the bytes of UTF-8, 256 and 257 the markers of ChatML."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Sequence

START, END = "<|im_start|>", "<|im_end|>"
MARKERS = {START: 256, END: 257}
_PARTS = re.compile(f"({re.escape(START)}|{re.escape(END)})")


class ByteEncoding:
    """The ids of a text, with the methods of an Encoding of ``tokenizers`` that are used here."""

    def __init__(self, text: str):
        self.ids: list[int] = []
        self._chars: list[int] = []  # where each part begins, in characters
        self._tokens: list[int] = []  # and in tokens
        self._parts: list[str] = []
        at = 0
        for part in _PARTS.split(text):
            if part:
                self._chars.append(at)
                self._tokens.append(len(self.ids))
                self._parts.append(part)
                self.ids += [MARKERS[part]] if part in MARKERS else part.encode()
                at += len(part)
        self._end = at

    def char_to_token(self, position: int) -> int | None:
        """The first token of a character; None where there is no such character."""
        if not 0 <= position < self._end:
            return None
        which = bisect_right(self._chars, position) - 1
        part = self._parts[which]
        if part in MARKERS:
            return self._tokens[which]
        return self._tokens[which] + len(part[: position - self._chars[which]].encode())

    def token_to_chars(self, token: int) -> tuple[int, int]:
        """The range of characters that a token belongs to."""
        which = bisect_right(self._tokens, token) - 1
        part, start = self._parts[which], self._chars[which]
        if part in MARKERS:
            return start, start + len(part)
        before = part.encode()[: token - self._tokens[which] + 1]
        char = start + len(before.decode(errors="ignore"))
        # An incomplete character decodes to nothing: the token belongs to the character after the complete ones.
        whole = len(before.decode(errors="ignore").encode()) == len(before)
        return (char - 1, char) if whole else (char, char + 1)

    @property
    def offsets(self) -> list[tuple[int, int]]:
        """The range of characters of every token."""
        ranges: list[tuple[int, int]] = []
        for part, start in zip(self._parts, self._chars, strict=True):
            if part in MARKERS:
                ranges.append((start, start + len(part)))
                continue
            for at, char in enumerate(part, start):
                ranges += [(at, at + 1)] * len(char.encode())
        return ranges


def encode_batch(texts: Sequence[str]) -> list[ByteEncoding]:
    """The encoding of every text."""
    return [ByteEncoding(text) for text in texts]
