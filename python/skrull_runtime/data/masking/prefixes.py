"""Answers by differences of prefixes, and what to do where a template rewrites earlier messages.

An answer is what the text of the conversation up to and including it has beyond the text that requests it. This is sound
where both are prefixes of the trained text: the model is then served with exactly what preceded the answer in training.

An answer that nobody can request as the row has it, because it is the first message or follows another answer, is what
follows the last request in the text, if the text has as many requests as answers.
"""

from __future__ import annotations

from bisect import bisect_right
from hashlib import blake2b
from typing import NamedTuple, Protocol

from ..samples.sample import IN_ALL, IN_ASSISTANT, IN_EVERY_VIEW, IN_LAST, RowProblem
from .draft import Answer, Draft

OTHERWISE = "choose another template, or one with {% generation %} tags"


class Conversation(Protocol):
    """What :func:`drafts_of` asks of a conversation under a template."""

    count: int  # messages
    turns: list[int]  # those that are answers, ascending
    asked_anyway: str  # what the template puts after every conversation, whoever spoke last

    request: str  # what the template puts after a conversation to request an answer

    def text(self, count: int, prompt: bool = False) -> str:
        """The text of the first ``count`` messages; ``prompt``: followed by the request for an answer."""

    def trimmed(self, text: str, start: int, end: int) -> int:
        """Where the answer in a range of characters ends."""

    def twin_answers(self, count: int, text: str) -> list[Answer] | None:
        """The answers among the first ``count`` messages, by a training twin."""


def drafts_of(talk: Conversation, split: bool) -> list[Draft]:
    """The whole conversation, and one more draft for each answer that its text does not hold as it is served.

    Raises RowProblem where an answer cannot be told from its question, or ``split`` is needed but not allowed.
    """
    answers = _Answers(talk)
    whole, method = answers.within(talk.count, talk.turns)
    left = [turn for turn in talk.turns if turn not in {answer.turn for answer in whole}]
    if not left:
        return [Draft(talk.text(talk.count), whole, method)]
    if not split:
        raise RowProblem(
            f"message {left[0] + 1} is rendered otherwise once others follow it, so that it is not served as it "
            "would be trained: set `rewritten = split`"
        )
    return _split(talk, answers, whole, method, left)


def _split(
    talk: Conversation, answers: _Answers, whole: list[Answer], method: str, left: list[int]
) -> list[Draft]:
    last = talk.turns[-1]
    views = IN_EVERY_VIEW if left[-1] != last else IN_ALL | (IN_ASSISTANT if whole else 0)
    drafts = [Draft(talk.text(talk.count), whole, method, views)]
    while left:
        turn = left[-1]
        count = turn + 1
        found, method = answers.within(count, left)
        if turn not in {answer.turn for answer in found}:
            raise RowProblem(
                f"message {turn + 1}: the chat template's request for an answer is no beginning of the answer; {OTHERWISE}"
            )
        views = IN_ASSISTANT | (IN_LAST if turn == last else 0)
        drafts.append(Draft(talk.text(count), found, method, views))
        left = [turn for turn in left if turn not in {answer.turn for answer in found}]
    return [drafts[0], *reversed(drafts[1:])]


class _Place(NamedTuple):
    """Where an answer starts in the text that ends with it, -1 where that is unknown, and that text's length and digest:
    keeping the texts themselves would take memory quadratic in the number of answers."""

    start: int
    length: int
    digest: bytes


class _Answers:
    """The answers of a conversation, each located once."""

    def __init__(self, talk: Conversation):
        self._talk = talk
        self._places: dict[int, _Place] = {}

    def within(self, count: int, turns: list[int]) -> tuple[list[Answer], str]:
        """Those of ``turns`` that the text of the first ``count`` messages holds as they are served, and the method that
        found them."""
        text = self._talk.text(count)
        wanted = set(turns)
        tagged = self._talk.twin_answers(count, text) or []
        if mine := [answer for answer in tagged if answer.turn in wanted]:
            return mine, "twin"
        return [answer for turn in turns if (answer := self._answer(text, turn))], "prefix"

    def _answer(self, text: str, turn: int) -> Answer | None:
        start, length, digest = self._place(turn)
        if start < 0 or length <= start or _digest(text[:length]) != digest:
            return None
        return Answer(start, self._talk.trimmed(text, start, length), turn)

    def _place(self, turn: int) -> _Place:
        if turn not in self._places:
            answered = self._talk.text(turn + 1).removesuffix(self._talk.asked_anyway)
            start = self._start(turn, answered)
            self._places[turn] = _Place(start, len(answered), _digest(answered))
        return self._places[turn]

    def _start(self, turn: int, answered: str) -> int:
        follows_question = turn > 0 and turn - 1 not in self._talk.turns
        try:
            asked = self._talk.text(turn, True)
            if answered.startswith(asked):
                return len(asked)
        except RowProblem:
            if follows_question:
                raise
        if follows_question:
            return -1
        request, answers = self._talk.request, bisect_right(self._talk.turns, turn)
        if not request or answered.count(request) != answers:
            return -1
        return answered.rindex(request) + len(request)


def _digest(text: str) -> bytes:
    return blake2b(text.encode(errors="surrogatepass")).digest()
