import type { Block, Property, ValueType } from "../language/types.js";
import type { Span } from "../syntax/tree.js";
import { propertyOf, type Scope } from "./scopes.js";
import type { Token } from "./tokens.js";
import { stateBefore, typeAt } from "./walk.js";

/** The text that a completion would replace. */
export interface Replaced {
  readonly replace: Span;
  /** It goes on behind that, on its line: `=` after a key, `{` after a block. */
  readonly followed?: boolean;
  /** A `=` stands right before it. */
  readonly glued?: boolean;
}

/** What may be typed at the cursor. */
export type Cursor = Replaced &
  (
    | { readonly kind: "nothing" }
    /** A key, a block, or at the top another member. */
    | { readonly kind: "member"; readonly scope: Scope }
    | {
        readonly kind: "value";
        readonly scope: Scope;
        readonly key: string;
        readonly property?: Property;
        /** Of the value here: inside a list, of its items. */
        readonly type?: ValueType;
        /** Between quotes; then what was typed of the string. */
        readonly quoted?: string;
      }
    | { readonly kind: "unit"; readonly type?: ValueType }
    | { readonly kind: "label"; readonly block: string; readonly quoted?: string }
    | { readonly kind: "import"; readonly quoted?: string }
    /** After `extends`, in the header of the block that has this name. */
    | { readonly kind: "base"; readonly block: string; readonly name: string | undefined }
    | {
        readonly kind: "header";
        readonly block: string;
        readonly named: boolean;
        readonly labelled: boolean;
        /** It says what it extends. */
        readonly based: boolean;
      }
  );

export type BlockTable = Readonly<Record<string, Block>>;

/** Where an offset is, also in half-typed text. */
export function cursorAt(text: string, tokens: readonly Token[], offset: number): Cursor {
  const nothing: Cursor = { kind: "nothing", replace: { start: offset, end: offset } };
  const holding = tokens.find((token) => touches(token, offset));
  if (holding?.kind === "comment") return nothing;
  if (holding?.kind === "string") return inString(text, tokens, holding, offset) ?? nothing;
  const word = holding;
  const rest = word ? tokens.filter((token) => token !== word) : tokens;
  const before = rest.findIndex(({ start }) => start >= (word?.start ?? offset));
  const replace = word ?? { start: offset, end: offset };
  const found = classify(text, rest, before === -1 ? rest.length : before, replace.start);
  if (!found) return nothing;
  const followed = word !== undefined && goesOn(text, word, found, rest[before]);
  const glued = text[replace.start - 1] === "=";
  return { ...found, replace: { start: replace.start, end: replace.end }, followed, glued };
}

/** Whether the token after a word belongs to what the word begins. */
function goesOn(text: string, word: Token, found: Found, next: Token | undefined): boolean {
  if (!next || next.kind === "comment" || /[\r\n]/.test(text.slice(word.end, next.start)))
    return false;
  if (next.text === "=" || next.text === "{") return true;
  const begins = found.kind === "member" && found.scope.kind !== "body";
  return begins && (next.kind === "name" || next.kind === "string" || next.kind === "number");
}

/** Whether what is typed at the offset changes this token. */
function touches({ kind, start, end, open }: Token, offset: number): boolean {
  if (kind === "symbol" || kind === "number") return false;
  if (kind === "comment") return start < offset && offset <= end;
  if (kind === "string")
    return start < offset && (offset < end || (open === true && offset <= end));
  return start <= offset && offset <= end;
}

type Found = Cursor extends infer C ? (C extends Cursor ? Omit<C, "replace"> : never) : never;

function classify(
  text: string,
  tokens: readonly Token[],
  index: number,
  offset: number,
): Found | undefined {
  const { scope, member, depth } = stateBefore(tokens, index);
  if (!member) return { kind: "member", scope };
  const key = member.key?.text;
  const sameLine = !/[\r\n]/.test(text.slice(member.last.end, offset));
  switch (member.kind) {
    case "version":
      return undefined;
    case "import":
      return { kind: "import" };
    case "let":
    case "entry":
      if (key === undefined) return undefined;
      return valueAt(scope, key, member.last, { depth, sameLine, gap: offset > member.last.end });
    case "run":
    case "block": {
      if (!sameLine) return { kind: "member", scope };
      if (scope.kind === "body") return undefined;
      const block = member.first.text;
      if (member.last.text === "extends" && member.last !== member.first)
        return { kind: "base", block, name: key };
      const written = tokens.slice(tokens.indexOf(member.first) + 1, index);
      return {
        kind: "header",
        block,
        named: key !== undefined,
        labelled: written.some(({ kind }) => kind === "string"),
        based: written.some(({ text }) => text === "extends"),
      };
    }
  }
}

function valueAt(
  scope: Scope,
  key: string,
  last: Token,
  at: { readonly depth: number; readonly sameLine: boolean; readonly gap: boolean },
): Found {
  const property = propertyOf(scope, key);
  const type = typeAt(property, at.depth);
  const typed = type ? { type } : {};
  const expected = last.kind === "symbol" && last.text !== "]" && last.text !== ")";
  const counts = !type || type.kind === "quantity";
  if (last.kind === "number" && at.sameLine && (counts || !at.gap))
    return { kind: "unit", ...typed };
  if (expected || (at.depth > 0 && last.text !== "]"))
    return { kind: "value", scope, key, ...(property ? { property } : {}), ...typed };
  return { kind: "member", scope };
}

function inString(
  text: string,
  tokens: readonly Token[],
  string: Token,
  offset: number,
): Cursor | undefined {
  const found = classify(text, tokens, tokens.indexOf(string), string.start);
  const end = string.open ? offset : string.end - 1;
  const replace = { start: string.start + 1, end: Math.max(end, offset) };
  const quoted = text.slice(replace.start, offset);
  if (found?.kind === "value" || found?.kind === "import") return { ...found, quoted, replace };
  if (found?.kind === "header") return { kind: "label", block: found.block, quoted, replace };
  return undefined;
}
