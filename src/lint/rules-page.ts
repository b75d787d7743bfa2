import { CATALOGUE } from "../diagnostics/catalogue.js";
import { LEVELS, type Level } from "./level.js";
import type { Rule } from "./rule.js";
import { RULES } from "./rules/index.generated.js";
import { RULES_OF_TOPIC } from "./rules/topics.generated.js";
import { TOPICS, type Topic } from "./topics.js";

const NEEDS: Readonly<Record<Level, string>> = {
  text: "Nothing: it looks at every file, sound or not.",
  names: "A file without errors that says what to train: what a library declares is for others.",
  spec: "A spec without errors.",
  model: "The model's configuration, whether or not it can be trained.",
  inputs:
    "A model that can be trained, the profile, and what lies in folders of weights and of compiled runs.",
  lengths:
    "Token lengths that `skrull plan` or `compile` has measured before: lint measures nothing.",
  plan: "Measured data of which everything fits; a few global batches are scheduled.",
};

/** docs/reference/lint-rules.md: every rule by its topic, with its level, what it needs and its options. */
export function rulesPage(): string {
  const topics = Object.keys(TOPICS) as Topic[];
  return [
    "<!-- Generated from src/lint/rules by npm run generate. Do not edit. -->",
    "",
    "# Lint rules",
    "",
    "[docs/lint.md](../lint.md) says how to set their levels and options, and how to suppress them. A rule is silent",
    "where it lacks what it [needs](#what-rules-need).",
    "",
    ...topics.flatMap((topic) => [`## ${TOPICS[topic]}`, "", ...table(rulesOf(topic)), ""]),
    "## What rules need",
    "",
    "| needs | what that is |",
    "|---|---|",
    ...LEVELS.map((level) => `| ${level} | ${NEEDS[level]} |`),
    "",
  ].join("\n");
}

const rulesOf = (topic: Topic): readonly Rule[] =>
  RULES.filter(({ code }) => RULES_OF_TOPIC[topic].includes(code));

function table(rules: readonly Rule[]): readonly string[] {
  const rows = rules.map(({ code, needs, options }) => {
    const name = `[\`${code}\`](../diagnostics/README.md#${code})`;
    const settings = Object.entries(options).map(
      ([option, { doc, default: value }]) => `\`${option}\` (${value}): ${doc}`,
    );
    return `| ${name} | ${CATALOGUE[code].severity} | ${needs} | ${settings.join("<br>")} |`;
  });
  return ["| rule | level | needs | options and their defaults |", "|---|---|---|---|", ...rows];
}
