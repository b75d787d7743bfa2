import type { Entries } from "./entry.js";

/** What is wrong with the files that a spec names. */
export const INPUT_CODES = {
  "unreadable-file": {
    severity: "error",
    message: "{file}: {problem}",
    why: "{reason}",
    about: "A file that the spec names is missing, cannot be read, or is not what it should be.",
    help: "Correct the path, which is relative to the file that names it, or correct the file itself.",
  },
  "no-data-files": {
    severity: "error",
    message: "no file matches {pattern}",
    why: "{reason}",
    about: "A pattern of data files matches nothing.",
    help: "Correct the pattern, which is relative to the file that names it.",
  },
  "invalid-model-config": {
    severity: "error",
    message: "{file}: {problem}",
    why: "The model's configuration decides what is trained, its memory and its cost.",
    about:
      "The model's configuration lacks a dimension, its dimensions are inconsistent, or it asks for something that cannot be trained exactly.",
    help: "Use the config.json that the model was published with.",
  },
  "rope-scaling-impossible": {
    severity: "error",
    message: "this model's rotary embeddings cannot be scaled: {problem}",
    why: "The run would not train the positions that the spec asks for.",
    help: "Leave rope_scaling out, and set the scaling in the model's configuration.",
  },
  "invalid-profile": {
    severity: "error",
    message: "{file}: {problem}",
    why: "A profile's figures override the catalogue's, so each must be sound.",
    about: "A profile of the machine does not match its schema.",
    help: "See schemas/profile.schema.json for what a profile contains.",
  },
  "profile-mismatch": {
    severity: "warning",
    message: "the profile was measured on {measured}, but the spec has {wanted}",
    why: "Figures from another machine or precision give wrong predictions.",
    help: "Measure again, or leave the profile out.",
  },
  "invalid-template": {
    severity: "error",
    message: "{file}: {problem}",
    why: "The template decides which tokens a conversation becomes.",
    about: "A template file does not match its schema.",
    help: "See schemas/template.schema.json for what a template contains.",
  },
  "no-end-token": {
    severity: "error",
    message: "nothing says which token ends a sample",
    why: "A model that never saw an end token in training does not stop generating.",
    help: 'Write end_token = "TOKEN", or end_token = "" for none; the tokenizer\'s files name no eos_token.',
  },
  "end-token-split": {
    severity: "warning",
    planOnly: true,
    message: "the tokenizer splits {token}, which ends an answer, into {count} tokens",
    why: "It is not a token of this tokenizer, so generation cannot stop at it.",
    help: "Choose the template of the model's family, or add the token to the tokenizer.",
  },
  "no-engine": {
    severity: "error",
    message: "{problem}",
    why: "A Python program reads, renders and tokenises the data; only cached counts do without it.",
    about:
      "Python was not found, or it lacks a package. The compiler tries SKRULL_PYTHON, an active virtual environment, a .venv in the spec's folder or above it, and python3.",
    help: "Set SKRULL_PYTHON to a Python with these packages: pip install tokenizers jinja2 pyarrow",
  },
  "unreadable-data": {
    severity: "error",
    message: "{problem}",
    why: "{reason}",
    about: "A data file or a template cannot be used at all, whatever its rows contain.",
    help: "Correct it, or leave it out.",
  },
  "meaning-unread": {
    severity: "error",
    message:
      "{count} {count:row has|rows have} {name}, which nothing reads: {example} (line {line})",
    why: "It changes what should be trained, so the model would learn something else.",
    about:
      "Rows have a column or key that is known to change what they mean, and the layout, template or tokenizer has no place for it.",
    help: "Name its column with data { columns = names { ... } }, convert the data, or ignore it on purpose: data { ignore = [...] }",
  },
  "keys-unread": {
    severity: "info",
    planOnly: true,
    message: "nothing reads {names}",
    why: "Columns and keys that are neither rendered nor known by name are not trained on.",
    about:
      "The data has columns or message keys that nothing reads. Each is listed with the number of rows that have it.",
    help: "If that is intended: data { ignore = [...] }",
  },
  "template-differs": {
    severity: "warning",
    planOnly: true,
    message:
      "line {line} is trained as {chosen}, but the tokenizer's own template renders it as {own}",
    why: "A model answers best when prompts look as they did in training.",
    about:
      "The chosen template renders a sample differently from the tokenizer's own chat template, which the model is usually served with.",
    help: "Leave template out to train with the tokenizer's own. The export contains the template that was trained with.",
  },
  "markers-in-contents": {
    severity: "warning",
    planOnly: true,
    message: "{count} {count:sample contains|samples contain} the text of a special token",
    why: "It is trained as plain text, so that no content can end a turn; Hugging Face's tokenizers would turn it into that token.",
    help: "Clean the data, or write data { markers = tokens } if the tokens are intended, which is how earlier versions trained.",
  },
  "changed-default": {
    severity: "info",
    planOnly: true,
    message: "{key} = {value} is a new default: {change}; {key} = {before} trains as before",
    why: "The spec does not set {key}, so the run trains differently from one compiled by an earlier version.",
    help: "Set the key to either value, and this message goes away.",
    about:
      'A default has changed in a way that affects training, and the spec relies on it. The changelog lists such defaults under "Defaults that change what is trained". A checkpoint trained with the earlier default is not resumed with the new one.',
  },
  "context-chosen": {
    severity: "info",
    planOnly: true,
    message:
      "context = auto takes {context}: {speed} tokens/s predicted on the first {batches} global batches; {next}",
    why: "Of the degrees at which everything fits it has the highest predicted tokens per second or, where several are within 2% of that, is the smallest of those that lose least if figures of the machine are off.",
    help: "`skrull tune` also tries ZeRO stages, checkpointing and bucket sizes.",
  },
  "vocabulary-too-small": {
    severity: "error",
    message:
      "the tokenizer has ids up to {largest}, but the model's vocabulary has {vocabulary} entries",
    why: "A token id beyond the embedding ends the run with an index error.",
    help: "Use the model's own tokenizer, or a model with a larger vocabulary; or add rows for the new tokens: model { vocabulary = tokenizer }.",
  },
  "malformed-data": {
    severity: "error",
    message: "{count} malformed {count:line|lines}, {tolerated} tolerated; {first}",
    why: "Lines that cannot be read would be missing from the training data.",
    help: "Repair the lines, or tolerate them: data { malformed = {count} }",
  },
  "malformed-data-tolerated": {
    severity: "warning",
    planOnly: true,
    message: "{count} malformed {count:line is|lines are} left out; {first}",
    why: "They are missing from the training data.",
    help: "Repair the lines, or leave them out of the file.",
  },
  "overlong-samples": {
    severity: "error",
    message:
      "{count} {count:sample is|samples are} longer than {limit} tokens; the longest has {longest} ({place})",
    why: "With overlong = error, none may be dropped or truncated.",
    help: "Raise max_length, or choose overlong = drop or overlong = truncate.",
  },
  "overlong-samples-lost": {
    severity: "warning",
    message:
      "{count} of {rows} {rows:sample|samples} {count:is|are} over max_length and {fate}: {share} of all tokens are lost",
    why: "What is lost is not trained on.",
    help: "Raise max_length if memory allows, with a higher CP degree if need be; or split these samples into shorter ones.",
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
    about: "No sample was left after malformed and overlong ones were removed.",
    help: "Check the data, max_length and overlong.",
  },
  "nothing-supervised": {
    severity: "error",
    message: "no token in the data is supervised",
    why: "The loss would count nothing: there is no assistant message, or truncation cut them all.",
    help: "Check the roles in the data, or write supervise = all.",
  },
} as const satisfies Entries;
