import { aligned, fittingRows, type Row, runs, shapeOf, withComments } from "./align.js";
import { inlineGroup, join } from "./inline.js";
import type { Group, Item, Statement } from "./layout.js";

const WIDTH = 100;
const INDENT = "  ";

type Rows = readonly (Row | undefined)[];

/** Text of a whole file. */
export function print(items: readonly Item[]): string {
  const rows = fittingRows(items, WIDTH, false);
  const lines = printRows(separateBlocks(items, rows), rows, { depth: 0, inList: false });
  return lines.length === 0 ? "" : `${lines.join("\n")}\n`;
}

interface Where {
  readonly depth: number;
  readonly inList: boolean;
}

/** Blank lines around every block of several lines, and the comments right above it. */
function separateBlocks(items: readonly Item[], rows: Rows): readonly Item[] {
  const apart = new Set<number>();
  items.forEach((item, n) => {
    if (item.kind === "comment" || rows[n] || shapeOf(item, false) !== "block") return;
    apart.add(n + 1);
    let first = n;
    while (!items[first]?.blankBefore && items[first - 1]?.kind === "comment") first -= 1;
    if (first > 0) apart.add(first);
  });
  return items.map((item, n) => (apart.has(n) ? { ...item, blankBefore: true } : item));
}

function printItems(items: readonly Item[], where: Where): readonly string[] {
  const comma = where.inList ? 1 : 0;
  const room = WIDTH - where.depth * INDENT.length - comma;
  return printRows(items, fittingRows(items, room, where.inList), where);
}

function printRows(items: readonly Item[], rows: Rows, where: Where): readonly string[] {
  const indent = INDENT.repeat(where.depth);
  return runs(items, where.inList, (n) => rows[n] !== undefined).flatMap((run) => {
    const members = run.map((n) => items[n] as Item);
    const lines = printRun(
      members,
      run.map((n) => rows[n]),
      where,
    ).map((line) => indent + line);
    return members[0]?.blankBefore ? ["", ...lines] : lines;
  });
}

function printRun(run: readonly Item[], rows: Rows, where: Where): readonly string[] {
  const [first] = run;
  if (first?.kind === "comment") return [first.text];
  const comma = where.inList ? "," : "";
  const statements = run as readonly Statement[];
  const fitting = rows.filter((row) => row !== undefined);
  if (fitting.length === run.length) {
    const lines = aligned(fitting).map((line) => line + comma);
    return withComments(
      lines,
      statements.map((statement) => statement.comment),
    );
  }
  return statements.map((statement) => {
    const comment = statement.comment === undefined ? "" : `  ${statement.comment}`;
    return printBroken(statement, where.depth) + comma + comment;
  });
}

/** Breaks the groups that have to be, else the last that can be. */
function printBroken({ parts }: Statement, depth: number): string {
  const texts = parts.map((part) => (part.kind === "group" ? inlineGroup(part) : part.text));
  if (!texts.includes(undefined)) {
    const last = parts.findLastIndex((part) => part.kind === "group" && part.items.length > 0);
    if (last >= 0) texts[last] = undefined;
  }
  return join(
    parts,
    parts.map((part, n) => texts[n] ?? printGroup(part as Group, depth)),
  );
}

function printGroup({ open, comment, items }: Group, depth: number): string {
  const inList = open === "[";
  return [
    comment === undefined ? open : `${open}  ${comment}`,
    ...printItems(items, { depth: depth + 1, inList }),
    INDENT.repeat(depth) + (inList ? "]" : "}"),
  ].join("\n");
}
