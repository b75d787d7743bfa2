import type { Entries } from "./entry.js";

/** What a spec says that the language does not have, or that cannot hold together. */
export const LANGUAGE_CODES = {
  // Blocks and keys
  "unknown-block": {
    severity: "error",
    message: "there is no block '{name}'",
    why: "A misspelt block would otherwise be silently ignored.",
  },
  "unknown-key": {
    severity: "error",
    message: "'{owner}' has no key '{name}'",
    why: "A misspelt key would otherwise be silently ignored.",
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
    message: "'{name}' takes no name in quotes",
    why: "Only a model has one: its name in the catalogue.",
    help: "Remove it. To make the block reusable, give it a bare name: {name} first { ... }",
  },
  "deprecated-key": {
    severity: "warning",
    message: "'{old}' is now called '{name}'",
    why: "The old name still works, but a later version of the language will drop it.",
    help: "Rename it, or run lint --fix.",
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
    message: "this import is circular: {path}",
    why: "Each of the files would have to be read before the other.",
    help: "Move what both need into a third file.",
  },
  "broken-import": {
    severity: "error",
    message: "'{path}' has errors",
    why: "What it declares cannot be read with certainty.",
    help: "Fix that file first; lint it to see all of its errors.",
  },
  "duplicate-name": {
    severity: "error",
    message: "{what} '{name}' is declared twice",
    why: "It would be ambiguous which one is meant.",
    help: "Rename one of them.",
  },
  "name-of-catalogue": {
    severity: "error",
    message: "'{name}' is the name of a GPU in the catalogue",
    why: "It would be ambiguous whose figures are meant.",
    help: "Give your own GPU another name.",
  },
  "precision-unsupported": {
    severity: "error",
    message: "the {gpu} has no {precision} arithmetic",
    why: "It would be emulated, at a fraction of the speed, or fail in a kernel.",
    help: "Write model { precision = fp32 }, or choose another GPU.",
  },
  "unknown-name": {
    severity: "error",
    message: "no {what} is called '{name}'",
    why: "Neither this file nor one that it imports declares the name.",
  },
  "circular-definition": {
    severity: "error",
    message: "this {what} is defined in terms of itself: {path}",
    why: "It could never be resolved.",
    help: "Give one of them a value of its own.",
  },
  "chain-too-long": {
    severity: "error",
    message: "{what} '{name}' builds on others more than {limit} levels deep",
    why: "Nobody could follow it, and it could exhaust the compiler's stack.",
    help: "Give one of those in between a value of its own.",
  },
  "invalid-arithmetic": {
    severity: "error",
    message: "{problem}",
    why: "A calculation needs numbers, or quantities of compatible kinds.",
    about: "A calculation has no result, or a meaningless one.",
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
    why: "It is referred to by its name.",
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
    why: "It is a library to import: none of its blocks says what to train.",
    help: "Plan a spec that imports it.",
  },
  "invalid-yaml": {
    severity: "error",
    message: "{problem}",
    why: "Only what has a single meaning in a spec is accepted: maps, lists and scalars.",
    about:
      "YAML and JSON can express more than a spec; what has no single meaning in one is rejected.",
  },
  // Values
  "unknown-adapter-target": {
    severity: "error",
    message: "this model's layers have no matrix '{target}' that can have an adapter",
    why: "The run would end before its first step.",
  },
  "tiles-with-experts": {
    severity: "error",
    message: "tiled_mlp takes dense MLPs; this model has experts in {layers} of its {all} layers",
    why: "Every tile would call the experts again, with a few tokens for each.",
    help: "Write tiled_mlp = off.",
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
    about: "The value has the right type but makes no sense for this key.",
  },
  "unknown-value": {
    severity: "error",
    message: "'{value}' is not a value of '{name}'",
    why: "Only these are known: {values}.",
  },
  "unsafe-path": {
    severity: "error",
    message: "this path {problem}",
    summary: "a path is absolute, leaves the spec's folder, or cannot be read on every machine.",
    why: "A run moves between machines: its paths start at one folder, and what it reads lies below that folder.",
    help: "Write a path relative to the spec's folder; data and weights must lie below it.",
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
    why: "{reason}",
    about:
      "The spec does not say where the model's dimensions or its pretrained weights come from.",
    help: 'Write model "NAME" { ... } for the catalogue, or model "OWNER/NAME" { config = "config.json" } for any other on the hub.',
  },
  "contradictory-keys": {
    severity: "error",
    message: "'{first}' and '{second}' contradict each other",
    why: "{reason}",
    about: "Two keys, each valid on its own, cannot both hold.",
    help: "Remove or change one of them.",
  },
  "too-many-ranks": {
    severity: "error",
    message: "the cluster has {ranks} ranks; a run has at most {most}",
    why: "Every global batch is scheduled over all ranks, and this many would take longer to schedule than to train.",
    help: "Lower nodes or gpus: each GPU is one rank.",
  },
  "ranks-not-divisible": {
    severity: "error",
    message: "{ranks} ranks cannot be divided into groups of {context}",
    why: "Every rank belongs to one context-parallel group; the data-parallel degree is ranks / context.",
  },
  "degrees-need-powers-of-two": {
    severity: "error",
    message: "'{degrees}' needs {what} to be a power of two; it is {value}",
    why: "Groups of 1, 2, 4, ... ranks must divide it evenly.",
    help: "Use degrees = local-or-all, or change the number.",
  },
  "budget-exceeds-memory": {
    severity: "error",
    message: "the budget of {budget} exceeds the GPU's {memory}",
    why: "The plan would be too large for the hardware.",
    help: "Lower the budget, or leave it out to use all of the GPU's memory.",
  },
  "reserve-exceeds-budget": {
    severity: "error",
    message: "the reserve of {reserve} leaves nothing of the budget of {budget}",
    why: "The reserve is subtracted from the budget, which defaults to the GPU's memory, or on CPU to a rank's share of host_memory.",
    help: "Lower reserve, or raise the budget.",
  },
} as const satisfies Entries;
