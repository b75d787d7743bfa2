import { suggestion } from "../diagnostics/suggestion.js";
import type { Dimension } from "../language/types.js";
import { unitsMeant } from "../language/unit-spellings.js";
import { BASE_UNITS, COUNT_UNITS, factorOf, UNITS } from "../language/units.js";
import { negated } from "../syntax/numbers.js";
import { parseValue } from "../syntax/parse.js";
import type {
  ChainNode,
  NumberNode,
  Operator,
  ScalarNode,
  Span,
  ValueNode,
} from "../syntax/tree.js";
import type { SourceDocument } from "./document.js";
import { meantUnits, otherWord } from "./fixes.js";
import { LONGEST_CHAIN } from "./layers.js";
import type { Report } from "./report.js";
import type { Scope } from "./scope.js";

/** A number and what it counts: `count` is a bare number, which may also stand for tokens. */
interface Quantity {
  readonly value: number;
  readonly dimension: Dimension | "count";
}

/** A value without constants and arithmetic, and the report of the document that it was written in. */
export interface Evaluated {
  readonly node: ValueNode;
  readonly report: Report;
  /** Of a constant's value: where it is written, which its paths are relative to. */
  readonly document?: SourceDocument;
}

/** Replaces constants by their values and works out arithmetic. */
export class Evaluator {
  /** Constants that are being worked out: meeting one again is a circle. */
  readonly #open: string[] = [];
  /** What constants came to; each is worked out, and its mistakes told, once. */
  readonly #values = new Map<string, Evaluated | undefined>();

  constructor(private readonly scope: Scope) {}

  /**
   * A word stays as it is where no constant has its name; numbers, strings and words of a constant move to the place
   * where it is used.
   *
   * @returns `undefined` after reporting what is wrong
   */
  evaluate(node: ValueNode, report: Report): Evaluated | undefined {
    switch (node.kind) {
      case "name":
        return this.scope.constant(node.text)
          ? this.#constant(node.text, node, report)
          : { node, report };
      case "chain":
      case "negative": {
        const quantity = this.#quantity(node, report);
        return quantity && { node: numberOf(quantity, node), report };
      }
      case "scalar": {
        const calculation = this.#calculation(node);
        return calculation ? this.evaluate(calculation, report) : { node, report };
      }
      default:
        return { node, report };
    }
  }

  /** What a constant of YAML says of other constants; any other scalar is left to the type of the key it is for. */
  #calculation(node: ScalarNode): ValueNode | undefined {
    const value = parseValue(node.text, node);
    const names = value ? namesIn(value) : [];
    return names.length > 0 && names.every((name) => this.scope.constant(name)) ? value : undefined;
  }

  get constantNames(): readonly string[] {
    return this.scope.constantNames;
  }

  /** Every constant, so that mistakes in unused ones are told too. */
  checkAll(report: Report): void {
    for (const name of this.scope.constantNames) this.#valueOf(name, report);
  }

  #constant(name: string, use: Span, report: Report): Evaluated | undefined {
    this.scope.useConstant(name, report.place(use));
    const evaluated = this.#valueOf(name, report);
    if (!evaluated) return this.#spoilt(report);
    const moved = movedTo(evaluated.node, use);
    return moved ? { ...evaluated, node: moved, report } : evaluated;
  }

  #valueOf(name: string, report: Report): Evaluated | undefined {
    if (this.#values.has(name)) return this.#values.get(name);
    const declared = this.scope.constant(name);
    if (!declared?.node.value) return undefined;
    const own = report.in(declared.document);
    if (this.#open.includes(name)) {
      const path = [...this.#open.slice(this.#open.indexOf(name)), name].join(" → ");
      own.at("circular-definition", { what: "constant", path }, declared.node.name);
      return undefined;
    }
    if (this.#open.length >= LONGEST_CHAIN) {
      const values = { what: "constant", name, limit: LONGEST_CHAIN };
      own.at("chain-too-long", values, declared.node.name);
      return undefined;
    }
    this.#open.push(name);
    const evaluated = this.evaluate(declared.node.value, own);
    this.#open.pop();
    const sound =
      evaluated && this.#hasKnownUnit(evaluated)
        ? { document: declared.document, ...evaluated }
        : undefined;
    this.#values.set(name, sound);
    return sound;
  }

  /** What counts in no unit is no value of any key; after a syntax error it may be the next word. */
  #hasKnownUnit({ node, report }: Evaluated): boolean {
    return (
      node.kind !== "number" || this.scope.broken || this.#measured(node, report) !== undefined
    );
  }

  /** The mistake has been told where the constant is declared, in this pass or an earlier one. */
  #spoilt(report: Report): undefined {
    report.findings.spoil();
    return undefined;
  }

  #quantity(node: ValueNode, report: Report): Quantity | undefined {
    switch (node.kind) {
      case "number":
        return this.#measured(node, report);
      case "chain":
        return this.#chain(node, report);
      case "negative": {
        const operand = this.#quantity(node.operand, report);
        return operand && { ...operand, value: negated(operand.value) };
      }
      case "scalar": {
        const parsed = parseValue(node.text, node);
        if (parsed) return this.#quantity(parsed, report);
        break;
      }
      case "name":
        return this.#named(node.text, node, report);
    }
    const problem = "arithmetic works only on numbers and quantities";
    report.at("invalid-arithmetic", { problem }, node);
    return undefined;
  }

  #named(name: string, use: Span, report: Report): Quantity | undefined {
    if (!this.scope.constant(name)) {
      if (this.scope.broken || report.findings.full) return this.#spoilt(report);
      const declare = `Declare it: let ${name} = ...`;
      const advice = suggestion(name, this.scope.constantNames, declare, (near) =>
        otherWord({ ...use, text: name }, near, report),
      );
      report.at("unknown-name", { what: "constant", name }, use, advice);
      return undefined;
    }
    const evaluated = this.#constant(name, use, report);
    return evaluated && this.#quantity(evaluated.node, evaluated.report);
  }

  #measured(node: NumberNode, report: Report): Quantity | undefined {
    const { value, unit } = node;
    if (!unit) return { value, dimension: "count" };
    const count = factorOf(COUNT_UNITS, unit.text);
    if (count !== undefined) return { value: value * count, dimension: "count" };
    for (const dimension of Object.keys(UNITS) as Dimension[]) {
      const factor = factorOf(UNITS[dimension], unit.text);
      if (factor !== undefined) return { value: value * factor, dimension };
    }
    const dimensions = Object.keys(UNITS) as Dimension[];
    const near = new Set(dimensions.flatMap((dimension) => unitsMeant(unit.text, dimension)));
    const known = new Set(dimensions.flatMap((dimension) => Object.keys(UNITS[dimension])));
    report.at("invalid-arithmetic", { problem: `'${unit.text}' is not a unit` }, unit, {
      help: `Units: ${[...known].join(", ")}.`,
      ...meantUnits([...near], unit, node, report),
    });
    return undefined;
  }

  #chain({ first, rest }: ChainNode, report: Report): Quantity | undefined {
    let sum = this.#quantity(first, report);
    for (const { operator, operand } of rest) {
      const next = this.#quantity(operand, report);
      const result = sum && next && combine(sum, operator, next);
      if (typeof result === "string") {
        report.at("invalid-arithmetic", { problem: result }, operand);
        return undefined;
      }
      sum = result;
    }
    return sum;
  }
}

