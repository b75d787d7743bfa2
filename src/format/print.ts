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
  const texts = items.map((item) => (item.kind === "comment" ? item.text : ""));
  for (const run of runs(items, where.inList, (n) => rows[n] !== undefined)) {
    const statements = run.map((n) => items[n] as Statement);
    const lines = printRun(
      statements,
      run.map((n) => rows[n]),
      where,
    );
    run.forEach((n, i) => {
      texts[n] = lines[i] ?? "";
    });
  }
  const indent = INDENT.repeat(where.depth);
  return items.flatMap((item, n) => [...(item.blankBefore ? [""] : []), indent + texts[n]]);
}

function printRun(statements: readonly Statement[], rows: Rows, where: Where): readonly string[] {
  const comma = where.inList ? "," : "";
  const fitting = rows.filter((row) => row !== undefined);
  const lines =
    fitting.length === rows.length
      ? aligned(fitting)
      : statements.map((statement) => printBroken(statement, where.depth));
  const comments = statements.map((statement) => statement.comment);
  return withComments(
    lines.map((line) => line + comma),
    comments,
  );
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
