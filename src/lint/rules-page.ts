import { CATALOGUE } from "../diagnostics/catalogue.js";
import { LEVELS, type Level, type Rule } from "./rule.js";
import { RULES } from "./rules/index.generated.js";

const HEADINGS: Readonly<Record<Level, readonly [title: string, text: string]>> = {
  text: ["Of the text", "They look at every file, sound or not."],
  names: [
    "Of names",
    "They need a file without errors that says what to train: what a library declares is for others.",
  ],
  spec: ["Of the spec", "They need a spec without errors and nothing else."],
  model: [
    "Of the model",
    "They also read the model's configuration, and say whether it can be trained.",
  ],
  inputs: [
    "Of the model and the machines",
    "They need a model that can be trained, and read the profile and what lies in folders of compiled runs.",
  ],
  lengths: [
    "Of the data",
    "They need token lengths that `skrull plan` or `compile` has measured before, and are silent without: lint measures nothing.",
  ],
  plan: [
    "Of the schedule",
    "They schedule a few global batches of measured data, where everything fits.",
  ],
};

/** docs/reference/lint-rules.md: every rule with its level and options. */
export function rulesPage(): string {
  const sections = LEVELS.flatMap((level) => {
    const rules = RULES.filter(({ needs }) => needs === level);
    if (rules.length === 0) return [];
    const [title, text] = HEADINGS[level];
    return [`## ${title}`, "", text, "", ...table(rules), ""];
  });
  const head = [
    "<!-- Generated from src/lint/rules by npm run generate. Do not edit. -->",
    "",
    "# Lint rules",
    "",
    "[docs/lint.md](../lint.md) says how to set their levels and options, and how to suppress them.",
    "",
  ];
  return [...head, ...sections].join("\n");
}

function table(rules: readonly Rule[]): readonly string[] {
  const rows = rules.map(({ code, options }) => {
    const name = `[\`${code}\`](../diagnostics/README.md#${code})`;
    const settings = Object.entries(options).map(
      ([option, { doc, default: value }]) => `\`${option}\` (${value}): ${doc}`,
    );
    return `| ${name} | ${CATALOGUE[code].severity} | ${settings.join("<br>")} |`;
  });
  return ["| rule | level | options and their defaults |", "|---|---|---|", ...rows];
}
