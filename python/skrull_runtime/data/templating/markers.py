"""Contents that hold the text of a special token: they are found, counted, and tracked in the rendered text."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Any

from ..jinja.template import strings
from ..masking.draft import Answer, Draft
from ..samples.sample import RowProblem, Sample
from ..tokenizers.tokenizer import LoadedTokenizer

PRIVATE_USE = range(0xE000, 0xF8FF)
# Added tokens that a tokenizer does not call special but that look so, as DeepSeek's "<｜User｜>". Not "<think>" or
# "<tool_call>", which answers and system messages contain themselves.
_LOOKS_SPECIAL = re.compile("<[|\uff5c].*[|\uff5c]>", re.DOTALL)


def control_texts(tokenizer: LoadedTokenizer) -> list[str]:
    """Texts of tokens that contents must not produce."""
    others = (text for text in tokenizer.added if _LOOKS_SPECIAL.fullmatch(text))
    return sorted({*tokenizer.controls, *others} - {""})


def pattern_of(texts: Sequence[str]) -> re.Pattern[str]:
    """Matches any of the texts, longer ones before those that they contain."""
    longest_first = sorted(texts, key=len, reverse=True)
    return re.compile("|".join(map(re.escape, longest_first)) or "(?!)")


def contents(sample: Sample) -> list[str]:
    """Every string of a sample that comes from its author."""
    if sample.kind == "conversation":
        return strings(sample.messages, sample.tools, sample.arguments)
    return [sample.prompt + sample.completion]


class Quotes:
    """Two characters that a sample does not contain, put around what looks like a special token in its contents."""

    def __init__(self, texts: list[str], controls: re.Pattern[str]):
        used = {char for text in texts for char in text if 0xE000 <= ord(char) <= 0xF8FF}
        free = [chr(code) for code in PRIVATE_USE if chr(code) not in used]
        if len(free) < 2:
            raise RowProblem("has special tokens' texts and every character of private use")
        self.open, self.close = free[:2]
        self._controls = controls
        self._marks = re.compile(f"[{self.open}{self.close}]")

    def quote(self, value: Any) -> Any:
        """The value with the special texts in its strings quoted, including keys of objects."""
        if isinstance(value, str):
            return self._controls.sub(f"{self.open}\\g<0>{self.close}", value)
        if isinstance(value, list):
            return [self.quote(item) for item in value]
        if isinstance(value, dict):
            return {self.quote(key): self.quote(item) for key, item in value.items()}
        return value

    def quoted(self, sample: Sample) -> Sample:
        """The sample with quotes."""
        return replace(
            sample,
            messages=self.quote(sample.messages),
            tools=self.quote(sample.tools),
            arguments=self.quote(sample.arguments),
        )

    def unquoted(self, draft: Draft) -> Draft:
        """Turns a draft of the quoted sample into one of the sample itself, with the ranges that were quoted."""
        places = [match.start() for match in self._marks.finditer(draft.text)]

        def moved(position: int) -> int:
            return position - bisect_right(places, position - 1)

        ranges: list[tuple[int, int]] = []
        for first, second in pairwise(places):
            if draft.text[first] == self.open and draft.text[second] == self.close:
                ranges.append((moved(first), moved(second)))
        answers = [Answer(moved(start), moved(end), turn) for start, end, turn in draft.answers]
        text = self._marks.sub("", draft.text)
        return draft._replace(text=text, answers=answers, quoted=tuple(ranges))


def require_same(plain: Sequence[Draft], unquoted: Sequence[Draft]) -> None:
    """Raises RowProblem where the quotes changed what a template makes of a sample."""
    same = len(plain) == len(unquoted) and all(
        one._replace(quoted=()) == other._replace(quoted=())
        for one, other in zip(plain, unquoted, strict=True)
    )
    if not same:
        raise RowProblem(
            "has a special token's text in a content that the chat template changes: set `markers = tokens`"
        )
