"""Answers by differences of prefixes, and what to do where a template rewrites what came before.

An answer is what a conversation that ends with it has more than the one that asks for it. It is sound where both are
beginnings of the trained text: the model will be served with just what it was trained behind.
"""

from __future__ import annotations

from typing import Protocol

from ..sample import IN_ALL, IN_ASSISTANT, IN_EVERY_VIEW, IN_LAST, RowProblem
from .draft import Answer, Draft

OTHERWISE = "choose another template, or one with {% generation %} tags"


class Conversation(Protocol):
    """What :func:`drafts_of` asks of a conversation under a template."""

    count: int  # messages
    turns: list[int]  # those that are answers, ascending
    asked_anyway: str  # what a template puts behind every conversation, as if to ask for an answer

    def text(self, count: int, prompt: bool = False) -> str:
        """The first messages' text, with what asks for an answer."""

    def trimmed(self, text: str, start: int, end: int) -> int:
        """Where the answer in a range of characters ends."""

    def twin_answers(self, count: int, text: str) -> list[Answer] | None:
        """The answers among the first messages by a training twin."""


def drafts_of(talk: Conversation, split: bool) -> list[Draft]:
    """The whole conversation, and one more for each answer that its text does not have as it is served.

    Raises RowProblem where an answer cannot be told from its question, or ``split`` is not allowed and needed.
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


class _Answers:
    """Answers of a conversation, each asked for once."""

    def __init__(self, talk: Conversation):
        self._talk = talk
        self._pairs: dict[int, tuple[str, str]] = {}

    def within(self, count: int, turns: list[int]) -> tuple[list[Answer], str]:
        """Those of ``turns`` that the first messages' text has as they are served, and the method that found them."""
        text = self._talk.text(count)
        tagged = self._talk.twin_answers(count, text)
        if tagged:
            wanted = set(turns)
            return [answer for answer in tagged if answer.turn in wanted], "twin"
        found = []
        for turn in turns:
            asked, answered = self._pair(turn)
            if (
                len(answered) > len(asked)
                and answered.startswith(asked)
                and text.startswith(answered)
            ):
                end = self._talk.trimmed(text, len(asked), len(answered))
                found.append(Answer(len(asked), end, turn))
        return found, "prefix"

    def _pair(self, turn: int) -> tuple[str, str]:
        """The text that asks for an answer, and the one that ends with it."""
        if turn not in self._pairs:
            answered = self._talk.text(turn + 1).removesuffix(self._talk.asked_anyway)
            self._pairs[turn] = (self._talk.text(turn, True), answered)
        return self._pairs[turn]
