"""Which characters of a rendered conversation are answers.

Three methods are tried in this order: the template's own tags (``{% generation %}``); a training twin, which is the stock
template with such tags, where it renders the conversation to the same text; and differences of prefixes
(:mod:`.prefixes`).
"""

from __future__ import annotations

import hashlib

from ...shapes import JsonObject
from ..jinja.generated import Generated
from ..jinja.guard import limited_memory
from ..jinja.template import JinjaTemplate, Rendered, conversation
from ..samples.sample import ChatMessage, RowProblem, Sample
from .draft import Answer, Draft
from .prefixes import Conversation, drafts_of
from .trimming import Endings
from .twins import twin_of

ASSISTANT = "assistant"
PROBE: list[ChatMessage] = [
    {"role": "user", "content": "question"},
    {"role": ASSISTANT, "content": "answer"},
    {"role": "user", "content": "question"},
]


class MaskedTemplate:
    """A chat template and the one for conversations with tools: ``texts``. ``ends``: texts of tokens that may end an
    answer."""

    trusted = False

    def __init__(
        self,
        kind: str,
        texts: tuple[str, str],
        date: str,
        special: dict[str, str],
        arguments: JsonObject,
        split: bool,
        ends: list[str],
    ):
        self.kind = kind
        self._arguments = arguments
        self._split = split
        self._endings = Endings(ends)
        with limited_memory(sum(map(len, texts))):
            compiled = {
                text: _Pair(text, date, special, arguments, self._endings)
                for text in dict.fromkeys(texts)
            }
        self.plain, self.with_tools = compiled[texts[0]], compiled[texts[1]]

    @property
    def sha256(self) -> str:
        """Of both templates, if they differ."""
        plain, with_tools = self.plain.stock.sha256, self.with_tools.stock.sha256
        if plain == with_tools:
            return plain
        return hashlib.sha256(f"{plain} {with_tools}".encode()).hexdigest()

    @property
    def reads_date(self) -> bool:
        return self.plain.stock.reads_date or self.with_tools.stock.reads_date

    def drafts(self, sample: Sample, newline: bool) -> list[Draft]:
        """The conversation's texts and answers. Raises RowProblem where the template refuses it, or no mask is found.

        ``newline``: the white space after an answer's end token belongs to the answer too.
        """
        if not sample.messages:
            raise RowProblem("has no messages")
        pair = self.plain if sample.tools is None else self.with_tools
        arguments = {**self._arguments, **sample.arguments}
        talk = _Talk(pair, sample, arguments, self._endings, newline)
        if not talk.turns:
            return [Draft(talk.full.text, [], talk.method)]
        if pair.stock.marks:
            return [talk.tagged()]
        return drafts_of(talk, self._split)


class _Pair:
    """A template and its training twin, if it has one."""

    def __init__(
        self,
        text: str,
        date: str,
        special: dict[str, str],
        arguments: JsonObject,
        endings: Endings,
    ):
        self.stock = JinjaTemplate(text, date, special)
        edited = None if self.stock.marks else twin_of(self.stock.sha256, text)
        self.twin = None if edited is None else JinjaTemplate(edited, date, special)
        self.asked_anyway = self._asked_anyway(arguments, endings)
        plain, asking = self._probe(arguments, 1)
        plain = plain.removesuffix(self.asked_anyway)
        self.request = asking[len(plain) :] if asking.startswith(plain) else ""

    def _asked_anyway(self, arguments: JsonObject, endings: Endings) -> str:
        """What the template puts after every conversation although no answer has it: a request that nobody made (early
        templates of Llama 3), or an end token after the answer's own (Phi-3)."""
        one, two, three = (self._probe(arguments, count)[0] for count in (1, 2, 3))
        content = PROBE[1]["content"]
        tail = endings.behind_first(two, two.rfind(content)).lstrip() if content in two else ""
        everywhere = all(text.endswith(tail) for text in (one, three))
        needed = not three.startswith(two) and three.startswith(two.removesuffix(tail))
        return tail if everywhere and needed else ""

    def _probe(self, arguments: JsonObject, count: int) -> tuple[str, str]:
        """The text of a plain conversation, without and with a request; both empty where the template refuses it."""
        try:
            plain, asking = (
                self.stock.render(PROBE[:count], None, arguments, asks).text
                for asks in (False, True)
            )
            return plain, asking
        except RowProblem:
            return "", ""


class _Talk(Conversation):
    """One conversation under one template."""

    def __init__(
        self, pair: _Pair, sample: Sample, arguments: JsonObject, endings: Endings, newline: bool
    ):
        self._pair, self._arguments = pair, arguments
        self._tools = sample.tools
        self.asked_anyway = pair.asked_anyway
        self.request = pair.request
        self._endings, self._newline = endings, newline
        self._messages = conversation(sample.messages)
        self.count = len(self._messages)
        roles = [message.get("role") for message in self._messages]
        self.turns = [at for at, role in enumerate(roles) if role == ASSISTANT]
        self.full = self.render(self.count)
        self.method = "generation" if pair.stock.marks else "prefix"

    def render(self, count: int, prompt: bool = False) -> Rendered:
        return self._pair.stock.render(self._messages[:count], self._tools, self._arguments, prompt)

    def text(self, count: int, prompt: bool = False) -> str:
        if count == self.count and not prompt:
            return self.full.text
        return self.render(count, prompt).text

    def trimmed(self, text: str, start: int, end: int) -> int:
        return end if self._newline else self._endings.cut(text, start, end)

    def twin_answers(self, count: int, text: str) -> list[Answer] | None:
        """What the twin tags; None where there is no twin, or it renders another text."""
        if self._pair.twin is None:
            return None
        try:
            twin = self._pair.twin.render(self._messages[:count], self._tools, self._arguments)
        except RowProblem:
            return None
        if twin.text != text:
            return None
        return [
            Answer(tag.start, self.trimmed(text, tag.start, tag.end), count - (tag.revindex or 0))
            for tag in twin.generated
        ]

    def tagged(self) -> Draft:
        """The conversation with what the template tags, exactly as transformers marks it."""
        tags = [tag for tag in self.full.generated if tag.end > tag.start]
        if not tags:
            raise RowProblem("has answers of which the chat template tags none as generated")
        turns = self._turns_of(tags)
        answers = [Answer(tag.start, tag.end, turn) for tag, turn in zip(tags, turns, strict=True)]
        return Draft(self.full.text, answers, "generation")

    def _turns_of(self, tags: list[Generated]) -> list[int]:
        """The message of each tag: by the lengths of growing prefixes, otherwise one tag per message."""
        texts = [self.text(turn + 1) for turn in self.turns]
        if all(self.full.text.startswith(text) for text in texts):
            ends = [len(text) for text in texts]
            return [self._first(ends, tag.end) for tag in tags]
        if len(tags) == len(self.turns):
            return self.turns
        raise RowProblem(
            "has answers that the chat template tags in parts that cannot be told apart"
        )

    def _first(self, ends: list[int], position: int) -> int:
        return next(
            (turn for turn, end in zip(self.turns, ends, strict=True) if end >= position),
            self.turns[-1],
        )
