import type { Property } from "../language/types.js";
import { UNITS } from "../language/units.js";
import type { RunAnalysis } from "../semantics/analyze.js";
import { valueText } from "./describe.js";
import type { AnalysedDocument } from "./document.js";
import { codeSpan } from "./markdown.js";
import type { Scope } from "./scopes.js";
import type { PlacedToken } from "./walk.js";

/** What a key comes to, in Markdown: in the run it stands in, else in every run of the file. */
export function resolvedText(
  token: PlacedToken,
  property: Property,
  document: AnalysedDocument,
): string | undefined {
  const found = inRuns(token, document);
  const shown = (value: unknown) => codeSpan(valueText(value, property.type));
  const texts = found.map(({ name, value }) => [name, shown(value)] as const);
  const distinct = new Set(texts.map(([, text]) => text));
  if (distinct.size > 1) return texts.map(([name, text]) => `In run ${name}: ${text}`).join("  \n");
  const [only] = distinct;
  if (only !== undefined) return `Here: ${only}`;
  const alone = written(token, property, document);
  return alone === undefined ? undefined : `Here: ${shown(alone)}`;
}

interface RunValue {
  readonly name: string | undefined;
  readonly value: unknown;
}

/** The value in each checked run that has one; none in a named block, which may be overridden. */
function inRuns({ scope, key }: PlacedToken, { analysis }: AnalysedDocument): readonly RunValue[] {
  if (scope.kind === "body" && scope.name !== undefined) return [];
  const own = runOf(scope);
  const runs = analysis.runs.filter(({ name }) => own === undefined || name === own);
  return runs.flatMap((run) => {
    const value = valueAt(run, [...scope.path.split("."), key ?? ""]);
    return value === undefined ? [] : [{ name: run.name, value }];
  });
}

/** Name of the run that a scope lies in. */
export function runOf(scope: Scope): string | undefined {
  for (let at: Scope | undefined = scope; at; at = at.parent) if (at.kind === "run") return at.name;
  return undefined;
}

function valueAt({ spec }: RunAnalysis, path: readonly string[]): unknown {
  let value: unknown = spec;
  for (const part of path) {
    value = (value as Readonly<Record<string, unknown>> | undefined)?.[part];
  }
  return value;
}

/** What number and unit come to, where no checked spec says it. */
function written(token: PlacedToken, { type }: Property, { placed }: AnalysedDocument): unknown {
  if (type.kind !== "quantity") return undefined;
  const own = placed.filter(({ scope, key }) => scope === token.scope && key === token.key);
  const number = own.find(({ role }) => role === "number");
  const unit = own.find(({ role }) => role === "unit");
  const units: Readonly<Record<string, number>> = UNITS[type.dimension];
  // The key, `=`, the number and its unit: anything more is arithmetic.
  if (!number || !unit || own.length !== 4 || !Object.hasOwn(units, unit.text)) return undefined;
  return Number(number.text.replaceAll("_", "")) * (units[unit.text] ?? 1);
}
