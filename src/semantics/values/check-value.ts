import { countOf } from "../../foundation/format.js";
import type { ValueType } from "../../language/types.js";
import { parseValue } from "../../syntax/parse.js";
import type { ListNode, ValueNode } from "../../syntax/tree.js";
import type { ValueContext } from "../check-context.js";
import { inBrackets } from "../fixes.js";
import type { Report } from "../report.js";
import { checkInteger, checkNumber, checkQuantity, plainNumber } from "./check-number.js";
import { checkTagged } from "./check-tagged.js";
import { checkPath, checkString } from "./check-text.js";
import { checkBoolean, checkEnumeration, isWordOf, reportUnknown } from "./check-word.js";
import { reportType, wrongType } from "./wrong-type.js";

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

function checkScalar(
  node: ValueNode,
  _: unknown,
  context: ValueContext,
): string | number | boolean | undefined {
  if (node.kind === "string") return node.value;
  if (node.kind === "name") return checkBoolean(node, _, context);
  return plainNumber(node, "a string, a number, true or false", context)?.value;
}

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
