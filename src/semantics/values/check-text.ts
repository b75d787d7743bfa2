import { join } from "pathe";
import type { Extra } from "../../diagnostics/diagnostic.js";
import type { ValueType } from "../../language/types.js";
import type { ValueNode } from "../../syntax/tree.js";
import type { ValueContext } from "../check-context.js";
import { quoted, withSlashes } from "../fixes.js";
import { pathProblem } from "../paths.js";
import { wrongType } from "./wrong-type.js";

export function checkString(
  node: ValueNode,
  _: unknown,
  context: ValueContext,
): string | undefined {
  if (node.kind === "string") return node.value;
  return wrongType(node, "a string", context, inQuotes(node, context));
}

function inQuotes(node: ValueNode, { report }: ValueContext): Extra {
  const help = node.kind === "name" ? { help: `Write "${node.text}" in quotes.` } : {};
  const fix = quoted(node, report);
  return { ...help, ...(fix ? { fix } : {}) };
}

export function checkPath(
  node: ValueNode,
  type: Extract<ValueType, { kind: "path" }>,
  context: ValueContext,
): string | undefined {
  if (node.kind !== "string")
    return wrongType(node, "a path in quotes", context, inQuotes(node, context));
  if (node.value === type.word) return node.value;
  const path = fromSpec(node.value, context.document.folder);
  const problem = pathProblem(path, type.inside);
  if (problem === undefined) return path;
  const fix = withSlashes(node, type.inside, context.report);
  const extra = { help: problem.help, ...(fix ? { fix } : {}) };
  context.report.at("unsafe-path", { problem: problem.text }, node, extra);
  return undefined;
}

/** A path of an imported file is relative to that file: here it becomes relative to the spec, if it is one at all. */
const fromSpec = (path: string, folder: string): string =>
  folder === "." || path.startsWith("hub:") || pathProblem(path, false) ? path : join(folder, path);
