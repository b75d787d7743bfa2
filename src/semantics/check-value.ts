import { join } from "pathe";
import type { Extra } from "../diagnostics/diagnostic.js";
import { meant } from "../diagnostics/suggestion.js";
import { countOf, formatBytes, formatCount, formatNumber } from "../foundation/format.js";
import { didYouMean } from "../foundation/suggest.js";
import { counterpartOf } from "../language/other-tools.js";
import { type Dimension, type NumberRange, type ValueType, wordsOf } from "../language/types.js";
import { unitsMeant } from "../language/unit-spellings.js";
import {
  COUNT_UNITS,
  DIMENSION_NAMES,
  factorOf,
  UNITLESS,
  UNITS,
  unitsOf,
} from "../language/units.js";
import { numberProblem } from "../syntax/numbers.js";
import { parseValue } from "../syntax/parse.js";
import type {
  ListNode,
  NameNode,
  NumberNode,
  StringNode,
  TaggedNode,
  ValueNode,
} from "../syntax/tree.js";
import { type CheckContext, checkProperties } from "./check-properties.js";
import { placed } from "./elsewhere.js";
import {
  inBrackets,
  meantUnits,
  otherWord,
  quoted,
  TRUTH,
  unquoted,
  withoutUnit,
  withSlashes,
} from "./fixes.js";
import { pathProblem } from "./paths.js";
import type { Report } from "./report.js";
import type { Scope } from "./scope.js";

/** What the checker of a value needs to know of its surroundings. */
export interface ValueContext extends CheckContext {
  /** The key, for messages. */
  readonly name: string;
  /** The whole path, for origins. */
  readonly path: string;
}

type Checker<Kind extends ValueType["kind"]> = (
  node: ValueNode,
  type: Extract<ValueType, { kind: Kind }>,
  context: ValueContext,
) => unknown;

const CHECKERS: { readonly [Kind in ValueType["kind"]]: Checker<Kind> } = {
  string: checkString,
  path: checkPath,
  boolean: checkBoolean,
  scalar: checkScalar,
  integer: checkInteger,
  number: checkNumber,
  quantity: checkQuantity,
  enumeration: checkEnumeration,
  list: checkList,
  tagged: checkTagged,
};

/** The value of a node as the table's type has it; `undefined` after reporting why it is none. */
export function checkValue(written: ValueNode, type: ValueType, context: ValueContext): unknown {
  const read = interpret(written, type);
  const evaluated = isWordOf(read, type, context)
    ? { node: read, report: context.report }
    : context.evaluator.evaluate(read, context.report);
  if (!evaluated) return undefined;
  const { report, document = context.document } = evaluated;
  const node = workedOut(interpret(evaluated.node, type), context, report);
  if (!node) return undefined;
  return (CHECKERS[type.kind] as Checker<ValueType["kind"]>)(node, type, {
    ...context,
    report,
    document,
  });
}

/** A constant of YAML holds its calculation as a scalar: only its type has told that it is one. */
function workedOut(
  node: ValueNode,
  { evaluator }: ValueContext,
  report: Report,
): ValueNode | undefined {
  const calculated = node.kind === "chain" || node.kind === "negative";
  return calculated ? evaluator.evaluate(node, report)?.node : node;
}

/** Whether a bare word is a value of the type itself: it then never means a constant of the same name. */
function isWordOf(node: ValueNode, type: ValueType, { scope }: ValueContext): boolean {
  if (node.kind !== "name") return false;
  return wordsOf(type).includes(node.text) || isDeclared(node.text, type, scope);
}

/** Whether a word is the name of a block that the type takes. */
const isDeclared = (word: string, type: ValueType, scope: Scope): boolean =>
  type.kind === "enumeration" &&
  type.declared !== undefined &&
  scope.block(type.declared, word) !== undefined;

/** What a scalar of YAML stands for in the place of a value of this type. */
function interpret(node: ValueNode, type: ValueType): ValueNode {
  if (node.kind !== "scalar") return node;
  const { text, start, end } = node;
  switch (type.kind) {
    case "string":
    case "path":
      return { kind: "string", value: text, start, end };
    case "boolean":
    case "enumeration":
    case "tagged":
      return { kind: "name", text, start, end };
    case "scalar":
      if (text === "true" || text === "false") return { kind: "name", text, start, end };
      return parseValue(text, node) ?? { kind: "string", value: text, start, end };
    default:
      return parseValue(text, node) ?? { kind: "string", value: text, start, end };
  }
}

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

