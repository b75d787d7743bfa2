"""Trains a small byte-level BPE tokenizer on the data, so that the output head does not dominate a small model.

python make_tokenizer.py DATA.jsonl OUT_FOLDER VOCABULARY
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

START, END = "<|im_start|>", "<|im_end|>"


def main() -> None:
    """Writes OUT_FOLDER/tokenizer.json."""
    data, out, vocabulary = Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3])
    lines = (json.loads(line) for line in data.read_text(encoding="utf-8").splitlines())
    texts = [message["content"] for line in lines for message in line["messages"]]
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocabulary,
        special_tokens=[START, END],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts, trainer)
    out.mkdir(parents=True, exist_ok=True)
    tokenizer.save(str(out / "tokenizer.json"))


if __name__ == "__main__":
    main()
