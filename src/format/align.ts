import { inline, textOf } from "./inline.js";
import type { Item, Part, Statement } from "./layout.js";

/** A statement on one line, cut where lines of a run are aligned. */
export interface Row {
  readonly head: string;
  /** From the `=`, or a block's body; empty where nothing is aligned. */
  readonly tail: string;
  /** The tail is a body: it is not moved far from its header. */
  readonly body: boolean;
}

/** Bodies in a column stand at most so far from where they would without it. */
const FARTHEST_BODY = 8;

type Shape = "entry" | "block" | "other";

/**
 * The row of every item that fits on one line. Room is measured with the whole run aligned: what is on one
 * line now still fits when a neighbour leaves the run, so that formatting again changes nothing.
 */
export function fittingRows(
  items: readonly Item[],
  room: number,
  inList: boolean,
): readonly (Row | undefined)[] {
  const rows = items.map((item) => (item.kind === "statement" ? rowOf(item, inList) : undefined));
  for (const run of runs(items, inList, () => true)) {
    const widest = largest(headWidths(run.map((n) => rows[n])));
    for (const n of run) {
      const row = rows[n];
      if (row && widthOf(row, farthestColumn(row, widest)) > room) rows[n] = undefined;
    }
  }
  return rows;
}

/** Indices of the statements that are aligned with each other: of one shape, without a blank line between them. */
export function runs(
  items: readonly Item[],
  inList: boolean,
  joins: (n: number) => boolean,
): readonly (readonly number[])[] {
  const found: number[][] = [];
  let blank = true;
  items.forEach((item, n) => {
    blank ||= item.blankBefore;
    if (item.kind === "comment") return;
    const run = found.at(-1);
    const before = run?.at(-1);
    const neighbours = before !== undefined && !blank && joins(before) && joins(n);
    if (neighbours && shapeOf(items[before] as Statement, inList) === shapeOf(item, inList))
      run?.push(n);
    else found.push([n]);
    blank = false;
  });
  return found;
}

/** Rows with their heads at one width; of blocks, those neighbours whose heads do not differ too much in theirs. */
export function aligned(rows: readonly Row[]): readonly string[] {
  return alikeNeighbours(rows).flatMap((group) => {
    const column = largest(headWidths(group));
    return group.map(({ head, tail }) => (tail === "" ? head : `${padded(head, column)} ${tail}`));
  });
}

function alikeNeighbours(rows: readonly Row[]): readonly (readonly Row[])[] {
  const groups: Row[][] = [];
  let [least, most] = [0, 0];
  for (const row of rows) {
    const own = width(row.head);
    [least, most] = [Math.min(least, own), Math.max(most, own)];
    const group = groups.at(-1);
    if (group && !(row.body && most - least > FARTHEST_BODY)) group.push(row);
    else {
      groups.push([row]);
      [least, most] = [own, own];
    }
  }
  return groups;
}

/** Lines with the comments at their ends in one column, two spaces after the longest. */
export function withComments(
  lines: readonly string[],
  comments: readonly (string | undefined)[],
): readonly string[] {
  const column = largest(lines.map((line, n) => (comments[n] === undefined ? 0 : width(line))));
  return lines.map((line, n) =>
    comments[n] === undefined ? line : `${padded(line, column)}  ${comments[n]}`,
  );
}

export function shapeOf({ parts }: Statement, inList: boolean): Shape {
  if (inList) return "other";
  if (parts.some((part) => textOf(part) === "=")) return "entry";
  return parts.length > 1 && textOf(parts.at(-1)) === "{" ? "block" : "other";
}

function rowOf(statement: Statement, inList: boolean): Row | undefined {
  const { parts } = statement;
  const shape = shapeOf(statement, inList);
  const cut = {
    entry: parts.findIndex((part) => textOf(part) === "="),
    block: parts.length - 1,
    other: parts.length,
  }[shape];
  const [head, tail] = [inline(parts.slice(0, cut)), inlineTail(parts.slice(cut))];
  const body = shape === "block";
  return head === undefined || tail === undefined ? undefined : { head, tail, body };
}

const inlineTail = (parts: readonly Part[]) => (parts.length === 0 ? "" : inline(parts));

const headWidths = (rows: readonly (Row | undefined)[]): readonly number[] =>
  rows.flatMap((row) => (row && row.tail !== "" ? [width(row.head)] : []));

/** The farthest that a row's tail can be moved, however many of its neighbours turn out not to fit. */
const farthestColumn = ({ head, body }: Row, widest: number): number =>
  body ? Math.min(widest, width(head) + FARTHEST_BODY) : widest;

const widthOf = ({ head, tail }: Row, column: number): number =>
  tail === "" ? width(head) : Math.max(column, width(head)) + 1 + width(tail);

/** A run can have more lines than a call may have arguments. */
const largest = (numbers: readonly number[]): number =>
  numbers.reduce((most, number) => Math.max(most, number), 0);

const width = (text: string): number => [...text].length;

const padded = (text: string, column: number): string =>
  text + " ".repeat(Math.max(0, column - width(text)));
