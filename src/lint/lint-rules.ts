import type { DiagnosticCode } from "../diagnostics/catalogue.js";
import type { Diagnostic } from "../diagnostics/diagnostic.js";
import type { Configuration } from "./configuration.js";
import { LEVELS, type Level } from "./level.js";
import type { Rule } from "./rule.js";
import { RULES } from "./rules/index.generated.js";
import type { LintSubject } from "./subject.js";

/** What the rules found in a spec, and which of them could look. */
export interface LintResult {
  readonly diagnostics: readonly Diagnostic[];
  /** Rules that are on and knew enough to judge. */
  readonly judged: ReadonlySet<DiagnosticCode>;
}

/** Runs the rules that are on and whose level is known. @throws Error naming the rule, where one has a fault */
export function lintRules(
  subject: LintSubject,
  configuration: Configuration,
  rules: readonly Rule[],
): LintResult {
  const diagnostics: Diagnostic[] = [];
  const judged = new Set<DiagnosticCode>();
  for (const rule of rules) {
    const setting = configuration.rules.get(rule.code);
    if (setting?.level === "off" || !knows(subject, rule.needs)) continue;
    judged.add(rule.code);
    for (const found of runRule(rule, subject, setting?.options ?? {})) {
      diagnostics.push(setting?.level ? { ...found, severity: setting.level } : found);
    }
  }
  return { diagnostics, judged };
}

/** The highest level that a rule which is on needs. */
export function levelNeeded(configuration: Configuration): Level {
  const on = RULES.filter(({ code }) => configuration.rules.get(code)?.level !== "off");
  const ranks = on.map(({ needs }) => LEVELS.indexOf(needs));
  return LEVELS[Math.max(0, ...ranks)] ?? "spec";
}

/** A level is known with those below it. */
function knows(subject: LintSubject, level: Level): boolean {
  const { names, spec, model, inputs, lengths, plan } = subject;
  const facts = [true, names, spec, model, inputs, lengths, plan].slice(
    0,
    LEVELS.indexOf(level) + 1,
  );
  return facts.every(Boolean);
}

function runRule(rule: Rule, subject: LintSubject, options: Readonly<Record<string, number>>) {
  try {
    return rule.run(subject, options);
  } catch (error) {
    throw new Error(`the lint rule '${rule.code}' failed on ${subject.file}`, { cause: error });
  }
}
