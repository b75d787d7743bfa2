// Places in TypeScript that can be mutated. A mutation replaces the text from `start` to `end`.
import { parseAst } from "vitest/node";

const OPERATORS = {
  ...{ "<": "<=", "<=": "<", ">": ">=", ">=": ">", "===": "!==", "!==": "===" },
  ...{ "+": "-", "-": "+", "*": "/", "/": "*", "%": "*", "**": "*" },
  ...{ "&&": "||", "||": "&&", "+=": "-=", "-=": "+=", "*=": "/=", "/=": "*=" },
};
const CALLS = {
  min: "max",
  max: "min",
  ceil: "floor",
  floor: "ceil",
  every: "some",
  some: "every",
};
const TYPE_KEYS = ["typeAnnotation", "typeParameters", "typeArguments", "returnType", "implements"];
const VALUES_IN_TYPES = ["TSAsExpression", "TSNonNullExpression", "TSSatisfiesExpression"];

/** Every mutation of a source's code; its messages, types and imports are left alone. */
export function mutationsOfTypeScript(source) {
  const found = [];
  const add = (kind, start, end, text) => found.push({ kind, start, end, text });
  visit(parseAst(source, { lang: "ts" }), source, add);
  return found;
}

function visit(node, source, add) {
  if (node.type.startsWith("TS") && !VALUES_IN_TYPES.includes(node.type)) return;
  if (["ImportDeclaration", "TemplateLiteral"].includes(node.type)) return;
  MUTATORS[node.type]?.(node, source, add);
  if (node.type === "ThrowStatement") return;
  for (const [key, value] of Object.entries(node)) {
    if (TYPE_KEYS.includes(key)) continue;
    for (const child of Array.isArray(value) ? value : [value])
      if (typeof child?.type === "string") visit(child, source, add);
  }
}

const MUTATORS = {
  BinaryExpression: swapOperator,
  LogicalExpression: swapOperator,
  AssignmentExpression: swapOperator,
  Literal({ value, start, end }, _source, add) {
    if (typeof value === "boolean") add("boolean", start, end, String(!value));
    if (typeof value !== "number") return;
    add("constant", start, end, String(value + 1));
    add("constant", start, end, value > 0 ? String(value - 1) : `(${value - 1})`);
  },
  UnaryExpression({ operator, start }, _source, add) {
    if (operator === "!" || operator === "-") add("sign", start, start + 1, "");
  },
  CallExpression({ callee: { type, property } }, _source, add) {
    if (type !== "MemberExpression" || !Object.hasOwn(CALLS, property.name ?? "")) return;
    add("call", property.start, property.end, CALLS[property.name]);
  },
  IfStatement: forceCondition,
  ConditionalExpression: forceCondition,
  ExpressionStatement: dropStatement,
  ContinueStatement: dropStatement,
  ThrowStatement: dropStatement,
  FunctionDeclaration: returnAtOnce,
  FunctionExpression: returnAtOnce,
};

function swapOperator({ left, right, operator }, source, add) {
  const other = OPERATORS[operator];
  const isText = [left, right].some(
    ({ type, value }) => type === "TemplateLiteral" || typeof value === "string",
  );
  if (other === undefined || (operator === "+" && isText)) return;
  const start = source.indexOf(operator, left.end);
  add("operator", start, start + operator.length, other);
}

function forceCondition({ test: { start, end } }, _source, add) {
  for (const value of ["true", "false"]) add("condition", start, end, value);
}

function dropStatement({ start, end }, _source, add) {
  add("dropped statement", start, end, ";");
}

function returnAtOnce({ body }, _source, add) {
  if (body?.body.length > 0) add("returns at once", body.start + 1, body.start + 1, " return;");
}
