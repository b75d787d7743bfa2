"""Turns samples into tokens: a tokenizer and a rendering, combined once and used for every block."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Union, get_args

from ...contract.records import RENDERING_DEFAULTS, Rendering
from ...contract.vocabularies import Markers
from ...errors import UserError
from ..jinja.guard import limited_memory, watched
from ..masking.draft import Draft
from ..samples.sample import Encoded, RowProblem, Sample, Span
from ..tokenizers.tokenizer import LoadedTokenizer
from .choice import chosen
from .declared import DeclaredTemplate
from .encode import (
    Tokens,
    around,
    as_spans,
    encode_drafts,
    require_answers,
    require_characters,
    text_answer,
)
from .facts import TemplateFacts, facts
from .markers import Quotes, contents, control_texts, pattern_of, require_same
from .unwritten import unwritten

Result = Union[list[Encoded], RowProblem]  # noqa: UP007
Planned = tuple[Union[list[Draft], RowProblem], int]  # noqa: UP007


class Renderer:
    """``rendering``: as a plan has it, with defaults for what it leaves out. Raises UserError where it is not valid."""

    def __init__(self, tokenizer: LoadedTokenizer, rendering: Rendering):
        self.tokenizer = tokenizer
        self.rendering: Rendering = {**RENDERING_DEFAULTS, **rendering}
        self.newline = self.rendering["train_newline"]
        self.markers = self.rendering["markers"]
        if self.markers not in get_args(Markers):
            raise UserError(f"markers {self.markers!r} is none of {', '.join(get_args(Markers))}")
        self.template = chosen(tokenizer, self.rendering)
        self.begin = self._fixed(self.rendering["begin"], tokenizer.begin_ids)
        end = self.rendering["end"]
        self.end = self._fixed(tokenizer.end or "" if end is None else end, [])
        self._controls = pattern_of(control_texts(tokenizer))

    def _fixed(self, text: str | None, default: list[int]) -> list[int]:
        """Ids of what comes before or after a text."""
        if text is None:
            return list(default)
        return list(self.tokenizer.encode_batch([text])[0].ids) if text else []

    def encode(self, samples: Sequence[Sample], keep_text: bool = False) -> list[Result]:
        """The tokens of every sample, in several sets where its template rewrites history, or why it has none.

        Raises UserError where the template itself is at fault.
        """
        planned = self.plan(samples)
        flat = [draft for drafts, _ in planned if isinstance(drafts, list) for draft in drafts]
        encoded = iter(encode_drafts(self.tokenizer, flat, keep_text))
        results: list[Result] = []
        for sample, (drafts, markers) in zip(samples, planned, strict=True):
            if isinstance(drafts, RowProblem):
                results.append(drafts)
                continue
            found = [(draft, next(encoded)) for draft in drafts]
            try:
                results.append(self._finished(sample, found, markers, keep_text))
            except RowProblem as problem:
                results.append(problem)
        return results

    def facts(self) -> TemplateFacts:
        """What a plan keeps. The end of a declared template need not be a token of the tokenizer."""
        ends = [*self.tokenizer.added, self.tokenizer.end or ""]
        if isinstance(self.template, DeclaredTemplate):
            ends.append(self.template.end())
        return facts(self.template, self.newline, ends)

    def plan(self, samples: Sequence[Sample]) -> list[Planned]:
        """The texts of every sample, before they are tokenised, and how many special texts its contents hold."""
        texts = [contents(sample) for sample in samples]
        with self._limits(texts), watched():
            return [self._planned(sample, own) for sample, own in zip(samples, texts, strict=True)]

    def _limits(self, texts: list[list[str]]) -> AbstractContextManager[None]:
        if self.template.trusted:
            return nullcontext()
        return limited_memory(sum(len(text) for own in texts for text in own))

    def _planned(self, sample: Sample, texts: list[str]) -> Planned:
        try:
            if sample.kind == "tokens":
                return [], 0
            markers = sum(len(self._controls.findall(text)) for text in texts)
            if sample.kind == "text":
                drafts = [self._text(sample)]
            else:
                drafts = self.template.drafts(sample, self.newline)
                if markers and self.markers == "text":
                    drafts = self._unquoted(sample, texts, drafts)
            require_characters(drafts)
            return drafts, markers
        except RowProblem as problem:
            return problem, 0
        except RecursionError:
            return RowProblem("is nested too deep"), 0

    def _text(self, sample: Sample) -> Draft:
        text = sample.prompt + sample.completion
        found = self._controls.finditer(text) if self.markers == "text" else ()
        return Draft(
            text,
            text_answer(sample.prompt, text),
            "text",
            quoted=tuple(match.span() for match in found),
        )

    def _unquoted(self, sample: Sample, texts: list[str], plain: list[Draft]) -> list[Draft]:
        quotes = Quotes(texts, self._controls)
        drafts = [
            quotes.unquoted(draft)
            for draft in self.template.drafts(quotes.quoted(sample), self.newline)
        ]
        require_same(plain, drafts)
        return drafts

    def _finished(
        self,
        sample: Sample,
        found: list[tuple[Draft, Tokens | RowProblem]],
        markers: int,
        keep_text: bool,
    ) -> list[Encoded]:
        if sample.kind == "tokens":
            if max(sample.ids, default=0) >= self.tokenizer.vocabulary:
                raise RowProblem(
                    f"has the token {max(sample.ids)}, and the tokenizer only {self.tokenizer.vocabulary}"
                )
            return [_given(sample)]
        lost = unwritten(sample, [draft.text for draft, _ in found], self.template.kind)
        encoded = []
        for draft, tokens in found:
            if isinstance(tokens, RowProblem):
                raise tokens
            made = self._text_tokens if sample.kind == "text" else self._conversation_tokens
            text = draft.text if keep_text else ""
            encoded.append(
                made(sample, draft, tokens)._replace(markers=markers, text=text, lost=lost)
            )
        return encoded

    def _conversation_tokens(self, sample: Sample, draft: Draft, tokens: Tokens) -> Encoded:
        spans = as_spans(tokens.answers, sample.trained)
        require_answers(draft, spans)
        return Encoded(tokens.ids, spans, draft.method, views=draft.views, offsets=tokens.offsets)

    def _text_tokens(self, sample: Sample, draft: Draft, tokens: Tokens) -> Encoded:
        trained = (sample.trained[0] if sample.trained else None) is not False
        return around(self.begin, tokens, self.end, trained, len(draft.text))


def _given(sample: Sample) -> Encoded:
    """A row that already holds tokens: each run of targets is an answer."""
    spans: list[Span] = []
    start: int | None = None
    for at, counts in enumerate([*sample.counted, False]):
        if counts and start is None:
            start = at
        elif not counts and start is not None:
            spans.append(Span(start, at, len(spans), True))
            start = None
    return Encoded(list(sample.ids), spans, "tokens")
