import type { Extra, Fix } from "../diagnostics/diagnostic.js";
import { meant } from "../diagnostics/suggestion.js";
import type { EntryNode, NameNode, NumberNode, Span, ValueNode } from "../syntax/tree.js";
import { pathProblem } from "./paths.js";
import type { Report } from "./report.js";

// Fixes of values. A value that a constant stands for, or a scalar of YAML, is not written where it is used: what
// stands there is looked at before it is replaced.

/** A bare word as the string that was meant. */
export function quoted(node: ValueNode, report: Report): Fix | undefined {
  if (node.kind !== "name" || report.written(node) !== node.text) return undefined;
  return report.replacement(`Write "${node.text}"`, node, `"${node.text}"`, true);
}

/** A quoted word or number as what it says. */
export function unquoted(node: ValueNode, report: Report): Fix | undefined {
  if (node.kind !== "string" || !isQuoted(node, report)) return undefined;
  return report.replacement(`Write ${node.value}`, node, node.value, true);
}

/** A single value as a list of one. */
export function inBrackets(node: ValueNode, report: Report): Fix | undefined {
  const item = asItem(node, report.written(node));
  if (item === undefined) return undefined;
  return report.replacement(`Write [${item}]`, node, `[${item}]`, true);
}

/** A plain scalar of YAML can hold what would end it inside a list. */
function asItem(node: ValueNode, written: string): string | undefined {
  if (node.kind === "tagged") return undefined;
  const plain = node.kind === "string" && !/^["']/.test(written) && !/^[\w./-]+$/.test(written);
  if (!plain) return written;
  return node.value === written ? JSON.stringify(written) : undefined;
}

/** What a unit of others may stand for; a fix only where that is one thing. */
export function meantUnits(
  units: readonly string[],
  unit: NameNode,
  of: NumberNode,
  report: Report,
): Extra {
  const [first, ...others] = units;
  if (first === undefined) return {};
  return meant(
    units.join(" or "),
    others.length === 0 ? otherUnit(unit, first, of, report) : undefined,
  );
}

/** Another unit; safe where only the letters' case differs and no other unit is written so. */
function otherUnit(unit: NameNode, near: string, of: NumberNode, report: Report): Fix | undefined {
  if (report.written(unit) !== unit.text || unit.start === of.start) return undefined;
  const safe = /^[kmgt]ib$/i.test(unit.text) && near.toLowerCase() === unit.text.toLowerCase();
  return report.replacement(`Write ${near}`, unit, near, safe);
}

/** A number without its unit. */
export function withoutUnit({ unit, start, end }: NumberNode, report: Report): Fix | undefined {
  if (!unit || unit.start === start || report.written(unit) !== unit.text) return undefined;
  const number = report.written({ start, end: unit.start }).trimEnd();
  return report.replacement("Remove the unit", { start: start + number.length, end }, "");
}

/** A path with `/` in place of backslashes, if that is all it lacks. */
export function withSlashes(
  node: Span & { readonly value: string },
  inside: boolean,
  report: Report,
): Fix | undefined {
  const path = node.value.replaceAll("\\", "/");
  if (path === node.value || pathProblem(path, inside) || !isQuoted(node, report)) return undefined;
  return report.replacement("Separate folders with /", node, JSON.stringify(path), true);
}

/** A word for another; safe where only case, `-` and `_` differ, or they are two names of one truth value. */
export function otherWord(
  word: Span & { readonly text: string },
  near: string,
  report: Report,
  title = `Write ${near}`,
): Fix | undefined {
  if (report.written(word) !== word.text) return undefined;
  const safe = plain(word.text) === plain(near) || TRUTH[word.text.toLowerCase()] === near;
  return report.replacement(title, word, near, safe);
}

/** What other languages call `true` and `false`. */
export const TRUTH: Readonly<Record<string, string>> = {
  ...{ yes: "true", on: "true", no: "false", off: "false" },
};

/** A key taken out; safe where it says again what the first one says. */
export function withoutEntry(entry: EntryNode, first: EntryNode, report: Report): Fix {
  const said = ({ value }: EntryNode) => value && report.written(value);
  return {
    title: `Remove this ${entry.key.text}`,
    safe: said(entry) !== undefined && said(entry) === said(first),
    edits: [{ range: report.rangeWithSpace(entry), new_text: "" }],
  };
}

const plain = (text: string): string => text.replace(/[-_]/g, "").toLowerCase();

/** A string that is written here, and closed. */
const isQuoted = (span: Span, report: Report): boolean =>
  /^"(?:[^"\\\r\n]|\\[^\r\n])*"$/.test(report.written(span));
