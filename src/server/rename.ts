import type { Place } from "../diagnostics/diagnostic.js";
import { VALUE_WORDS } from "../language/words.js";
import type { SymbolUse } from "../semantics/symbols.js";
import type { AnalysedDocument } from "./document.js";
import { namesInside } from "./names.js";
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
  return { ok: true, places: [...declarationOf(symbol, project), ...usesIn(symbol, project)] };
}

/** Its name alone: in YAML it may have quotes. */
function declarationOf(symbol: SymbolUse, project: readonly AnalysedDocument[]): readonly Place[] {
  const document = project.find(({ path }) => path === symbol.definition.file);
  return document ? namesInside(symbol.definition, symbol.name, document) : [symbol.definition];
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
