import type { Fix } from "../diagnostics/diagnostic.js";
import { LineMap, type Range, withSpaceAround } from "../foundation/text.js";
import { isYamlPath, type SourceDocument } from "../semantics/document.js";
import type { Span } from "../syntax/tree.js";
import type { SpecSubject } from "./subject.js";

/** A fix that puts another text in a value's place; none where the spec does not set it in this file. */
export function replaceValue(
  { origins, file }: SpecSubject,
  path: string,
  text: string,
  safe = false,
): { readonly fix?: Fix } {
  const place = origins.place(path);
  if (!origins.has(path) || place.file !== file) return {};
  const key = path.split(".").at(-1);
  const edits = [{ range: place.range, new_text: text }];
  return { fix: { title: `Set ${key} to ${text}`, safe, edits } };
}

/** A fix that removes a key with its value; none where they do not stand together in this file. */
export function removeKey(
  { origins, file, text }: SpecSubject,
  path: string,
  safe = true,
): { readonly fix?: Fix } {
  const place = origins.place(path);
  const key = path.split(".").at(-1) ?? "";
  if (!origins.has(path) || place.file !== file) return {};
  const range = entryRange(text, key, place.range);
  if (!range) return {};
  return { fix: { title: `Remove ${key}`, safe, edits: [{ range, new_text: "" }] } };
}

/** A fix that removes a statement; none in YAML, where commas and lines belong to its neighbours. */
export function removal(
  { file, text, lines }: SourceDocument,
  statement: Span,
  what: string,
  safe: boolean,
): { readonly fix?: Fix } {
  if (isYamlPath(file)) return {};
  const { start, end } = withSpaceAround(text, statement);
  const edits = [{ range: lines.range(start, end), new_text: "" }];
  return { fix: { title: `Remove ${what}`, safe, edits } };
}

/** From the key to the end of its value; the whole line where there is nothing else on it. */
function entryRange(text: string, key: string, { start, end }: Range): Range | undefined {
  const lines = new LineMap(text);
  const before = lines.line(start.line).slice(0, start.column - 1);
  const found = new RegExp(`(^|[\\s{])${key}\\s*=\\s*$`).exec(before);
  if (!found) return undefined;
  const column = found.index + (found[1]?.length ?? 0) + 1;
  const alone = before.slice(0, column - 1).trim() === "";
  const after = lines.line(end.line).slice(end.column - 1);
  if (alone && /^\s*((#|\/\/).*)?$/.test(after)) {
    return { start: { line: start.line, column: 1 }, end: { line: end.line + 1, column: 1 } };
  }
  const space = /^\s*/.exec(after)?.[0].length ?? 0;
  return {
    start: { line: start.line, column },
    end: { line: end.line, column: end.column + space },
  };
}