function wrongType(
  node: ValueNode,
  expected: string,
  context: ValueContext,
  advice: Extra = {},
): undefined {
  const values = { expected, found: FOUND[node.kind], reason: "Every key has one type." };
  return reportType(node, values, context, { ...advice, ...misspeltConstant(node, context) });
}

function reportType(
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

function checkString(node: ValueNode, _: unknown, context: ValueContext): string | undefined {
  if (node.kind === "string") return node.value;
  return wrongType(node, "a string", context, inQuotes(node, context));
}

function inQuotes(node: ValueNode, { report }: ValueContext): Extra {
  const help = node.kind === "name" ? { help: `Write "${node.text}" in quotes.` } : {};
  const fix = quoted(node, report);
  return { ...help, ...(fix ? { fix } : {}) };
}

function checkPath(
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

function plainNumber(
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

function checkInteger(
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

function checkNumber(
  node: ValueNode,
  type: Extract<ValueType, { kind: "number" }>,
  context: ValueContext,
): number | undefined {
  const number = plainNumber(node, "a number", context);
  return number && inRange(number, number.value, type.range, context);
}

function checkQuantity(
  node: ValueNode,
  type: Extract<ValueType, { kind: "quantity" }>,
  context: ValueContext,
): number | undefined {
  const dimension = DIMENSION_NAMES[type.dimension];
  const units = UNITS[type.dimension];
  const help = `Units of ${dimension}: ${unitsOf(type.dimension)}.`;
  if (node.kind !== "number") {
    return wrongType(node, dimension, context, { help, ...meantNumber(node, context) });
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
function whole(
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

function inRange(
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

function checkEnumeration(
  node: ValueNode,
  type: Extract<ValueType, { kind: "enumeration" }>,
  context: ValueContext,
): string | undefined {
  const values = type.values.join(", ");
  if (node.kind !== "name") {
    if (node.kind !== "string") return wrongType(node, `one of ${values}`, context);
    return wrongType(node, `one of ${values}`, context, meantByText(node, type, context));
  }
  if (type.values.includes(node.text)) return node.text;
  if (isDeclared(node.text, type, context.scope)) {
    const { report, scope } = context;
    scope.useBlock(type.declared ?? "", node.text, report.place(node));
    return node.text;
  }
  reportUnknown(node, type, context);
  return undefined;
}

type Enumeration = Extract<ValueType, { kind: "enumeration" }>;

/** A word in quotes: the word itself, or another spelling of one. */
function meantByText(node: StringNode, type: Enumeration, context: ValueContext): Extra {
  const { report, scope } = context;
  const known = type.values.includes(node.value) || isDeclared(node.value, type, scope);
  const [near, ...others] = known ? [] : wordsMeant(node.value, type, scope);
  if (near !== undefined && others.length === 0) {
    const fix = unquoted({ ...node, value: near }, report);
    return meant(near, fix && { ...fix, safe: false });
  }
  if (near !== undefined) return { help: oneOfThese([near, ...others]) };
  if (!known) return { help: chooseAnother(type) };
  const fix = unquoted(node, report);
  return { help: "Write the word without quotes.", ...(fix ? { fix } : {}) };
}

/** Values that a word may be another spelling of. */
function wordsMeant(word: string, type: Enumeration, scope: Scope): readonly string[] {
  const names = type.declared === undefined ? [] : scope.blockNames(type.declared);
  const spellings = type.meant?.(word) ?? [];
  if (spellings.length > 0) return spellings;
  const near = didYouMean(word, type.meant ? names : [...type.values, ...names]);
  return near === undefined ? [] : [near];
}

const oneOfThese = (words: readonly string[]): string =>
  `Did you mean ${words.slice(0, -1).join(", ")} or ${words.at(-1)}?`;

function checkBoolean(node: ValueNode, _: unknown, context: ValueContext): boolean | undefined {
  const values = ["true", "false"];
  const word = checkEnumeration(node, { kind: "enumeration", values }, context);
  return word === undefined ? undefined : word === "true";
}

function checkScalar(
  node: ValueNode,
  _: unknown,
  context: ValueContext,
): string | number | boolean | undefined {
  if (node.kind === "string") return node.value;
  if (node.kind === "name") return checkBoolean(node, _, context);
  return plainNumber(node, "a string, a number, true or false", context)?.value;
}

function reportUnknown(node: NameNode, type: Enumeration, context: ValueContext): void {
  const { report, scope, name } = context;
  // What a failed import would have declared may be meant.
  if (scope.lacksImports && type.declared !== undefined) {
    report.findings.spoil();
    return;
  }
  const { values } = type;
  const truth = TRUTH[node.text.toLowerCase()] ?? "";
  const fixWith = (near: string) => otherWord(node, near, report);
  const [near, ...others] = values.includes(truth) ? [truth] : wordsMeant(node.text, type, scope);
  const advice =
    near === undefined
      ? { help: chooseAnother(type) }
      : others.length === 0
        ? meant(near, fixWith(near))
        : { help: oneOfThese([near, ...others]) };
  const names = type.declared === undefined ? [] : scope.blockNames(type.declared);
  const named = { value: node.text, name, values: [...values, ...names].join(", ") };
  report.at("unknown-value", named, node, advice);
}

const chooseAnother = ({ declared }: Enumeration): string =>
  declared === undefined
    ? "Choose one of them."
    : `Choose one of them, or describe your own: ${declared} NAME { ... }.`;

function checkList(
  node: ValueNode,
  type: Extract<ValueType, { kind: "list" }>,
  context: ValueContext,
): readonly unknown[] | undefined {
  if (
    node.kind === "name" &&
    type.item.kind === "enumeration" &&
    !isWordOf(node, type.item, context)
  ) {
    reportUnknown(node, type.item, context);
    return undefined;
  }
  if (node.kind !== "list") {
    const help = "Put it in square brackets: [ ... ]";
    const fix = inBrackets(node, context.report);
    return wrongType(node, "a list", context, { help, ...(fix ? { fix } : {}) });
  }
  const items = node.items.map((item, n) => {
    const path = `${context.path}.${n}`;
    context.origins.record(path, context.report.place(item));
    return checkValue(item, type.item, { ...context, path });
  });
  return listProblem(node, type, context) || items.includes(undefined) ? undefined : items;
}

function listProblem(
  node: ListNode,
  type: Extract<ValueType, { kind: "list" }>,
  context: ValueContext,
): boolean {
  const count = node.items.length;
  const expected =
    type.length !== undefined && count !== type.length
      ? `a list of ${countOf(type.length, "value")}`
      : type.nonEmpty && count === 0
        ? "at least one value"
        : undefined;
  if (expected === undefined) return false;
  const reason = "The number of values matters.";
  reportType(node, { expected, found: `a list of ${count}`, reason }, context);
  return true;
}

/** A word in quotes, a file that a tag names, or what another key is for. */
function meantTag(
  node: ValueNode,
  tags: readonly string[],
  { name, path, report }: ValueContext,
): Extra {
  if (node.kind === "number") {
    const found = counterpartOf(name);
    return found && found.at !== path ? { help: placed(found, report) } : {};
  }
  if (node.kind !== "string") return {};
  if (tags.includes(node.value)) {
    const fix = unquoted(node, report);
    return { help: "Write the word without quotes.", ...(fix ? { fix } : {}) };
  }
  return tags.includes("file") && !report.isYaml
    ? { help: `Write file { path = ${JSON.stringify(node.value)} }.` }
    : {};
}

function checkTagged(
  node: ValueNode,
  type: Extract<ValueType, { kind: "tagged" }>,
  context: ValueContext,
): unknown {
  const tags = Object.keys(type.variants);
  if (node.kind !== "tagged" && node.kind !== "name") {
    const expected = `one of ${tags.map((tag) => `${tag} { ... }`).join(", ")}`;
    return wrongType(node, expected, context, meantTag(node, tags, context));
  }
  const tag = node.kind === "name" ? node : node.tag;
  const properties = Object.hasOwn(type.variants, tag.text) ? type.variants[tag.text] : undefined;
  if (!properties) {
    reportUnknown(tag, { kind: "enumeration", values: tags }, context);
    return undefined;
  }
  const body = (node as TaggedNode).body ?? {
    entries: [],
    blocks: [],
    imports: [],
    constants: [],
    start: node.start,
    end: node.end,
  };
  const open = type.open && Object.hasOwn(type.open, tag.text) ? type.open[tag.text] : undefined;
  const owner = { name: tag.text, path: context.path, header: tag, open };
  const layers = [{ body, document: context.document }];
  const values = checkProperties(layers, properties, owner, context);
  return values && { type: tag.text, ...values };
}
