import { resolve } from "pathe";
import { hasErrors } from "../diagnostics/diagnostic.js";
import { applyEdits } from "../diagnostics/fixes.js";
import { formatSpec } from "../format/format.js";
import type { Host } from "../host/host.js";
import type { Spec } from "../language/language.js";
import type { Changes } from "../plan/changes.js";
import type { Analysis } from "../semantics/analyze.js";
import { isYamlPath } from "../semantics/document.js";
import { setValues } from "../semantics/set-values.js";
import { analyzeFile, analyzeText } from "./analysis.js";
import { unifiedDiff } from "./diff.js";

/** A spec that was written, or why it was not. */
export type Written =
  | { readonly ok: true; readonly diff: string }
  | { readonly ok: false; readonly problem: string };

/**
 * Writes changes into a spec. Comments and layout stay, a formatted file stays formatted; nothing is written unless
 * the file then says exactly that, and of its other runs what it said.
 *
 * @param run of the file's runs, if it has several
 * @throws HostError
 */
export async function writeChanges(
  host: Host,
  path: string,
  run: string | undefined,
  changes: Changes,
): Promise<Written> {
  const before = await analyzeFile(host, path);
  const [document] = before.documents;
  const name = run ?? before.runs[0]?.name;
  const set = document && setValues(document, name, changes);
  if (!set?.ok) return { ok: false, problem: set?.problem ?? "the file cannot be read" };
  const text = inItsStyle(before, applyEdits(before.text, set.edits));
  const after = await analyzeText(host, path, text);
  if (!says(before, after, name, changes))
    return { ok: false, problem: "its values are written in a way that no small edit can change" };
  host.writeFile(resolve(host.workingFolder, path), text, { inPlace: true });
  return { ok: true, diff: unifiedDiff(path, before.text, text) };
}

/** Formatted where the file was. */
function inItsStyle({ text, file }: Analysis, edited: string): string {
  if (isYamlPath(file)) return edited;
  const own = formatSpec(text, file);
  if (!("text" in own) || own.text !== text) return edited;
  const formatted = formatSpec(edited, file);
  return "text" in formatted ? formatted.text : edited;
}

/** Whether a file says of one run what is wanted, and of the others what it said. */
function says(
  before: Analysis,
  after: Analysis,
  name: string | undefined,
  changes: Changes,
): boolean {
  if (hasErrors(after.diagnostics) || after.runs.length !== before.runs.length) return false;
  return before.runs.every(({ name: own, spec }, n) => {
    const wanted = spec && own === name ? specWith(changes, spec) : spec;
    return JSON.stringify(after.runs[n]?.spec) === JSON.stringify(wanted);
  });
}

function specWith(changes: Changes, spec: Spec): unknown {
  const blocks = Object.entries(spec).map(([name, block]) => {
    const keys = changes[name];
    if (!keys) return [name, block];
    const values = Object.entries(keys).map(([key, value]) => [key, value ?? undefined]);
    return [name, { ...block, ...Object.fromEntries(values) }];
  });
  return Object.fromEntries(blocks);
}
