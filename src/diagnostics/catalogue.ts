import { LINT_CODES } from "./lint-codes.js";

export type Severity = "error" | "warning" | "info";

export interface Entry {
  readonly severity: Severity;
  /** What is wrong; `{name}` is filled in. */
  readonly message: string;
  /** Why it matters. */
  readonly why: string;
  /** Where message or reason come from the place that reports it: what it is about in general. */
  readonly about?: string;
  /** What to do, unless the place that reports it knows better. */
  readonly help?: string;
}

/**
 * Every diagnostic of the compiler, declared once. To add one, add an entry: a wrong code or a missing
 * placeholder elsewhere then does not compile.
 */
export const CATALOGUE = {
  // Syntax
  "invalid-character": {
    severity: "error",
    message: "the character {character} has no meaning here",
    why: "A spec consists of names, values, braces and comments.",
    help: "Remove it, or put text in double quotes.",
  },
  "unterminated-string": {
    severity: "error",
    message: "this string is not closed on its line",
    why: "A string ends at a double quote on the line it began.",
    help: 'Close it with ", and write \\n for a line break inside.',
  },
  "invalid-escape": {
    severity: "error",
    message: "{escape} is not an escape sequence",
    why: "A backslash in a string starts an escape.",
    help: 'Use \\\\ for a backslash; also \\", \\n, \\r, \\t, \\uXXXX and \\u{XXXXXX}.',
  },
  "unexpected-token": {
    severity: "error",
    message: "expected {expected}, found {found}",
    why: "The rest of the block cannot be read with certainty.",
  },
  "nesting-too-deep": {
    severity: "error",
    message: "blocks are nested more than {limit} deep",
    why: "No spec needs it, and it could exhaust the compiler's stack.",
  },
  "file-too-large": {
    severity: "error",
    message: "the file has {size} characters; a spec has at most {limit}",
    why: "Something other than a spec was given.",
  },
  "wrong-encoding": {
    severity: "error",
    message: "the file is not UTF-8 text: {problem}",
    why: "Every spec is UTF-8, so that it reads the same on every machine.",
    help: "Save it as UTF-8 in your editor, or convert it with iconv.",
  },
  "too-many-errors": {
    severity: "error",
    message: "more errors follow; only the first {limit} are shown",
    why: "The file may not be a spec at all.",
  },
  // The language line
  "missing-version": {
    severity: "error",
    message: "the spec does not say which version of the language it is written in",
    why: "The language grows; the version keeps a spec's meaning fixed.",
    help: "Begin the file with the line: skrull 1",
  },
  "unsupported-version": {
    severity: "error",
    message: "version {found} of the language is not known to this compiler",
    why: "It was written for another version of the compiler.",
    help: "Write skrull 1, or install a newer compiler.",
  },
  // Blocks and keys
  "unknown-block": {
    severity: "error",
    message: "there is no block '{name}'",
    why: "A misspelt block would otherwise be ignored in silence.",
  },
  "unknown-key": {
    severity: "error",
    message: "'{owner}' has no key '{name}'",
    why: "A misspelt key would otherwise be ignored in silence.",
  },
  "duplicate-block": {
    severity: "error",
    message: "the block '{name}' appears twice",
    why: "Only one of them could take effect.",
    help: "Merge them into one.",
  },
  "duplicate-key": {
    severity: "error",
    message: "'{name}' is set twice",
    why: "Only one of the values could take effect.",
    help: "Remove one of them.",
  },
  "missing-block": {
    severity: "error",
    message: "the spec has no block '{name}'",
    why: "{reason}",
    about: "Blocks without a sound default have to be written.",
  },
  "missing-key": {
    severity: "error",
    message: "'{owner}' needs the key '{name}'",
    why: "{reason}",
    about: "Keys without a sound default have to be written.",
  },
  "unexpected-label": {
    severity: "error",
    message: "the block '{name}' takes no name",
    why: "Only some blocks are named.",
    help: "Remove the quoted name.",
  },
  "deprecated-key": {
    severity: "warning",
    message: "'{old}' is now called '{name}'",
    why: "The old name is still read, and will go with a later version of the language.",
    help: "Rename it; lint --fix does.",
  },
  // Reuse
  "import-failed": {
    severity: "error",
    message: "'{path}' cannot be imported: {problem}",
    why: "The names that it declares would be missing.",
    help: "An import is the path of a spec, relative to this file and inside the project.",
  },
  "import-cycle": {
    severity: "error",
    message: "this import goes round in a circle: {path}",
    why: "Each of the files would have to be read before the other.",
    help: "Move what both need into a third file.",
  },
  "broken-import": {
    severity: "error",
    message: "'{path}' has errors",
    why: "What it declares cannot be read with certainty.",
    help: "Mend that file first; lint it to see all of its errors.",
  },
  "duplicate-name": {
    severity: "error",
    message: "{what} '{name}' is declared twice",
    why: "Nobody could tell which of them is meant.",
    help: "Rename one of them.",
  },
  "unknown-name": {
    severity: "error",
    message: "no {what} is called '{name}'",
    why: "Neither this file nor one that it imports declares the name.",
  },
  "circular-definition": {
    severity: "error",
    message: "this {what} is defined by itself: {path}",
    why: "Its value could never be found.",
    help: "Give one of them a value of its own.",
  },
  "chain-too-long": {
    severity: "error",
    message: "{what} '{name}' is made of others more than {limit} deep",
    why: "Nobody could follow it, and it could exhaust the compiler's stack.",
    help: "Give one of them in between a value of its own.",
  },
  "invalid-arithmetic": {
    severity: "error",
    message: "{problem}",
    why: "A calculation needs numbers, and quantities that go together.",
    about: "A calculation has no result, or one without a meaning.",
    help: "Add and subtract quantities of one kind; multiply and divide by plain numbers.",
  },
  "misplaced-statement": {
    severity: "error",
    message: "{what} belongs at the top of the file",
    why: "Names are declared once for the whole file.",
    help: "Move it out of the braces.",
  },
  "missing-name": {
    severity: "error",
    message: "this {what} has no name",
    why: "It is chosen by its name.",
    help: "Write the name after the word: {what} first { ... }",
  },
  "run-not-chosen": {
    severity: "error",
    message: "the file has several runs: {runs}",
    why: "Only one of them can be planned at a time.",
    help: "Choose one with --run NAME.",
  },
  "nothing-to-run": {
    severity: "error",
    message: "the file only declares names",
    why: "It is there to be imported: no block of it says what to train.",
    help: "Plan a spec that imports it.",
  },
  "invalid-yaml": {
    severity: "error",
    message: "{problem}",
    why: "Only what has one meaning in a spec is read: maps, lists and scalars.",
    about: "YAML and JSON can say more than a spec; what has no single meaning in one is refused.",
  },
  // Values
  "unknown-adapter-target": {
    severity: "error",
    message: "this model's layers have no matrix '{target}' that can have an adapter",
    why: "The run would end before its first step.",
  },
  "wrong-type": {
    severity: "error",
    message: "'{name}' takes {expected}, not {found}",
    why: "{reason}",
    about:
      "Every key takes values of one type: numbers without quotes, words without quotes, text and paths in quotes, lists in brackets.",
  },
  "wrong-unit": {
    severity: "error",
    message: "'{unit}' is not a unit of '{name}', which is {dimension}",
    why: "A quantity in the wrong unit would be off by orders of magnitude.",
  },
  "missing-unit": {
    severity: "error",
    message: "'{name}' is {dimension} and needs a unit",
    why: "A bare number does not say what it counts.",
  },
  "out-of-range": {
    severity: "error",
    message: "'{name}' is {value}; it must be {range}",
    why: "{reason}",
    about: "The value has the right type, and no meaning for this key.",
  },
  "unknown-value": {
    severity: "error",
    message: "'{value}' is not a value of '{name}'",
    why: "Only these are known: {values}.",
  },
  "unsafe-path": {
    severity: "error",
    message: "this path {problem}",
    why: "Paths are relative to the spec, so that the run can move to another machine.",
  },
  // Meaning
  "unknown-model": {
    severity: "error",
    message: "the model '{name}' is not in the catalogue",
    why: "Its dimensions decide memory and cost.",
  },
  "model-source": {
    severity: "error",
    message: "{problem}",
    why: "The model's dimensions come from exactly one place.",
    about:
      "The spec does not say where the model's dimensions or weights come from, or says it twice.",
    help: 'Write model "NAME" { ... } for the catalogue, or model { config = "config.json" }.',
  },
  "contradictory-keys": {
    severity: "error",
    message: "'{first}' and '{second}' contradict each other",
    why: "{reason}",
    about: "Two keys that are each sound cannot both hold.",
  },
  "ranks-not-divisible": {
    severity: "error",
    message: "{ranks} ranks cannot be divided into groups of {context}",
    why: "Every rank belongs to one context-parallel group; the data-parallel degree is ranks / context.",
  },
  "degrees-need-powers-of-two": {
    severity: "error",
    message: "'{degrees}' needs {what} to be a power of two; it is {value}",
    why: "Groups of 1, 2, 4 and so on ranks must divide them without remainder.",
    help: "Use degrees = local-or-all, or change the number.",
  },
  "budget-exceeds-memory": {
    severity: "error",
    message: "the budget of {budget} is more than the {memory} of the GPU",
    why: "The plan would be too large for the hardware.",
  },
  "reserve-exceeds-budget": {
    severity: "error",
    message: "the reserve of {reserve} leaves nothing of the budget of {budget}",
    why: "What is reserved is taken off the budget.",
  },
  // Inputs
  "unreadable-file": {
    severity: "error",
    message: "{file}: {problem}",
    why: "{reason}",
    about: "A file that the spec names is missing, cannot be read, or is not what it should be.",
  },
  "no-data-files": {
    severity: "error",
    message: "no file matches {pattern}",
    why: "There would be nothing to train on.",
  },
  "invalid-model-config": {
    severity: "error",
    message: "{file}: {problem}",
    why: "The model's dimensions decide memory and cost.",
    about: "The model's configuration lacks a dimension, or its dimensions do not fit each other.",
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
    about: "A template file is not what its schema asks for.",
    why: "A template says which tokens a conversation becomes.",
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
  "context-chosen": {
    severity: "info",
    message: "context = auto takes {context}: {speed} tokens/s predicted; {next}",
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
    message: "{count} malformed lines, {tolerated} tolerated; {first}",
    why: "Lines that cannot be read would be missing from the training data.",
    help: "Repair the lines, or tolerate them: data { malformed = {count} }",
  },
  "malformed-data-tolerated": {
    severity: "warning",
    message: "{count} malformed lines are left out; {first}",
    why: "They are missing from the training data.",
  },
  "overlong-samples": {
    severity: "error",
    message: "{count} samples are longer than {limit} tokens, the longest {longest} ({place})",
    why: "With overlong = error none may be dropped or cut.",
    help: "Raise max_length, or choose overlong = drop or overlong = truncate.",
  },
  "overlong-samples-lost": {
    severity: "warning",
    message:
      "{count} of {rows} samples are over max_length and {fate}: {share} of all tokens are lost",
    why: "What is lost is not trained on.",
  },
  "weight-draws-nothing": {
    severity: "error",
    message: "a weight of {weight} draws none of the {samples} samples of {pattern}",
    why: "They would never be trained on.",
    help: "Raise the weight, or leave the pattern out.",
  },
  "no-samples": {
    severity: "error",
    message: "no sample is left to train on",
    why: "{reason}",
    about: "After malformed and over-long samples were taken out, none was left.",
  },
  "nothing-supervised": {
    severity: "error",
    message: "no token of the data is supervised",
    why: "The loss would count nothing: there is no assistant message, or truncation cut them all.",
    help: "Check the roles in the data, or write supervise = all.",
  },
  // Plan
  "states-exceed-budget": {
    severity: "error",
    message: "model states need {needed} of the {available} a rank may use, before the first token",
    why: "{table}",
    about:
      "Weights, gradients, optimizer states and fixed buffers of a rank are alone larger than the memory it may use. The table shows what takes it.",
  },
  "sequence-too-long": {
    severity: "error",
    message:
      "the longest sequence ({longest} tokens) needs {shard} tokens on each of {context} ranks; {bucket} fit",
    why: "{table}",
    about:
      "Even shared by all ranks of a context-parallel group, the longest sequence does not fit beside the model states. The table shows what takes the memory.",
  },
  "bucket-exceeds-budget": {
    severity: "error",
    message: "a bucket of {bucket} tokens needs {needed} of the {available} a rank may use",
    why: "A full micro-batch would run out of memory; at most {most} tokens fit.",
    help: "Lower the bucket, or leave it out: the largest that fits is then taken.",
  },
  "schedule-impossible": {
    severity: "error",
    message: "no schedule was found: {problem}",
    why: "The chosen policy cannot place these sequences.",
    help: "Use policy = auto, or a larger bucket.",
  },
  "planned-run-too-long": {
    severity: "error",
    message: "planned mode would hold {sequences} sequences; at most {most} are planned",
    why: "Every step's schedule is stored before training starts.",
    help: "Use mode = online, or plan fewer steps.",
  },
  "warmup-too-long": {
    severity: "warning",
    message: "the warm-up of {warmup} steps leaves none of the run's {steps} at the peak rate",
    why: "The learning rate would never reach its peak.",
    help: "Shorten the warm-up, or train for longer.",
  },
  "host-memory-exceeded": {
    severity: "error",
    message: "{what} need {needed} on a node with {memory} of memory",
    why: "The operating system would kill the run when memory runs out.",
  },
  "host-memory-at-start": {
    severity: "warning",
    message: "while they start, {ranks} ranks of a node load {needed}; it has {memory} of memory",
    why: "Every rank reads the whole weights before it keeps its part.",
    help: "Use nodes with more memory, or fewer ranks on a node.",
  },
  "position-limit": {
    severity: "warning",
    message: "the longest sequence has {longest} tokens; the model was made for {positions}",
    why: "Without scaled rotary embeddings, positions beyond the limit were never trained.",
  },
  ...LINT_CODES,
} as const satisfies Readonly<Record<string, Entry>>;

export type DiagnosticCode = keyof typeof CATALOGUE;
