import type { Entries } from "./entry.js";

/** What is wrong with the files that a spec names. */
export const INPUT_CODES = {
  "unreadable-file": {
    severity: "error",
    message: "{file}: {problem}",
    why: "{reason}",
    about: "A file that the spec names is missing, cannot be read, or is not what it should be.",
    help: "Correct the path, which is relative to the file that it is written in, or what lies there.",
  },
  "no-data-files": {
    severity: "error",
    message: "no file matches {pattern}",
    why: "{reason}",
    about: "A pattern of data files finds none.",
    help: "Correct the pattern, which is relative to the file that it is written in.",
  },
  "invalid-model-config": {
    severity: "error",
    message: "{file}: {problem}",
    why: "The model's configuration decides what is trained, its memory and its cost.",
    about:
      "The model's configuration lacks a dimension, its dimensions do not fit each other, or it asks for what cannot be trained exactly.",
    help: "Use the config.json that the model was published with.",
  },
  "rope-scaling-impossible": {
    severity: "error",
    message: "this model's rotary embeddings cannot be scaled: {problem}",
    why: "The run would train other positions than the spec says.",
    help: "Leave rope_scaling out, and put what is wanted into the configuration.",
  },
  "invalid-profile": {
    severity: "error",
    message: "{file}: {problem}",
    why: "A profile's figures come before the catalogue's, so each must be sound.",
    about: "A profile of the machine does not hold what a profile holds.",
    help: "schemas/profile.schema.json says what a profile holds.",
  },
  "profile-mismatch": {
    severity: "warning",
    message: "the profile was measured on {measured}, the spec has {wanted}",
    why: "Figures of another machine or precision predict wrongly.",
    help: "Measure again, or leave the profile out.",
  },
  "invalid-template": {
    severity: "error",
    message: "{file}: {problem}",
    why: "A template says which tokens a conversation becomes.",
    about: "A template file is not what its schema asks for.",
    help: "schemas/template.schema.json says what a template holds.",
  },
  "no-end-token": {
    severity: "error",
    message: "nothing says which token ends a sample",
    why: "A model that was never shown an end goes on without one.",
    help: 'Write end_token = "TOKEN", or end_token = "" for none; the tokenizer\'s files name no eos_token.',
  },
  "end-token-split": {
    severity: "warning",
    message: "the tokenizer makes {count} tokens of {token}, which ends an answer",
    why: "It is no token of this tokenizer, so generation cannot stop at it.",
    help: "Choose the template of the model's family, or add the token to the tokenizer.",
  },
  "no-engine": {
    severity: "error",
    message: "{problem}",
    why: "Data is read, rendered and tokenised by a program in Python; only counts that are cached need none.",
    about:
      "Python was not found, or lacks a package. Looked at are SKRULL_PYTHON, an active virtual environment, a .venv in the spec's folder or above it, and python3.",
    help: "Name a Python by SKRULL_PYTHON, with: pip install tokenizers jinja2 pyarrow",
  },
  "unreadable-data": {
    severity: "error",
    message: "{problem}",
    why: "{reason}",
    about: "A data file or a template cannot be used at all, whatever its rows are.",
    help: "Correct what is named, or leave it out.",
  },
  "meaning-unread": {
    severity: "error",
    message:
      "{count} {count:row has|rows have} {name}, which nothing reads: {example} (line {line})",
    why: "It changes what should be trained, so the model would learn something else.",
    about:
      "Rows have a column or key that is known to change what they mean, and the layout, template or tokenizer has no place for it.",
    help: "Name its column by data { columns = names { ... } }, convert the data, or leave it out on purpose: data { ignore = [...] }",
  },
  "keys-unread": {
    severity: "info",
    message: "nothing reads {names}",
    why: "Columns and keys that are neither rendered nor known by name are not trained.",
    about:
      "The data has columns or keys of messages that are not read. Each is named with the number of rows that have it.",
    help: "Where that is meant: data { ignore = [...] }",
  },
  "template-differs": {
    severity: "warning",
    message:
      "line {line} is trained as {chosen}, and served by the tokenizer's own template as {own}",
    why: "A model answers best to prompts as it was trained on.",
    about:
      "The chosen template makes another text of a sample than the tokenizer's own chat template, which the model is usually served with.",
    help: "Leave template out to train with the tokenizer's own; the export has the template that was trained.",
  },
  "markers-in-contents": {
    severity: "warning",
    message: "{count} {count:sample has|samples have} the text of a special token in a content",
    why: "It is trained as plain text, so that nobody's words can end a turn; Hugging Face's tokenizers would make that token of it.",
    help: "Clean the data, or write data { markers = tokens } where the tokens are meant; it trains as earlier versions did.",
  },
  "changed-default": {
    severity: "info",
    message: "{key} = {value} is a new default: {change}; {key} = {before} trains as before",
    why: "The spec does not set {key}, so the run trains otherwise than one that an earlier version compiled.",
    help: "Write the key with either value: whoever has chosen is not told.",
    about:
      'A default has changed in a way that changes what is trained, and the spec relies on it. The changelog lists such defaults under "Defaults that change what is trained". A checkpoint of a run that was trained with the earlier default is not resumed with the new one.',
  },
  "context-chosen": {
    severity: "info",
    message:
      "context = auto takes {context}: {speed} tokens/s predicted on the first {batches} global batches; {next}",
    why: "It has the highest predicted tokens per second of the degrees at which everything fits.",
    help: "`skrull tune` also tries ZeRO stages, checkpointing and bucket sizes.",
  },
  "vocabulary-too-small": {
    severity: "error",
    message: "the tokenizer has ids up to {largest}, the model's vocabulary {vocabulary} entries",
    why: "A token beyond the embedding ends the run with an index error.",
    help: "Use the model's own tokenizer, or a model with a larger vocabulary.",
  },
  "malformed-data": {
    severity: "error",
    message: "{count} malformed {count:line|lines}, {tolerated} tolerated; {first}",
    why: "Lines that cannot be read would be missing from the training data.",
    help: "Repair the lines, or tolerate them: data { malformed = {count} }",
  },
  "malformed-data-tolerated": {
    severity: "warning",
    message: "{count} malformed {count:line is|lines are} left out; {first}",
    why: "They are missing from the training data.",
    help: "Repair the lines, or leave them out of the file.",
  },
  "overlong-samples": {
    severity: "error",
    message:
      "{count} {count:sample is|samples are} longer than {limit} tokens, the longest {longest} ({place})",
    why: "With overlong = error none may be dropped or cut.",
    help: "Raise max_length, or choose overlong = drop or overlong = truncate.",
  },
  "overlong-samples-lost": {
    severity: "warning",
    message:
      "{count} of {rows} {rows:sample|samples} {count:is|are} over max_length and {fate}: {share} of all tokens are lost",
    why: "What is lost is not trained on.",
    help: "Raise max_length where memory allows, shared by more ranks if need be; or cut these samples into shorter ones.",
  },
  "weight-draws-nothing": {
    severity: "error",
    message:
      "a weight of {weight} draws none of the {samples} {samples:sample|samples} of {pattern}",
    why: "They would never be trained on.",
    help: "Raise the weight, or leave the pattern out.",
  },
  "no-samples": {
    severity: "error",
    message: "no sample is left to {use}",
    why: "{reason}",
    about: "After malformed and over-long samples were taken out, none was left.",
    help: "Look at the data, and at max_length and overlong.",
  },
  "nothing-supervised": {
    severity: "error",
    message: "no token of the data is supervised",
    why: "The loss would count nothing: there is no assistant message, or truncation cut them all.",
    help: "Check the roles in the data, or write supervise = all.",
  },
} as const satisfies Entries;
