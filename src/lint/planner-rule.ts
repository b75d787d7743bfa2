import type { DiagnosticCode } from "../diagnostics/catalogue.js";
import type { Rule } from "./rule.js";

/** A rule that reports what the planner finds, before anyone makes a plan. */
export function plannerRule(code: DiagnosticCode, needs: "inputs" | "lengths"): Rule {
  return {
    code,
    needs,
    options: {},
    run: ({ inputs }) => inputs?.problems().filter((found) => found.code === code) ?? [],
  };
}
