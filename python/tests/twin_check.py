"""Whether a training twin finds the answers that differences of prefixes find."""

from __future__ import annotations

from conversations import KINDS, sample

from skrull_runtime.data.masking.draft import Draft
from skrull_runtime.data.masking.masks import MaskedTemplate
from skrull_runtime.data.samples.sample import RowProblem

SPECIAL = {"bos_token": "<bos>", "eos_token": "<eos>"}
ENDS = ["<|end|>", "<|return|>", "<|im_end|>", "<|eot_id|>", "<|eom_id|>", "<end_of_turn>", "<eos>"]


def masked(text: str, twin: bool) -> MaskedTemplate:
    made = MaskedTemplate("own", (text, text), "2024-07-26", SPECIAL, {}, split=True, ends=ENDS)
    if not twin:
        made.plain.twin = None
    return made


def answers(template: MaskedTemplate, kind: str, newline: bool) -> list[Draft] | str:
    try:
        return template.drafts(sample(kind), newline)
    except RowProblem as problem:
        return str(problem)


def differences(text: str) -> tuple[list[str], int]:
    """Kinds of which the twin finds others, and the number of those that it was used for."""
    with_twin, without = masked(text, True), masked(text, False)
    found, used = [], 0
    for kind in KINDS:
        for newline in (False, True):
            one, two = answers(with_twin, kind, newline), answers(without, kind, newline)
            if isinstance(one, str) or isinstance(two, str):
                found += [f"{kind}: {one} is not {two}"] * (one != two)
                continue
            used += any(draft.method == "twin" for draft in one)
            if [draft._replace(method="") for draft in one] != [
                draft._replace(method="") for draft in two
            ]:
                found.append(f"{kind}: {one} is not {two}")
    return found, used