/** The constants that a calculation is made of. */
function namesIn(node: ValueNode): readonly string[] {
  switch (node.kind) {
    case "name":
      return [node.text];
    case "negative":
      return namesIn(node.operand);
    case "chain":
      return [node.first, ...node.rest.map(({ operand }) => operand)].flatMap(namesIn);
    default:
      return [];
  }
}

/** The result of an operation, or why there is none. */
function combine(left: Quantity, operator: Operator, right: Quantity): Quantity | string {
  const result =
    operator === "+" || operator === "-"
      ? add(left, operator, right)
      : scale(left, operator, right);
  if (typeof result === "string" || Number.isFinite(result.value)) return result;
  return operator === "/" && right.value === 0 ? "a division by zero" : "the result is too large";
}

function add(left: Quantity, operator: "+" | "-", right: Quantity): Quantity | string {
  const dimension = common(left.dimension, right.dimension);
  if (!dimension) {
    const names = `${NAMES[left.dimension]} and ${NAMES[right.dimension]}`;
    return `${names} cannot be ${operator === "+" ? "added" : "subtracted"}`;
  }
  return {
    value: operator === "+" ? left.value + right.value : left.value - right.value,
    dimension,
  };
}

function scale(left: Quantity, operator: "*" | "/", right: Quantity): Quantity | string {
  if (operator === "/") {
    if (common(left.dimension, right.dimension)) return ratio(left, right);
    if (right.dimension !== "count")
      return `${NAMES[left.dimension]} cannot be divided by ${NAMES[right.dimension]}`;
    return { value: left.value / right.value, dimension: left.dimension };
  }
  if (left.dimension !== "count" && right.dimension !== "count")
    return `${NAMES[left.dimension]} and ${NAMES[right.dimension]} cannot be multiplied`;
  const dimension = left.dimension === "count" ? right.dimension : left.dimension;
  return { value: left.value * right.value, dimension };
}

/** `8K tokens / 2` are tokens, `8K tokens / 2K tokens` is a count. */
function ratio(left: Quantity, right: Quantity): Quantity {
  const dimension = right.dimension === "count" ? left.dimension : "count";
  return { value: left.value / right.value, dimension };
}

function common(
  a: Quantity["dimension"],
  b: Quantity["dimension"],
): Quantity["dimension"] | undefined {
  if (a === b) return a;
  const pair = [a, b];
  return pair.includes("count") && pair.includes("tokens") ? "tokens" : undefined;
}

const NAMES: Readonly<Record<Quantity["dimension"], string>> = {
  count: "a number",
  tokens: "tokens",
  bytes: "bytes",
  bandwidth: "a bandwidth",
  compute: "a rate of operations",
  time: "a length of time",
};

/** A result as if it had been written out at `span`, in its dimension's base unit. */
function numberOf({ value, dimension }: Quantity, span: Span): NumberNode {
  const { start, end } = span;
  const plain: NumberNode = { kind: "number", value, text: String(value), start, end };
  if (dimension === "count") return plain;
  return { ...plain, unit: { kind: "name", text: BASE_UNITS[dimension], start, end } };
}

/** A simple value as if written at `span`; `undefined` for those with parts, which keep their own places. */
function movedTo(node: ValueNode, { start, end }: Span): ValueNode | undefined {
  switch (node.kind) {
    case "name":
    case "string":
    case "scalar":
      return { ...node, start, end };
    case "number":
      return { ...node, start, end, ...(node.unit ? { unit: { ...node.unit, start, end } } : {}) };
    default:
      return undefined;
  }
}
