// Generated from contract/data-names.json by scripts/generate-contract.mjs. Do not edit.

/** Of every format, its columns and what they hold. */
export const FORMAT_COLUMNS = {
  "auto": {},
  "messages": {
    "messages": "Column with the list of messages.",
    "role": "Key of a message's role.",
    "content": "Key of a message's text."
  },
  "sharegpt": {
    "conversations": "Column with the list of messages.",
    "from": "Key of the speaker: `human` is the user, `gpt` the assistant.",
    "value": "Key of a message's text."
  },
  "alpaca": {
    "instruction": "Column with the instruction.",
    "input": "Column with the input to the instruction, on a line of its own; may be empty.",
    "output": "Column with the answer.",
    "system": "Column with a system message; may be empty or missing."
  },
  "prompt-completion": {
    "prompt": "Column with the given text.",
    "completion": "Column with the text to learn."
  },
  "text": {
    "text": "Column with the text; all of it is supervised."
  },
  "tokens": {
    "input_ids": "Column with the tokens.",
    "labels": "Column with the targets, -100 where there is none; may be missing."
  }
} as const;
