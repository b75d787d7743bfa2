"""Where an answer ends: with its end token; white space after that belongs to the template."""

from __future__ import annotations


class Endings:
    """``texts``: of the tokens that may end an answer."""

    def __init__(self, texts: list[str]):
        # Gemma's tokenizer has runs of white space among its added tokens: they end nothing.
        self._texts = tuple(text for text in texts if text.strip())

    def cut(self, text: str, start: int, end: int) -> int:
        """``end`` without the white space that follows an end token."""
        bare = text[start:end].rstrip()
        return start + len(bare) if bare.endswith(self._texts) else end

    def behind_first(self, text: str, start: int) -> str:
        """What follows the first end token at ``start`` or later; empty where there is none."""
        places = [(at, -len(end)) for end in self._texts if (at := text.find(end, start)) >= 0]
        at, length = min(places, default=(len(text), 0))
        return text[at - length :]
