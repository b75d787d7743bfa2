import type { Place } from "../diagnostics/diagnostic.js";
import { LANGUAGE } from "../language/language.js";
import { wordsOf } from "../language/types.js";
import type { SymbolUse } from "../semantics/symbols.js";
import type { AnalysedDocument } from "./document.js";
import { propertyOf, type Scope } from "./scopes.js";
import type { PlacedToken } from "./walk.js";

/** What a name is looked up by. */
export type NameKey = Pick<SymbolUse, "kind" | "block" | "name">;

/** The name that a token declares or uses, going by where it stands alone. */
export function nameOf({ role, text, key, header, scope }: PlacedToken): NameKey | undefined {
  switch (role) {
    case "constant":
      return { kind: "constant", name: text };
    case "run-name":
      return { kind: "run", name: text };
    case "block-name":
    case "base":
      if (header === undefined) return undefined;
      return header === "run"
        ? { kind: "run", name: text }
        : { kind: "block", block: header, name: text };
    case "word":
      if (key === undefined || isOwnWord(text, scope, key)) return undefined;
      return { ...kindOf(scope, key), name: text };
    default:
      return undefined;
  }
}

/** What a name is that stands as a key's value. */
function kindOf(scope: Scope, key: string): Omit<NameKey, "name"> {
  const type = propertyOf(scope, key)?.type;
  const declared = type?.kind === "enumeration" ? type.declared : undefined;
  if (declared !== undefined) return { kind: "block", block: declared };
  return scope.kind !== "body" && Object.hasOwn(LANGUAGE, key)
    ? { kind: "block", block: key }
    : { kind: "constant" };
}

/** A key's own words come before constants of the same name. */
function isOwnWord(text: string, scope: Scope, key: string): boolean {
  const type = propertyOf(scope, key)?.type;
  return type !== undefined && wordsOf(type.kind === "list" ? type.item : type).includes(text);
}

export const sameName = (a: NameKey, b: NameKey): boolean =>
  a.kind === b.kind && a.block === b.block && a.name === b.name;

/**
 * Places of a name in one document: what the analysis saw, and what only the text shows, such as a value that every
 * run overrides.
 */
export function placesOf(name: NameKey, document: AnalysedDocument): readonly Place[] {
  const symbol = document.analysis.symbols.find((one) => sameName(one, name));
  const written = document.placed.flatMap((token) => {
    const found = nameOf(token);
    return found && sameName(found, name) ? [placeOf(token, document)] : [];
  });
  if (!symbol) return written;
  const seen = [symbol.definition, ...symbol.uses].flatMap((place) =>
    namesInside(place, name.name, document),
  );
  return [...seen, ...written];
}

/** A name where the analysis saw it. In YAML it saw a whole scalar, which may be a calculation or have quotes. */
export function namesInside(
  place: Place,
  name: string,
  { analysis }: AnalysedDocument,
): readonly Place[] {
  const document = analysis.documents.find(({ file }) => file === place.file);
  if (!document) return [place];
  const { text, lines } = document;
  const start = lines.offset(place.range.start);
  const written = text.slice(start, lines.offset(place.range.end));
  return [...written.matchAll(new RegExp(`(?<![\\w-])${name}(?![\\w-])`, "g"))].map(
    ({ index }) => ({
      file: place.file,
      range: lines.range(start + index, start + index + name.length),
    }),
  );
}

export const placeOf = ({ start, end }: PlacedToken, { path, lines }: AnalysedDocument): Place => ({
  file: path,
  range: lines.range(start, end),
});
