import type { Extra } from "../../diagnostics/diagnostic.js";
import { formatNumber } from "../../foundation/format.js";
import type { ValueType } from "../../language/types.js";
import { unitsMeant } from "../../language/unit-spellings.js";
import {
  COUNT_UNITS,
  DIMENSION_NAMES,
  factorOf,
  UNITLESS,
  UNITS,
  unitsOf,
} from "../../language/units.js";
import { numberProblem } from "../../syntax/numbers.js";
import { parseValue } from "../../syntax/parse.js";
import type { NameNode, NumberNode, ValueNode } from "../../syntax/tree.js";
import type { ValueContext } from "../check-context.js";
import { meantUnits, unquoted, withoutUnit } from "../fixes.js";
import { inRange } from "./check-range.js";
import { reportType, wrongType } from "./wrong-type.js";

export function plainNumber(
  node: ValueNode,
  expected: string,
  context: ValueContext,
): NumberNode | undefined {
  if (node.kind !== "number") return wrongType(node, expected, context, meantNumber(node, context));
  if (!node.unit) return node;
  const factor = factorOf(COUNT_UNITS, node.unit.text);
  if (factor !== undefined) return { ...node, value: node.value * factor };
  reportUnit(node, node.unit, expected, context);
  return undefined;
}

/** A plain number has no units but K and M. */
function reportUnit(
  node: NumberNode,
  unit: NameNode,
  expected: string,
  context: ValueContext,
): void {
  const { name, report } = context;
  const near = unitsMeant(unit.text, "tokens").filter((known) => Object.hasOwn(COUNT_UNITS, known));
  if (near.length > 0 || isScale(unit.text)) {
    const { help = "", ...fix } = meantUnits(near, unit, node, report);
    const scales = `The only units of a plain number are ${Object.keys(COUNT_UNITS).join(" and ")}.`;
    const advice = { help: help || scales, ...fix };
    report.at("wrong-unit", { unit: unit.text, name, dimension: expected }, unit, advice);
    return;
  }
  const values = { unit: unit.text, name, dimension: `${expected} without a unit` };
  // After a syntax error it may be the next key.
  const fix = context.broken ? undefined : withoutUnit(node, report);
  const extra = { help: "Remove the unit.", ...(fix ? { fix } : {}) };
  report.at("wrong-unit", values, unit, extra);
}

/** A letter that stands for a thousand or more: without it the number would be another. */
const isScale = (unit: string): boolean => /^[kmgtbp]i?b?$/i.test(unit);

/** A number in quotes, or one of YAML that this language writes otherwise. */
function meantNumber(node: ValueNode, { report }: ValueContext): Extra {
  if (node.kind !== "string") return {};
  if (parseValue(node.value, node)?.kind === "number") {
    const fix = unquoted(node, report);
    return fix ? { help: "Write the number without quotes.", fix } : {};
  }
  const { problem, meant: number } = numberProblem(node.value) ?? {};
  if (problem === undefined) return {};
  const help = `Of '${node.value}', ${problem}.`;
  if (number === undefined || report.written(node) !== node.value) return { help };
  return { help, fix: report.replacement(`Write ${number}`, node, number, true) };
}

export function checkInteger(
  node: ValueNode,
  type: Extract<ValueType, { kind: "integer" }>,
  context: ValueContext,
): number | string | undefined {
  if (type.word !== undefined && node.kind === "name") {
    if (node.text === type.word) return type.word;
    return wrongType(node, `a whole number or ${type.word}`, context);
  }
  const number = plainNumber(node, "a whole number", context);
  if (!number) return undefined;
  // A number beyond every limit reads as infinite: that is no fraction.
  if (Number.isInteger(number.value) || !Number.isFinite(number.value))
    return inRange(number, number.value, type.range, context);
  const found = `the fraction ${formatNumber(number.value)}`;
  const reason = "It is a count.";
  return reportType(node, { expected: "a whole number", found, reason }, context);
}

export function checkNumber(
  node: ValueNode,
  type: Extract<ValueType, { kind: "number" }>,
  context: ValueContext,
): number | undefined {
  const number = plainNumber(node, "a number", context);
  return number && inRange(number, number.value, type.range, context);
}

export function checkQuantity(
  node: ValueNode,
  type: Extract<ValueType, { kind: "quantity" }>,
  context: ValueContext,
): number | string | undefined {
  const { words = [] } = type;
  const dimension = DIMENSION_NAMES[type.dimension];
  const units = UNITS[type.dimension];
  const help = `Units of ${dimension}: ${unitsOf(type.dimension)}.`;
  if (node.kind === "name" && words.includes(node.text)) return node.text;
  if (node.kind !== "number") {
    const expected = [dimension, ...words].join(" or ");
    return wrongType(node, expected, context, { help, ...meantNumber(node, context) });
  }
  if (!node.unit) {
    if (UNITLESS.includes(type.dimension)) return whole(node, node.value, type, context);
    context.report.at("missing-unit", { name: context.name, dimension }, node, { help });
    return undefined;
  }
  const { unit: written } = node;
  const unit = written.text;
  const factor = factorOf(units, unit);
  if (factor !== undefined) return whole(node, node.value * factor, type, context);
  const near = unitsMeant(unit, type.dimension);
  const advice = meantUnits(near, written, node, context.report);
  const extra = { ...advice, help: `${advice.help ?? ""} ${help}`.trim() };
  context.report.at("wrong-unit", { unit, name: context.name, dimension }, written, extra);
  return undefined;
}

/** Tokens and bytes are whole; `1.5 GiB` is, `1.3 tokens` is not. */
export function whole(
  node: NumberNode,
  value: number,
  type: Extract<ValueType, { kind: "quantity" }>,
  context: ValueContext,
): number | undefined {
  const rounded = type.dimension === "bytes" ? Math.floor(value) : value;
  if (type.dimension !== "tokens" || Number.isInteger(rounded) || !Number.isFinite(rounded))
    return inRange(node, rounded, type.range, context, type.dimension);
  const reason = "Tokens are counted.";
  const found = `${formatNumber(value)} tokens`;
  return reportType(node, { expected: "a whole number of tokens", found, reason }, context);
}
