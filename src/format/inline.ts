import type { Group, Part } from "./layout.js";

const OPERATORS = ["+", "-", "*", "/"];
/** After these a sign belongs to what follows it. */
const BEFORE_SIGN = ["=", "(", ",", ...OPERATORS];
/** Scales are written onto their number, `32K`; other units after a space, `80 GiB`. */
const SCALE = /^[KMGT]$/;

/** A statement on one line; `undefined` where a comment or a line break inside keeps it on several. */
export function inline(parts: readonly Part[]): string | undefined {
  const texts = parts.map((part) => (part.kind === "group" ? inlineGroup(part) : part.text));
  if (texts.includes(undefined)) return undefined;
  return join(parts, texts as readonly string[]);
}

/** Parts with the space that stands between them. */
export function join(parts: readonly Part[], texts: readonly string[]): string {
  return texts.map((text, n) => (n > 0 && spaced(parts, n) ? ` ${text}` : text)).join("");
}

/** A group on one line, under the same condition. */
export function inlineGroup(group: Group): string | undefined {
  if (group.comment !== undefined) return undefined;
  if (group.items.length === 0) return group.open === "{" ? "{}" : "[]";
  const items = group.items.map(inlineItem);
  if (group.broken || items.includes(undefined)) return undefined;
  return group.open === "{" ? `{ ${items.join("  ")} }` : `[${items.join(", ")}]`;
}

function inlineItem(item: Group["items"][number]): string | undefined {
  if (item.kind === "comment" || item.comment !== undefined) return undefined;
  return inline(item.parts);
}

/** Whether a space stands before part `n`. */
function spaced(parts: readonly Part[], n: number): boolean {
  const [before, part] = [parts[n - 1], parts[n]];
  const [left, right] = [textOf(before), textOf(part)];
  if (left === "(" || right === ")") return false;
  if (OPERATORS.includes(left)) return !isSign(parts, n - 1);
  return !(before?.kind === "number" && SCALE.test(right));
}

function isSign(parts: readonly Part[], n: number): boolean {
  const sign = textOf(parts[n]);
  return (sign === "-" || sign === "+") && (n === 0 || BEFORE_SIGN.includes(textOf(parts[n - 1])));
}

/** What a part begins with. */
export const textOf = (part: Part | undefined): string =>
  part === undefined ? "" : part.kind === "group" ? part.open : part.text;
