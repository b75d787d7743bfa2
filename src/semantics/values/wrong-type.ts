import type { Extra } from "../../diagnostics/diagnostic.js";
import { meant } from "../../diagnostics/suggestion.js";
import { didYouMean } from "../../foundation/suggest.js";
import type { ValueNode } from "../../syntax/tree.js";
import type { ValueContext } from "../check-context.js";
import { otherWord } from "../fixes.js";

const FOUND: Readonly<Record<ValueNode["kind"], string>> = {
  chain: "a calculation",
  negative: "a calculation",
  scalar: "a word",
  name: "a bare word",
  string: "a string",
  number: "a number",
  list: "a list",
  tagged: "a block",
};

export function wrongType(
  node: ValueNode,
  expected: string,
  context: ValueContext,
  advice: Extra = {},
): undefined {
  const values = { expected, found: FOUND[node.kind], reason: "Every key has one type." };
  return reportType(node, values, context, { ...advice, ...misspeltConstant(node, context) });
}

export function reportType(
  node: ValueNode,
  values: { readonly expected: string; readonly found: string; readonly reason: string },
  { name, report, scope }: ValueContext,
  advice: Extra = {},
): undefined {
  // A name that a failed import would have declared.
  if (scope.lacksImports && node.kind === "name") {
    report.findings.spoil();
    return undefined;
  }
  const help = `Write ${values.expected}.`;
  report.at("wrong-type", { name, ...values }, node, { help, ...advice });
}

/** A bare word that no key takes is near a constant's name, if it is a name at all. */
function misspeltConstant(node: ValueNode, { evaluator, report }: ValueContext): Extra {
  if (node.kind !== "name") return {};
  const near = didYouMean(node.text, evaluator.constantNames);
  return near === undefined ? {} : meant(near, otherWord(node, near, report));
}
