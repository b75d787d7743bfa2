import type { Place } from "../diagnostics/diagnostic.js";
import { VALUE_WORDS } from "../language/words.js";
import type { SymbolUse } from "../semantics/symbols.js";
import type { AnalysedDocument } from "./document.js";
import { isSame, usesIn } from "./references.js";

export type Renaming =
  | { readonly ok: true; readonly places: readonly Place[] }
  | { readonly ok: false; readonly problem: string };

/** All places that a new name has to be written to, or why it cannot be used. */
export function rename(
  symbol: SymbolUse,
  name: string,
  project: readonly AnalysedDocument[],
): Renaming {
  const problem = nameProblem(symbol, name) ?? conflict(symbol, name, project);
  if (problem !== undefined) return { ok: false, problem };
  const places = [symbol.definition, ...usesIn(symbol, project)];
  return { ok: true, places: places.flatMap((place) => nameInside(place, symbol.name, project)) };
}

/** In YAML the place of a name is its whole scalar, which may be a calculation or have quotes. */
function nameInside(
  place: Place,
  name: string,
  project: readonly AnalysedDocument[],
): readonly Place[] {
  const document = project.find(({ path }) => path === place.file);
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

function nameProblem({ kind }: SymbolUse, name: string): string | undefined {
  if (!/^[A-Za-z_][\w-]*$/.test(name))
    return `'${name}' is no name: a letter or _, then letters, digits, _ and -.`;
  if (name === "extends") return "'extends' is a word of the language.";
  if (kind === "constant" && VALUE_WORDS.has(name))
    return `'${name}' is a word of the language: a key that takes it would not see the constant.`;
  return undefined;
}

/** Another declaration of the new name, where this one is known. */
function conflict(
  symbol: SymbolUse,
  name: string,
  project: readonly AnalysedDocument[],
): string | undefined {
  if (name === symbol.name) return undefined;
  for (const document of project) {
    const symbols = document.analysis.symbols;
    if (!symbols.some((one) => isSame(one, symbol))) continue;
    const other = symbols.find(
      (one) => one.kind === symbol.kind && one.block === symbol.block && one.name === name,
    );
    if (other) {
      const { file, range } = other.definition;
      return `'${name}' is already declared in ${file}, line ${range.start.line}.`;
    }
  }
  return undefined;
}
