import { formatBytes, formatCount, formatNumber } from "../../foundation/format.js";
import type { Dimension, NumberRange } from "../../language/types.js";
import type { NumberNode } from "../../syntax/tree.js";
import type { ValueContext } from "../check-context.js";

export function inRange(
  node: NumberNode,
  value: number,
  range: NumberRange,
  context: ValueContext,
  dimension?: Dimension,
): number | undefined {
  const low = range.min === undefined || (range.above ? value > range.min : value >= range.min);
  if (low && value <= (range.max ?? Number.MAX_VALUE)) return value;
  const reason = "A value outside that range has no meaning for this key.";
  const shown = shownNumber(node.text);
  const written = node.unit ? `${shown} ${node.unit.text}` : shown;
  context.report.at(
    "out-of-range",
    { name: context.name, value: written, range: describeRange(range, dimension), reason },
    node,
  );
  return undefined;
}

/** What was calculated may have more digits than anyone would write. */
const shownNumber = (text: string): string =>
  text.length > 12 ? formatNumber(Number(text)) : text;

/** A range in words: `at least 1`, `from 0 to 3`, `more than 0`. */
function describeRange({ min, max, above }: NumberRange, dimension?: Dimension): string {
  const shown = (bound: number) => describeBound(bound, dimension);
  const low = min === undefined ? "" : above ? `more than ${shown(min)}` : `at least ${shown(min)}`;
  if (max === undefined) return low;
  if (min === undefined) return `at most ${shown(max)}`;
  return above ? `${low} and at most ${shown(max)}` : `from ${shown(min)} to ${shown(max)}`;
}

function describeBound(bound: number, dimension: Dimension | undefined): string {
  if (dimension === "bytes") return bound === 0 ? "0" : formatBytes(bound);
  const number = Number.isInteger(bound) ? formatCount(bound) : String(bound);
  return dimension === "time" ? `${number} s` : number;
}
