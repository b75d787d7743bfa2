import type { Extra } from "../../diagnostics/diagnostic.js";
import { meant } from "../../diagnostics/suggestion.js";
import { didYouMean } from "../../foundation/suggest.js";
import { type ValueType, wordsOf } from "../../language/types.js";
import type { NameNode, StringNode, ValueNode } from "../../syntax/tree.js";
import type { ValueContext } from "../check-context.js";
import { otherWord, TRUTH, unquoted } from "../fixes.js";
import type { Scope } from "../scope.js";
import { wrongType } from "./wrong-type.js";

/** Whether a bare word is a value of the type itself: it then never means a constant of the same name. */
export function isWordOf(node: ValueNode, type: ValueType, { scope }: ValueContext): boolean {
  if (node.kind !== "name") return false;
  return wordsOf(type).includes(node.text) || isDeclared(node.text, type, scope);
}

/** Whether a word is the name of a block that the type takes. */
const isDeclared = (word: string, type: ValueType, scope: Scope): boolean =>
  type.kind === "enumeration" &&
  type.declared !== undefined &&
  scope.block(type.declared, word) !== undefined;

export function checkEnumeration(
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

export function checkBoolean(
  node: ValueNode,
  _: unknown,
  context: ValueContext,
): boolean | undefined {
  const values = ["true", "false"];
  const word = checkEnumeration(node, { kind: "enumeration", values }, context);
  return word === undefined ? undefined : word === "true";
}

export function reportUnknown(node: NameNode, type: Enumeration, context: ValueContext): void {
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
